"""The rows of the entity list, the event tail and the violations. Pure."""

from typing import Final

from msgspec import Struct

from console.figures import count
from console.lines import Line, clean
from console.lists import window
from console.model import Data, View, list_keys, shown_events, shown_violations
from console.still import newer
from console.tale import beat_plain
from engine.protocol.events import Event, entity_name
from engine.protocol.feed import ViolationRow
from engine.protocol.query import EntityRow
from engine.protocol.story import Beat

KIND_MARKS: Final = {"player": "●", "npc": "◆", "node": "▪"}
EVENT_LOOKS: Final = {
    "died": ("✖", "bad"),
    "looted": ("◇", "warn"),
    "attacked": ("†", "warn"),
    "retaliated": ("†", "warn"),
    "called_for_help": ("»", "warn"),
    "fled": ("»", "note"),
    "denied": ("▲", "bad"),
    "mutated": ("▲", "warn"),
    "invariant_broken": ("✖", "bad"),
    "cascade_cut": ("✖", "warn"),
    "policy_changed": ("◇", "accent"),
    "joined": ("+", "good"),
    "resumed": ("+", "good"),
    "respawned": ("+", "good"),
    "left": ("-", "dim"),
    "disconnected": ("-", "fault"),
    "levelled_up": ("▴", "note"),
    "stage_changed": ("◇", "note"),
    "gathered": ("▪", "note"),
    "traded": ("↔", "accent"),
    "said": ("“", "accent"),
}
QUIET: Final = ("·", "dim")


class Window(Struct, frozen=True):
    """The rows of a list that show.

    Attributes:
        rows: Those rows; None stands for one that has not come yet.
        picked: Index of the picked row in ``rows``, -1 for none.
        first: Position of the first row in the whole list.
        total: Rows in the whole list.
        newer: In words how many rows came since the list stands still, empty for none.
    """

    rows: tuple[EntityRow | Event | ViolationRow | None, ...]
    picked: int
    first: int
    total: int
    newer: str = ""


def list_window(data: Data, view: View, name: str, height: int) -> Window:
    """Return the rows of list ``name`` that show in ``height`` rows."""
    keys = list_keys(data, view, name)
    look = getattr(view, name)
    if name == "entities":
        # ``follow`` means the picked entity here; positions are kept by the model.
        look = type(look)(cursor=look.cursor, top=look.top)
    first, picked = window(keys, height, look)
    last = min(len(keys), first + height)
    rows: tuple[EntityRow | Event | ViolationRow | None, ...]
    if name == "entities":
        rows = tuple(entity_at(data, position) for position in range(first, last))
    elif name == "events":
        rows = shown_events(data, view)[first:last]
    else:
        rows = shown_violations(data, view)[first:last]
    more, at_least = newer(data, view, name)
    words = f"+{count(more)}{' or more' if at_least else ''} newer" if more else ""
    return Window(rows, picked - first if keys else -1, first, len(keys), words)


def entity_at(data: Data, position: int) -> EntityRow | None:
    """Return the entity at a position of the list, None while it has not come."""
    if data.entities is None:
        return None
    index = position - data.entities_after
    return data.entities.rows[index] if 0 <= index < len(data.entities.rows) else None


def list_note(view: View, name: str, shown: Window, unit: str) -> Line:
    """Return a list's note: filter, position, whether it follows."""
    look = getattr(view, name)
    spans: list[tuple[str, str]] = []
    if look.filter:
        spans += [("/", "key"), (clean(look.filter, 28), "accent"), ("  ", "dim")]
    if look.follow:
        spans.append(("follow  ", "note"))
    elif name != "entities":
        spans += newer_note(view, shown)
    if shown.picked >= 0 and name != "entities" and not look.follow:
        spans.append((f"{count(shown.first + shown.picked + 1)} of ", "dim"))
    spans.append((f"{count(shown.total)} {unit}", "dim"))
    return tuple(spans)


def newer_note(view: View, shown: Window) -> Line:
    """Return how many rows are newer than those a list stands still at, and what to press."""
    if not shown.newer:
        return ()
    return (
        (f"{shown.newer}, ", "note"), (view.follow_key, "key"), (" follows  ", "note"),
    )  # fmt: skip


def event_text(event: Event) -> str:
    """Return what an event says, in a few words, after its actor."""
    target = entity_name(event.target) if event.target else ""
    text = clean(event.text)
    match event.kind:
        case "moved":
            return f"to {event.a / 256:.0f}, {event.b / 256:.0f}"
        case "said":
            return f"“{text}”"
        case "denied" | "mutated" | "invariant_broken" | "policy_changed" | "cascade_cut":
            return text
        case "attacked" | "retaliated":
            return f"{target}  -{event.a} hp"
        case "gathered":
            return f"{target}  +{event.a} goods"
        case "looted" | "traded":
            return f"{target}  {event.a} gold"
        case "levelled_up":
            return f"to level {event.a}"
        case _:
            return " ".join(part for part in (target, text) if part)


def event_plain(event: Event) -> str:
    """Return an event as one line, for copying."""
    return f"{event.seq} tick {event.tick} {entity_name(event.stream)} {event.kind} " + event_text(
        event
    )


def entity_plain(row: EntityRow) -> str:
    """Return an entity as one line, for copying."""
    return (
        f"{entity_name(row.id)} {clean(row.kind, 20)} zone {row.zone} at {row.x:.1f},{row.y:.1f} "
        f"hp {row.hp}/{row.hp_max} gold {row.gold} goods {row.goods} level {row.level} "
        f"{clean(row.stage, 20)} {entity_state(row)[0]}"
    )


def violation_plain(row: ViolationRow) -> str:
    """Return a violation as one line, for copying."""
    critical = " critical" if row.critical else ""
    return (
        f"{row.seq} tick {row.tick} {entity_name(row.actor)} {clean(row.policy, 40)}"
        f"{critical}: {clean(row.reason)}"
    )


def plain_row(row: EntityRow | Event | ViolationRow | Beat) -> str:
    """Return a row of any list as one line, for copying."""
    if isinstance(row, Beat):
        return beat_plain(row)
    if isinstance(row, EntityRow):
        return entity_plain(row)
    return event_plain(row) if isinstance(row, Event) else violation_plain(row)


def entity_state(row: EntityRow) -> tuple[str, str]:
    """Return an entity's state as a word and its role."""
    if not row.alive:
        return "dead", "bad"
    if row.kind == "player" and not row.connected:
        return "offline", "fault"
    return "alive" if row.kind != "player" else "online", "good"


def hp_role(row: EntityRow) -> str:
    """Return the role of an entity's health bar."""
    share = row.hp / row.hp_max if row.hp_max else 0.0
    return "bad" if share < 0.25 else "warn" if share < 0.5 else "good"
