"""From the log back to the world: newest checkpoint, then the ticks after it once more."""

from engine.protocol.errors import ExitCode, UserError
from engine.store.base import EventStore
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig


def recover(store: EventStore, config: WorldConfig) -> World:
    """Return the world as it was after the newest stored tick.

    Args:
        store: Its log.
        config: What it was made from.

    Raises:
        UserError: The log is damaged, was written by a world made otherwise, or stepping
            it again gives another state hash.
    """
    try:
        saved = store.latest_checkpoint()
        world = World.restore(config, saved[1]) if saved is not None else World.create(config)
        for record in store.ticks(world.tick):
            result = world.step(TickInputs.unpack(record.inputs))
            if result.hash != record.hash:
                raise UserError(
                    f"tick {record.tick} of the log gives state {result.hash.hex()[:12]}, "
                    f"stored is {record.hash.hex()[:12]}",
                    ExitCode.VERIFY_DIFFERS,
                )
    except ValueError as problem:
        raise UserError(f"the log cannot be recovered: {problem}") from problem
    last = store.last()
    if last is not None and world.tick != last.tick + 1:
        raise UserError(f"the log ends at tick {last.tick}, its ticks at {world.tick - 1}")
    return world
