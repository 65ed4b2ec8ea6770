"""Bounds on reactions: what bites is told, what is put off comes, what goes round is stopped."""

from itertools import pairwise

import numpy as np
import pytest

from engine.protocol.events import Event
from engine.world.cascade import Bounds
from engine.world.events import Code, TickEvents
from engine.world.inputs import TickInputs
from engine.world.rulebook import Rulebook, find_rules
from engine.world.world import World
from tests.unit.world.arena import Arena, player
from tests.unit.world.artificial import send_on

ONE, TWO, THREE = player(0), player(1), player(2)


def _arena(*rules, players: int = 3, **bounds: int) -> Arena:
    return Arena(players, rules=Rulebook.of(rules), cascade=Bounds(**bounds))


def _say(arena: Arena, who: int = ONE, seq: int = 1) -> list[Event]:
    arena.step((who, seq, "say"), texts={0: "hello"})
    return arena.events()


def _run_out(arena: Arena, ticks: int = 200) -> list[Event]:
    """Step until nothing waits any more; return everything that happened."""
    events = arena.events()
    for _ in range(ticks):
        if not arena.last.pending:
            return events
        arena.step()
        events += arena.events()
    raise AssertionError("it never ends")


def _violations(arena: Arena) -> dict[str, str]:
    found = TickEvents(arena.last.tick, arena.last.events).violations()
    assert not any(row.critical for row in found)
    return {row.policy: row.reason for row in found}


def test_a_cascade_that_fits_is_not_cut() -> None:
    arena = _arena(send_on("echo", [Code.SAID], Code.RESTED), depth_max=1, events_max=1)
    assert [event.kind for event in _say(arena)] == ["said", "rested"]
    assert (arena.last.depth, arena.last.pending, _violations(arena)) == (1, 0, {})


def test_depth_bites_and_is_told_once_a_tick() -> None:
    chain = (
        send_on("call", [Code.SAID], Code.CALLED_FOR_HELP),
        send_on("lie-down", [Code.CALLED_FOR_HELP], Code.RESTED),
        send_on("wake", [Code.RESTED], Code.RETALIATED, fan=2),
    )
    arena = _arena(*chain, depth_max=1)
    said, called, cut = _say(arena)
    assert (said.kind, called.kind, cut.kind) == ("said", "called_for_help", "cascade_cut")
    assert _violations(arena) == {
        "cascade-depth": "reactions (lie-down) go on beyond 1 levels in one tick; "
        "those to 1 events wait for the next tick"
    }
    assert (cut.stream, cut.cause, cut.correlation) == (0, called.seq, said.correlation)
    assert (cut.a, cut.b) == (1, 1)
    arena.step()
    assert [event.kind for event in arena.events()] == ["rested", "cascade_cut"]
    assert (arena.last.depth, arena.events()[0].cause) == (1, called.seq)
    arena.step()
    assert [event.kind for event in arena.events()] == ["retaliated"] * 2
    assert (arena.last.pending, _violations(arena)) == (0, {})


def test_width_bites_names_rules_and_loses_nothing() -> None:
    rules = (
        send_on("shout", [Code.SAID], Code.CALLED_FOR_HELP, fan=3),
        send_on("rest", [Code.CALLED_FOR_HELP], Code.RESTED),
    )
    arena = _arena(*rules, events_max=4)
    events = _say(arena)
    assert [event.kind for event in events] == [
        "said", *["called_for_help"] * 3, "rested", "cascade_cut"
    ]  # fmt: skip
    assert _violations(arena) == {
        "cascade-width": "more than 4 reactions (rest) in one tick; "
        "those to 2 events wait for the next tick"
    }
    events = _run_out(arena)
    causes = [event.cause for event in events if event.kind == "rested"]
    calls = [event.seq for event in events if event.kind == "called_for_help"]
    assert causes == calls


def test_more_than_may_wait_never_comes_and_that_is_told() -> None:
    shout = send_on("shout", [Code.SAID], Code.CALLED_FOR_HELP, fan=3)
    rest = send_on("rest", [Code.CALLED_FOR_HELP], Code.RESTED)
    arena = _arena(shout, rest, depth_max=1, pending_max=2)
    _say(arena)
    assert arena.last.pending == 2
    assert _violations(arena)["cascade-depth"].endswith(
        "those to 2 events wait for the next tick, those to 1 more never come: no more may wait"
    )
    arena.step()
    assert [event.kind for event in arena.events()] == ["rested"] * 2


@pytest.mark.parametrize("depth_max", [1, 2, 3, 100])
def test_a_loop_of_one_is_stopped_after_so_many_returns(depth_max: int) -> None:
    rules = (
        send_on("begin", [Code.SAID], Code.CALLED_FOR_HELP),
        send_on("again", [Code.CALLED_FOR_HELP], Code.CALLED_FOR_HELP),
    )
    arena = _arena(*rules, depth_max=depth_max, loop_max=2)
    _say(arena)
    events = _run_out(arena)
    calls = [event for event in events if event.kind == "called_for_help"]
    # From "begin", then "again" for the first time, and twice more.
    assert len(calls) == 4
    loops = [event for event in events if event.text.startswith("cascade-loop")]
    assert [loop.text for loop in loops] == [
        "cascade-loop: called_for_help player-0 → called_for_help player-0 (again) "
        "came back more than 2 times; stopped"
    ]
    assert (loops[0].cause, loops[0].a, loops[0].b) == (calls[-1].seq, 1, 2)


@pytest.mark.parametrize("depth_max", [1, 4, 100])
def test_a_loop_of_two_rules_and_two_players_names_its_way(depth_max: int) -> None:
    rules = (
        send_on("begin", [Code.SAID], Code.CALLED_FOR_HELP),
        send_on("hit", [Code.CALLED_FOR_HELP], Code.RETALIATED, step=1),
        send_on("cry", [Code.RETALIATED], Code.CALLED_FOR_HELP),
    )
    arena = _arena(*rules, players=2, depth_max=depth_max, loop_max=1)
    _say(arena)
    (loop,) = [e for e in _run_out(arena) if e.text.startswith("cascade-loop")]
    assert loop.text == (
        "cascade-loop: retaliated player-1 → called_for_help player-1 → retaliated player-0 → "
        "called_for_help player-0 → retaliated player-1 (hit, cry) came back more than 1 times; "
        "stopped"
    )


def test_a_long_loop_is_found_over_many_ticks_and_its_way_is_cut() -> None:
    rules = (send_on("pass-on", [Code.SAID, Code.RESTED], Code.RESTED, step=1, players=20),)
    arena = _arena(*rules, players=20)
    _say(arena)
    events = _run_out(arena)
    assert sum(event.kind == "rested" for event in events) == 20 * 4, "once, and three times more"
    (loop,) = [event for event in events if event.text.startswith("cascade-loop")]
    assert "rested player-5 → … 15 more … → rested player-1 (pass-on)" in loop.text
    assert len(loop.text) < 300


def test_many_chains_in_one_loop_are_one_violation() -> None:
    rules = (
        send_on("shout", [Code.SAID], Code.CALLED_FOR_HELP, fan=3),
        send_on("again", [Code.CALLED_FOR_HELP], Code.CALLED_FOR_HELP),
    )
    arena = _arena(*rules)
    _say(arena)
    found = _violations(arena)
    assert list(found) == ["cascade-loop"]
    assert found["cascade-loop"].endswith("; 3 chains stopped")


def test_a_fan_that_comes_to_one_player_is_no_loop() -> None:
    """Many events in one stream, beside one another: none of them led to another."""
    rules = (
        send_on("shout", [Code.SAID], Code.CALLED_FOR_HELP, fan=3),
        send_on("crowd", [Code.CALLED_FOR_HELP], Code.RESTED, fan=6, players=1),
        # It could go round, so that it is watched at all.
        send_on("other-way", [Code.RETALIATED], Code.CALLED_FOR_HELP),
        send_on("and-back", [Code.DIED], Code.RETALIATED),
        send_on("to-death", [Code.CALLED_FOR_HELP], Code.RETALIATED, priority=99, fan=0),
    )
    book = Rulebook.of(rules)
    assert book.can_loop
    arena = Arena(3, rules=book, cascade=Bounds(loop_max=1))
    _say(arena)
    assert _violations(arena) == {}
    assert len(arena.events("rested")) == 18


def test_a_chain_that_never_repeats_is_stopped_in_the_end() -> None:
    rules = (send_on("pass-on", [Code.SAID, Code.RESTED], Code.RESTED, step=1, players=30),)
    arena = _arena(*rules, players=30, chain_max=25)
    _say(arena)
    events = _run_out(arena)
    assert sum(event.kind == "rested" for event in events) == 25
    assert events[-1].text.endswith("went on for more than 25 reactions; stopped")


def test_a_loop_is_found_across_a_restart() -> None:
    rules = (
        send_on("begin", [Code.SAID], Code.CALLED_FOR_HELP),
        send_on("hit", [Code.CALLED_FOR_HELP], Code.RETALIATED, step=1),
        send_on("cry", [Code.RETALIATED], Code.CALLED_FOR_HELP),
    )
    arena = _arena(*rules, players=2, depth_max=3)
    _say(arena)
    other = arena.world
    hashes = []
    for _ in range(8):
        book = Rulebook.of(rules)
        other = World.restore(other.config, other.checkpoint(), rules=book)
        assert other.hash == arena.world.hash
        other.step(TickInputs.of())
        arena.step()
        hashes.append(other.hash)
        assert other.hash == arena.world.hash
    assert arena.last.pending == 0
    assert len(set(hashes)) == len(hashes)


def test_a_cascade_of_other_rules_is_not_gone_on_with() -> None:
    many = [send_on(f"r{n}", [Code.DIED], Code.RESTED, priority=n) for n in range(5)]
    again = send_on("again", [Code.SAID, Code.CALLED_FOR_HELP], Code.CALLED_FOR_HELP, priority=9)
    arena = _arena(*many, again, depth_max=1)
    _say(arena)
    saved = arena.world.checkpoint()
    with pytest.raises(ValueError, match="other rules"):
        World.restore(arena.world.config, saved, rules=Rulebook.of([again]))


def test_where_a_waiting_chain_came_from_is_in_the_hash() -> None:
    again = send_on("again", [Code.SAID, Code.CALLED_FOR_HELP], Code.CALLED_FOR_HELP)
    arena = _arena(again, depth_max=2)
    _say(arena)
    world = arena.world
    assert len(world._pending.steps) == 2
    before = world._state_hash()
    steps = world._pending.steps.copy()
    steps["length"] += 1
    world._pending.steps[:] = steps
    assert world._state_hash() != before


def test_the_worlds_own_rules_cannot_loop_and_fit_into_one_tick() -> None:
    book = find_rules()
    assert not book.can_loop
    longest = dict.fromkeys(range(len(book.rules)), 1)
    for _ in book.rules:
        for one, rule in enumerate(book.rules):
            for other, then in enumerate(book.rules):
                if rule.makes in then.triggers:
                    longest[other] = max(longest[other], longest[one] + 1)
    assert max(longest.values()) <= Bounds().depth_max


def test_rulebooks_that_make_no_sense_are_refused() -> None:
    one = send_on("one", [Code.SAID], Code.RESTED)
    with pytest.raises(ValueError, match="two rules are called 'one'"):
        Rulebook.of([one, one])
    many = [send_on(f"rule-{n}", [Code.SAID], Code.RESTED) for n in range(251)]
    with pytest.raises(ValueError, match="251 rules; at most 250"):
        Rulebook.of(many)


def test_rules_react_in_order_of_priority_then_name() -> None:
    rules = (
        send_on("b", [Code.SAID], Code.RESTED, priority=2),
        send_on("a", [Code.SAID], Code.RETALIATED, priority=2),
        send_on("c", [Code.SAID], Code.CALLED_FOR_HELP, priority=1),
    )
    arena = _arena(*rules)
    assert [event.kind for event in _say(arena)][1:] == ["called_for_help", "retaliated", "rested"]
    seqs = np.array([event.seq for event in arena.events()])
    assert all(later - earlier == 1 for earlier, later in pairwise(seqs.tolist()))
