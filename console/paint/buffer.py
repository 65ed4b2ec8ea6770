"""What the terminal shows, cell by cell, and the shortest way to make it show something else."""

from typing import Final

from console.paint.cells import Cell, CellMaker, Pen

GAP_MAX: Final = 3
"""Unchanged cells between two changed ones that are sent again rather than jumped over."""


class ScreenBuffer:
    """The terminal's cells as far as they are known.

    ``put`` takes new cells and collects what must be written; ``take`` hands that out.
    """

    def __init__(self, width: int, height: int, maker: CellMaker) -> None:
        self.width = width
        self.height = height
        self._maker = maker
        self._rows: list[list[Cell | None]] = [[None] * width for _ in range(height)]
        self._out: list[str] = []
        self._pen: Pen | None = None
        self._at: tuple[int, int] | None = None

    def forget(self) -> None:
        """Take nothing for granted: the terminal may show anything."""
        self._rows = [[None] * self.width for _ in range(self.height)]

    def put(self, x: int, y: int, cells: list[Cell]) -> None:
        """Make the cells from (x, y) to the right be ``cells``; what sticks out is cut."""
        if not (0 <= y < self.height and 0 <= x < self.width):
            return
        row = self._rows[y]
        new = cells[: self.width - x]
        if not new:
            return
        if new[-1].width == 2:  # half a wide character does not fit
            new = [*new[:-1], self._maker.blank(new[-1])]
        end = x + len(new)
        old = row[x:end]
        if old == new:
            return
        self._free_halves(row, x, end, y)
        row[x:end] = new
        changed = [index for index in range(len(new)) if old[index] is not new[index]]
        if not changed:
            return
        start = last = changed[0]
        for index in changed:
            if index - last > GAP_MAX + 1:
                self._emit(x, y, new, start, last)
                start = index
            last = index
        self._emit(x, y, new, start, last)

    def take(self) -> str:
        """Return what is to be written since the last time, empty when nothing is."""
        text = "".join(self._out)
        self._out.clear()
        # Others write to the terminal too: the next batch assumes nothing.
        self._pen = None
        self._at = None
        return text

    def _free_halves(self, row: list[Cell | None], x: int, end: int, y: int) -> None:
        """Blank the outer halves of wide characters that the new cells cut in two."""
        first, before = row[x], row[x - 1] if x else None
        if first is not None and first.width == 0 and before is not None:
            row[x - 1] = self._maker.blank(before)
            self._write(x - 1, y, [self._maker.blank(before)])
        after = row[end] if end < self.width else None
        if after is not None and after.width == 0:
            row[end] = self._maker.blank(after)
            self._write(end, y, [self._maker.blank(after)])

    def _emit(self, x: int, y: int, cells: list[Cell], start: int, last: int) -> None:
        if cells[start].width == 0 and start:
            start -= 1
        if cells[last].width == 2:
            last += 1
        self._write(x + start, y, cells[start : last + 1])

    def _write(self, x: int, y: int, cells: list[Cell]) -> None:
        out = self._out
        if self._at != (x, y):
            if self._at is not None and self._at[1] == y and self._at[0] < x:
                out.append(f"\x1b[{x - self._at[0]}C")
            else:
                out.append(f"\x1b[{y + 1};{x + 1}H")
        pen = self._pen
        for glyph, cell_pen, width in cells:
            if cell_pen is not pen:
                out.append(cell_pen.sgr(pen))
                pen = cell_pen
            out.append(glyph)
            if width == 2:
                # Terminals disagree on how wide it is: say where the next cell stands.
                x += 2
                out.append(f"\x1b[{y + 1};{x + 1}H")
            elif width == 1:
                x += 1
        self._pen = pen
        self._at = (x, y) if x < self.width else None
