"""One entity with its recent events, or one event in full."""

from typing import TYPE_CHECKING

from console.figures import count
from console.lines import Line, clean, left
from console.screens.overlay import Overlay
from console.select.lists import EVENT_LOOKS, QUIET, entity_state, event_text, hp_role
from console.widgets.frame import frame
from console.widgets.gauge import gauge
from engine.link.base import LinkClosed
from engine.protocol.events import Event, entity_name
from engine.protocol.query import EntityAnswer, EntityQuery, Refused

if TYPE_CHECKING:
    from console.app import StormApp

WIDTH = 76
EVENTS = 12


class DrillScreen(Overlay[None]):
    """Asks the engine once it is up; an event that led here is shown in full.

    Args:
        storm: The app.
        entity: Whom to look into.
        event: The event it was found by, if any.
    """

    def __init__(self, storm: "StormApp", entity: int, event: Event | None = None) -> None:
        super().__init__(storm)
        self._entity = entity
        self._event = event
        self._answer: EntityAnswer | None = None
        self._problem = ""

    def on_mount(self) -> None:
        """Draw, and ask."""
        self.show()
        self.run_worker(self._ask(), exit_on_error=True)

    async def _ask(self) -> None:
        link = self.storm.link
        if link is None:
            self._problem = "there is no engine to ask"
        else:
            try:
                answer = await link.ask(EntityQuery(self._entity, EVENTS))
            except LinkClosed as problem:
                self._problem = str(problem)
            else:
                if isinstance(answer, EntityAnswer):
                    self._answer = answer
                elif isinstance(answer, Refused):
                    self._problem = answer.message
        self.show()

    def draw(self, width: int, height: int) -> list[Line]:
        """See ``Overlay.draw``."""
        wide = min(width, WIDTH)
        lines: list[Line] = []
        if self._event is not None:
            lines += _event_lines(self._event)
        if self._answer is not None:
            lines += _entity_lines(self._answer)
        elif self._problem:
            lines.append(((f"▲ {clean(self._problem)}", "bad"),))
        else:
            lines.append((("asking…", "dim"),))
        rows = min(height, len(lines) + 2)
        note = (("esc", "key"), (" back", "dim"))
        return frame(lines, wide, rows, entity_name(self._entity), note, focused=True)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        if key in {"escape", "enter", "q", "ctrl+c"}:
            self.dismiss(None)


def _event_lines(event: Event) -> list[Line]:
    pairs = [
        ("event", f"{count(event.seq)} in tick {count(event.tick)}"),
        ("kind", clean(event.kind, 40)),
        ("says", event_text(event)),
        ("stream", f"{entity_name(event.stream)} version {event.version}"),
        ("cause", f"event {count(event.cause)}" if event.cause else "a command or the clock"),
    ]
    return [*(((left(name, 10), "dim"), (text, "text")) for name, text in pairs), ()]


def _entity_lines(answer: EntityAnswer) -> list[Line]:
    row = answer.row
    word, role = entity_state(row)
    share = row.hp / row.hp_max if row.hp_max else 0.0
    lines: list[Line] = [
        (
            (clean(row.kind, 20), "text"),
            ("  ", "dim"),
            (word, role),
            (f"   as of tick {count(answer.tick)}", "dim"),
        ),
        (
            (left("health", 10), "dim"),
            (f"{row.hp}/{row.hp_max} ", "bright"),
            *gauge(share, 24, hp_role(row)),
        ),
        (
            (left("owns", 10), "dim"),
            (f"{count(row.gold)} gold, {count(row.goods)} goods", "text"),
        ),
        (
            (left("is", 10), "dim"),
            (f"level {row.level}, {clean(row.stage, 20)}, ", "text"),
            (f"faction {row.faction}, {row.lives} lives", "text"),
        ),
        ((left("at", 10), "dim"), (f"zone {row.zone}: {row.x:.1f}, {row.y:.1f}", "text")),
        (),
    ]
    for event in answer.events:
        mark, looks = EVENT_LOOKS.get(event.kind, QUIET)
        lines.append(
            (
                (f"{event.tick:>8} ", "faint"),
                (f"{mark} ", looks),
                (left(clean(event.kind, 20).replace("_", " "), 16), looks),
                (event_text(event), "dim"),
            )
        )
    if not answer.events:
        lines.append((("no events kept", "dim"),))
    return lines
