"""An overlay's one widget: a framed sheet in the middle, drawn by line."""

from collections.abc import Callable

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from console.lines import Line, changed, line_width
from console.themes import Theme
from console.widgets.board import strip_of


class Sheet(Widget):
    """Shows the lines it was last given.

    Args:
        looks: Returns the theme that is worn now.
    """

    ALLOW_SELECT = False

    def __init__(self, looks: Callable[[], Theme]) -> None:
        super().__init__()
        self._looks = looks
        self._lines: list[Line] = []
        self._extent = (0, 0)
        self._air = 0

    @property
    def lines(self) -> list[Line]:
        """What is shown."""
        return self._lines

    def put(self, lines: list[Line], air: int = 0) -> None:
        """Show ``lines``, all of one width; the sheet is as large as they are with their air.

        Args:
            lines: What stands on the sheet.
            air: Empty cells around it, so that its border touches nobody else's.
        """
        width = line_width(lines[0]) if lines else 1
        self._lines = lines
        self._air = air
        size = (width + 2 * air, max(1, len(lines)) + 2 * air)
        if size != self._extent:
            self._extent = size
            self.styles.width, self.styles.height = size
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows of ``crop``, for Textual's compositor."""
        theme = self._looks()
        rows = []
        for y in range(crop.y, crop.y + crop.height):
            row = y - self._air
            line: Line = ()
            if 0 <= row < len(self._lines):
                around: Line = ((" " * self._air, "text"),) if self._air else ()
                line = (*around, *changed(self._lines[row], "sheet"), *around)
            strip = strip_of(line, theme)
            rows.append(strip.crop_extend(crop.x, crop.x + crop.width, theme["text"]))
        return rows
