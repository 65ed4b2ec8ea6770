"""Whether the world or a squad is down, and for how long. Pure."""

from typing import Final

from console.model import Model
from engine.protocol.feed import OutageView

BACK_TOLD_S: Final = 10.0
"""A return is told for this long."""


def down(model: Model) -> tuple[OutageView, float] | None:
    """Return what is down with the seconds it has been; the world before a squad."""
    snapshot = model.live.snapshot
    if snapshot is None:
        return None
    lasting = [span for span in snapshot.outages if span.back_at_s is None]
    if not lasting:
        return None
    span = next((span for span in lasting if span.child == "world"), lasting[0])
    since_heard_s = max(0.0, model.now_s - model.heard_s)
    return span, max(0.0, snapshot.at_s - span.lost_at_s) + since_heard_s


def back(model: Model) -> tuple[OutageView, float] | None:
    """Return what came back a moment ago with the seconds it was down."""
    snapshot = model.live.snapshot
    if snapshot is None:
        return None
    for span in reversed(snapshot.outages):
        if span.back_at_s is not None and snapshot.at_s - span.back_at_s < BACK_TOLD_S:
            return span, span.back_at_s - span.lost_at_s
    return None
