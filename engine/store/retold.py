"""A moment of the past by what happened, not by stepping: no rule is asked, nobody's code is run.

Applying the stored events gives the state; its stored hash says whether it did.
"""

from dataclasses import replace
from pathlib import Path

from engine.store.base import LogReader
from engine.store.finding import Finder
from engine.store.replay import start_at
from engine.world.checkpoint import stored_standing
from engine.world.governance import find_policies
from engine.world.replica import Replica
from engine.world.standing import Standing
from engine.world.userpolicy import Asked, Look, UserPolicy, policy
from engine.world.userverdict import Verdict
from engine.world.world import World, WorldConfig


def bring_on(replica: Replica, path: Path, tick: int) -> bool:
    """Apply the stored events up to a tick; True when that gives the state that was stored.

    Raises:
        OSError: The log cannot be read.
    """
    try:
        with Finder(path) as events:
            for some in events.onward(replica.next_seq - 1):
                if some.tick > tick:
                    break
                replica.take(some)
            replica.tick = tick + 1
            seal = events.seal(tick)
    except ValueError:
        return False
    return seal is not None and seal[1] == replica.hash


def retold(log: LogReader, path: Path, config: WorldConfig, tick: int) -> World | Replica | None:
    """Return what was true before a tick without the users' policies that governed it.

    Args:
        log: The log.
        path: The same, ``events.db``.
        config: What its world was made from, without users' policies.
        tick: From 1 to one after the newest.

    Returns:
        None where events and checkpoints do not give the state that the log has the hash of: the
        ticks have to be stepped again.

    Raises:
        UserError: The log was written by other rules.
        OSError: It cannot be read.
        ValueError: There is no room for such a world.
    """
    standing = _first_standing(log)
    if standing is None:
        return None
    built_in = {each.name for each in find_policies()}
    names = [name for name in Standing.names(standing) if name not in built_in]
    config = replace(config, policies=tuple(_stand_in(name) for name in names))
    world = start_at(log, config, tick).world
    if world.tick == tick:
        return world  # a checkpoint, and its state is the one that the log has the hash of
    if world.tick == 0:
        world.governor.load(standing)
    replica = Replica(world)
    return replica if bring_on(replica, path, tick - 1) else None


def _first_standing(log: LogReader) -> bytes | None:
    """Return how the policies stood at the first checkpoint that can be read."""
    for saved in log.checkpoint_ticks():
        try:
            data = log.checkpoint_at(saved)
            if data is not None:
                standing = stored_standing(data)
                Standing.names(standing)
                return standing
        except ValueError:
            continue  # the next may be whole
    return None


def _stand_in(name: str) -> UserPolicy:
    """Return a policy that only has a name: how it stands is read, and it is never asked."""

    def never(intent: Asked, world: Look) -> Verdict | None:
        raise AssertionError(f"{name} was asked about {intent.actor} in tick {world.tick}")

    return policy(name)(never)
