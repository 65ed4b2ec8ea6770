"""Every invariant bites: by a state broken by hand, and by a faulty rule; and how it is told."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from engine.protocol.events import Event
from engine.protocol.limits import INVARIANT_NAMED_MAX, INVARIANT_REPEAT_TICKS, ORDER_SEQ_BASE
from engine.world import world as world_module
from engine.world.cascade import Bounds
from engine.world.events import Code, TickEvents
from engine.world.inputs import TickInputs
from engine.world.oracle import find_invariants
from engine.world.rulebook import Rulebook, find_rules
from engine.world.rules.base import Draft, Rule, Trigger, caused_by
from engine.world.world import World
from tests.unit.world.arena import MIDDLE, Arena, node, npc, player, target

ONE, TWO = player(0), player(1)
Columns = dict[str, int]


def _faulty(makes: int, on: int = Code.SAID, **columns: int) -> Rulebook:
    """The world's rules, and one that makes an event with what is given, whatever it is."""

    def react(trigger: Trigger) -> Draft:
        rows = np.arange(len(trigger.events))
        who = trigger.events["actor"].astype(np.int64)
        draft = caused_by(trigger, rows, who, who)
        changed = {name: np.full(len(rows), value) for name, value in columns.items()}
        kept = {name: getattr(draft, name) for name in Draft.__slots__}
        return Draft(**{**kept, **changed})

    fault = Rule("faulty", "wrong on purpose", 1000, (on,), makes, react)
    return Rulebook.of([*find_rules().rules, fault])


def _broken(arena: Arena) -> dict[str, Event]:
    found = {e.text.partition(":")[0]: e for e in arena.events("invariant_broken")}
    rows = TickEvents(arena.last.tick, arena.last.events).violations()
    assert {row.policy for row in rows if row.critical} == set(found)
    return found


def _say(arena: Arena, seq: int = 5) -> dict[str, Event]:
    arena.step((ONE, seq, "say"), texts={0: "hello"})
    return _broken(arena)


@pytest.mark.parametrize(
    ("makes", "columns", "name", "words"),
    [
        (Code.LOOTED, {"stream": 0, "target": TWO, "a": 7}, "gold_conservation", "gold in the"),
        (Code.TRADED, {"target": 77, "a": 0, "b": -7}, "gold_conservation", "gold in the"),
        (Code.GATHERED, {"target": 77, "a": 3}, "goods_conservation", "goods in the world"),
        (Code.NODE_REGROWN, {"stream": node(0), "a": 25, "b": 3}, "goods_conservation", "goods"),
        (Code.LOOTED, {"target": TWO, "a": 101}, "purses", "player-1 holds -1 gold"),
        (Code.GATHERED, {"target": node(0), "a": 21}, "purses", "node-0 holds -1 goods"),
        (Code.RESTED, {"a": 1}, "hp_bounds", "player-0 has 101 hp, allowed are 0 to 100"),
        (Code.ATTACKED, {"stream": TWO, "a": 101}, "hp_bounds", "player-1 has -1 hp"),
        (Code.FLED, {"stream": TWO, "a": 70_000, "b": 5}, "one_place", "off the map at (70000, 5)"),
        (Code.JOINED, {"stream": TWO, "a": 0, "b": 0}, "one_row", "player-1 stands in row"),
        (Code.RESTED, {"cause": 0}, "causes", "(rested) names"),
        (Code.RESTED, {"cause": 9_999}, "causes", "(rested) names 9999 as its cause"),
        (Code.RESTED, {"correlation": 0}, "causes", "no earlier event of its command"),
        (Code.DIED, {"cause": 0, "stream": TWO}, "causes", "(died) "),
        (Code.RESTED, {"cause": 1}, "causes", "names 1 as its cause"),
    ],
)
def test_a_faulty_rule_is_caught(makes: int, columns: Columns, name: str, words: str) -> None:
    if columns.get("cause") == 0:
        words = words.replace("names", "has no cause")
        columns = {**columns, "correlation": 0 if makes == Code.DIED else TWO << 32 | 3}
    arena = Arena(npcs=1, nodes=1, rules=_faulty(makes, **columns))
    broken = _say(arena)[name]
    (said,) = arena.events("said")
    assert words in broken.text
    made = next(e for e in arena.events(*_kinds(makes)) if e.seq > said.seq)
    assert broken.cause == made.seq, "caused by the newest event that touched it"
    assert f"after #{made.seq} {made.kind}" in broken.text
    if "cause" not in columns and "correlation" not in columns:
        assert f" ← #{said.seq} said player-0 ← command 5 of player-0" in broken.text
        assert broken.correlation == said.correlation


def _kinds(code: int) -> tuple[str, ...]:
    names = {value: name for name, value in vars(Code).items() if name.isupper()}
    return (names[code].lower(),)


def _gain(arena: Arena) -> None:
    arena.set(ONE, gold=101)


def _lose_goods(arena: Arena) -> None:
    arena.state.goods[arena.row(npc(0))] -= 4


def _owe(arena: Arena) -> None:
    arena.endow(TWO, -3)


def _bankrupt(arena: Arena) -> None:
    arena.state.supply -= arena.state.treasury + 1
    arena.state.treasury = -1


def _overheal(arena: Arena) -> None:
    arena.set(npc(0), hp=101)


def _two_zones(arena: Arena) -> None:
    arena.set(TWO, zone=3)


def _two_cells(arena: Arena) -> None:
    arena.set(TWO, cell=3)


def _double(arena: Arena) -> None:
    arena.state.id[arena.row(TWO)] = ONE


BY_HAND: dict[str, tuple[Callable[[Arena], None], str]] = {
    "gold_conservation": (_gain, "10000000001 gold in the world, there must be 10000000000"),
    "goods_conservation": (_lose_goods, "16 goods in the world, there must be 20"),
    "purses": (_owe, "player-1 holds -3 gold"),
    "hp_bounds": (_overheal, "npc-0 has 101 hp, allowed are 0 to 100"),
    "one_place": (_two_zones, "player-1 is in zone 3 and at (36864, 36864), in zone 36"),
    "one_row": (_double, "player-0 stands in row 2 and in row 1"),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_state_broken_by_hand_is_told_and_not_mended(name: str) -> None:
    spoil, words = BY_HAND[name]
    arena = Arena(npcs=1)
    spoil(arena)
    columns = {column: values.copy() for column, values in arena.state.columns.items()}
    arena.wait(1)
    broken = _broken(arena)[name]
    assert words in broken.text
    assert (broken.stream, broken.cause, broken.correlation) == (0, 0, 0)
    assert broken.text.endswith("; no event of this tick led to it")
    for column in ("gold", "goods", "zone", "cell", "id"):
        assert np.array_equal(arena.state.columns[column], columns[column]), column


def test_more_ways_to_break_by_hand() -> None:
    for spoil, name, words in (
        (_bankrupt, "purses", "the treasury holds -1 gold"),
        (_two_cells, "one_place", "player-1 is in cell 3 and at (36864, 36864), in cell 594"),
    ):
        arena = Arena()
        spoil(arena)
        arena.step()
        assert words in _broken(arena)[name].text


@pytest.mark.parametrize("how", ["skip", "swap", "twice", "count", "world"])
def test_wrong_versions_are_caught(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arena = Arena()
    real = world_module.seal
    done = itertools.count()

    def seal(state, events, *rest):
        real(state, events, *rest)
        if next(done):
            return
        mine = np.nonzero(events["stream"] == ONE)[0]
        if how == "skip":
            events["version"][mine[-1]] += 1
        elif how == "swap":
            events["version"][mine] = events["version"][mine[::-1]].copy()
        elif how == "twice":
            events["version"][mine[-1]] = events["version"][mine[0]]
        elif how == "count":
            state.version[arena.row(ONE)] += 2
        else:
            state.world_version += 1

    monkeypatch.setattr(world_module, "seal", seal)
    arena.step((ONE, 1, "rest"), (ONE, 2, "rest"))
    text = _broken(arena)["versions"].text
    if how in {"count", "world"}:
        assert f"{'world' if how == 'world' else 'player-0'} has" in text
    else:
        assert "is number" in text
    if how != "world":
        assert "← command" in text or "command 2 of player-0" in text


def test_true_worlds_have_no_breaks_whatever_happens_in_them() -> None:
    arena = Arena(players=3, npcs=5, nodes=2)
    for seq in range(1, 60):
        arena.step(target("attack", ONE, seq, npc(0)), (TWO, seq, "rest"), restarted=seq == 30)
        assert _broken(arena) == {}
    order = ORDER_SEQ_BASE + 1
    arena.step(target("attack", ONE, order, TWO))
    assert _broken(arena) == {}


def test_an_operators_order_is_named_as_such() -> None:
    arena = Arena(rules=_faulty(Code.RESTED, a=1))
    text = _say(arena, ORDER_SEQ_BASE + 4)["hp_bounds"].text
    assert text.endswith("said player-0 ← an order for player-0")


def test_a_long_chain_is_cut_in_the_text() -> None:
    steps = [Code.SAID, Code.CALLED_FOR_HELP, Code.RESTED, Code.RETALIATED]

    def on(trigger: Trigger) -> Draft:
        who = trigger.events["stream"]
        return caused_by(trigger, np.arange(len(who)), who, who, who)

    again = Rule("again", "round and round", 1, (*steps[:2],), Code.CALLED_FOR_HELP, on)
    last = Rule(
        "last",
        "too much of a rest",
        2,
        (Code.CALLED_FOR_HELP,),
        Code.RESTED,
        lambda trigger: caused_by(
            trigger, np.arange(1), np.array([ONE]), np.array([ONE]), 0, int(trigger.tick < 50)
        ),
    )
    arena = Arena(rules=Rulebook.of([again, last]), cascade=Bounds(loop_max=10, depth_max=12))
    text = _say(arena)["hp_bounds"].text
    assert text.count(" ← #") == 7
    assert text.endswith(" ← …")


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


def test_there_are_invariants() -> None:
    names = [invariant.name for invariant in find_invariants()]
    assert set(BY_HAND) | {"causes", "versions"} <= set(names)
