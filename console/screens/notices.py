"""What was told so far: faults, children lost and back, marks, problems."""

from typing import Final

from console.figures import clock
from console.lines import Line, clean, left, right
from console.screens.overlay import Overlay
from console.widgets.frame import frame

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
    """The newest at the top; what was told before this console came is among them."""

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
        shown = self.in_sight(lines, height)
        note = (("↑ ↓ more   esc closes" if len(lines) > len(shown) else "esc closes", "dim"),)
        return frame(shown, wide, len(shown) + 2, "What happened", note, focused=True)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        if not self.scroll(self.storm.keymap.action(key)):
            self.dismiss(None)
