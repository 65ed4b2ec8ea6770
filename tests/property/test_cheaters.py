"""Known cheaters in a real world, tick by tick: every cheat is caught, and a hole is seen."""

from collections.abc import Sequence

import pytest

from engine.assault import behaviours
from engine.assault.drivers.seed import DRIVER
from engine.assault.player import Player
from engine.assault.tally import Tally
from engine.protocol.cheats import CheatsSummary
from engine.protocol.gateway import INTENT_KINDS, Ack, Intent, Welcome, client_decoder, encoder
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.policy import PolicyChange
from engine.protocol.registry import scan
from engine.stats.chance import Dice
from engine.world.audit import WORLD_NAME
from engine.world.governance import find_policies
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig

TICKS = 700
FOUND = scan(behaviours, "BEHAVIOUR")
MIX = ("cheater", "raider", "trader", "wanderer")
PLAYERS = 64
VERDICTS = ("permit", "deny", "mutate")


class Match:
    """A world and its players without anything in between: each acts once a second."""

    def __init__(self, mix: Sequence[str] = MIX) -> None:
        self.tally = Tally()
        self.world = World.create(WorldConfig(seed=5, npcs=150, nodes=150, capacity=600))
        self.players = [self._player(n, mix[n % len(mix)]) for n in range(PLAYERS)]
        joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(PLAYERS)]
        self.world.step(TickInputs.of(joins=joins))
        for number, player in enumerate(self.players):
            row = self._row(number)
            x, y = int(self.world.state.x[row]), int(self.world.state.y[row])
            greeting = Welcome(PLAYER_ID_BASE + number, 0, 100, "token", 0, x, y)
            player.hear(encoder.encode(greeting), 0.0)

    def _player(self, number: int, name: str) -> Player:
        return Player(f"player-{number}", name, FOUND[name], DRIVER, Dice(9, number), self.tally)

    def _row(self, number: int) -> int:
        row = self.world.state.row_of(PLAYER_ID_BASE + number)
        assert row is not None
        return row

    def run(self, ticks: int, changes: list[PolicyChange] | None = None) -> CheatsSummary:
        for _ in range(ticks):
            self._tick(changes or [])
            changes = None
        return self.tally.cheats.summary()

    def _tick(self, changes: list[PolicyChange]) -> None:
        now_s = self.world.tick / 10
        frames = self.world.frames()
        sent: list[tuple[int, Intent]] = []
        for number, player in enumerate(self.players):
            if (self.world.tick + number) % 10:
                continue
            # What is seen is a tick old, as it is at best.
            player.hear(frames.frame(int(self.world.state.cell[self._row(number)])), now_s)
            for wish in player.decide(now_s):
                _, frame = player.command(wish, now_s, now_s) or (0, b"")
                intent = client_decoder.decode(frame)
                assert isinstance(intent, Intent)
                sent.append((number, intent))
        rows = [
            (PLAYER_ID_BASE + n, i.seq, INTENT_KINDS.index(i.kind), i.x, i.y, i.target, i.amount)
            for n, i in sent
        ]
        texts = {row: intent.text for row, (_, intent) in enumerate(sent) if intent.text}
        done = self.world.step(TickInputs.of(rows, texts=texts, policies=changes)).verdicts
        for row, (number, intent) in enumerate(sent):
            verdict = VERDICTS[int(done.verdict[row])]
            answer = Ack(intent.seq, self.world.tick, verdict, done.reasons.get(row))  # type: ignore[arg-type]  # one of the three
            self.players[number].hear(encoder.encode(answer), now_s + 0.1)


def test_every_cheat_is_caught_and_honest_players_are_left_alone() -> None:
    match = Match()
    found = match.run(TICKS)
    kinds = {"chat-filter", "cooldown", "dead-actor", "inventory", "rate", "reach", "sanity"}
    assert {*kinds, "speed"} <= set(found.by_policy)
    for name, count in found.by_policy.items():
        assert count.missed == count.unanswered == 0, name
        assert count.tried == count.caught + count.caught_by_other, name
        assert count.caught > count.caught_by_other, f"{name} is caught by its own policy"
    honest = found.honest
    assert honest.sent > 2000
    # What is left is raced: a target that walked on or died while the command was under way.
    raced = {"reach", "sanity", "spawn-protection", "inventory"}
    assert raced <= {policy.name for policy in find_policies()}
    assert set(honest.by_policy) <= {*raced, WORLD_NAME}
    assert honest.denied + honest.mutated < honest.sent / 50


@pytest.mark.parametrize("name", ["speed", "reach", "rate", "cooldown", "chat-filter"])
def test_a_policy_that_is_off_is_seen_to_miss(name: str) -> None:
    match = Match(mix=("cheater",))
    before = match.run(200).by_policy[name]
    assert before.missed == 0
    found = match.run(200, [PolicyChange(name, enabled=False)])
    after = found.by_policy[name]
    assert after.caught == before.caught, "nothing more once it is off"
    assert after.missed > 5
    others = {other: count for other, count in found.by_policy.items() if other != name}
    assert all(count.missed == 0 for count in others.values())


def test_without_cheaters_there_is_nothing_to_catch() -> None:
    assert Match(mix=MIX[1:]).run(100).by_policy == {}
