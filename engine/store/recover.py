"""The world as it was after the newest stored tick."""

from dataclasses import dataclass

from engine.protocol.errors import ExitCode, UserError
from engine.store.base import EventStore, Inspection
from engine.store.replay import Start, start_at, walk_on
from engine.world.world import World, WorldConfig


@dataclass(frozen=True, slots=True)
class Recovered:
    """A world that is back, and what it took.

    Attributes:
        world: As it was after the newest stored tick.
        inspection: What of the log was looked through before.
        from_tick: Where stepping began: the tick of a checkpoint, or 0.
        unusable: Newer checkpoints that could not be used, and why.
    """

    world: World
    inspection: Inspection
    from_tick: int
    unusable: tuple[str, ...]

    @property
    def text(self) -> str:
        """What it took, in words, for a log of what happened."""
        looked = "the whole log" if self.inspection.is_whole else "the end of the log"
        stepped = self.world.tick - self.from_tick
        told = f"recovered to tick {self.world.tick}: {looked} ({self.inspection.ticks} ticks) "
        told += f"is as it was written, {stepped} stepped again from tick {self.from_tick}"
        return "; ".join((told, *(f"passed over: {each}" for each in self.unusable)))


def recover(store: EventStore, config: WorldConfig) -> Recovered:
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
        inspection = store.inspect()
        start = start_at(store, config, end)
        from_tick = start.world.tick
        _step(store, start)
    except (OSError, ValueError) as problem:
        raise UserError(
            f"the world cannot go on from its log: {problem} "
            "(what is stored before can still be read)"
        ) from problem
    if start.world.tick != end:
        raise UserError(f"the log ends at tick {end - 1}, its ticks at {start.world.tick - 1}")
    # What was stepped again was counted by the process that stepped it first.
    start.world.governor.count_anew()
    return Recovered(start.world, inspection, from_tick, start.unusable)


def _step(store: EventStore, start: Start) -> None:
    for record, result, _ in walk_on(store, start.world):
        if result.hash != record.hash:
            text = (
                f"tick {record.tick} of the log gives state {result.hash.hex()[:12]}, "
                f"stored is {record.hash.hex()[:12]}; the last good tick is {record.tick - 1}"
            )
            raise UserError("; ".join((text, *start.unusable)), ExitCode.VERIFY_DIFFERS)
