"""Beats as lines of text: wrapped to the width, with who is in them standing out. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from console.figures import clock
from console.lines import Line, cell_width, clean, right
from engine.protocol.events import ENTITY_NAME, entity_name
from engine.protocol.limits import BEAT_CHARS_MAX, BEATS_KEPT_MAX
from engine.protocol.story import Beat

LOOKS: Final = {
    "death": ("✖", "bad"),
    "rampage": ("▲", "bad"),
    "battle": ("■", "bad"),
    "feud": ("†", "warn"),
    "duel": ("†", "note"),
    "help": ("»", "warn"),
    "fortune": ("◇", "warn"),
    "rise": ("▴", "good"),
    "fall": ("▾", "dim"),
    "peace": ("○", "good"),
    "return": ("+", "good"),
    "vanishing": ("▿", "fault"),
    "silence": ("◑", "fault"),
    "dawn": ("△", "note"),
}
OTHER: Final = ("·", "accent")
CLOCK_WIDTH: Final = 5
CLOCK_WIDTH_HOURS: Final = 7
MARK_WIDTH: Final = 3
"""The mark with its air; the text stands to the right of time and mark."""
TEXT_WIDTH_MIN: Final = 12
TEXT_WIDTH_MAX: Final = 88
"""Longer lines are hard to read back from."""

_NAME: Final = re.compile(f"({ENTITY_NAME})")


# A beat never changes, and every frame shows the same ones.
@lru_cache(maxsize=BEATS_KEPT_MAX)
def beat_lines(beat: Beat, width: int) -> tuple[Line, ...]:
    """Return a beat as lines of at most ``width`` cells, one or more.

    Args:
        beat: The beat; its text is a stranger's.
        width: Cells there are.
    """
    mark, role = LOOKS.get(beat.kind, OTHER)
    at = clock(beat.at_s)
    at_width = CLOCK_WIDTH if len(at) <= CLOCK_WIDTH else CLOCK_WIDTH_HOURS
    head: Line = ((right(at, at_width) + " ", "dim"), (f"{mark} ", role))
    indent: Line = ((" " * (at_width + MARK_WIDTH), "dim"),)
    room = width - at_width - MARK_WIDTH
    if room < TEXT_WIDTH_MIN:
        head, indent, room = ((f"{mark} ", role),), (("  ", "dim"),), max(1, width - 2)
    cast = frozenset(map(entity_name, beat.cast))
    rows = wrapped(clean(beat.text, BEAT_CHARS_MAX), min(room, TEXT_WIDTH_MAX))
    return tuple(
        (*(indent if index else head), *_bright(row, cast)) for index, row in enumerate(rows)
    )


def beat_rows(beats: Sequence[Beat], width: int) -> list[int]:
    """Return how many lines each beat takes in ``width`` cells."""
    return [len(beat_lines(beat, width)) for beat in beats]


def wrapped(text: str, width: int) -> list[str]:
    """Return ``text`` in rows of at most ``width`` cells, broken at spaces where there are any."""
    rows: list[str] = []
    row = ""
    for word in text.split():
        rest = word
        if row and cell_width(row) + 1 + cell_width(rest) <= width:
            row = f"{row} {rest}"
            continue
        if row:
            rows.append(row)
        while cell_width(rest) > width and len(rest) > 1:
            taken = _fitting(rest, width)
            rows.append(rest[:taken])
            rest = rest[taken:]
        row = rest
    return [*rows, row] if row or not rows else rows


def beat_plain(beat: Beat) -> str:
    """Return a beat as one line, for copying."""
    events = ", ".join(map(str, beat.events))
    text = clean(beat.text, BEAT_CHARS_MAX)
    return f"{clock(beat.at_s)} tick {beat.tick} {clean(beat.kind, 32)}: {text} (events {events})"


def _fitting(text: str, width: int) -> int:
    """Return how many characters of ``text`` fit in ``width`` cells, at least one."""
    taken, room = 1, width - cell_width(text[0])
    while taken < len(text) and (room := room - cell_width(text[taken])) >= 0:
        taken += 1
    return taken


def _bright(row: str, cast: frozenset[str]) -> Line:
    parts = (part for part in _NAME.split(row) if part)
    return tuple((part, "bright" if part in cast else "text") for part in parts)
