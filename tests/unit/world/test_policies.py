"""Each policy, and how they go together."""

import numpy as np
import pytest

from engine.protocol.limits import POSITION_MAX
from engine.world.governance import DENY, find_policies
from tests.unit.world.arena import MIDDLE, TILE, Arena, node, npc, player, target

ONE, TWO = player(0), player(1)


def test_speed_lets_walk_what_was_saved_and_no_more() -> None:
    arena = Arena()
    arena.step(arena.move(ONE, 1, 8 * TILE))
    assert arena.verdicts() == [0]
    arena.step(arena.move(ONE, 2, TILE))
    assert arena.verdicts() == [2]
    assert arena.get(ONE, "x") == MIDDLE + 8 * TILE + TILE // 2, "half a tile a tick"
    assert arena.reason() == "speed: a step of 1.0 tiles, shortened to 0.5"
    (moved,), (mutated,) = arena.events("moved"), arena.events("mutated")
    assert (mutated.text, mutated.cause) == (arena.reason(), moved.seq)
    assert (mutated.correlation, moved.text) == (moved.correlation, "")


def test_speed_denies_a_leap() -> None:
    arena = Arena()
    arena.step(arena.move(ONE, 1, 0, 9 * TILE))
    assert arena.reason() == "speed: a step of 9.0 tiles, allowed 8.0"
    assert arena.get(ONE, "y") == MIDDLE


def test_speed_denies_when_nothing_is_left() -> None:
    arena = Arena()
    arena.step(arena.move(ONE, 1, 8 * TILE), (ONE, 2, "move", MIDDLE + 9 * TILE, MIDDLE))
    assert arena.verdicts() == [0, 2] or arena.verdicts() == [0, 1]
    assert arena.get(ONE, "x") <= MIDDLE + 8 * TILE + TILE // 2


def test_speed_of_a_steady_walker_is_enough() -> None:
    arena = Arena(players=1)
    for seq in range(1, 6):
        arena.step(arena.move(ONE, seq, 4 * TILE * (-1) ** seq))
        assert arena.verdicts() == [0], seq
        arena.wait(9)


def test_reach() -> None:
    arena = Arena()
    arena.put(TWO, MIDDLE + 2 * TILE, MIDDLE)
    arena.step(target("attack", ONE, 1, TWO))
    assert arena.verdicts() == [0]
    arena.put(TWO, MIDDLE + 2 * TILE, MIDDLE + TILE)
    arena.step(target("attack", ONE, 2, TWO))
    assert arena.reason() == "reach: target 2.2 tiles away, allowed 2"


def test_reach_counts_from_where_earlier_moves_of_the_tick_led() -> None:
    arena = Arena()
    arena.put(TWO, MIDDLE + 6 * TILE, MIDDLE)
    arena.step(target("attack", ONE, 2, TWO), arena.move(ONE, 1, 5 * TILE))
    assert arena.verdicts() == [0, 0]


def test_rate_grants_twenty_then_one_a_tick() -> None:
    arena = Arena(players=1)
    arena.wait(20)
    arena.step(*((ONE, seq, "rest") for seq in range(1, 31)))
    assert arena.verdicts() == [0] * 20 + [1] * 10
    assert arena.reason(20) == "rate: more than 10 a second, 20 at once"
    arena.step(*((ONE, seq, "rest") for seq in range(31, 34)))
    assert arena.verdicts() == [0, 1, 1]


def test_dead_actor() -> None:
    arena = Arena()
    arena.set(TWO, hp=1)
    arena.step(target("attack", ONE, 1, TWO), (TWO, 2, "rest"), arena.move(TWO, 1, TILE))
    assert arena.reason(1) == "dead-actor: killed in this tick"
    arena.step((TWO, 3, "rest"))
    assert arena.reason() == f"dead-actor: dead until tick {arena.get(TWO, 'due_tick')}"


@pytest.mark.parametrize(
    ("intent", "reason"),
    [
        ((ONE, 1, 9), "unknown kind 9"),
        ((ONE, 1, "move", -1, 5), f"(-1, 5) is off the map, 0 to {POSITION_MAX}"),
        ((ONE, 1, "say"), "nothing to say"),
        (target("attack", ONE, 1, 0), "no target given"),
        (target("attack", ONE, 1, player(9)), "there is no player-9"),
        (target("attack", ONE, 1, 4_000_000_000), "there is no guest-3998000000"),
        (target("attack", ONE, 1, ONE), "cannot attack oneself"),
        (target("attack", ONE, 1, node(0)), "cannot attack node-0"),
        (target("gather", ONE, 1, TWO), "cannot gather from player-1"),
        (target("gather", ONE, 1, node(1)), "node-1 is empty"),
        (target("trade", ONE, 1, npc(0), 1), "npc-0 is dead"),
        (target("trade", ONE, 1, TWO, 0), "nothing to trade"),
    ],
)
def test_sanity(intent: tuple, reason: str) -> None:
    arena = Arena(npcs=1, nodes=2)
    arena.set(node(1), alive=0, goods=0)
    arena.set(npc(0), alive=0, hp=0)
    arena.step(intent)
    assert arena.reason() == f"sanity: {reason}"


def test_the_first_denial_ends_the_matter() -> None:
    arena = Arena()
    arena.set(ONE, hp=0, alive=0, due_tick=40)
    arena.step((ONE, 1, "move", -1, -1))
    assert arena.reason().startswith("dead-actor: ")
    assert [policy.name for policy in find_policies()] == [
        "role",
        "rate",
        "dead-actor",
        "sanity",
        "directive-scope",
        "cooldown",
        "reach",
        "speed",
        "inventory",
        "spawn-protection",
        "zone-capacity",
        "chat-filter",
        "trade-escrow",
    ]


def test_denials_are_stored_and_cost_what_a_command_costs() -> None:
    arena = Arena(players=1)
    arena.wait(20)
    leaps = [(ONE, seq, "move", 0, 0) for seq in range(1, 21)]
    arena.step(*leaps, (ONE, 21, "rest"))
    assert np.all(arena.last.verdicts.verdict == DENY)
    assert len(arena.events("denied")) == 21
    assert arena.get(ONE, "last_seq") == 21
