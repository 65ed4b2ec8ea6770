"""What the console knows, frozen, and what follows from it. Pure."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from console.items import (
    Cost,
    Found,
    Message,
    Phase,
)
from console.lists import ListView
from console.seen import Seen
from engine.protocol.events import Event
from engine.protocol.feed import Ended, Notice, Snapshot, ViolationRow
from engine.protocol.limits import EVENT_TAIL_MAX
from engine.protocol.query import EntitiesAnswer, FaultSpec
from engine.protocol.story import Beat

NOTICES_KEPT_MAX: Final = 200
MESSAGE_S: Final = 6.0
"""A message stays in the strip for this long."""
SILENT_S: Final = 3.0
"""No snapshot for this long is told."""
PACES: Final = ("eco", "normal", "demo")


class Data(Struct, frozen=True):
    """What the engine told; freezing the view keeps one of these.

    Attributes:
        entities_after: Position of the first row of ``entities``.
        entities_problem: Why there is no newer page, empty when there is none.
        found: Events from the engine's log that pass a filter; ``events`` is but a sample.
    """

    snapshot: Snapshot | None = None
    events: tuple[Event, ...] = ()
    left_out: int = 0
    beats: tuple[Beat, ...] = ()
    entities: EntitiesAnswer | None = None
    entities_after: int = 0
    entities_problem: str = ""
    found: Found = Found()


class View(Struct, frozen=True):
    """What the operator looks at, and how.

    Attributes:
        still_events: The events as they were when the operator ceased to follow the newest, so
            that no row moves under the cursor; None while the list follows.
        still_violations: The violations likewise.
    """

    width: int = 80
    height: int = 24
    page: str = "overview"
    focus: str = "entities"
    zoom: bool = False
    mono: bool = False
    theme: str = "dark"
    pace: str = "normal"
    hints: tuple[tuple[str, str], ...] = ()
    quit_key: str = "q"
    mouse: bool = False
    mouse_key: str = "M"
    follow_key: str = "f"
    entities: ListView = ListView(sort="-gold")
    events: ListView = ListView(follow=True)
    violations: ListView = ListView(follow=True)
    story: ListView = ListView(follow=True)
    still_events: tuple[Event, ...] | None = None
    still_violations: tuple[ViolationRow, ...] | None = None


class Model(Struct, frozen=True):
    """Everything the console knows. ``held`` is what a frozen view shows."""

    phase: Phase = "starting"
    live: Data = Data()
    held: Data | None = None
    view: View = View()
    cost: Cost = Cost()
    now_s: float = 0.0
    heard_s: float = 0.0
    held_s: float = 0.0
    started_s: float = 0.0
    message: Message | None = None
    notices: tuple[Notice, ...] = ()
    gaps: int = 0
    menu: tuple[FaultSpec, ...] = ()
    ended: Ended | None = None
    lost: str = ""
    seen: Seen = Seen()
    hint_until_s: float = 0.0

    @property
    def shown(self) -> Data:
        """What the panels show: the newest, or what was frozen."""
        return self.live if self.held is None else self.held

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot the panels show."""
        return self.shown.snapshot


def list_keys(data: Data, view: View, name: str) -> Sequence[int]:
    """Return the keys of a list's rows that pass its filter, ascending."""
    if name == "entities":
        total = data.entities.total if data.entities else 0
        return range(total)
    if name == "events":
        return tuple(event.seq for event in shown_events(data, view))
    if name == "story":
        return tuple(beat.number for beat in shown_beats(data, view))
    return tuple(row.seq for row in shown_violations(data, view))


def shown_events(data: Data, view: View) -> tuple[Event, ...]:
    """Return the events of the list, oldest first: where it stands still those it stands at."""
    return fresh_events(data, view) if view.still_events is None else view.still_events


def fresh_events(data: Data, view: View) -> tuple[Event, ...]:
    """Return the events that pass the filter, oldest first: from the log, then from the tail."""
    terms, found = view.events.terms, data.found
    if not terms.terms:
        return data.events
    logged, last = (found.rows, found.last_seq) if found.where == view.events.filter else ((), 0)
    fresh = (event for event in data.events if event.seq > last and terms.matches(event))
    return (*logged, *fresh)[-EVENT_TAIL_MAX:]


def shown_beats(data: Data, view: View) -> tuple[Beat, ...]:
    """Return the beats that pass the filter, oldest first."""
    if not view.story.terms.terms:
        return data.beats
    return tuple(beat for beat in data.beats if view.story.terms.matches(beat))


def shown_violations(data: Data, view: View) -> tuple[ViolationRow, ...]:
    """Return the violations of the list, oldest first: where it stands still those it stands at."""
    return fresh_violations(data, view) if view.still_violations is None else view.still_violations


def fresh_violations(data: Data, view: View) -> tuple[ViolationRow, ...]:
    """Return the violations that pass the filter, oldest first."""
    tail = data.snapshot.violations.tail if data.snapshot else ()
    if not view.violations.terms.terms:
        return tail
    return tuple(row for row in tail if view.violations.terms.matches(row))
