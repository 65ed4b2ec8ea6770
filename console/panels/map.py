"""The population heatmap: where everybody is, north at the top."""

from console.lines import Line, line_width
from console.model import Model
from console.widgets.frame import frame
from console.widgets.heat import heat, legend
from engine.protocol.limits import HEATMAP_SIDE


class Map:
    """The grid, in the middle of the panel."""

    name = "map"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        return model.snapshot.heat if model.snapshot else None

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        counts = model.snapshot.heat if model.snapshot else b""
        inner, rows = width - 4, height - 2
        grid = heat(counts, HEATMAP_SIDE, inner, rows, model.view.mono)
        if not grid:
            grid = [(("nobody is there yet", "dim"),)]
        pad = max(0, (inner - line_width(grid[0])) // 2)
        above = max(0, (rows - len(grid)) // 2)
        lines: list[Line] = [()] * above
        lines += [((" " * pad, "text"), *line) for line in grid]
        return frame(lines, width, height, "Map", legend(model.view.mono), focused)


PANEL = Map()
