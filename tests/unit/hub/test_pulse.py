"""Ticks that are slow, that overrun, and that do not come."""

from engine.hub.pulse import STALLED_S, Pulse


def test_slow_is_not_overrun_and_what_was_held_back_keeps_its_cause() -> None:
    pulse = Pulse()
    (slow,) = pulse.take(1, ("tick 1: append took 40 ms",), 0, 1.0)
    assert (slow.kind, slow.text, slow.bad) == ("slow_tick", "tick 1: append took 40 ms", False)
    # Held back for a second, and told then although nothing new has happened.
    assert pulse.take(2, ("tick 2: step took 45 ms",), 0, 1.2) == []
    (later,) = pulse.take(12, (), 0, 2.2)
    assert later.text == "tick 2: step took 45 ms"
    assert pulse.take(13, (), 0, 4.0) == []


def test_overruns_are_counted_with_a_cause_where_there_is_one() -> None:
    pulse = Pulse()
    (one,) = pulse.take(7, (), 1, 1.0)
    assert (one.kind, one.text, one.bad) == ("overrun", "1 tick overran, up to tick 7", True)
    pulse.take(8, ("a",), 2, 1.1)
    (more,) = pulse.take(9, ("b",), 1, 2.1)
    assert more.text == "3 ticks overran, up to tick 9: b, 1 more like it"


def test_a_world_that_stands_still_is_told_once_and_so_is_its_going_on() -> None:
    pulse = Pulse()
    assert pulse.look(100.0) == []
    pulse.take(1, (), 0, 1.0)
    assert pulse.look(1.0 + STALLED_S - 0.1) == []
    assert pulse.stalled_s == 0.0
    # It still reports, but the tick is the same: a full disk, say.
    pulse.take(1, (), 0, 2.5)
    (stood,) = pulse.look(1.0 + STALLED_S)
    assert (stood.kind, stood.bad) == ("problem", True)
    assert "has not ticked for 2 s" in stood.text
    assert pulse.look(9.0) == []
    assert pulse.stalled_s == 8.0
    assert pulse.ails == "the world lives but has not ticked for 8 s"
    pulse.take(2, (), 0, 9.5)
    (on,) = pulse.look(9.6)
    assert (on.text, on.bad) == ("the world ticks again, after 8 s", False)
    assert (pulse.stalled_s, pulse.look(9.7)) == (0.0, [])
    told = "the world stalled: it lived and did not tick for 8 s from 1 s on"
    assert (pulse.ails, pulse.stall) == ("", told)
    pulse.look(12.0)
    assert pulse.stall == told, "the longest is told"


def test_a_world_that_is_gone_is_not_said_to_stand_still() -> None:
    pulse = Pulse()
    pulse.take(5, (), 0, 1.0)
    pulse.look(4.0)
    pulse.gone()
    assert (pulse.stalled_s, pulse.look(60.0)) == (0.0, [])
    pulse.take(5, (), 0, 61.0)
    assert pulse.look(62.0) == []


def test_a_store_that_does_not_store_is_told_and_so_is_that_it_stores_again() -> None:
    pulse = Pulse()
    assert pulse.store("", 0.0) == []
    (waits,) = pulse.store("no room", 1.0)
    assert (waits.text, waits.bad) == (
        "event store: no room: ticks wait, nothing is acknowledged",
        True,
    )
    assert pulse.store("no room, still", 2.0) == []
    assert pulse.store_error == "no room, still"
    (again,) = pulse.store("", 8.4)
    assert (again.text, again.bad) == ("event store: stores again, after 7 s", False)
    pulse.store("no room", 9.0)
    pulse.gone()
    assert (pulse.store_error, pulse.store("", 10.0)) == ("", [])
