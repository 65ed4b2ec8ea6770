"""Follows every fault from arming to recovery, by the figures and not by what was asked."""

from dataclasses import dataclass
from typing import Literal

from engine.hub.arming import scope_text
from engine.hub.state import Armed
from engine.hub.tally import Tally
from engine.protocol.feed import FaultView
from engine.protocol.limits import FAULTS_KEPT_MAX, FAULTS_SHOWN_MAX
from engine.protocol.summary import FaultSummary

RECOVER_S_HELD = 10.0
"""A fault that was recovered from within this time after its revert did no lasting harm."""
_ABSENT_SHARE = 0.01
"""Players on their way in are no sign of harm, up to this share."""

FaultVerdict = Literal["held", "degraded", "not recovered", "invalid"]


@dataclass(slots=True)
class _Watched:
    fault: Armed
    connected_before: int
    absent_before: int
    detected_at_s: float | None = None
    recovered_at_s: float | None = None
    answered_mark: int | None = None


class FaultWatch:
    """Everything that is known of the run's newest ``FAULTS_KEPT_MAX`` faults."""

    def __init__(self) -> None:
        self._all: dict[str, _Watched] = {}

    def armed(self, fault: Armed, tally: Tally) -> None:
        """A fault begins now."""
        connected = tally.now("connected")
        absent = max(0, tally.now("target") - connected)
        # While another fault holds players away, "as before" means before that one.
        for watched in self._all.values():
            if watched.recovered_at_s is None:
                absent = min(absent, watched.absent_before)
        self._all[fault.id] = _Watched(fault, connected, absent)
        if len(self._all) > FAULTS_KEPT_MAX:
            over = (id_ for id_, seen in self._all.items() if seen.fault.cleared_at_s is not None)
            self._all.pop(next(over, fault.id))

    def cleared(self, fault: Armed) -> None:
        """A fault is over now."""
        if fault.id in self._all:
            self._all[fault.id].fault = fault

    def look(self, tally: Tally, at_s: float) -> list[Armed]:
        """Compare with the present figures; return the faults recovered from just now."""
        tally.keep_faults(self._all)
        recovered: list[Armed] = []
        connected, target = tally.now("connected"), tally.now("target")
        acknowledged = tally.total("acknowledged")
        for watched in self._all.values():
            fault = watched.fault
            touched = tally.affected(fault.id)
            if watched.detected_at_s is None and touched:
                fallen = watched.connected_before - connected
                if fallen >= max(1, touched // 2) and fault.cleared_at_s is None:
                    watched.detected_at_s = at_s
            if fault.cleared_at_s is None or watched.recovered_at_s is not None:
                continue
            if target - connected > watched.absent_before + round(target * _ABSENT_SHARE):
                watched.answered_mark = None
            elif watched.answered_mark is None:
                watched.answered_mark = acknowledged
            elif acknowledged > watched.answered_mark or not connected:
                watched.recovered_at_s = at_s
                recovered.append(fault)
        return recovered

    def views(self, tally: Tally) -> tuple[FaultView, ...]:
        """Return the newest faults, oldest first."""
        newest = list(self._all.values())[-FAULTS_SHOWN_MAX:]
        return tuple(
            FaultView(
                id=watched.fault.id,
                name=watched.fault.name,
                scope=scope_text(watched.fault.scope),
                armed_at_s=watched.fault.armed_at_s,
                hold_s=watched.fault.hold_s,
                planned=tally.planned(watched.fault.id),
                affected=tally.affected(watched.fault.id),
                cleared_at_s=watched.fault.cleared_at_s,
                cleared_why=watched.fault.cleared_why,
                recovered_at_s=watched.recovered_at_s,
            )
            for watched in newest
        )

    def summaries(self, tally: Tally, *, saturated: bool) -> list[FaultSummary]:
        """Return every fault for the summary."""
        found: list[FaultSummary] = []
        for watched in self._all.values():
            fault = watched.fault
            detect_s, recover_s = None, None
            if watched.detected_at_s is not None:
                detect_s = round(watched.detected_at_s - fault.armed_at_s, 3)
            if watched.recovered_at_s is not None and fault.cleared_at_s is not None:
                recover_s = round(watched.recovered_at_s - fault.cleared_at_s, 3)
            affected = tally.affected(fault.id)
            found.append(
                FaultSummary(
                    id=fault.id,
                    name=fault.name,
                    armed_at_s=round(fault.armed_at_s, 3),
                    cleared_at_s=_rounded(fault.cleared_at_s),
                    scope=scope_text(fault.scope),
                    planned=tally.planned(fault.id),
                    affected=affected,
                    verdict=_verdict(affected, recover_s, saturated=saturated),
                    detect_s=detect_s,
                    recover_s=recover_s,
                )
            )
        return found


def _verdict(affected: int, recover_s: float | None, *, saturated: bool) -> FaultVerdict:
    if saturated or not affected:
        return "invalid"
    if recover_s is None:
        return "not recovered"
    return "held" if recover_s <= RECOVER_S_HELD else "degraded"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
