"""The golden run: what came into a world, kept apart from any stored form, and what came of it.

The stimulus names its fields, so that it stays readable when intents get new ones; the
hashes are what every supported Python on every machine must give for it.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import zstandard
from blake3 import blake3
from msgspec import Struct

from engine.protocol.policy import PolicyChange
from engine.store.base import LogReader
from engine.world.constants import RULES_VERSION
from engine.world.inputs import INTENT_DTYPE, TickInputs
from engine.world.world import World, WorldConfig

HERE: Final = Path(__file__).parent
STIMULUS: Final = HERE / "world.stimulus.zst"
HASHES: Final = HERE / "world.hashes.txt"


class Tick(Struct, array_like=True):
    """What comes into one tick."""

    intents: list[list[int]]
    texts: dict[int, str]
    joins: list[tuple[int, str]]
    leaves: list[int]
    restarted: bool
    policies: list[PolicyChange] = []


class Stimulus(Struct):
    """A world's beginnings, and everything that comes into it."""

    config: dict[str, int]
    fields: list[str]
    ticks: list[Tick]


def of_log(log: LogReader, config: WorldConfig) -> Stimulus:
    """Return what came into a recorded world."""
    ticks = []
    for record in log.ticks():
        inputs = TickInputs.unpack(record.inputs)
        rows = [list(row) for row in inputs.intents.tolist()]
        known = (inputs.texts, inputs.joins, inputs.leaves, inputs.restarted, inputs.policies)
        ticks.append(Tick(rows, *known))
    made: dict[str, int] = {
        name: getattr(config, name) for name in ("seed", "npcs", "nodes", "capacity", "interval_ms")
    }
    return Stimulus(made, list(INTENT_DTYPE.names or ()), ticks)


def write_stimulus(stimulus: Stimulus) -> None:
    """Keep it."""
    packed = msgspec.msgpack.encode(stimulus)
    STIMULUS.write_bytes(zstandard.ZstdCompressor(level=19).compress(packed))


def read_stimulus() -> Stimulus:
    """Return what is kept."""
    packed = zstandard.ZstdDecompressor().decompress(STIMULUS.read_bytes())
    return msgspec.msgpack.decode(packed, type=Stimulus)


def outcome(stimulus: Stimulus) -> list[str]:
    """Step it; return a line for each tick: state, events and verdicts, each as a hash."""
    world = World.create(WorldConfig(**stimulus.config))
    lines = []
    for number, tick in enumerate(stimulus.ticks):
        result = world.step(inputs_of(stimulus.fields, tick))
        verdicts: Any = result.verdicts
        said = [
            verdicts.verdict.tolist(),
            verdicts.event.tolist(),
            sorted(verdicts.reasons.items()),
        ]
        events = blake3(result.events.to_log()).hexdigest()[:8]
        judged = blake3(repr(said).encode() + result.audit.to_log()).hexdigest()[:8]
        lines.append(f"{number} {result.hash.hex()[:16]} {events} {judged}")
    return lines


def inputs_of(fields: list[str], tick: Tick) -> TickInputs:
    """Return a tick's inputs; a field that the stimulus does not know is 0."""
    rows = np.zeros(len(tick.intents), INTENT_DTYPE)
    for at, name in enumerate(fields):
        rows[name] = [intent[at] for intent in tick.intents]
    return TickInputs(
        rows,
        tick.texts,
        list(tick.joins),
        list(tick.leaves),
        tick.restarted,
        list(tick.policies),
    )


def write_hashes(lines: list[str]) -> None:
    """Keep what must come of it."""
    head = f"rules {RULES_VERSION}: tick, state, events, verdicts"
    HASHES.write_text("\n".join([head, *lines]) + "\n")


def read_hashes() -> tuple[int, list[str]]:
    """Return the version of the rules they are of, and the line of each tick."""
    head, *lines = HASHES.read_text().splitlines()
    return int(head.split()[1].rstrip(":")), lines
