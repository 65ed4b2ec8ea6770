"""Every invariant bites: by a state broken by hand, and by a faulty rule; and how it is told."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from engine.protocol.events import Event
from engine.protocol.limits import ORDER_SEQ_BASE
from engine.world import world as world_module
from engine.world.cascade import Bounds
from engine.world.events import Code, TickEvents
from engine.world.oracle import find_invariants
from engine.world.rulebook import Rulebook, find_rules
from engine.world.rules.base import Draft, Rule, Trigger, caused_by
from tests.unit.world.arena import Arena, node, npc, player, target

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


def test_there_are_invariants() -> None:
    names = [invariant.name for invariant in find_invariants()]
    assert set(BY_HAND) | {"causes", "versions"} <= set(names)
