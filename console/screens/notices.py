"""What was told so far: faults, children lost and back, marks, problems."""

from typing import TYPE_CHECKING, Final

from console.figures import clock
from console.lines import Line, clean, left, right
from console.screens.overlay import Overlay
from console.widgets.frame import frame

if TYPE_CHECKING:
    from console.app import StormApp

WIDTH = 100
LOOKS: Final = {
    "fault_armed": ("▲", "fault"),
    "fault_cleared": ("▼", "fault"),
    "child_lost": ("✖", "bad"),
    "child_back": ("✓", "good"),
    "mark": ("◆", "accent"),
    "saturated": ("✖", "bad"),
    "violation": ("✖", "bad"),
    "overrun": ("▲", "warn"),
    "problem": ("▲", "warn"),
}


class NoticesScreen(Overlay[None]):
    """The newest at the top; what was told before this console came is among them.

    Args:
        storm: The app.
    """

    def __init__(self, storm: "StormApp") -> None:
        super().__init__(storm)
        self._top = 0

    def draw(self, width: int, height: int) -> list[Line]:
        """See ``Overlay.draw``."""
        wide = min(width, WIDTH)
        lines: list[Line] = []
        for notice in reversed(self.storm.model.notices):
            mark, role = LOOKS.get(notice.kind, ("·", "dim"))
            lines.append(
                (
                    (right(clock(notice.at_s), 7) + "  ", "faint"),
                    (f"{mark} ", role),
                    (left(clean(notice.kind, 20).replace("_", " "), 14), role),
                    (clean(notice.text, 300), "text"),
                )
            )
        if not lines:
            lines = [(("nothing so far", "dim"),)]
        if self.storm.model.gaps:
            lines.append(((f"{self.storm.model.gaps} more were left out", "warn"),))
        room = max(1, min(len(lines), height - 2))
        self._top = max(0, min(self._top, len(lines) - room))
        note = (("↑ ↓ more   esc closes" if len(lines) > room else "esc closes", "dim"),)
        shown = lines[self._top : self._top + room]
        return frame(shown, wide, room + 2, "What happened", note, focused=True)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        action = self.storm.keymap.action(key)
        if action in {"down", "page_down"}:
            self._top += 1
        elif action in {"up", "page_up"}:
            self._top -= 1
        else:
            self.dismiss(None)
