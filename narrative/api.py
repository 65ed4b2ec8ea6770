"""What the narrator reads from the admin API, checked: nothing of it is trusted."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.protocol.events import Event
from engine.protocol.story import Beat

Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]


_ENTITY_MAX: Final = 2**32 - 1


class EventsMessage(Struct, frozen=True, tag="events", tag_field="topic"):
    """One tick's events."""

    tick: Annotated[int, Meta(ge=0, le=2**53)]
    events: tuple[Event, ...]


class GapMessage(Struct, frozen=True, tag="gap", tag_field="topic"):
    """Events ``from_seq`` to ``to_seq`` will not come any more."""

    from_seq: Seq
    to_seq: Seq


class FaultsMessage(Struct, frozen=True, tag="faults", tag_field="topic"):
    """A fault was armed or cleared; what it did is told from the events."""


class _AnyMessage(Struct, frozen=True):
    topic: str


StreamMessage = EventsMessage | GapMessage | FaultsMessage


class NewestBeats(Struct, frozen=True):
    """``GET /story/beats?limit=1``: the newest beat, or none."""

    rows: Annotated[tuple[Beat, ...], Meta(max_length=500)] = ()


beats_decoder = msgspec.json.Decoder(NewestBeats)
_stream_decoder: msgspec.json.Decoder[StreamMessage] = msgspec.json.Decoder(StreamMessage)
_any_decoder = msgspec.json.Decoder(_AnyMessage)


def read_message(raw: str | bytes) -> StreamMessage | None:
    """Return a message of the stream; None for a topic that was not asked for.

    Raises:
        ValueError: It is no message, or a broken one of a topic that matters.
    """
    try:
        return _stream_decoder.decode(raw)
    except msgspec.DecodeError as problem:
        try:
            topic = _any_decoder.decode(raw).topic
        except msgspec.DecodeError:
            topic = "events"
        if topic in {"events", "gap"}:
            raise ValueError(str(problem)) from problem
        return None


def fresh_events(message: EventsMessage, last_seq: int) -> list[Event]:
    """Return the events that come after ``last_seq``, ascending.

    Raises:
        ValueError: One is of another tick, or names what can be no entity.
    """
    fresh = []
    for event in message.events:
        if event.tick != message.tick:
            raise ValueError(f"event {event.seq} of tick {event.tick} in tick {message.tick}")
        least = min(event.stream, event.actor, event.target, event.seq - 1)
        if least < 0 or max(event.stream, event.actor, event.target) > _ENTITY_MAX:
            raise ValueError(f"event {event.seq} names an entity that cannot be")
        if event.seq > last_seq:
            fresh.append(event)
            last_seq = event.seq
    return fresh
