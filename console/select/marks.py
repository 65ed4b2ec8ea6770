"""The row under a chart: seconds ago, and what happened then. Pure.

``▲d━━━━▼ ✓``: a fault was armed (its letter in the fault menu), held, was cleared, was
recovered from. ``✖╍╍╍✓``: the world or a squad died and came back. ``◆``: someone marked it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from console.lines import Line, clean
from console.model import Model
from engine.protocol.feed import FaultView, OutageView, Snapshot

ARMED: Final = ("▲", "fault")
HELD: Final = ("━", "fault")
CLEARED: Final = ("▼", "fault")
RECOVERED: Final = ("✓", "good")
LOST: Final = ("✖", "bad")
DOWN: Final = ("╍", "bad")
MARKED: Final = ("◆", "bright")
LABEL_EVERY_S: Final = 30
LABEL_ROOM: Final = 8

LETTER_ROOM: Final = 2
BLANK: Final = (" ", "text")

Cell = tuple[str, str]


class Span(NamedTuple):
    """A run of cells and the marks that stand out of it; columns may lie outside the row."""

    first: int
    last: int
    run: Cell
    ends: tuple[tuple[int, Cell], ...]


def marks_inputs(model: Model) -> object:
    """Return what ``marks`` depends on."""
    snapshot = model.snapshot
    if snapshot is None:
        return None
    series = snapshot.series
    told = snapshot.faults, snapshot.outages, snapshot.marked_s
    return told, series.start_s, len(series.players), model.menu


def marks(model: Model, columns: int) -> Line:
    """Return one row of ``columns`` cells: the newest closed second stands at the right."""
    cells: list[Cell] = [BLANK] * max(0, columns)
    snapshot = model.snapshot
    if snapshot is not None and snapshot.series.players:
        letters = {spec.name: clean(spec.key, 1) for spec in model.menu}
        spans = [
            *(_fault(snapshot, columns, fault, letters) for fault in snapshot.faults),
            *(_outage(snapshot, columns, outage) for outage in snapshot.outages),
        ]
        # An end is never hidden by the run of another.
        for span in spans:
            for column in range(max(0, span.first), min(columns, span.last + 1)):
                cells[column] = span.run
        ends = [end for span in spans for end in span.ends]
        ends += [(_column(snapshot, columns, at_s), MARKED) for at_s in snapshot.marked_s]
        for column, cell in ends:
            if 0 <= column < columns:
                cells[column] = cell
    _label(cells)
    return _joined(cells)


def _column(snapshot: Snapshot, columns: int, at_s: float) -> int:
    """Return the column of a moment; the second that is not closed counts as the newest."""
    newest_s = snapshot.series.start_s + len(snapshot.series.players) - 1
    return columns - 1 - max(0, newest_s - int(at_s))


def _fault(snapshot: Snapshot, columns: int, fault: FaultView, letters: Mapping[str, str]) -> Span:
    first = _column(snapshot, columns, fault.armed_at_s)
    last = columns - 1
    ends: list[tuple[int, Cell]] = []
    if fault.cleared_at_s is not None:
        last = max(first + 1, _column(snapshot, columns, fault.cleared_at_s))
        ends.append((last, CLEARED))
    if last - first >= LETTER_ROOM:
        letter = letters.get(fault.name, clean(fault.name, 1))
        ends.append((first + 1, (letter, "fault")))
    if fault.recovered_at_s is not None:
        back = _column(snapshot, columns, fault.recovered_at_s)
        ends.append((max(last + 1, back), RECOVERED))
    return Span(first, last, HELD, (*ends, (first, ARMED)))


def _outage(snapshot: Snapshot, columns: int, outage: OutageView) -> Span:
    first = _column(snapshot, columns, outage.lost_at_s)
    if outage.back_at_s is None:
        return Span(first, columns - 1, DOWN, ((first, LOST),))
    last = max(first + 1, _column(snapshot, columns, outage.back_at_s))
    return Span(first, last, DOWN, ((last, RECOVERED), (first, LOST)))


def _label(cells: list[Cell]) -> None:
    """Write the seconds before now where nothing else stands."""
    columns = len(cells)
    for ago_s in range(LABEL_EVERY_S, columns - LABEL_ROOM, LABEL_EVERY_S):
        label = f"-{ago_s}s"
        start = columns - ago_s - len(label)
        if all(cell == BLANK for cell in cells[start - 1 : start + len(label) + 1]):
            cells[start : start + len(label)] = [(char, "faint") for char in label]


def _joined(cells: list[Cell]) -> Line:
    spans: list[Cell] = []
    for glyph, role in cells:
        if spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + glyph, role)
        else:
            spans.append((glyph, role))
    return tuple(spans)
