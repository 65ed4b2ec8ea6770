"""The row under a chart: seconds ago, and what happened then. Pure.

``▲d━━━━▼ ✓``: a fault was armed (its letter in the fault menu), held, was cleared, was
recovered from. ``✖╍╍╍✓``: the world or a squad died and came back.
"""

from typing import Final

from console.lines import Line, clean
from console.model import Model
from engine.protocol.feed import FaultView, OutageView, Snapshot

ARMED: Final = ("▲", "fault")
HELD: Final = ("━", "fault")
CLEARED: Final = ("▼", "fault")
RECOVERED: Final = ("✓", "good")
LOST: Final = ("✖", "bad")
DOWN: Final = ("╍", "bad")
LABEL_EVERY_S: Final = 30
LABEL_ROOM: Final = 8

Cells = list[tuple[str, str]]


def marks_inputs(model: Model) -> object:
    """Return what ``marks`` depends on."""
    snapshot = model.snapshot
    if snapshot is None:
        return None
    series = snapshot.series
    return snapshot.faults, snapshot.outages, series.start_s, len(series.players), model.menu


def marks(model: Model, columns: int) -> Line:
    """Return one row of ``columns`` cells: the newest closed second stands at the right."""
    cells: Cells = _scale(columns)
    snapshot = model.snapshot
    if snapshot is not None and snapshot.series.players:
        letters = {spec.name: clean(spec.key, 1) for spec in model.menu}
        for outage in snapshot.outages:
            _outage(cells, snapshot, outage)
        for fault in snapshot.faults:
            _fault(cells, snapshot, fault, letters.get(fault.name, clean(fault.name, 1)))
    return _joined(cells)


def _scale(columns: int) -> Cells:
    """Return the seconds before now, in words that the marks may stand on."""
    cells: Cells = [(" ", "text")] * max(0, columns)
    for ago_s in range(LABEL_EVERY_S, columns - LABEL_ROOM, LABEL_EVERY_S):
        label = f"-{ago_s}s"
        end = columns - ago_s
        cells[end - len(label) : end] = [(char, "faint") for char in label]
    return cells


def _column(cells: Cells, snapshot: Snapshot, at_s: float) -> int:
    """Return the column of a moment; the second that is not closed counts as the newest."""
    newest_s = snapshot.series.start_s + len(snapshot.series.players) - 1
    return len(cells) - 1 - max(0, newest_s - int(at_s))


def _put(cells: Cells, column: int, cell: tuple[str, str]) -> None:
    if 0 <= column < len(cells):
        cells[column] = cell


def _run(cells: Cells, first: int, last: int, cell: tuple[str, str]) -> None:
    for column in range(max(0, first), min(len(cells), last + 1)):
        cells[column] = cell


def _outage(cells: Cells, snapshot: Snapshot, outage: OutageView) -> None:
    first = _column(cells, snapshot, outage.lost_at_s)
    last = len(cells) - 1
    if outage.back_at_s is not None:
        last = max(first + 1, _column(cells, snapshot, outage.back_at_s))
    _run(cells, first, last, DOWN)
    if outage.back_at_s is not None:
        _put(cells, last, RECOVERED)
    _put(cells, first, LOST)


def _fault(cells: Cells, snapshot: Snapshot, fault: FaultView, letter: str) -> None:
    first = _column(cells, snapshot, fault.armed_at_s)
    last = len(cells) - 1
    if fault.cleared_at_s is not None:
        last = max(first + 1, _column(cells, snapshot, fault.cleared_at_s))
    _run(cells, first, last, HELD)
    if last - first >= 2:
        _put(cells, first + 1, (letter, "fault"))
    if fault.cleared_at_s is not None:
        _put(cells, last, CLEARED)
    if fault.recovered_at_s is not None:
        _put(cells, max(last + 1, _column(cells, snapshot, fault.recovered_at_s)), RECOVERED)
    _put(cells, first, ARMED)


def _joined(cells: Cells) -> Line:
    spans: Cells = []
    for glyph, role in cells:
        if spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + glyph, role)
        else:
            spans.append((glyph, role))
    return tuple(spans)
