"""From the log back to the world: the nearest checkpoint, then the ticks after it once more.

Recovery, verification, history and the simulator all go this way. Stepping stored inputs
again gives the same world; who wants to know whether it did compares ``record.hash`` with
``result.hash``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.protocol.errors import UserError
from engine.store.base import LogReader, TickRecord
from engine.world.constants import RULES_VERSION
from engine.world.inputs import TickInputs
from engine.world.world import TickResult, World, WorldConfig


@dataclass(frozen=True, slots=True)
class Start:
    """Where re-stepping begins.

    Attributes:
        world: The world there.
        unusable: Checkpoints that were nearer and could not be used, and why.
    """

    world: World
    unusable: tuple[str, ...]


def start_at(store: LogReader, config: WorldConfig, tick: int) -> Start:
    """Return the world of the newest checkpoint at or before ``tick``, else a new one.

    A checkpoint that is damaged, or whose state is not the one the log has the hash of, is
    passed over and told.

    Args:
        store: The log.
        config: What its world was made from.
        tick: 0 for a world made anew.

    Raises:
        UserError: The log was written by other rules: it cannot be stepped again.
        ValueError: There is no room for such a world.
    """
    if store.rules != RULES_VERSION:
        raise UserError(
            f"the log was written by rules {store.rules} of the world, this version has rules "
            f"{RULES_VERSION}: its events can be read, its ticks not stepped again"
        )
    unusable: list[str] = []
    for saved in reversed([at for at in store.checkpoint_ticks() if 0 < at <= tick]):
        try:
            return Start(_restored(store, config, saved), tuple(unusable))
        except ValueError as problem:
            unusable.append(f"checkpoint of tick {saved}: {problem}")
    return Start(World.create(config), tuple(unusable))


def _restored(store: LogReader, config: WorldConfig, tick: int) -> World:
    data = store.checkpoint_at(tick)
    if data is None:
        raise ValueError("it is gone")
    world = World.restore(config, data)
    if world.tick != tick:
        raise ValueError(f"it holds tick {world.tick}")
    before = next(store.ticks(tick - 1), None)
    if before is None or before.tick != tick - 1:
        raise ValueError(f"the log has no tick {tick - 1}, which it follows")
    if world.hash != before.hash:
        raise ValueError(
            f"its state is {world.hash.hex()[:12]}, the log has {before.hash.hex()[:12]}"
        )
    return world


def walk(
    store: LogReader, config: WorldConfig, from_checkpoint: int = 0
) -> Iterator[tuple[TickRecord, TickResult, World]]:
    """Step the log again; yield each record, what stepping its inputs gave, and the world.

    Args:
        store: The log.
        config: What its world was made from.
        from_checkpoint: Begin with the newest checkpoint at or before this tick; 0 for the
            very beginning, without any.

    Yields:
        One tick each, in order; the world, always the same, is as it is after that tick.

    Raises:
        UserError: The log was written by other rules.
        ValueError: A block of the log is damaged, or a tick is missing.
    """
    yield from walk_on(store, start_at(store, config, from_checkpoint).world)


def walk_on(store: LogReader, world: World) -> Iterator[tuple[TickRecord, TickResult, World]]:
    """Do what ``walk`` does, from a world that stands somewhere in the log."""
    for record in store.ticks(world.tick):
        if record.tick != world.tick:
            raise ValueError(f"tick {world.tick} is missing; the next is {record.tick}")
        yield record, world.step(TickInputs.unpack(record.inputs)), world


def world_at(store: LogReader, config: WorldConfig, tick: int) -> World:
    """Return the world before ``tick`` runs.

    Args:
        store: The log.
        config: What its world was made from.
        tick: From 0 to one after the newest.

    Raises:
        UserError: The log does not reach so far, or was written by other rules.
        ValueError: A block of the log is damaged, or a tick is missing.
    """
    last = store.last()
    end = 0 if last is None else last.tick + 1
    if not 0 <= tick <= end:
        raise UserError(
            f"tick {tick} is not in the log; it holds the world before ticks 0 to {end}"
        )
    world = start_at(store, config, tick).world
    if world.tick < tick:
        for record, _, _ in walk_on(store, world):
            if record.tick == tick - 1:
                break
    return world
