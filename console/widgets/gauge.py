"""Bars: one value of a whole, and several parts beside each other."""

from collections.abc import Sequence
from typing import Final

from console.lines import Line

PART_GLYPHS: Final = "█▓▒░▚▞"
"""Parts are told apart by these where there is no colour."""


EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def bar(share: float, width: int, role: str) -> Line:
    """Return a bar as long as ``share`` (0 to 1) of ``width``, to an eighth of a cell.

    Its length tells the share without colour; what is above nothing gets an eighth at least.
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, part = divmod(eighths, 8)
    text = "█" * full + (EIGHTHS[part] if part else "")
    return ((text, role), (" " * (width - len(text)), "text"))


def gauge(share: float, width: int, role: str) -> Line:
    """Return a bar that is filled by ``share`` (0 to 1) of its width."""
    filled = round(max(0.0, min(1.0, share)) * width)
    if share > 0:
        filled = max(1, filled)
    return (("━" * filled, role), ("━" * (width - filled), "faint"))


def parts(values: Sequence[tuple[str, float]], width: int, mono: bool) -> Line:
    """Return a bar as wide as ``width``, divided by the values; each name is its role.

    Every value above nothing gets at least a cell where there is room.
    """
    whole = sum(value for _, value in values)
    if whole <= 0 or width < 1:
        return (("─" * max(0, width), "faint"),)
    spans, seen, used = [], 0.0, 0
    for index, (name, value) in enumerate(values):
        seen += value
        edge = round(seen / whole * width)
        if value > 0 and edge == used and used < width:
            edge += 1
        glyph = part_glyph(index, mono)
        if edge > used:
            spans.append((glyph * (edge - used), name))
        used = max(used, edge)
    return tuple(spans)


def part_glyph(index: int, mono: bool) -> str:
    """Return the glyph of a part of ``parts``."""
    return PART_GLYPHS[index % len(PART_GLYPHS)] if mono else "█"
