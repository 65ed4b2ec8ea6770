"""Events made by hand, and a brain that says what it makes of them."""

from collections.abc import Sequence
from typing import Any

from engine.protocol.events import Event
from engine.protocol.grounding import ungrounded
from engine.protocol.limits import NPC_ID_BASE, PLAYER_ID_BASE
from engine.protocol.story import NewBeat
from narrative.brain import Brain

_UNITS_PER_ZONE = 32 * 256


def player(number: int) -> int:
    return PLAYER_ID_BASE + number


def npc(number: int) -> int:
    return NPC_ID_BASE + number


class Land:
    """Numbers events as a world does.

    Attributes:
        events: All of them by ``seq``.
        beats: What was told.
        tick: The tick that events happen in.
    """

    def __init__(self, seed: int = 7, first_seq: int = 1) -> None:
        self.brain = Brain(seed)
        self.events: dict[int, Event] = {}
        self.beats: list[NewBeat] = []
        self.tick = 0
        self._seq = first_seq - 1
        self._now: list[Event] = []

    def happens(self, kind: str, stream: int, **fields: Any) -> Event:
        """Add an event to the tick."""
        self._seq += 1
        event = Event(self._seq, self.tick, kind, stream, 1, **{"actor": stream, **fields})
        self.events[event.seq] = event
        self._now.append(event)
        return event

    def stands(self, who: int, zone: int) -> Event:
        """Somebody moves into the middle of a zone."""
        x, y = (zone % 8 + 0.5) * _UNITS_PER_ZONE, (zone // 8 + 0.5) * _UNITS_PER_ZONE
        return self.happens("moved", who, a=int(x), b=int(y))

    def hits(self, who: int, whom: int, damage: int = 9, left: int = 50) -> Event:
        return self.happens("attacked", whom, actor=who, target=whom, a=damage, b=left)

    def kills(self, who: int, whom: int, gold: int = 0, goods: int = 0, lives: int = 1) -> Event:
        """Somebody kills somebody, and takes what there is."""
        blow = self.hits(who, whom, 12, 0)
        died = self.happens(
            "died", whom, actor=who, target=whom, a=self.tick + 50, b=lives, cause=blow.seq
        )
        if gold or goods:
            self.happens("looted", who, target=whom, a=gold, b=goods, cause=died.seq)
        return died

    def passes(self, ticks: int = 1) -> list[NewBeat]:
        """End the tick and return what was told of it."""
        told = list(self.brain.step(self.tick, self._now)) if self._now else []
        self._now = []
        self.tick += ticks
        for beat in told:
            loose = ungrounded(beat.text, [self.events[seq] for seq in beat.events])
            assert loose == (), (beat, loose)
        self.beats += told
        return told

    def told(self, kind: str) -> list[NewBeat]:
        return [beat for beat in self.beats if beat.kind == kind]


def kinds(beats: Sequence[NewBeat]) -> list[str]:
    return [beat.kind for beat in beats]
