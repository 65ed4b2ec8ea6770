"""What consoles cost over a run, from what they said of themselves."""

from engine.protocol.summary import ConsoleSummary


class ConsoleCost:
    """The mean over every second in which a console painted."""

    def __init__(self) -> None:
        self._count = 0
        self._cpu_pct = 0.0
        self._bytes_per_s = 0.0
        self._frames_skipped = 0

    def take(self, cost: ConsoleSummary | None) -> None:
        """Take one console's last second; None when it paints nothing."""
        if cost is None:
            return
        self._count += 1
        self._cpu_pct += cost.cpu_pct
        self._bytes_per_s += cost.bytes_per_s
        self._frames_skipped = max(self._frames_skipped, cost.frames_skipped)

    def summary(self) -> ConsoleSummary | None:
        """Return the means, None when no console painted."""
        if not self._count:
            return None
        return ConsoleSummary(
            cpu_pct=self._cpu_pct / self._count,
            bytes_per_s=self._bytes_per_s / self._count,
            frames_skipped=self._frames_skipped,
        )
