"""When the world or a squad was gone, so that a chart can show cause and effect."""

from collections import deque

from msgspec.structs import replace

from engine.protocol.feed import OutageView
from engine.protocol.limits import OUTAGES_SHOWN_MAX
from engine.protocol.text import printable

_WHY_CHARS_MAX = 120


class Outages:
    """The newest spans without a child."""

    def __init__(self) -> None:
        self._spans: deque[OutageView] = deque(maxlen=OUTAGES_SHOWN_MAX)

    def lost(self, child: str, at_s: float, why: str) -> None:
        """A child died."""
        self._spans.append(OutageView(child, round(at_s, 3), printable(why, _WHY_CHARS_MAX)))

    def back(self, child: str, at_s: float) -> None:
        """A child runs again."""
        for index, span in enumerate(self._spans):
            if span.child == child and span.back_at_s is None:
                self._spans[index] = replace(span, back_at_s=round(at_s, 3))

    def views(self) -> tuple[OutageView, ...]:
        """Return the spans, oldest first."""
        return tuple(self._spans)
