"""The world as it was after the newest stored tick."""

from engine.protocol.errors import ExitCode, UserError
from engine.store.base import EventStore
from engine.store.replay import start_at, walk_on
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
    last = store.last()
    end = 0 if last is None else last.tick + 1
    try:
        start = start_at(store, config, end)
        world = start.world
        for record, result, _ in walk_on(store, world):
            if result.hash != record.hash:
                text = (
                    f"tick {record.tick} of the log gives state {result.hash.hex()[:12]}, "
                    f"stored is {record.hash.hex()[:12]}"
                )
                raise UserError("; ".join((text, *start.unusable)), ExitCode.VERIFY_DIFFERS)
    except ValueError as problem:
        raise UserError(f"the log cannot be recovered: {problem}") from problem
    if world.tick != end:
        raise UserError(f"the log ends at tick {end - 1}, its ticks at {world.tick - 1}")
    return world
