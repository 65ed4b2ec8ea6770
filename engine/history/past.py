"""The world at any tick of its log: the nearest checkpoint, then the ticks after it again."""

from collections.abc import Mapping
from pathlib import Path

from engine.protocol.errors import UserError
from engine.store.reading import LogFile
from engine.store.replay import start_at, walk_on
from engine.world.arrays import Array
from engine.world.world import World, WorldConfig


class NoSuchTick(Exception):
    """The log does not hold that tick (yet)."""


class Past:
    """Goes to a tick and keeps the world there: a later one is reached from it when it is near.

    Args:
        path: ``events.db``.
        config: What its world was made from.
    """

    def __init__(self, path: Path, config: WorldConfig) -> None:
        self._path = path
        self._config = config
        self._world: World | None = None

    def after(self, tick: int, names: tuple[str, ...]) -> Mapping[str, Array]:
        """Return columns of the world as it was after a tick; valid until the next call.

        Args:
            tick: The tick.
            names: Columns of the state.

        Raises:
            NoSuchTick: Says which ticks the log has.
            UserError: The log cannot be stepped again: it was written by other rules, it is
                none, or it gives another state than it has the hash of.
            OSError: The log cannot be read.
            ValueError: It is damaged.
        """
        log = LogFile(self._path)
        try:
            last = log.last()
            if last is None or not 0 <= tick <= last.tick:
                has = "no tick yet" if last is None else f"ticks 0 to {last.tick}"
                raise NoSuchTick(f"tick {tick} is not in the log: it has {has}")
            world = self._reach(log, tick)
        finally:
            log.close()
        state = world.state
        return {name: state.columns[name][: state.count] for name in names}

    def _reach(self, log: LogFile, tick: int) -> World:
        """Return the world after a tick; it has then run that tick."""
        world, self._world = self._world, None
        saved = max((at for at in log.checkpoint_ticks() if at <= tick + 1), default=0)
        if world is None or not saved <= world.tick <= tick + 1:
            world = start_at(log, self._config, tick + 1).world
        while world.tick <= tick:
            before = world.tick
            for record, result, _ in walk_on(log, world):
                if result.hash != record.hash:
                    raise UserError(
                        f"tick {record.tick} of the log gives another state when it is stepped "
                        "again: what was true at later ticks is not to be had"
                    )
                if record.tick == tick:
                    break
            if world.tick == before:
                raise ValueError(f"tick {world.tick} is gone from the log")
        self._world = world
        return world
