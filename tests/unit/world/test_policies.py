"""Each policy, and how they go together."""

import numpy as np
import pytest

from engine.protocol.limits import POSITION_MAX, SAY_CHARS_MAX
from engine.protocol.policy import PolicyChange
from engine.world.audit import DENY, WORLD_ITSELF
from engine.world.constants import WALK_UNITS_PER_100_MS, WALK_UNITS_SAVED_MAX
from engine.world.governance import find_policies
from tests.unit.world.arena import MIDDLE, TILE, Arena, node, npc, player, target

ONE, TWO, THREE = player(0), player(1), player(2)


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


def test_speed_that_is_on_again_asks_a_leaper_for_no_more_than_what_can_be_saved() -> None:
    arena = Arena(players=1)
    arena.step(policies=[PolicyChange("speed", enabled=False)])
    for seq in range(1, 20):
        arena.step(arena.move(ONE, seq, 140 * TILE * (-1) ** seq))
        assert arena.verdicts() == [0]
    arena.step(policies=[PolicyChange("speed", enabled=True)])
    ticks = WALK_UNITS_SAVED_MAX * 100 // WALK_UNITS_PER_100_MS // 100
    arena.wait(ticks // 2)
    arena.step(arena.move(ONE, 20, TILE))
    assert arena.verdicts() == [1]
    arena.wait(ticks)
    arena.step(arena.move(ONE, 21, TILE))
    assert arena.verdicts() == [0]


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


def test_cooldown_counts_from_what_was_done() -> None:
    arena = Arena(players=1)
    for seq, verdict in ((1, 0), (2, 1), (3, 0)):
        arena.step((ONE, seq, "say"), texts={0: "hello"})
        assert arena.verdicts() == [verdict], seq
    assert arena.get(ONE, "said_ms") == 301
    arena.wait(5)
    arena.step((ONE, 4, "say"), (ONE, 5, "say"), texts={0: "one", 1: "two"})
    assert arena.verdicts() == [0, 1], "within a tick as well"
    assert arena.reason(1) == "cooldown: one say in 2 ticks"


def test_spawn_protection_lasts_until_one_attacks() -> None:
    arena = Arena()
    arena.step(joins=[(player(5), "player-5")])
    arena.put(player(5), MIDDLE, MIDDLE)
    arena.step(target("attack", ONE, 1, player(5)))
    assert arena.reason() == "spawn-protection: player-5 is protected for another 19 ticks"
    arena.step(target("attack", player(5), 1, ONE))
    assert arena.verdicts() == [0]
    arena.step(target("attack", ONE, 2, player(5)))
    assert arena.verdicts() == [0]


def test_spawn_protection_ends() -> None:
    arena = Arena()
    arena.step(joins=[(player(5), "player-5")])
    arena.put(player(5), MIDDLE, MIDDLE)
    arena.wait(19)
    arena.step(target("attack", ONE, 1, player(5)))
    assert arena.verdicts() == [0]


def test_zone_capacity_lets_in_as_many_as_fit_lower_ids_first() -> None:
    arena = Arena(players=4)
    edge = 128 * TILE
    for number in range(4):
        arena.put(player(number), edge - TILE, MIDDLE)
    arena.step(policies=[PolicyChange("zone-capacity", params={"entities_max": 2})])
    moves = [(player(number), 1, "move", edge + TILE, MIDDLE) for number in (3, 2, 1, 0)]
    arena.step(*moves)
    assert arena.verdicts() == [1, 1, 0, 0]
    assert arena.reason(0) == "zone-capacity: zone 36 is full with 0, allowed 2"
    arena.step((player(0), 2, "move", edge + 2 * TILE, MIDDLE))
    assert arena.verdicts() == [0], "who is in it already moves about"


def test_chat_filter_never_makes_a_text_longer() -> None:
    """In lower case this letter is two characters."""
    arena = Arena(players=1)
    longer = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}A"
    arena.step((ONE, 1, "say"), texts={0: longer * (SAY_CHARS_MAX // 2)})
    (said,) = arena.events("said")
    assert len(said.text) == SAY_CHARS_MAX


@pytest.mark.parametrize(
    ("said", "heard", "why"),
    [
        ("Damn you, scum", "**** you, ****", "2 listed words"),
        ("the dam is scummy", "the dam is scummy", ""),
        ("HELP ME RAIDERS", "help me raiders", "shouting"),
        ("OK WOW", "OK WOW", ""),
        ("heeeeelp!!!!!!", "heeelp!!!", "repetition"),
        ("YOU DAMN FOOOOOOLS", "you **** foools", "repetition, shouting, a listed word"),
        ("....", "...", "repetition"),
    ],
)
def test_chat_filter(said: str, heard: str, why: str) -> None:
    arena = Arena(players=1)
    arena.step((ONE, 1, "say"), texts={0: said})
    (event,) = arena.events("said")
    assert event.text == heard
    assert arena.verdicts() == [2 if why else 0]
    if why:
        assert arena.reason() == f"chat-filter: {why}"


def test_speed_shortens_to_the_step_that_is_allowed_now() -> None:
    arena = Arena()
    arena.step(policies=[PolicyChange("speed", params={"step_tiles_max": 2})])
    arena.step(arena.move(ONE, 1, 4 * TILE))
    assert arena.reason() == "speed: a step of 4.0 tiles, shortened to 2.0"
    arena.wait(20)
    arena.step(arena.move(ONE, 2, 9 * TILE))
    assert arena.reason() == "speed: a step of 9.0 tiles, allowed 2.0"


def test_trades_keep_every_purse_whole_also_without_governance() -> None:
    arena = Arena(players=3)
    off = [PolicyChange(name, enabled=False) for name in ("inventory", "trade-escrow")]
    arena.step(policies=off)
    arena.set(THREE, goods=5)
    result = arena.step(target("trade", ONE, 1, THREE, 4), target("trade", TWO, 1, THREE, 4))
    assert arena.verdicts() == [0, 1]
    assert arena.reason(1) == "world: seller has 1 goods, 4 wanted"
    assert result.audit.policy.tolist() == [255, WORLD_ITSELF]
