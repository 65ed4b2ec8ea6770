"""Lines of styled text: what panels draw, before any terminal is involved."""

import re
from collections.abc import Iterable
from typing import Final

from rich.cells import get_character_cell_size

from engine.protocol.text import printable

Span = tuple[str, str]
"""A text and the role it plays; a theme gives roles their looks.

``a/b`` is role a on the colour of role b; ``a+m`` is role a changed by modifier m.
"""

Line = tuple[Span, ...]

NARROW: Final = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u22ff"
    "\u2500-\u25fc\u2713\u2716\u276f\u2800-\u28ff]*"
)
"""Text all of whose characters take one cell; everything we draw ourselves."""

ELLIPSIS: Final = "…"


def cell_width(text: str) -> int:
    """Return how many cells ``text`` takes on a terminal; ``text`` is ``clean``."""
    if text.isascii() or NARROW.fullmatch(text):
        return len(text)
    return sum(map(get_character_cell_size, text))


def clean(text: str, chars_max: int = 200) -> str:
    """Return a stranger's text made safe: no control, format or zero-width characters."""
    safe = printable(text, chars_max)
    if NARROW.fullmatch(safe):
        return safe
    return "".join(char for char in safe if get_character_cell_size(char) > 0)


def cut(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` cells, an ellipsis where something is missing."""
    if cell_width(text) <= width:
        return text
    if width <= 0:
        return ""
    taken: list[str] = []
    room = width - 1
    for char in text:
        size = get_character_cell_size(char)
        if size > room:
            break
        taken.append(char)
        room -= size
    return "".join(taken) + ELLIPSIS


def left(text: str, width: int) -> str:
    """Return ``text`` in exactly ``width`` cells, aligned left."""
    text = cut(text, width)
    return text + " " * (width - cell_width(text))


def right(text: str, width: int) -> str:
    """Return ``text`` in exactly ``width`` cells, aligned right."""
    text = cut(text, width)
    return " " * (width - cell_width(text)) + text


def line_width(line: Iterable[Span]) -> int:
    """Return the cells that ``line`` takes."""
    return sum(cell_width(text) for text, _ in line)


def fit(line: Iterable[Span], width: int, pad_role: str = "text") -> Line:
    """Return ``line`` in exactly ``width`` cells, cut or padded on the right."""
    spans: list[Span] = []
    room = width
    for text, role in line:
        size = cell_width(text)
        if size > room:
            shown = cut(text, room)
            if shown:
                spans.append((shown, role))
            room -= cell_width(shown)
            break
        if size:
            spans.append((text, role))
        room -= size
    if room > 0:
        spans.append((" " * room, pad_role))
    return tuple(spans)


def spread(start: Line, end: Line, width: int, pad_role: str = "text") -> Line:
    """Return ``start`` and ``end`` at the two ends of ``width``; ``end`` goes when it is tight."""
    room = width - line_width(end)
    if room < line_width(start) + 1:
        return fit(start, width, pad_role)
    return (*fit(start, room, pad_role), *end)


def changed(line: Line, modifier: str) -> Line:
    """Return ``line`` with every role changed by ``modifier``."""
    return tuple((text, f"{role}+{modifier}") for text, role in line)


def plain(line: Line) -> str:
    """Return the bare text of ``line``."""
    return "".join(text for text, _ in line)
