"""The narrator's work on 1,000 events a second: decode, put together, think, encode what is told.

The events are those of a fight among 10,000 NPCs and players: moves for the most part, and
enough deaths that every adviser has something to say. What the sockets cost is not in it.
"""

import random
import time

import msgspec

from engine.protocol.events import Event
from engine.protocol.limits import NPC_ID_BASE, PLAYER_ID_BASE
from narrative.api import EventsMessage, Ticks, read_message
from narrative.brain import Brain
from tests.bench.base import Bench, Figure, at_least, at_most, told

EVENTS_PER_S = 1000
EVENTS_PER_TICK = 100
TICKS = 600
MIX = ("moved",) * 60 + ("attacked",) * 20 + ("traded",) * 12 + ("retaliated",) * 4 + ("died",) * 4


def _stream(chance: random.Random) -> list[bytes]:
    messages, seq = [], 0
    for tick in range(TICKS):
        events = []
        for _ in range(EVENTS_PER_TICK):
            seq += 1
            kind = chance.choice(MIX)
            actor = PLAYER_ID_BASE + chance.randrange(1000)
            victim = NPC_ID_BASE + chance.randrange(10_000)
            a, b = chance.randrange(65_536), chance.randrange(65_536)
            if kind == "moved":
                events.append(Event(seq, tick, kind, victim, seq, victim, 0, a, b))
            else:
                left = chance.randrange(30)
                events.append(Event(seq, tick, kind, victim, seq, actor, victim, a % 50, left))
        messages.append(msgspec.json.encode(EventsMessage(tick, seq, tuple(events))))
    return messages


def _run() -> dict[str, Figure]:
    messages = _stream(random.Random(7))
    brain, ticks, beats = Brain(7), Ticks(), 0
    begun_s = time.process_time()
    for raw in messages:
        message = read_message(raw)
        if isinstance(message, EventsMessage):
            for tick, events in ticks.take(message):
                for beat in brain.step(tick, events):
                    msgspec.json.encode(beat)
                    beats += 1
    spent_s = time.process_time() - begun_s
    events_count = TICKS * EVENTS_PER_TICK
    return {
        "cpu_pct_at_1000_events_per_s": at_most(
            100 * spent_s / events_count * EVENTS_PER_S, 50, "% of a core"
        ),
        "event_us": told(1e6 * spent_s / events_count, "µs"),
        "beats_told": at_least(beats, TICKS / 10 / 2, "beats"),
    }


BENCH = Bench("narrator", _run)
