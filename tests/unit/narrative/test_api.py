"""What comes from the admin API, checked and put together."""

import msgspec
import pytest

from engine.protocol.events import Event
from engine.protocol.limits import STREAM_EVENTS_PER_MESSAGE_MAX
from narrative.api import EventsMessage, FaultMessage, GapMessage, HelloMessage, Ticks, read_message
from tests.unit.narrative.kit import Land, player


def message(tick: int, first: int, count: int) -> EventsMessage:
    events = tuple(Event(first + n, tick, "moved", 5, 1) for n in range(count))
    return EventsMessage(tick, first + count - 1, events)


def seqs(told: list[tuple[int, list[Event]]]) -> list[tuple[int, int, int]]:
    return [(tick, events[0].seq, events[-1].seq) for tick, events in told]


def test_a_tick_in_several_messages_is_one_tick():
    full = STREAM_EVENTS_PER_MESSAGE_MAX
    ticks = Ticks()
    assert ticks.take(message(1, 1, full)) == []
    assert ticks.take(message(1, full + 1, full)) == []
    assert seqs(ticks.take(message(1, 2 * full + 1, 3))) == [(1, 1, 2 * full + 3)]
    # One that is exactly full is whole when the next tick begins.
    assert ticks.take(message(2, 2001, full)) == []
    assert seqs(ticks.take(message(3, 3001, 2))) == [(2, 2001, 2000 + full), (3, 3001, 3002)]


def test_what_was_told_before_is_left_out():
    ticks = Ticks(last_seq=10)
    assert seqs(ticks.take(message(4, 9, 4))) == [(4, 11, 12)]
    assert ticks.take(message(4, 9, 4)) == []
    assert ticks.take(EventsMessage(5, 40, ())) == []
    assert ticks.last_seq == 40
    ticks.skip(30)
    assert ticks.last_seq == 40
    ticks.skip(50)
    assert ticks.take(message(6, 45, 5)) == []


def test_a_gap_drops_half_a_tick():
    ticks = Ticks()
    ticks.take(message(1, 1, STREAM_EVENTS_PER_MESSAGE_MAX))
    ticks.skip(2000)
    assert seqs(ticks.take(message(2, 2001, 1))) == [(2, 2001, 2001)]


@pytest.mark.parametrize(
    "event",
    [
        Event(0, 3, "died", 5, 1),
        Event(2**63, 3, "died", 5, 1),
        Event(7, 3, "died", 2**32, 1),
        Event(7, 3, "died", 5, 1, actor=-1),
        Event(7, 4, "died", 5, 1),
    ],
)
def test_events_that_cannot_be(event: Event):
    with pytest.raises(ValueError, match=f"event {event.seq} "):
        Ticks().take(EventsMessage(3, 8, (event,)))


def test_messages():
    told = message(1, 1, 2)
    assert read_message(msgspec.json.encode(told)) == told
    assert read_message('{"type":"hello","run":"r1","last_seq":9}') == HelloMessage(9)
    assert read_message('{"type":"live","last_seq":9}') is None
    gap = read_message('{"type":"gap","topic":"events","first":1,"last":9,"why":"slow"}')
    assert gap == GapMessage("events", 1, 9)
    fault = read_message('{"type":"fault","what":"armed","fault":{"name":"kill","id":"f1"}}')
    assert isinstance(fault, FaultMessage)
    for bad in ("", "x", "[]", "{}", '{"type":"gap"}', '{"type":"events","tick":-1}'):
        with pytest.raises(ValueError, match=r"\w"):
            read_message(bad)


@pytest.mark.parametrize("raging", [True, False])
def test_a_storm_is_called_a_storm(raging: bool):
    land = Land(first_seq=2)
    land.brain.storm(raging=raging)
    for number in range(20):
        land.happens("left", player(number))
    (beat,) = land.passes(20)
    assert ("storm" in beat.text) == raging
    for number in range(20):
        land.happens("resumed", player(number))
    (back,) = land.passes()
    assert ("storm" in back.text) == raging
