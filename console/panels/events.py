"""The event tail: what just happened, newest at the bottom."""

from typing import Final

from msgspec import structs

from console.figures import count
from console.lines import Line, changed, clean, fit, left, right
from console.model import Model
from console.select.lists import EVENT_LOOKS, QUIET, event_text, list_note, list_window
from console.widgets.frame import frame
from engine.protocol.events import Event, entity_name
from engine.protocol.limits import EVENT_TAIL_MAX

ROOMY: Final = 72
"""From this width on the note says how far back the filter looks."""


class Events:
    """One event a row: tick, who, what."""

    name = "events"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        data = model.shown
        last = data.events[-1].seq if data.events else 0
        found = data.found
        logged = structs.replace(found, rows=found.rows[-1:]), len(found.rows)
        view = model.view
        return last, len(data.events), view.events, view.still_events, logged

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        shown = list_window(model.shown, model.view, "events", max(1, height - 2))
        lines: list[Line] = []
        for index, event in enumerate(shown.rows):
            assert isinstance(event, Event)  # noqa: S101 - the window of events holds these
            line = fit(_row(event, width - 4), width - 4)
            picked = focused and index == shown.picked and not model.view.events.follow
            lines.append(changed(line, "sel") if picked else line)
        if not lines:
            lines.append(_nothing(model))
        return frame(
            lines,
            width,
            height,
            "Events",
            list_note(model.view, "events", shown, _covers(model, shown.total, width)),
            focused,
        )


def _nothing(model: Model) -> Line:
    found, where = model.shown.found, model.view.events.filter
    if not where:
        return (("nothing yet", "dim"),)
    if found.where != where:
        return (("searching the log…", "dim"),)
    if found.problem:
        return ((f"▲ {clean(found.problem)}", "bad"),)
    if not found.complete:
        return ((f"none back to event {count(found.searched)}, searching on…", "dim"),)
    if found.lost:
        return ((f"none passes; {count(found.lost)} older events cannot be read", "bad"),)
    return (("no event passes the filter", "dim"),)


def _covers(model: Model, rows: int, width: int) -> str:
    """Return what the rows were picked from: the tail that is kept here, or the engine's log."""
    found, where = model.shown.found, model.view.events.filter
    if not where:
        return "kept"
    if found.where != where:
        return "so far, searching…"
    if rows >= EVENT_TAIL_MAX:
        return "newest that pass"
    if width < ROOMY:
        return "found" if found.complete else "so far"
    if not found.complete:
        return f"back to event {count(found.searched)}…"
    return f"in the last {count(found.last_seq - found.lost)}"


def _row(event: Event, inner: int) -> Line:
    mark, role = EVENT_LOOKS.get(event.kind, QUIET)
    who = entity_name(event.actor or event.stream)
    quiet = "dim" if role == "dim" else "text"
    tick: tuple[tuple[str, str], ...] = ((right(str(event.tick), 6) + " ", "faint"),)
    if inner >= 90:
        tick = ((right(str(event.seq), 9) + " ", "faint"), *tick)
    return (
        *tick,
        (f"{mark} ", role),
        (left(who, 12) + " ", quiet),
        (left(event.kind.replace("_", " "), 15) + " ", role),
        (event_text(event), "dim"),
    )


PANEL = Events()
