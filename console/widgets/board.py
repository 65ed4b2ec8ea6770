"""The base screen's one widget: every panel in its place, drawn by line."""

from collections.abc import Callable, Iterable, Mapping

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from console.layout import Box
from console.lines import Line
from console.model import Model
from console.paint.painter import Painter
from console.panels.base import Panel
from console.select.places import boxes as boxes_of
from console.themes import Theme


def strip_of(line: Line, theme: Theme) -> Strip:
    """Return a line in a theme's looks."""
    return Strip([Segment(text, theme[role]) for text, role in line])


class Drawn:
    """One panel as it was last drawn.

    Attributes:
        box: Where it stands.
        inputs: What it was drawn from.
        lines: Its rows.
        strips: The same in the theme's looks, made when the compositor asks for a row.
        unsent: Rows that changed since they were painted.
    """

    def __init__(self, box: Box) -> None:
        self.box = box
        self.inputs: object = None
        self.lines: list[Line] = []
        self.strips: dict[int, Strip] = {}
        self.unsent: set[int] = set()


class Board(Widget):
    """Draws panels; strips are kept by row and made anew only where a row changed.

    Args:
        panels: Every panel by name.
        theme: The looks.
        on_size: Told the terminal's size when it is another.
    """

    DEFAULT_CSS = "Board { width: 100%; height: 100%; }"
    ALLOW_SELECT = False

    def __init__(
        self, panels: Mapping[str, Panel], theme: Theme, on_size: Callable[[int, int], Model]
    ) -> None:
        super().__init__()
        self._panels = panels
        self._theme = theme
        self._on_size = on_size
        self._model = Model()
        self._boxes: tuple[Box, ...] = ()
        self._drawn: dict[str, Drawn] = {}
        self._laid_out = (0, 0)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Where the panels stand."""
        return self._boxes

    @property
    def looks(self) -> Theme:
        """The theme the board is drawn in."""
        return self._theme

    def wear(self, theme: Theme) -> None:
        """Draw in another theme from now on."""
        self._theme = theme
        self._drawn.clear()

    def take(self, model: Model) -> bool:
        """Take in a model; return whether panels have moved."""
        self._model = model
        boxes = boxes_of(model)
        if boxes == self._boxes:
            return False
        self._boxes = boxes
        names = {box.panel for box in boxes}
        self._drawn = {name: drawn for name, drawn in self._drawn.items() if name in names}
        return True

    def draw(self, names: Iterable[str] | None = None) -> bool:
        """Draw these panels (all when None) where their inputs changed; return whether any did."""
        wanted = None if names is None else set(names)
        changed = False
        for box in self._boxes:
            if wanted is None or box.panel in wanted:
                changed |= self._draw(box)
        return changed

    def paint(self, painter: Painter) -> None:
        """Hand changed rows to the painter; the rest of the screen is known to be as it was."""
        for drawn in self._drawn.values():
            box = drawn.box
            for row in drawn.unsent:
                painter.put_line(box.x, box.y + row, drawn.lines[row], self._theme)
            drawn.unsent.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows of ``crop``, for Textual's compositor."""
        size = (self.size.width, self.size.height)
        if size != self._laid_out and all(size):
            self._laid_out = size
            self.take(self._on_size(*size))
            self.draw()
        return [
            self._row(y).crop_extend(crop.x, crop.x + crop.width, self._theme["text"])
            for y in range(crop.y, crop.y + crop.height)
        ]

    def _row(self, y: int) -> Strip:
        parts = sorted(
            (box.x, self._strip(drawn, y - box.y))
            for box in self._boxes
            if box.y <= y < box.y + box.height
            and (drawn := self._drawn.get(box.panel)) is not None
            and y - box.y < len(drawn.lines)
        )
        return Strip.join([strip for _, strip in parts])

    def _strip(self, drawn: Drawn, row: int) -> Strip:
        strip = drawn.strips.get(row)
        if strip is None:
            strip = drawn.strips[row] = strip_of(drawn.lines[row], self._theme)
        return strip

    def _draw(self, box: Box) -> bool:
        panel = self._panels[box.panel]
        drawn = self._drawn.get(box.panel)
        focused = box.panel == self._model.view.focus
        view = self._model.view
        inputs = (panel.inputs(self._model), focused, view.mono, view.theme)
        if drawn is None or drawn.box != box:
            drawn = self._drawn[box.panel] = Drawn(box)
        elif drawn.inputs == inputs:
            return False
        drawn.inputs = inputs
        lines = panel.draw(self._model, box.width, box.height, focused)
        for row, line in enumerate(lines):
            if row >= len(drawn.lines) or drawn.lines[row] != line:
                drawn.strips.pop(row, None)
                drawn.unsent.add(row)
        drawn.lines = lines
        return bool(drawn.unsent)
