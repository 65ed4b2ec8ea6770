"""The ring of newest events: what follows an event is found without a walk through it."""

from collections import deque
from collections.abc import Iterator

import pytest

from engine.hub import eventlog
from engine.hub.eventlog import Batch, EventLog
from engine.protocol.limits import POLICIES_MAX
from engine.world.events import TickEvents
from tests.unit.hub.fakes import event_batch

MANY = 1000


class Unwalked(deque[Batch]):
    """A ring that must not be walked through."""

    def __iter__(self) -> Iterator[Batch]:
        raise AssertionError("walked through from the start")

    def __reversed__(self) -> Iterator[Batch]:
        raise AssertionError("walked through from the end")


def _log(sizes: dict[int, int]) -> EventLog:
    """Return a log of batches: first sequence number to number of events."""
    log = EventLog()
    for tick, (first, count) in enumerate(sizes.items()):
        log.take(event_batch(tick, first, [{"kind": "moved"}] * count))
    log.ring = Unwalked(log.ring)
    return log


def _spans(held: list[TickEvents]) -> list[tuple[int, int]]:
    return [(tick.first_seq, tick.last_seq) for tick in held]


def test_what_follows_any_event_up_to_a_hole() -> None:
    # 1-3, 4, 5-6, a hole of two, 9-10, 11
    log = _log({1: 3, 4: 1, 5: 2, 9: 2, 11: 1})
    expected = {
        0: [(1, 3), (4, 4), (5, 6)],
        2: [(1, 3), (4, 4), (5, 6)],
        3: [(4, 4), (5, 6)],
        5: [(5, 6)],
        6: [(9, 10), (11, 11)],
        7: [(9, 10), (11, 11)],
        9: [(9, 10), (11, 11)],
        10: [(11, 11)],
        11: [],
        500: [],
    }
    assert {seq: _spans(log.after(seq, 64)) for seq in expected} == expected


def test_no_more_batches_than_asked_for_and_none_of_an_empty_ring() -> None:
    log = _log({1 + 2 * number: 2 for number in range(MANY)})
    assert _spans(log.after(MANY, 2)) == [(MANY + 1, MANY + 2), (MANY + 3, MANY + 4)]
    assert len(log.after(0, MANY + 5)) == MANY
    assert EventLog().after(0, 64) == []


def test_an_event_is_found_without_a_walk() -> None:
    log = _log({1: 3, 9: 2})
    found = [log.event(seq) for seq in (0, 2, 4, 9, 11)]
    assert [event and event.seq for event in found] == [None, 2, None, 9, None]


def test_policies_beyond_the_bound_count_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert POLICIES_MAX > 2
    monkeypatch.setattr(eventlog, "POLICIES_MAX", 2)
    log = EventLog()
    denied = [{"kind": "denied", "text": f"{policy}: why"} for policy in ("a", "b", "c", "a", "d")]
    broken = {"kind": "invariant_broken", "text": "e: 1 of 2"}
    (critical,) = log.take(event_batch(1, 1, [*denied, broken]))
    assert log.by_policy == {"a": 2, "b": 1, "other": 3}
    assert (critical.policy, critical.reason, critical.seq) == ("other", "1 of 2", 6)
    assert (log.total, log.critical) == (6, 1)
    assert log.violations_view(0.0).tail[-1] == critical


def test_the_depth_of_a_cascade_over_two_ticks() -> None:
    log = EventLog()
    log.take(
        event_batch(
            1,
            1,
            [{"kind": "attacked"}, {"kind": "died", "cause": 1}, {"kind": "looted", "cause": 2}],
        )
    )
    assert log.depth_max == 2
    log.take(event_batch(2, 4, [{"kind": "levelled_up", "cause": 3}, {"kind": "said", "cause": 4}]))
    assert log.depth_max == 4
    reports = [{"kind": kind, "cause": 5} for kind in ("cascade_cut", "invariant_broken")]
    log.take(event_batch(3, 6, [*reports, {"kind": "mutated", "cause": 5}]))
    assert log.depth_max == 4, "what tells of a reaction is none"
