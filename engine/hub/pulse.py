"""The world's pulse: slow ticks, overruns, a world that lives and does not tick, or not store.

Pure.
"""

from typing import Final

from engine.hub.remark import Remark

STALLED_S: Final = 2.0
"""A world without a new tick for this long is told; a tick is due ten times a second."""
_TOLD_EVERY_S: Final = 1.0


class Pulse:
    """Follows ticks as they are reported; tells of bad ones at most once a second.

    Attributes:
        stalled_s: For how long there has been no new tick, 0 while the world ticks or is gone.
        store_error: Why its ticks cannot be stored at present, empty while they can.
        stall: The longest time without a tick so far, in words; empty for none.
    """

    def __init__(self) -> None:
        self.stalled_s = 0.0
        self.store_error = ""
        self.stall = ""
        self._stall_s_max = 0.0
        self._waits_since_s = 0.0
        self._tick = -1
        self._ticked_at_s: float | None = None
        self._told_at_s = -_TOLD_EVERY_S
        self._slow: list[str] = []
        self._overruns = 0
        self._stall_told = False

    @property
    def ails(self) -> str:
        """Why nothing is carried out at present; empty while the world ticks, or is gone."""
        if self.store_error:
            return f"the world cannot store its ticks: {self.store_error}"
        if self.stalled_s:
            return f"the world lives but has not ticked for {self.stalled_s:.0f} s"
        return ""

    def take(self, tick: int, slow: tuple[str, ...], overruns: int, at_s: float) -> list[Remark]:
        """Take in a report and return what is worth a notice.

        Args:
            tick: The newest tick.
            slow: What was slow since the last report, a line each.
            overruns: Ticks since the last report that ended after the next was due.
            at_s: Now, on the run's clock.
        """
        if tick != self._tick:
            self._tick, self._ticked_at_s = tick, at_s
        self._slow += slow
        self._overruns += overruns
        if not (self._slow or self._overruns) or at_s - self._told_at_s < _TOLD_EVERY_S:
            return []
        found, count = self._slow, self._overruns
        self._told_at_s, self._slow, self._overruns = at_s, [], 0
        cause = found[-1] if found else ""
        more = f", {len(found) - 1} more like it" if len(found) > 1 else ""
        if not count:
            return [Remark("slow_tick", f"{cause}{more}", False)]
        ticks = "1 tick" if count == 1 else f"{count} ticks"
        why = f": {cause}{more}" if cause else ""
        return [Remark("overrun", f"{ticks} overran, up to tick {tick}{why}")]

    def store(self, error: str, at_s: float) -> list[Remark]:
        """Take in whether ticks can be stored and return what is worth a notice.

        Args:
            error: Why not, empty when they can.
            at_s: Now, on the run's clock.
        """
        before, self.store_error = self.store_error, error
        if error and not before:
            self._waits_since_s = at_s
            text = f"event store: {error}: ticks wait, nothing is acknowledged"
            return [Remark("problem", text)]
        if before and not error:
            waited_s = at_s - self._waits_since_s
            return [Remark("problem", f"event store: stores again, after {waited_s:.0f} s", False)]
        return []

    def look(self, at_s: float) -> list[Remark]:
        """Return what the passing of time says: that the ticks have stopped, or go on."""
        if self._ticked_at_s is None:
            return []
        gap_s = at_s - self._ticked_at_s
        before_s, self.stalled_s = self.stalled_s, gap_s if gap_s >= STALLED_S else 0.0
        if self.stalled_s > self._stall_s_max:
            self._stall_s_max = self.stalled_s
            why = f": event store: {self.store_error}" if self.store_error else ""
            self.stall = (
                f"the world stalled: it lived and did not tick for {gap_s:.0f} s "
                f"from {self._ticked_at_s:.0f} s on{why}"
            )
        if self.stalled_s and not self._stall_told:
            self._stall_told = True
            return [Remark("problem", f"the world lives but has not ticked for {gap_s:.0f} s")]
        if not self.stalled_s and self._stall_told:
            self._stall_told = False
            return [Remark("problem", f"the world ticks again, after {before_s:.0f} s", False)]
        return []

    def gone(self) -> None:
        """The world is gone; that is told elsewhere, and the next one begins anew."""
        self.stalled_s, self._tick, self._ticked_at_s = 0.0, -1, None
        self.store_error = ""
        self._stall_told = False
