"""``Brain``: events go in, beats come out. Pure: no clock but the ticks, no chance but the seed."""

from collections.abc import Sequence
from typing import Any

from engine.protocol.events import Event
from engine.protocol.registry import scan
from engine.protocol.story import NewBeat
from narrative import faculty
from narrative.director import Director
from narrative.faculty.base import Adviser, Draft, Moment
from narrative.memory import Places, Storms
from narrative.realise import Teller

_PLACED = frozenset({"moved", "fled", "joined", "respawned"})

KINDS = (
    "world_started", "joined", "left", "moved", "attacked", "died", "looted", "respawned",
    "traded", "levelled_up", "stage_changed", "retaliated", "called_for_help", "fled",
    "resumed", "disconnected",
)  # fmt: skip
"""Kinds of events that stories are made of; the others need not be sent."""


STORM = "disconnect-storm"
"""The fault that stories know by its name."""


class Brain:
    """Makes a story of what happens.

    Args:
        seed: The run's; the same events are told in the same words.

    Attributes:
        storms: Told of the storms that are armed.
    """

    def __init__(self, seed: int) -> None:
        makers: dict[str, Any] = scan(faculty, "ADVISER")
        self._advisers: list[Adviser] = [make() for make in makers.values()]
        self._director = Director()
        self._teller = Teller(seed)
        self._places = Places()
        self._before: Event | None = None
        self._complete = False
        self.storms = Storms()

    def step(self, tick: int, events: Sequence[Event]) -> tuple[NewBeat, ...]:
        """Take in a tick's events and return what is to be told now.

        Args:
            tick: The tick.
            events: All or some of its events, ascending by ``seq``, later than any before.
        """
        if not events:
            return ()
        if events[0].seq == 1:
            self._complete = True
        by_kind: dict[str, list[Event]] = {}
        for event in events:
            by_kind.setdefault(event.kind, []).append(event)
            if event.kind in _PLACED:
                self._places.see(event)
        moment = Moment(
            tick=tick,
            events=tuple(events),
            by_kind=by_kind,
            before=self._before,
            places=self._places,
            complete=self._complete,
            storm=self.storms.rage(tick),
        )
        drafts: list[Draft] = []
        for adviser in self._advisers:
            drafts += adviser.look(moment)
        self._before = events[-1]
        return tuple(map(self._teller.tell, self._director.choose(tick, drafts)))

    def gap(self) -> None:
        """Events were missed; whatever takes having seen all of them is not claimed any more."""
        self._complete = False
        self._before = None
        self._places = Places()
        for adviser in self._advisers:
            adviser.gap()
