"""The world at any tick of its log: the nearest checkpoint, then what happened after it.

Applying the stored events gives the state; its stored hash says whether it did. Where it did not,
the ticks are stepped again from their inputs.
"""

from collections.abc import Mapping
from pathlib import Path

from engine.protocol.errors import UserError
from engine.store.reading import LogFile
from engine.store.replay import start_at, walk
from engine.store.retold import bring_on
from engine.world.arrays import Array
from engine.world.replica import Replica
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
        self._replica: Replica | None = None

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
            replica = self._reach(log, tick)
        finally:
            log.close()
        state = replica.state
        return {name: state.columns[name][: state.count] for name in names}

    def _reach(self, log: LogFile, tick: int) -> Replica:
        """Return the world after a tick; it has then run that tick."""
        replica, self._replica = self._replica, None
        saved = max((at for at in log.checkpoint_ticks() if at <= tick + 1), default=0)
        if replica is None or not saved <= replica.tick <= tick + 1:
            replica = Replica(start_at(log, self._config, tick + 1).world)
        if replica.tick <= tick and not bring_on(replica, self._path, tick):
            # Reactions were left over, for example; the inputs tell, at four times the price.
            replica = Replica(self._stepped(log, tick))
        self._replica = replica
        return replica

    def _stepped(self, log: LogFile, tick: int) -> World:
        for record, result, world in walk(log, self._config, tick):
            if result.hash != record.hash:
                raise UserError(
                    f"tick {record.tick} of the log gives another state when it is stepped "
                    "again: what was true at later ticks is not to be had"
                )
            if record.tick == tick:
                return world
        raise ValueError(f"tick {tick} is gone from the log")
