"""Follows every fault from arming to recovery, by the figures and not by what was asked."""

import math
from collections import deque
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

_LATENCY_TIMES = 1.5
_LATENCY_MS_MORE = 20.0
"""Latency (p99 of a second) that is more than so many times the one before, and this on top,
is harm; the one before is the worst of the ``_SECONDS_BEFORE`` seconds before the arming."""
_SECONDS_BEFORE = 3

FaultVerdict = Literal["held", "degraded", "not recovered", "invalid"]


@dataclass(slots=True)
class _Watched:
    """A fault, what was true before it, and what has shown since.

    ``sign`` is by what its harm was noticed; ``calm`` says that latency is as before.
    ``over``: cleared, and everything is as before; recovered from, if it did any harm.
    """

    fault: Armed
    connected_before: int
    absent_before: int
    lost_before: int
    latency_ms_max: float
    sign: Literal["", "connected", "latency"] = ""
    calm: bool = False
    lost: int = 0
    detected_at_s: float | None = None
    recovered_at_s: float | None = None
    over: bool = False
    answered_mark: int | None = None
    down_from_s: float | None = None
    down_s: float | None = None

    @property
    def at_server(self) -> bool:
        return self.fault.side == "server"

    @property
    def is_down(self) -> bool:
        return self.down_from_s is not None and self.down_s is None

    @property
    def changed_at_s(self) -> float:
        """When it was armed, cleared or recovered from: the latest of these."""
        later = self.recovered_at_s or self.fault.cleared_at_s
        return self.fault.armed_at_s if later is None else later

    def planned(self, tally: Tally) -> int:
        return self.connected_before if self.at_server else tally.planned(self.fault.id)

    def affected(self, tally: Tally) -> int:
        if self.at_server:
            return min(self.lost, self.connected_before)
        return tally.affected(self.fault.id)

    def detect(self, sign: Literal["connected", "latency"], at_s: float) -> None:
        self.sign, self.detected_at_s = sign, at_s


class FaultWatch:
    """Everything that is known of the run's newest ``FAULTS_KEPT_MAX`` faults."""

    def __init__(self) -> None:
        self._all: dict[str, _Watched] = {}
        self._latency_ms: deque[float] = deque(maxlen=_SECONDS_BEFORE)

    def armed(self, fault: Armed, tally: Tally) -> None:
        """A fault begins now."""
        connected = tally.now("connected")
        absent = max(0, tally.now("target") - connected)
        before_ms = max(self._latency_ms, default=0.0)
        latency_ms_max = before_ms * _LATENCY_TIMES + _LATENCY_MS_MORE if before_ms else math.inf
        # While another fault does harm, "as before" means before that one.
        for watched in self._all.values():
            if not watched.over:
                absent = min(absent, watched.absent_before)
                latency_ms_max = min(latency_ms_max, watched.latency_ms_max)
        lost = tally.total("lost")
        self._all[fault.id] = _Watched(fault, connected, absent, lost, latency_ms_max)
        if len(self._all) > FAULTS_KEPT_MAX:
            over = (id_ for id_, seen in self._all.items() if seen.fault.cleared_at_s is not None)
            self._all.pop(next(over, fault.id))

    def cleared(self, fault: Armed) -> None:
        """A fault is over now."""
        if fault.id in self._all:
            self._all[fault.id].fault = fault

    def world_gone(self, at_s: float) -> None:
        """The server's process is gone, or will be in a moment."""
        for watched in self._unrecovered():
            if watched.at_server and watched.down_from_s is None:
                watched.down_from_s = at_s

    def world_back(self, at_s: float) -> None:
        """The server's process runs again."""
        for watched in self._unrecovered():
            if watched.is_down and watched.down_from_s is not None:
                watched.down_s = at_s - watched.down_from_s

    def second(self, tally: Tally, latency_ms_p99: float | None, at_s: float) -> None:
        """A second is over, with this latency; None when nothing was answered in it."""
        for watched in self._unrecovered():
            fault = watched.fault
            bad = latency_ms_p99 is not None and latency_ms_p99 > watched.latency_ms_max
            if bad and watched.detected_at_s is None and watched.affected(tally):
                watched.detect("latency", at_s)
            whole = fault.cleared_at_s is not None and at_s - 1.0 >= fault.cleared_at_s
            watched.calm = whole and latency_ms_p99 is not None and not bad
        if latency_ms_p99 is not None:
            self._latency_ms.append(latency_ms_p99)

    def look(self, tally: Tally, at_s: float) -> list[Armed]:
        """Compare with the present figures; return the faults recovered from just now."""
        tally.keep_faults(self._all)
        recovered: list[Armed] = []
        connected, target = tally.now("connected"), tally.now("target")
        acknowledged = tally.total("acknowledged")
        for watched in self._unrecovered():
            fault = watched.fault
            watched.lost = max(watched.lost, tally.total("lost") - watched.lost_before)
            touched = watched.affected(tally)
            if watched.detected_at_s is None and touched:
                fallen = watched.connected_before - connected
                if fallen >= max(1, touched // 2) and self._may_harm(watched):
                    watched.detect("connected", at_s)
            if fault.cleared_at_s is None or watched.is_down:
                continue
            if target - connected > watched.absent_before + round(target * _ABSENT_SHARE):
                watched.answered_mark = None
            elif watched.answered_mark is None:
                watched.answered_mark = acknowledged
            elif watched.sign == "latency" and not watched.calm:
                continue
            elif acknowledged > watched.answered_mark or not connected:
                watched.over = True
                if touched or watched.down_from_s is not None:
                    watched.recovered_at_s = at_s
                    recovered.append(fault)
        return recovered

    def _unrecovered(self) -> list[_Watched]:
        return [watched for watched in self._all.values() if not watched.over]

    @staticmethod
    def _may_harm(watched: _Watched) -> bool:
        """A blow at the server may be over before what it did can be seen."""
        return watched.at_server or watched.fault.cleared_at_s is None

    def views(self, tally: Tally) -> tuple[FaultView, ...]:
        """Return every armed fault and those that changed last, in the order of their arming."""
        changed = sorted(self._all.values(), key=lambda watched: watched.changed_at_s)
        shown = {watched.fault.id for watched in changed[-FAULTS_SHOWN_MAX:]}
        return tuple(
            FaultView(
                id=watched.fault.id,
                name=watched.fault.name,
                scope=scope_text(watched.fault.scope, watched.fault.side),
                armed_at_s=watched.fault.armed_at_s,
                hold_s=watched.fault.hold_s,
                planned=watched.planned(tally),
                affected=watched.affected(tally),
                cleared_at_s=watched.fault.cleared_at_s,
                cleared_why=watched.fault.cleared_why,
                recovered_at_s=watched.recovered_at_s,
                side=watched.fault.side,
                detected_at_s=watched.detected_at_s,
                down_s=_rounded(watched.down_s),
            )
            for watched in self._all.values()
            if watched.fault.cleared_at_s is None or watched.fault.id in shown
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
            touched = bool(watched.affected(tally)) or watched.down_from_s is not None
            found.append(
                FaultSummary(
                    id=fault.id,
                    name=fault.name,
                    armed_at_s=round(fault.armed_at_s, 3),
                    cleared_at_s=_rounded(fault.cleared_at_s),
                    scope=scope_text(fault.scope, fault.side),
                    planned=watched.planned(tally),
                    affected=watched.affected(tally),
                    verdict=_verdict(touched, recover_s, saturated=saturated),
                    detect_s=detect_s,
                    recover_s=recover_s,
                    down_s=_rounded(watched.down_s),
                )
            )
        return found


def _verdict(touched: bool, recover_s: float | None, *, saturated: bool) -> FaultVerdict:
    if saturated or not touched:
        return "invalid"
    if recover_s is None:
        return "not recovered"
    return "held" if recover_s <= RECOVER_S_HELD else "degraded"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
