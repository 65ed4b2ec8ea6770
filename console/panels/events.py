"""The event tail: what just happened, newest at the bottom."""

from console.lines import Line, changed, fit, left, right
from console.model import Model
from console.select.lists import EVENT_LOOKS, QUIET, event_text, list_note, list_window
from console.widgets.frame import frame
from engine.protocol.events import Event, entity_name


class Events:
    """One event a row: tick, who, what."""

    name = "events"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        data = model.shown
        last = data.events[-1].seq if data.events else 0
        return last, len(data.events), model.view.events

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
            quiet = "no event passes the filter" if model.view.events.filter else "nothing yet"
            lines.append(((quiet, "dim"),))
        return frame(
            lines,
            width,
            height,
            "Events",
            list_note(model.view, "events", shown, "kept"),
            focused,
        )


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
