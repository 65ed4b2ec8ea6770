"""Worlds made by hand, and messages taken apart."""

import json
import struct
from typing import Any

import numpy as np

from engine.protocol.events import EVENT_CODE
from engine.stat7.coordinates import COLUMNS_SEEN
from engine.stat7.service import Look, Run
from engine.world.events import EVENT_DTYPE, EventBlock, TickEvents
from engine.world.state import NODE, NPC, PLAYER, State

RUN = Run(name="r1", seed=7, epoch_ms=1_700_000_000_000, interval_ms=100)
NODE_ID, NPC_ID, PLAYER_ID = 1, 100_000, 1_000_000
_AGENT = {"alive": 1, "hp": 100, "hp_max": 100, "lives": 1, "level": 1}


def node(number: int, **columns: int) -> dict[str, int]:
    return {"id": NODE_ID + number, "kind": NODE, "alive": 1, "lives": 1, "goods": 20, **columns}


def npc(number: int, **columns: int) -> dict[str, int]:
    return {"id": NPC_ID + number, "kind": NPC, **_AGENT, **columns}


def player(number: int, **columns: int) -> dict[str, int]:
    return {"id": PLAYER_ID + number, "kind": PLAYER, **_AGENT, "connected": 1, **columns}


def look(tick: int, *rows: dict[str, int]) -> Look:
    """Return a world of these rows; ``x`` and ``y`` give zone and cell."""
    state = State(len(rows))
    state.add(np.array([row["id"] for row in rows], np.uint32))
    for at, row in enumerate(rows):
        for name, value in row.items():
            state.columns[name][at] = value
    state.place(slice(0, len(rows)), state.x.copy(), state.y.copy())
    return Look(tick, {name: state.columns[name].copy() for name in COLUMNS_SEEN})


def happened(tick: int, *events: dict[str, Any], last_seq: int = 0) -> TickEvents:
    rows = np.zeros(len(events), EVENT_DTYPE)
    for at, event in enumerate(events):
        for name, value in event.items():
            rows[at][name] = EVENT_CODE[value] if name == "kind" else value
    return TickEvents(tick, EventBlock((last_seq or tick) - len(rows) + 1, rows))


def messages(*pieces: bytes) -> list[dict[str, Any]]:
    """Return the messages in whole, unmasked text frames."""
    found = []
    data = b"".join(pieces)
    while data:
        assert data[0] == 0x81, "one whole text frame"
        length, start = data[1], 2
        if length == 126:
            (length,), start = struct.unpack(">H", data[2:4]), 4
        elif length == 127:
            (length,), start = struct.unpack(">Q", data[2:10]), 10
        found.append(json.loads(data[start : start + length]))
        data = data[start + length :]
    return found


def of_type(found: list[dict[str, Any]], event_type: str) -> list[dict[str, Any]]:
    return [message for message in found if message["event_type"] == event_type]
