"""What an adviser is: one file in this folder with an ``ADVISER``, made anew for each brain.

An adviser looks at one tick after the other and drafts what would be worth telling. It
never says a name or a number that does not stand in one of the events it names.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final, Protocol

from msgspec import Struct

from engine.protocol.events import Event, entity_name
from engine.protocol.limits import BEAT_CAST_MAX, BEAT_EVENTS_MAX, STORY_BACK_EVENTS_MAX
from narrative.memory import Places

NAMES_MAX: Final = 3
"""Names in a list; more would be a register and no sentence."""

Slots = dict[str, str | int]
"""What stands in a sentence: names and numbers of the events."""


class Moment(Struct, frozen=True):
    """One tick, as advisers see it.

    Attributes:
        tick: The tick.
        events: Its events, ascending by ``seq``.
        by_kind: The same by kind.
        before: The newest event before this tick, None at the start and after a gap.
        places: Where everybody was last seen, this tick included.
        complete: Whether every event since the world began was seen: only then is anything
            known to be the first or the greatest.
        storm: Whether a storm that drives players out is known to be armed.
    """

    tick: int
    events: tuple[Event, ...]
    by_kind: Mapping[str, Sequence[Event]]
    before: Event | None
    places: Places
    complete: bool
    storm: bool = False

    def of(self, *kinds: str) -> Iterable[Event]:
        """Return the tick's events of these kinds, kind by kind."""
        for kind in kinds:
            yield from self.by_kind.get(kind, ())

    def citable(self, event: Event) -> bool:
        """Whether the hub can still be expected to know the event."""
        return event.seq > self.events[-1].seq - STORY_BACK_EVENTS_MAX


class Draft(Struct, frozen=True):
    """Something worth telling.

    Attributes:
        kind: What it is about, as ``NewBeat.kind``.
        weight: How telling it is, from 1 (a remark) to 6 (everybody must hear of it).
        sentences: Ways to say it, with ``{slots}``.
        slots: What stands in them.
        events: What it is told from.
        cast: Who is in it, the most important first.
    """

    kind: str
    weight: float
    sentences: tuple[str, ...]
    slots: Mapping[str, str | int]
    events: tuple[Event, ...]
    cast: tuple[int, ...]

    @property
    def newest(self) -> Event:
        """The newest of its events."""
        return max(self.events, key=lambda event: event.seq)


class Adviser(Protocol):
    """Drafts one kind of story; remembers what it needs for that, within bounds."""

    name: ClassVar[str]

    def look(self, moment: Moment) -> Iterable[Draft]:
        """Take in a tick and return what would be worth telling."""
        ...

    def gap(self) -> None:
        """Events were missed: what depends on having seen all of them is forgotten."""
        ...


def evidence(*events: Event) -> tuple[Event, ...]:
    """Return the events, each once, ascending; of too many the newest."""
    every = {event.seq: event for event in events}
    return tuple(every[seq] for seq in sorted(every)[-BEAT_EVENTS_MAX:])


def cast(*entities: int) -> tuple[int, ...]:
    """Return the entities, each once; the world itself is nobody."""
    return tuple(dict.fromkeys(who for who in entities if who))[:BEAT_CAST_MAX]


def names(entities: Iterable[int]) -> str:
    """Return a list of names as people say it: ``npc-1, npc-2 and npc-3``."""
    said = [entity_name(who) for who in entities]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def places_text(zone: int | None) -> str:
    """Return `` in zone 12``, or nothing."""
    return "" if zone is None else f" in zone {zone}"
