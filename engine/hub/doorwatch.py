"""What the players' gateway turned away and how often it sends updates, told when it changes."""

from collections import Counter

from engine.protocol.child import WorldReport


class DoorWatch:
    """Turns the gateway's counters into sentences, at most as often as it is asked."""

    def __init__(self) -> None:
        self._before: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._stride = 1
        self._stride_told = 1

    def take(self, report: WorldReport) -> None:
        """Take in the world's report; a world that was started again counts from 0."""
        now = Counter(report.bad_frames)
        # What a Counter's difference leaves is positive: of a fresh world, all it counted.
        self._refused += now - self._before if now >= self._before else now
        self._before = now
        self._stride = report.update_stride

    def look(self) -> list[str]:
        """Return what has not been told yet."""
        told: list[str] = []
        if self._refused:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self._refused.items()))
            told.append(f"the gateway refused frames: {kinds}")
            self._refused.clear()
        if self._stride != self._stride_told:
            often = f"in one of {self._stride} ticks" if self._stride > 1 else "in every tick again"
            told.append(f"players who were not just answered get an update {often}")
            self._stride_told = self._stride
        return told
