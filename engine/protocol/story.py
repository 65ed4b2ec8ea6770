"""What the narrator tells: beats, each grounded in the events it names."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.protocol.limits import BEAT_CAST_MAX, BEAT_CHARS_MAX, BEAT_EVENTS_MAX, ENTITY_ID_MAX

NarratorState = Literal["off", "starting", "telling", "gone"]

EventSeq = Annotated[int, Meta(ge=1, le=2**63 - 1)]
EntityId = Annotated[int, Meta(ge=0, le=ENTITY_ID_MAX)]


class NewBeat(Struct, frozen=True, forbid_unknown_fields=True):
    """One unit of story as the narrator tells it, before the hub has checked and numbered it.

    Attributes:
        tick: Tick of its newest event.
        kind: What it is about: ``death``, ``feud``, …
        text: One sentence. Every name and number in it stands in one of its events.
        events: Sequence numbers of the events it is told from, ascending.
        cast: Entities in it, the most important first.
    """

    tick: Annotated[int, Meta(ge=0, le=2**53)]
    kind: Annotated[str, Meta(min_length=1, max_length=32)]
    text: Annotated[str, Meta(min_length=1, max_length=BEAT_CHARS_MAX)]
    events: Annotated[tuple[EventSeq, ...], Meta(min_length=1, max_length=BEAT_EVENTS_MAX)]
    cast: Annotated[tuple[EntityId, ...], Meta(max_length=BEAT_CAST_MAX)] = ()


class Beat(Struct, frozen=True):
    """A beat as kept: ``number`` counts from 1 without gaps, ``at_s`` is when it was told."""

    number: int
    at_s: float
    tick: int
    kind: str
    text: str
    events: tuple[int, ...]
    cast: tuple[int, ...] = ()


class TurnedAway(Struct, frozen=True):
    """A beat that was not taken: its place in what was posted, from 0, and the reason."""

    beat: int
    why: str


class Judged(Struct, frozen=True):
    """What became of the beats of one post.

    Attributes:
        text: The same for people.
        taken: Beats that are part of the story now.
        known: Beats that were taken, or turned away, before: they were told again.
        turned_away: Those that were not taken, told again or not.
    """

    text: str
    taken: int
    known: int
    turned_away: tuple[TurnedAway, ...]


class StoryView(Struct, frozen=True):
    """The story so far; ``tail`` is oldest first and bounded.

    Attributes:
        beats: Told since the start.
        ungrounded: Turned away, because a name or a number in them stands in none of their
            events, or because those are not among the events the hub can check.
        narrator: How the narrator is.
    """

    beats: int = 0
    ungrounded: int = 0
    narrator: NarratorState = "off"
    tail: tuple[Beat, ...] = ()
