"""Rows under a heading; the picked row stands out by ground and by a mark."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from console.lines import Line, Span, changed, fit, left, line_width, right

GAP: Final = 1


class Column(Struct, frozen=True):
    """One column: its heading, its width, whether numbers stand at the right edge.

    ``grow`` columns share what room is left.
    """

    title: str
    width: int
    number: bool = False
    grow: bool = False


def widths(columns: Sequence[Column], width: int) -> list[int]:
    """Return the columns' widths in a table of ``width`` cells (2 are the mark's)."""
    fixed = sum(column.width for column in columns) + GAP * (len(columns) - 1) + 2
    growing = [index for index, column in enumerate(columns) if column.grow]
    sizes = [column.width for column in columns]
    for order, index in enumerate(growing):
        extra = max(0, width - fixed)
        sizes[index] += extra // len(growing) + (1 if order < extra % len(growing) else 0)
    return sizes


def heading(columns: Sequence[Column], sizes: Sequence[int], sort: str = "") -> Line:
    """Return the heading; an arrow marks the column the rows are sorted by."""
    spans: list[Span] = [("  ", "dim")]
    for column, size in zip(columns, sizes, strict=True):
        text, role = column.title, "dim"
        if sort and sort.lstrip("-") == column.title:
            text = f"{text}{'↓' if sort.startswith('-') else '↑'}"
            role = "accent"
        spans += [(right(text, size) if column.number else left(text, size), role), (" ", "dim")]
    return tuple(spans[:-1])


def row(
    cells: Sequence[Line],
    columns: Sequence[Column],
    sizes: Sequence[int],
    picked: bool,
    width: int,
) -> Line:
    """Return one row; ``picked`` puts the mark and the ground of the picked row."""
    spans: list[Span] = [("▸ " if picked else "  ", "accent")]
    for cell, column, size in zip(cells, columns, sizes, strict=True):
        gap = size - line_width(cell)
        if gap < 0:
            spans += fit(cell, size)
        elif column.number:
            spans += [(" " * gap, "text"), *cell]
        else:
            spans += [*cell, (" " * gap, "text")]
        spans.append((" ", "text"))
    line = fit(spans[:-1], width)
    return changed(line, "sel") if picked else line
