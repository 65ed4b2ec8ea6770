"""What comes from the admin API, checked and put together."""

import msgspec
import pytest

from engine.protocol.events import Event
from engine.protocol.limits import STREAM_EVENTS_PER_MESSAGE_MAX
from narrative.api import (
    ArmedFault,
    EventsMessage,
    Fault,
    FaultMessage,
    GapMessage,
    HelloMessage,
    Ticks,
    read_message,
)


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


def test_of_a_tick_that_was_told_before_nothing_is_told():
    ticks = Ticks(last_seq=10, last_tick=4)
    assert ticks.take(message(4, 11, 4)) == []
    assert ticks.last_seq == 14
    assert seqs(ticks.take(message(5, 15, 1))) == [(5, 15, 15)]


def test_a_message_that_is_no_good_leaves_the_tick_before_it_alone():
    full = STREAM_EVENTS_PER_MESSAGE_MAX
    bad = EventsMessage(2, full + 1, (Event(full + 1, 3, "died", 5, 1),))
    ticks = Ticks()
    assert ticks.take(message(1, 1, full)) == []
    with pytest.raises(ValueError, match=f"event {full + 1} "):
        ticks.take(bad)
    assert seqs(ticks.rest()) == [(1, 1, full)]
    assert ticks.rest() == []
    # The rest of the bad one's tick would be half a tick.
    assert ticks.take(message(2, full + 2, 1)) == []
    assert seqs(ticks.take(message(3, full + 3, 1))) == [(3, full + 3, full + 3)]


def test_half_a_tick_is_not_told_when_its_rest_is_no_good():
    full = STREAM_EVENTS_PER_MESSAGE_MAX
    bad = EventsMessage(1, full + 1, (Event(full + 1, 3, "died", 5, 1),))
    ticks = Ticks()
    ticks.take(message(1, 1, full))
    with pytest.raises(ValueError, match=f"event {full + 1} "):
        ticks.take(bad)
    assert ticks.rest() == []
    ticks = Ticks()
    ticks.take(message(1, 1, full))
    ticks.skip()
    assert ticks.take(message(1, full + 1, 1)) == []


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
    kill = '{"name":"kill","id":"f1","side":"server"}'
    fault = read_message(f'{{"type":"fault","what":"armed","tick":7,"fault":{kill}}}')
    assert fault == FaultMessage("armed", 7, Fault("f1", "kill"))
    hello = f'{{"type":"hello","last_seq":9,"armed":[{{"tick":3,"fault":{kill}}}]}}'
    assert read_message(hello) == HelloMessage(9, (ArmedFault(3, Fault("f1", "kill")),))
    for bad in (
        "",
        "x",
        "[]",
        "{}",
        '{"type":"gap"}',
        '{"type":"events","tick":-1}',
        f'{{"type":"fault","what":"armed","fault":{kill}}}',
        '{"type":"hello","last_seq":9,"armed":[1]}',
    ):
        with pytest.raises(ValueError, match=r"\w"):
            read_message(bad)
