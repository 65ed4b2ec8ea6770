"""A grid of counts as a picture: colour by half blocks, or glyphs where there is no colour."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from console.lines import Line

STEPS: Final = 10
GLYPHS: Final = " .:-=+*#%@"
"""From empty to crowded, for terminals without colour."""
UPPER_HALF: Final = "▀"


def steps(counts: Sequence[int], peak: int) -> list[int]:
    """Return a step from 0 to 9 for every count; 0 is empty only, 9 is the peak.

    The scale follows the square root, so that a crowd does not hide everyone else.
    """
    if peak <= 0:
        return [0] * len(counts)
    most = max(counts, default=0)
    table = [0] + [
        max(1, min(STEPS - 1, round((value / peak) ** 0.5 * (STEPS - 1))))
        for value in range(1, most + 1)
    ]
    return [table[count] for count in counts]


def heat(
    counts: bytes, side: int, width: int, height: int, mono: bool, peak: int | None = None
) -> list[Line]:
    """Return the grid, as large as fits: half blocks, then whole ones, then larger ones.

    Args:
        counts: ``side`` x ``side`` counts, row by row from the north-west.
        side: Squares per side.
        width: Columns there are.
        height: Rows there are.
        mono: Draw with glyphs.
        peak: The count of the hottest step; the highest count when None.
    """
    if len(counts) < side * side or width < 1 or height < 1:
        return []
    levels = steps(counts, max(counts) if peak is None else peak)
    grid = [levels[row * side : (row + 1) * side] for row in range(side)]
    scale = max(1, min(width // (2 * side), height // side))
    if width >= 2 * side and height >= side:
        return [line for row in grid for line in [_whole(row, 2 * scale, mono)] * scale]
    return [
        _half(grid[row], grid[row + 1] if row + 1 < side else grid[row], mono)
        for row in range(0, min(side, 2 * height), 2)
    ]


def legend(mono: bool) -> Line:
    """Return the scale from empty to crowded."""
    if mono:
        return (("none ", "dim"), (GLYPHS[1:], "text"), (" crowd", "dim"))
    ramp = tuple(("■", f"heat{step}") for step in range(1, STEPS))
    return (("few ", "dim"), *ramp, (" many", "dim"))


def _whole(row: Sequence[int], columns: int, mono: bool) -> Line:
    spans = []
    for step, group in groupby(row):
        cells = columns * len(list(group))
        spans.append((GLYPHS[step] * cells, "text") if mono else ("█" * cells, f"heat{step}"))
    return tuple(spans)


def _half(upper: Sequence[int], lower: Sequence[int], mono: bool) -> Line:
    if mono:
        pairs = zip(upper, lower, strict=True)
        return (("".join(GLYPHS[max(high, low)] for high, low in pairs), "text"),)
    spans = []
    for (high, low), group in groupby(zip(upper, lower, strict=True)):
        glyph, role = ("█", f"heat{high}") if high == low else (UPPER_HALF, f"heat{high}/heat{low}")
        spans.append((glyph * len(list(group)), role))
    return tuple(spans)
