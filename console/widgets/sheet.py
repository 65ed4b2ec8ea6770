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

    @property
    def lines(self) -> list[Line]:
        """What is shown."""
        return self._lines

    def put(self, lines: list[Line]) -> None:
        """Show ``lines``, all of one width; the sheet is as large as they are."""
        width = line_width(lines[0]) if lines else 1
        self._lines = lines
        size = (width, max(1, len(lines)))
        if size != self._extent:
            self._extent = size
            self.styles.width, self.styles.height = size
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows of ``crop``, for Textual's compositor."""
        theme = self._looks()
        rows = []
        for y in range(crop.y, crop.y + crop.height):
            line = self._lines[y] if y < len(self._lines) else ()
            strip = strip_of(changed(line, "sheet"), theme)
            rows.append(strip.crop_extend(crop.x, crop.x + crop.width, theme["text+sheet"]))
        return rows
