"""The tally: nothing is lost when a report is not taken, and error kinds are bounded."""

from engine.assault.tally import Tally
from engine.protocol.limits import ERROR_KINDS_MAX


def _answered(tally: Tally, latency_s: float) -> None:
    tally.command_sent(0.0)
    tally.command_answered("move", 10.0, 10.0, 10.0 + latency_s, "permit")


def test_samples_wait_until_a_report_was_taken() -> None:
    tally = Tally()
    tally.measure_from_s = 0.0
    _answered(tally, 0.1)
    tally.settle()  # a report is made, but the channel is full
    _answered(tally, 0.2)
    tally.settle()
    assert tally.latency["move"].count == tally.latency_now.count == 2
    tally.handed_over()
    _answered(tally, 0.3)
    tally.settle()
    assert tally.latency["move"].count == tally.lateness.count == tally.uncorrected.count == 1
    assert tally.acknowledged == 3


def test_error_kinds_are_bounded() -> None:
    tally = Tally()
    for number in range(1000):
        tally.error(f"bye:reason {number}")
    assert len(tally.errors) <= ERROR_KINDS_MAX + 1
    assert sum(tally.errors.values()) == 1000
    tally.error("bye:" + "x" * 10_000)
    assert max(map(len, tally.errors)) < 60


def test_a_timer_that_fires_early_is_not_negative() -> None:
    tally = Tally()
    tally.timer_late(-0.001)
    tally.command_sent(-0.001)
    tally.settle()
    assert (tally.loop_lag.count, tally.loop_lag.max_ms) == (1, 0.0)
    assert (tally.lateness.count, tally.lateness.max_ms) == (1, 0.0)


def test_every_command_is_counted_once() -> None:
    tally = Tally()
    tally.measure_from_s = 0.0
    _answered(tally, 0.1)
    tally.command_missed()
    tally.command_sent(0.0)
    tally.command_unanswered("say", 10.0)
    assert tally.due == tally.sent + tally.missed == 3
    assert tally.sent == tally.acknowledged + tally.unanswered == 2
