"""How a broken invariant is told: once, with what led to it, and nothing is hidden."""

from collections.abc import Callable

import pytest

from engine.protocol.events import Event
from engine.protocol.limits import INVARIANT_NAMED_MAX, INVARIANT_REPEAT_TICKS
from engine.world.events import Code
from engine.world.inputs import TickInputs
from engine.world.world import World
from tests.unit.world.arena import MIDDLE, Arena, npc, player
from tests.unit.world.test_oracle import _faulty, _gain

ONE, TWO = player(0), player(1)


def test_what_stays_broken_is_told_once_and_what_changes_later_with_its_number() -> None:
    arena = Arena(npcs=1)
    told: list[tuple[int, str]] = []

    def step() -> None:
        arena.step()
        told.extend((arena.last.tick, e.text) for e in arena.events("invariant_broken"))

    _gain(arena)
    for _ in range(3 * INVARIANT_REPEAT_TICKS):
        step()
    assert len(told) == 1, "the same figure is no news"
    arena.set(ONE, gold=102)
    step()
    assert len(told) == 2, "another figure is"
    for extra in range(5):
        arena.set(ONE, gold=110 + extra)
        step()
    assert len(told) == 2, "but not at once again"
    for _ in range(INVARIANT_REPEAT_TICKS):
        step()
    assert len(told) == 3
    assert told[2][0] == told[1][0] + INVARIANT_REPEAT_TICKS
    assert "10000000014 gold" in told[2][1]
    assert f"; the newest of 5 since tick {told[1][0]}; " in told[2][1]


def test_a_break_of_one_tick_is_not_lost() -> None:
    arena = Arena(npcs=1)
    told: list[Event] = []

    def step(gold: int) -> None:
        arena.set(ONE, gold=gold)
        arena.step()
        told.extend(arena.events("invariant_broken"))

    for gold in (101, 100, 103, 100):
        step(gold)
    assert len(told) == 1
    for _ in range(INVARIANT_REPEAT_TICKS):
        step(100)
    assert len(told) == 2
    assert "10000000003 gold" in told[1].text
    for _ in range(INVARIANT_REPEAT_TICKS):
        step(100)
    assert arena.world._oracle.told == {}, "forgotten: what comes now begins anew"
    step(103)
    assert len(told) == 3
    assert "since" not in told[2].text


def _hurt(arena: Arena, *numbers: int) -> None:
    for number in numbers:
        arena.set(npc(number), hp=101)


def _owing(arena: Arena, *numbers: int) -> None:
    for number in numbers:
        arena.endow(npc(number), -3)


def _off_place(arena: Arena, *numbers: int) -> None:
    for number in numbers:
        # Players stay where they are.
        arena.set(player(number), zone=3)


def _doubled(arena: Arena, *numbers: int) -> None:
    for number in numbers:
        arena.state.id[arena.row(npc(number))] = ONE


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        ("hp_bounds", _hurt, "npc-{} has 101 hp"),
        ("purses", _owing, "npc-{} holds -3 gold"),
        ("one_place", _off_place, "player-{} is in zone 3"),
        ("one_row", _doubled, "player-0 stands in row {}"),
    ],
)
def test_a_lasting_break_hides_no_later_one(
    name: str, spoil: Callable[..., None], words: str
) -> None:
    arena = Arena(players=5, npcs=5)
    told: list[str] = []

    def step(ticks: int) -> None:
        for _ in range(ticks):
            arena.step()
            told.extend(e.text for e in arena.events("invariant_broken") if name in e.text)

    spoil(arena, 0)
    step(2 * INVARIANT_REPEAT_TICKS)
    spoil(arena, 3)
    step(1)
    spoil(arena, 2, 4)
    step(2 * INVARIANT_REPEAT_TICKS)
    ends = ((0, ""), (3, " (one of 2)"), (2, " (one of 4)"))
    assert len(told) == len(ends)
    for text, (number, end) in zip(told, ends, strict=True):
        assert words.format(number) in text
        assert text.partition(";")[0].endswith(end)
        assert ("one of" in text) == bool(end)
    assert "; the newest of 1 since tick " in told[2]


def test_what_changes_of_a_known_break_is_told_and_what_is_mended_is_not() -> None:
    arena = Arena(npcs=3)
    _hurt(arena, 0, 1)
    arena.step()
    (first,) = arena.events("invariant_broken")
    assert first.text.startswith("hp_bounds: npc-0 has 101 hp, allowed are 0 to 100 (one of 2)")
    arena.wait(INVARIANT_REPEAT_TICKS)
    arena.set(npc(2), hp=101)
    arena.step()
    (second,) = arena.events("invariant_broken")
    assert "npc-1 has 101 hp" in second.text, "the first that was not named yet"
    arena.wait(INVARIANT_REPEAT_TICKS)
    arena.set(npc(0), hp=102)
    arena.step()
    assert "npc-2 has 101 hp" in arena.events("invariant_broken")[0].text
    arena.wait(INVARIANT_REPEAT_TICKS)
    arena.set(npc(1), hp=103)
    arena.step()
    assert "npc-0 has 102 hp" in arena.events("invariant_broken")[0].text
    arena.wait(INVARIANT_REPEAT_TICKS)
    arena.set(npc(0), hp=100)
    arena.step()
    assert "npc-1 has 103 hp" in arena.events("invariant_broken")[0].text
    arena.wait(INVARIANT_REPEAT_TICKS)
    arena.set(npc(1), hp=100)
    arena.step()
    assert arena.events("invariant_broken") == []


def test_a_break_in_the_quiet_ticks_is_told_with_what_led_to_it_then() -> None:
    arena = Arena(rules=_faulty(Code.RESTED, a=1))
    arena.set(TWO, hp=101)
    arena.step()
    (first,) = arena.events("invariant_broken")
    assert "player-1 has 101 hp" in first.text
    arena.step((ONE, 5, "say"), texts={0: "hello"})
    assert arena.events("invariant_broken") == []
    (said,), (rested,) = arena.events("said"), arena.events("rested")
    while arena.last.tick < first.tick + INVARIANT_REPEAT_TICKS:
        # What is done to the same entity later did not lead to it.
        later = arena.last.tick + 1
        arena.step((ONE, 6 + later, "move", MIDDLE, MIDDLE))
    (told,) = arena.events("invariant_broken")
    assert (told.cause, told.correlation) == (rested.seq, said.correlation)
    assert "player-0 has 101 hp" in told.text
    led = f"; after #{rested.seq} rested player-0 ← #{said.seq} said player-0 ← command 5 of "
    assert led in told.text


def test_no_more_is_remembered_than_a_bound() -> None:
    arena = Arena(npcs=INVARIANT_NAMED_MAX + 20)
    for number in range(INVARIANT_NAMED_MAX + 20):
        _hurt(arena, number)
        arena.step()
    told = arena.world.told["hp_bounds"]
    assert len(told.named) == INVARIANT_NAMED_MAX
    assert told.untold == (INVARIANT_NAMED_MAX + 19) % INVARIANT_REPEAT_TICKS


def test_an_old_world_and_a_restarted_one_tell_the_same() -> None:
    arena = Arena(npcs=1)
    _gain(arena)
    arena.step()
    for gold in (102, 103):
        arena.set(ONE, gold=gold)
        arena.step()
    other = World.restore(arena.world.config, arena.world.checkpoint())
    assert other.hash == arena.world.hash
    for _ in range(INVARIANT_REPEAT_TICKS + 2):
        arena.step()
        result = other.step(TickInputs.of())
        assert result.hash == arena.world.hash
        assert result.events.texts == arena.last.events.texts


def test_what_was_told_is_part_of_the_hash() -> None:
    arena = Arena(npcs=1)
    _gain(arena)
    arena.step()
    before = arena.world._state_hash()
    arena.world._oracle.told["gold_conservation"].tick -= 1
    assert arena.world._state_hash() != before
