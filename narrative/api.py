"""What the narrator reads from the admin API, checked: nothing of it is trusted."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from engine.protocol.events import Event
from engine.protocol.limits import (
    BEATS_PER_POST_MAX,
    FAULTS_ARMED_MAX,
    STREAM_EVENTS_PER_MESSAGE_MAX,
)
from engine.protocol.story import Beat, TurnedAway

_ENTITY_MAX: Final = 2**32 - 1
_SEQ_MAX: Final = 2**63 - 1

Seq = Annotated[int, Meta(ge=0, le=_SEQ_MAX)]
Tick = Annotated[int, Meta(ge=0, le=2**53)]


class Fault(Struct, frozen=True):
    """A fault, as far as stories know it."""

    id: Annotated[str, Meta(max_length=64)]
    name: Annotated[str, Meta(max_length=64)]


class ArmedFault(Struct, frozen=True):
    """A fault that is armed, and the newest tick when that was told."""

    tick: Tick
    fault: Fault


class HelloMessage(Struct, frozen=True, tag="hello", tag_field="type"):
    """First of all: the newest event there is, and the faults that are armed."""

    last_seq: Seq
    armed: Annotated[tuple[ArmedFault, ...], Meta(max_length=FAULTS_ARMED_MAX)] = ()


class EventsMessage(Struct, frozen=True, tag="events", tag_field="type"):
    """Events of one tick; everything up to ``last_seq`` is then told."""

    tick: Tick
    last_seq: Seq
    events: tuple[Event, ...]


class GapMessage(Struct, frozen=True, tag="gap", tag_field="type"):
    """``first`` to ``last`` of a topic will not come any more."""

    topic: str
    first: Seq
    last: Seq


class FaultMessage(Struct, frozen=True, tag="fault", tag_field="type"):
    """A fault was armed, cleared, or is recovered from, at this tick or shortly before it."""

    what: Literal["armed", "cleared", "recovered"]
    tick: Tick
    fault: Fault


class _AnyMessage(Struct, frozen=True):
    type: str


StreamMessage = HelloMessage | EventsMessage | GapMessage | FaultMessage
_KNOWN: Final = frozenset({"hello", "events", "gap", "fault"})


class NewestBeats(Struct, frozen=True):
    """``GET /story/beats?limit=1``: the newest beat, or none."""

    rows: Annotated[tuple[Beat, ...], Meta(max_length=500)]


class JudgedBeats(Struct, frozen=True):
    """The answer to ``POST /story/beats``: what was not taken, beat by beat."""

    turned_away: Annotated[tuple[TurnedAway, ...], Meta(max_length=BEATS_PER_POST_MAX)]


beats_decoder = msgspec.json.Decoder(NewestBeats)
judged_decoder = msgspec.json.Decoder(JudgedBeats)
_stream_decoder: msgspec.json.Decoder[StreamMessage] = msgspec.json.Decoder(StreamMessage)
_any_decoder = msgspec.json.Decoder(_AnyMessage)


def read_message(raw: str | bytes) -> StreamMessage | None:
    """Return a message of the stream; None for one that concerns no story.

    Raises:
        ValueError: It is no message, or a broken one of a type that matters.
    """
    try:
        return _stream_decoder.decode(raw)
    except msgspec.DecodeError as problem:
        try:
            kind = _any_decoder.decode(raw).type
        except msgspec.DecodeError:
            kind = "events"
        if kind in _KNOWN:
            raise ValueError(str(problem)) from problem
        return None


class Ticks:
    """Puts the messages of a tick together, and leaves out what was told before.

    Args:
        last_seq: Everything up to here has come before.
        last_tick: So has all of this tick.

    Attributes:
        last_seq: Everything up to here has come.
    """

    def __init__(self, last_seq: int = 0, last_tick: int = -1) -> None:
        self.last_seq = last_seq
        self._last_tick = last_tick
        self._lost_tick = -1
        self._tick = 0
        self._parts: list[Event] = []

    def take(self, message: EventsMessage) -> list[tuple[int, list[Event]]]:
        """Take in a message and return the ticks that are whole now, with their events.

        Raises:
            ValueError: An event is of another tick, or names what can be no entity. The rest
                of such a tick is lost; ``rest`` has the one before it.
        """
        try:
            for event in message.events:
                _check(event, message.tick)
        except ValueError:
            if message.tick == self._tick:
                self._parts = []
            self._lost_tick = message.tick
            raise
        whole = [] if message.tick == self._tick else self.rest()
        newest = self.last_seq
        told = message.tick > self._last_tick and message.tick != self._lost_tick
        for event in message.events:
            if event.seq > newest:
                newest = event.seq
                if told:
                    self._parts.append(event)
        self._tick = message.tick
        self.last_seq = max(newest, message.last_seq)
        # A full message may have another one of the same tick behind it.
        if self._parts and len(message.events) < STREAM_EVENTS_PER_MESSAGE_MAX:
            whole += self.rest()
        return whole

    def rest(self) -> list[tuple[int, list[Event]]]:
        """Return the tick that is whole if nothing more comes of it, when there is one."""
        parts, self._parts = self._parts, []
        return [(self._tick, parts)] if parts else []

    def skip(self, last_seq: int = 0) -> None:
        """Events up to ``last_seq`` will not come; a tick that is not whole is dropped."""
        self.last_seq = max(self.last_seq, last_seq)
        if self._parts:
            self._parts, self._lost_tick = [], self._tick


def _check(event: Event, tick: int) -> None:
    if event.tick != tick:
        raise ValueError(f"event {event.seq} of tick {event.tick} in tick {tick}")
    least = min(event.stream, event.actor, event.target)
    most = max(event.stream, event.actor, event.target)
    if least < 0 or most > _ENTITY_MAX or not 1 <= event.seq <= _SEQ_MAX:
        raise ValueError(f"event {event.seq} names what cannot be")
