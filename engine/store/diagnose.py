"""Says what exactly a re-run gives otherwise than its recording: phase, entities, fields."""

from collections.abc import Callable
from typing import Final

import numpy as np
from msgspec.structs import replace

from engine.protocol.replay import Difference, Phase
from engine.store import compare
from engine.store.base import LogReader, TickRecord
from engine.store.replay import walk_on, world_at
from engine.world.arrays import Array
from engine.world.audit import AuditBlock
from engine.world.events import Code, EventBlock
from engine.world.inputs import TickInputs
from engine.world.refold import refold
from engine.world.world import TickResult, World, WorldConfig


def tick_difference(
    log: LogReader, config: WorldConfig, record: TickRecord, first: TickResult
) -> Difference:
    """Return what differs in a tick that is known to differ.

    The tick is stepped once more, beside it the stored events are applied to the state
    before. Where they lead to one state, that state is compared at the next checkpoint.

    Args:
        log: The log.
        config: What its world was made from.
        record: The first tick that differs.
        first: What stepping it gave.

    Raises:
        ValueError: What is stored is damaged.
    """
    difference, again = _second_re_run(log, config, record)
    if _logged(again) == _logged(first):
        return difference
    if again.hash == record.hash and _logged(again)[2:] == (record.events, record.audit):
        what = "a second re-run gives what is stored"
    else:
        what = f"{difference.what}; a second re-run gives something else than the first"
    made = ", ".join(policy.name for policy in config.policies)
    files = f" (policies from files: {made})" if made else ""
    return replace(difference, what=f"{what}: something in it is not deterministic{files}")


def _logged(result: TickResult) -> tuple[bytes, int, bytes, bytes]:
    events = result.events
    return result.hash, events.first_seq, events.to_log(), result.audit.to_log()


def _second_re_run(
    log: LogReader, config: WorldConfig, record: TickRecord
) -> tuple[Difference, TickResult]:
    world = world_at(log, config, record.tick)
    told = World.restore(config, world.checkpoint())
    inputs, stored = TickInputs.unpack(record.inputs), record.block()
    result = world.step(inputs)
    # Its own first event: where the sequence differs, every row would differ by it.
    found = EventBlock(stored.first_seq, result.events.rows, result.events.texts)
    refold(told.state, stored, record.tick, config.interval_ms)
    fields, more = compare.states(world.state, told.state)
    phase = _phase(found, stored)
    events, more_events = compare.blocks(found, stored)
    what = f"the re-run gives {len(found.rows)} events, stored are {len(stored.rows)}"
    if result.audit.to_log() != record.audit:
        phase, what = "govern", "the re-run judges otherwise"
        audit = AuditBlock.from_log(record.audit)
        names = tuple(view.name for view in world.governor.views())
        events, more_events = compare.audits(result.audit, audit, inputs.intents, names)
        what = compare.other_policies(result.audit, audit) or what
    if phase is not None:
        difference = Difference(
            record.tick, phase, what, events, more_events, fields, more, record.tick + 1
        )
        return difference, result
    if result.events.first_seq != record.first_seq:
        what = f"its first event is {result.events.first_seq}, stored is {record.first_seq}"
        return Difference(record.tick, "step", what), result
    if result.hash == record.hash:
        what = "its events are what the re-run gives, but written in another form"
        return Difference(record.tick, "log", what), result
    what = f"the state's hash is {result.hash.hex()[:12]}, stored is {record.hash.hex()[:12]}"
    if fields:
        difference = Difference(record.tick, "hash", what, (), 0, fields, more, record.tick + 1)
        return difference, result
    return _at_next_checkpoint(log, world, Difference(record.tick, "hash", what)), result


def checkpoint_difference(world: World, stored: bytes) -> Difference:
    """Return what differs between the world and a stored checkpoint of the same tick."""
    try:
        saved = World.restore(world.config, stored)
    except ValueError as problem:
        return Difference(world.tick, "checkpoint", f"it cannot be read: {problem}")
    fields, more = compare.worlds(world, saved)
    what = "the checkpoint before the tick holds another state"
    if (saved.tick, saved.next_seq) != (world.tick, world.next_seq):
        what = (
            f"the checkpoint is of tick {saved.tick} and event {saved.next_seq}, "
            f"the re-run at {world.tick} and {world.next_seq}"
        )
    elif not fields:
        what = "the checkpoint holds other reactions to come, or other broken invariants"
    return Difference(world.tick, "checkpoint", what, (), 0, fields, more, world.tick)


def _at_next_checkpoint(log: LogReader, world: World, difference: Difference) -> Difference:
    """Go on with the stored inputs to the next checkpoint, and compare there."""
    later = [tick for tick in log.checkpoint_ticks() if tick >= world.tick]
    stored = log.checkpoint_at(later[0]) if later else None
    what = f"{difference.what}; the stored events lead to the state of the re-run"
    if stored is None:
        return Difference(difference.tick, "hash", f"{what}, and no checkpoint comes after it")
    if world.tick < later[0]:
        next(step for step in walk_on(log, world) if step[0].tick == later[0] - 1)
    try:
        saved = World.restore(world.config, stored)
    except ValueError:
        return Difference(difference.tick, "hash", f"{what}, the next checkpoint is unreadable")
    fields, more = compare.worlds(world, saved)
    if not fields:
        what = f"{what}, and so does the checkpoint before tick {world.tick}: the hash is damaged"
    return Difference(difference.tick, "hash", what, (), 0, fields, more, world.tick)


def _phase(found: EventBlock, stored: EventBlock) -> Phase | None:
    """Return where in the tick the events first went another way; None when they are equal."""
    for phase, part in _PARTS:
        ours, theirs = part(found.rows), part(stored.rows)
        if not np.array_equal(found.rows[ours], stored.rows[theirs]):
            return phase
        if [found.texts.get(row) for row in ours.tolist()] != [
            stored.texts.get(row) for row in theirs.tolist()
        ]:
            return phase
    return None


def _denials(rows: Array) -> Array:
    return np.nonzero((rows["kind"] == Code.DENIED) & (rows["cause"] == 0))[0]


def _roots(rows: Array) -> Array:
    return np.nonzero(rows["cause"] == 0)[0]


def _caused(rows: Array) -> Array:
    return np.nonzero(rows["cause"] != 0)[0]


_PARTS: Final[tuple[tuple[Phase, Callable[[Array], Array]], ...]] = (
    ("govern", _denials),
    ("step", _roots),
    ("react", _caused),
)
