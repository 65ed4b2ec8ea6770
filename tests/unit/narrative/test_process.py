"""What the narrator makes of the stream's messages, without a stream."""

from collections.abc import AsyncIterator
from typing import Any, Self

import msgspec
import pytest

from engine.protocol.child import NarratorSpec
from engine.protocol.events import Event
from engine.protocol.limits import STREAM_EVENTS_PER_MESSAGE_MAX
from engine.protocol.story import NewBeat
from narrative.process import Narrator
from tests.unit.narrative.kit import npc, player

STORM = "disconnect-storm"


class Listener:
    """A narrator that is handed messages.

    Attributes:
        notes: What it had to say.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.narrator = Narrator(
            NarratorSpec("r1", 7, "http://127.0.0.1:1", "t"), self.notes.append
        )
        self._seq = 1

    def hears(self, **message: Any) -> bool:
        return self.narrator._take(msgspec.json.encode(message))

    def hello(self, *armed: tuple[str, int]) -> None:
        faults = [{"tick": tick, "fault": {"id": id_, "name": STORM}} for id_, tick in armed]
        assert self.hears(type="hello", last_seq=0, armed=faults)

    def fault(self, what: str, id_: str, tick: int, name: str = STORM) -> None:
        assert self.hears(type="fault", what=what, tick=tick, fault={"id": id_, "name": name})

    def happen(self, tick: int, *kinds: str, who: int = 0, event_tick: int | None = None) -> None:
        """Tell of one tick's events, each about another player."""
        first = self._seq + 1
        self._seq += len(kinds)
        at = tick if event_tick is None else event_tick
        events = [
            Event(first + n, at, kind, player(who + n), 1, player(who + n))
            for n, kind in enumerate(kinds)
        ]
        assert self.hears(type="events", tick=tick, last_seq=self._seq, events=events)

    def crowd_goes(self, tick: int) -> bool:
        """Return whether a crowd that goes in a tick is told to go in a storm."""
        self.happen(tick, *["left"] * 20)
        (gone,) = self.told()
        assert gone.kind == "vanishing"
        return "storm" in gone.text

    def told(self) -> list[NewBeat]:
        waiting = self.narrator.outbox._waiting
        beats = list(waiting)
        waiting.clear()
        return beats


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    yield listener
    await listener.narrator.outbox.aclose()


@pytest.mark.parametrize("over", ["cleared", "recovered"])
async def test_the_end_of_one_storm_is_not_the_end_of_another(listener: Listener, over: str):
    listener.hello()
    listener.fault("armed", "f1", 10)
    if over == "recovered":
        listener.fault("cleared", "f1", 20)
    listener.fault("armed", "f2", 21)
    listener.fault(over, "f1", 22)
    assert listener.crowd_goes(30)


async def test_a_storm_that_is_cleared_is_over(listener: Listener):
    listener.hello()
    listener.fault("armed", "f1", 10)
    listener.fault("armed", "f2", 11, name="kill")
    listener.fault("cleared", "f1", 20)
    assert not listener.crowd_goes(30)


async def test_a_stream_begins_with_what_is_armed(listener: Listener):
    listener.hello(("f1", 10))
    assert listener.crowd_goes(30)


async def test_what_was_told_on_another_stream_is_forgotten(listener: Listener):
    listener.hello()
    listener.fault("armed", "f1", 10)
    listener.hello()
    assert not listener.crowd_goes(30)


async def test_after_a_hole_in_the_faults_another_stream_is_asked_for(listener: Listener):
    gap = {"type": "gap", "first": 1, "last": 9}
    assert not listener.hears(topic="faults", **gap)
    assert listener.hears(topic="events", **gap)
    assert listener.hears(topic="ticks", **gap)


async def test_what_catches_up_is_told_by_the_storms_of_its_time(listener: Listener):
    # The news are of now, the events are of before.
    listener.hello(("f2", 200))
    assert not listener.crowd_goes(150)


async def test_a_storm_that_is_over_has_raged_in_events_that_come_late(listener: Listener):
    listener.hello()
    listener.fault("armed", "f1", 100)
    listener.fault("cleared", "f1", 200)
    assert listener.crowd_goes(150)


async def test_what_a_bad_message_may_have_said_of_storms_is_not_known(listener: Listener):
    listener.hello()
    listener.fault("armed", "f1", 10)
    assert listener.hears(type="fault", what="cleared", fault={"name": STORM})
    assert not listener.crowd_goes(30)
    assert "no good" in listener.notes[0]


async def test_a_bad_message_is_a_gap_behind_the_tick_before_it(listener: Listener):
    listener.hello()
    steps: list[int | str] = []
    brain = listener.narrator._brain

    class Steps:
        storms = brain.storms

        def step(self, tick: int, events: list[Event]) -> tuple[NewBeat, ...]:
            steps.append(tick)
            return ()

        def gap(self) -> None:
            steps.append("gap")

    listener.narrator._brain = Steps()  # type: ignore[assignment]  # all that is asked of it
    # So full that more of its tick may come.
    listener.happen(1, *["moved"] * STREAM_EVENTS_PER_MESSAGE_MAX)
    listener.happen(2, "moved", event_tick=9)
    listener.happen(3, "moved")
    assert steps == [1, "gap", 3]


@pytest.mark.parametrize("wrong", [ValueError("a sentence of 241 characters"), KeyError("who")])
async def test_a_mistake_of_our_own_is_not_blamed_on_the_stream(
    listener: Listener, wrong: Exception, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise wrong

    listener.hello()
    monkeypatch.setattr(listener.narrator._brain, "step", fail)
    with pytest.raises(type(wrong)):
        listener.happen(1, "died")
    assert listener.notes == []


async def test_a_mistake_of_our_own_ends_the_narrator(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
):
    class Stream:
        """One message, then silence."""

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

        async def __aiter__(self) -> AsyncIterator[bytes]:
            event = Event(2, 1, "died", player(1), 1, npc(1))
            message = {"type": "events", "tick": 1, "last_seq": 2, "events": [event]}
            yield msgspec.json.encode(message)

    def fail(*_: object) -> None:
        raise ValueError("a sentence of 241 characters")

    async def resumed() -> None:
        return None

    monkeypatch.setattr("narrative.process.connect", lambda *_, **__: Stream())
    monkeypatch.setattr(listener.narrator, "_resume", resumed)
    monkeypatch.setattr(listener.narrator._brain, "step", fail)
    with pytest.raises(ExceptionGroup) as caught:
        await listener.narrator.run()
    assert caught.group_contains(ValueError, match="241")
    assert listener.notes == []
