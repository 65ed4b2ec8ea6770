"""What consoles cost: the mean of what they said, nothing when nobody painted."""

from engine.hub.consolecost import ConsoleCost
from engine.protocol.summary import ConsoleSummary


def test_nothing_painted_nothing_told():
    cost = ConsoleCost()
    cost.take(None)
    assert cost.summary() is None


def test_means_and_the_most_frames_skipped():
    cost = ConsoleCost()
    cost.take(ConsoleSummary(cpu_pct=2.0, bytes_per_s=10_000.0, frames_skipped=1))
    cost.take(ConsoleSummary(cpu_pct=4.0, bytes_per_s=20_000.0, frames_skipped=5))
    assert cost.summary() == ConsoleSummary(cpu_pct=3.0, bytes_per_s=15_000.0, frames_skipped=5)
