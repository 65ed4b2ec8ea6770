"""A tick's events: as people see them, one by one, some or all, and the violations among them."""

import numpy as np

from engine.protocol.events import EVENT_CODE, correlation_of
from engine.protocol.feed import ViolationRow
from engine.world.events import EVENT_DTYPE, EventBlock, TickEvents, to_events
from engine.world.orders import correlations

KINDS = ("moved", "moved", "denied", "said", "invariant_broken", "moved")
TEXTS = {1: "speed: cut: 3 tiles", 2: "reach: 9 tiles", 3: "no: violation", 4: "hp: 9 of 8"}


def tick() -> TickEvents:
    rows = np.zeros(len(KINDS), EVENT_DTYPE)
    rows["kind"] = [EVENT_CODE[kind] for kind in KINDS]
    for place, name in enumerate(EVENT_DTYPE.names or ()):
        if name != "kind":
            rows[name] = 10 * place + np.arange(len(KINDS))
    return TickEvents(7, EventBlock(101, rows, dict(TEXTS)))


def test_an_event_is_the_same_whichever_way_it_is_read() -> None:
    events = to_events(tick().block, 7)
    assert [(e.seq, e.tick, e.kind) for e in events] == [
        (101 + row, 7, kind) for row, kind in enumerate(KINDS)
    ]
    assert [tick().event(row) for row in range(len(KINDS))] == events
    assert tick().events(np.array([5, 1])) == [events[5], events[1]]
    assert tick().events(np.array([], np.int64)) == []
    one = events[2]
    assert (one.stream, one.version, one.actor, one.target) == (12, 22, 32, 42)
    assert (one.a, one.b, one.cause, one.correlation) == (52, 62, 72, 82)
    assert [event.text for event in events] == ["", *TEXTS.values(), ""]


def test_the_last_event_of_a_tick_and_of_one_without_any() -> None:
    assert (tick().first_seq, tick().last_seq) == (101, 106)
    assert EventBlock(5, np.zeros(0, EVENT_DTYPE)).last_seq == 4


def test_violations_are_the_denied_the_shortened_and_the_broken() -> None:
    assert tick().block.violations().tolist() == [1, 2, 4]
    found = tick().violations()
    assert found == [
        ViolationRow(102, 7, "speed", 31, "cut: 3 tiles", False),
        ViolationRow(103, 7, "reach", 32, "9 tiles", False),
        ViolationRow(105, 7, "hp", 34, "9 of 8", True),
    ]
    for after in range(99, 108):
        assert tick().violations(after) == [row for row in found if row.seq > after]


def test_a_correlation_is_the_same_for_one_and_for_a_column() -> None:
    pairs = [(1_000_012, 1), (2**32 - 1, 2**31 + 5), (100_007, 2**32 - 1), (0, 0)]
    entities, seqs = (np.array(column, np.uint64) for column in zip(*pairs, strict=True))
    expected = [entity * 2**32 + seq for entity, seq in pairs]
    assert correlations(entities, seqs).tolist() == expected
    assert [correlation_of(entity, seq) for entity, seq in pairs] == expected
