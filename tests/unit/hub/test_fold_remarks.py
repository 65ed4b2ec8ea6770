"""What the fold tells of once: events that never came, what the gateway did."""

from engine.hub.fold import Fold
from tests.unit.hub.fakes import event_batch, world_report


def _told(fold: Fold, second: int) -> list[str]:
    return [remark.text for remark in fold.close_second(second)[1]]


def test_events_that_never_came_are_counted_and_told_once() -> None:
    fold = Fold("r", 7, 0.0, "/c")
    fold.take_events(event_batch(1, 1, [{"kind": "died"}] * 3))
    assert _told(fold, 0) == []
    fold.take_events(event_batch(3, 9, [{"kind": "died"}]))
    assert fold.log.missed == 5
    (text,) = _told(fold, 1)
    assert text.startswith("5 events never reached")
    assert _told(fold, 2) == []


def test_what_the_gateway_refuses_is_told_also_of_a_world_that_starts_again() -> None:
    fold = Fold("r", 7, 0.0, "/c")
    fold.take_world(world_report(1, bad_frames={"malformed": 2}), 0.5)
    assert _told(fold, 0) == ["the gateway refused frames: 2 malformed"]
    fold.take_world(world_report(2, bad_frames={"malformed": 2, "oversized": 1}), 1.5)
    assert _told(fold, 1) == ["the gateway refused frames: 1 oversized"]
    fold.take_world(world_report(3, bad_frames={"malformed": 1}), 2.5)
    assert _told(fold, 2) == ["the gateway refused frames: 1 malformed"]
    assert _told(fold, 3) == []


def test_a_lower_rate_of_updates_is_told_and_its_end_too() -> None:
    fold = Fold("r", 7, 0.0, "/c")
    fold.take_world(world_report(1, update_stride=3), 0.5)
    (text,) = _told(fold, 0)
    assert text.endswith("an update in one of 3 ticks")
    fold.take_world(world_report(2, update_stride=1), 1.5)
    (text,) = _told(fold, 1)
    assert text.endswith("in every tick again")
