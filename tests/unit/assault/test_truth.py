"""The latency that is reported is the one that players had, also when a server stands still."""

import math

import pytest

from engine.protocol.child import SquadReport
from engine.protocol.scenario import Stage
from engine.stats.chance import fraction
from engine.stats.histogram import Histogram
from tests.unit.assault.kit import squad_and_server

RATE = 10.0


def _latency(report: SquadReport) -> Histogram:
    together = Histogram()
    for kind, counts in report.latency.items():
        together.merge_sparse(counts, report.latency_max_ms[kind])
    return together


def _exact(values: list[float], p: float) -> float:
    return sorted(values)[math.ceil(p / 100 * len(values) - 1e-9) - 1]


def test_a_server_that_stalls_for_two_seconds() -> None:
    squad, server = squad_and_server(
        stages=(Stage("constant-players", 50, 0.0),), commands_per_s=RATE
    )
    server.stalls = [(server.now_s + 20.0, server.now_s + 22.0)]
    server.run(60.0)
    squad.drain()
    server.run(1.0)
    truth = [(server.answer_time(at) - at) * 1000 for at, _, _ in server.intents]
    latency = _latency(squad.report(1, 0.0, 0.0))
    assert latency.count == len(truth) > 29_000
    for p in (50, 90, 99, 99.9):
        assert latency.percentile(p) == pytest.approx(_exact(truth, p), rel=0.03)
    assert _exact(truth, 99) > 1_300, "the stall shows in the 99th percentile"
    assert latency.max_ms == pytest.approx(max(truth), rel=0.001)


def test_a_generator_that_stands_still_blames_itself_and_still_tells_the_truth() -> None:
    squad, server = squad_and_server(
        stages=(Stage("constant-players", 1, 0.0),), commands_per_s=RATE
    )
    server.run(10.0)
    server.now_s += 2.0  # nothing of ours ran: no send, no read
    server.run(10.0)
    squad.drain()
    server.run(1.0)
    report = squad.report(1, 0.0, 0.0)
    welcome_s = 1000.0 + 0.01 + 0.001 + 0.01
    first_s = welcome_s + fraction(7, 3, 0) / RATE
    sends = [at for at, _, _ in server.intents]
    due = [first_s + k / RATE for k in range(len(sends))]
    answered = [sent + 0.02 for sent in sends]
    # What was answered while nothing of ours ran was read when it ran again.
    read = [1012.0 if 1010.0 < at < 1012.0 else at for at in answered]
    truth = [(heard - at) * 1000 for at, heard in zip(due, read, strict=True)]
    assert report.due == len(sends) == pytest.approx(220, abs=2)
    latency = _latency(report)
    for p in (50, 95, 99):
        assert latency.percentile(p) == pytest.approx(_exact(truth, p), rel=0.03)
    assert _exact(truth, 99) > 1_700
    assert report.lateness_max_ms == pytest.approx(2000, rel=0.1)
    uncorrected = Histogram()
    uncorrected.merge_sparse(report.latency_uncorrected)
    assert uncorrected.percentile(99) == pytest.approx(20, rel=0.03)
