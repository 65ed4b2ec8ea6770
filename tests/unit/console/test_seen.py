"""Violations that were acknowledged, those that are open, and the next of them."""

from console.items import Acknowledge, Press, SetFilter
from console.model import Model
from console.seen import Seen, acknowledge, acknowledge_up_to, next_open, open_of
from console.update import update
from engine.protocol.feed import Snapshot, ViolationRow, ViolationsView


def row(seq: int, critical: bool = False) -> ViolationRow:
    return ViolationRow(seq, seq, "speed", 1, "too fast", critical)


def view(total: int, *rows: ViolationRow, critical: int = 0) -> ViolationsView:
    return ViolationsView(total=total, critical=critical, tail=rows)


def test_one_by_one_they_are_counted_once():
    held = view(10, row(7), row(8), row(9, critical=True), critical=1)
    seen = acknowledge(Seen(), row(8), held)
    seen = acknowledge(seen, row(8), held)
    assert open_of(seen, held) == (9, 1)
    assert (seen.has(row(8)), seen.has(row(7))) == (True, False)
    assert open_of(acknowledge(seen, row(9, critical=True), held), held) == (8, 0)


def test_up_to_one_takes_those_the_feed_has_let_go_and_spares_the_later():
    held = view(1000, row(7), row(8), row(9, critical=True), critical=3)
    seen = acknowledge_up_to(Seen(), 8, held)
    assert open_of(seen, held) == (1, 1)
    grown = view(1002, row(8), row(9, critical=True), row(20), row(21), critical=3)
    assert open_of(seen, grown) == (3, 1)


def test_up_to_one_does_not_count_single_ones_twice():
    held = view(10, row(5), row(6), row(7), row(8))
    seen = acknowledge(acknowledge(Seen(), row(6), held), row(8), held)
    seen = acknowledge_up_to(seen, 6, held)
    assert seen.rows == frozenset({8})
    assert open_of(seen, held) == (1, 0)
    assert acknowledge_up_to(seen, 6, held) == seen


def test_single_ones_that_left_the_feed_stay_counted_and_take_no_room():
    seen = Seen()
    for seq in range(1, 500):
        seen = acknowledge(seen, row(seq), view(seq, row(seq)))
    assert len(seen.rows) <= 2
    assert open_of(seen, view(600, row(600))) == (101, 0)


def test_the_next_open_one_comes_after_the_picked_and_then_from_the_start():
    rows = (row(1), row(2), row(3), row(4))
    seen = acknowledge(Seen(), row(3), view(4, *rows))
    assert next_open(seen, rows, None) == row(1)
    assert next_open(seen, rows, 2) == row(4)
    assert next_open(seen, rows, 4) == row(1)
    assert next_open(acknowledge_up_to(seen, 4, view(4, *rows)), rows, 1) is None


def test_what_was_acknowledged_survives_filter_and_freeze():
    snapshot = Snapshot(run="r", violations=view(3, row(1), row(2), row(3)))
    model = update(Model(), snapshot)
    seen = acknowledge(model.seen, row(2), snapshot.violations)
    model = update(model, Acknowledge(seen))
    for item in (Press("freeze"), SetFilter("violations", "policy=speed"), Press("freeze")):
        model = update(model, item)
        assert model.seen == seen
