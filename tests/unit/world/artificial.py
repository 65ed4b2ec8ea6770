"""Rules made up for tests: they change nothing, and send an event on to the next player."""

from collections.abc import Sequence

import numpy as np

from engine.world.events import Code
from engine.world.rules.base import Draft, Rule, Trigger, caused_by
from tests.unit.world.arena import player

KINDS = (Code.SAID, Code.CALLED_FOR_HELP, Code.RESTED, Code.RETALIATED)
"""Kinds that with ``a`` 0 leave every hit point where it is."""


def send_on(
    name: str,
    triggers: Sequence[int],
    makes: int,
    *,
    step: int = 0,
    fan: int = 1,
    players: int = 2,
    priority: int = 50,
    mark: int = 0,
) -> Rule:
    """Return a rule that makes ``fan`` events for each, ``step`` players on and the next ones.

    Args:
        name: Its name.
        triggers: Kinds it reacts to.
        makes: The kind it makes.
        step: How many players on; 0 stays where it is.
        fan: Events it makes of one.
        players: Players there are; after the last comes the first.
        priority: Its priority.
        mark: Target of its events, so that a test knows them from those of other rules.
    """

    def react(trigger: Trigger) -> Draft:
        rows = np.repeat(np.arange(len(trigger.events)), fan)
        more = np.tile(np.arange(fan), len(trigger.events))
        at = trigger.events["stream"][rows].astype(np.int64) - player(0)
        who = player(0) + (at + step + more) % players
        return caused_by(trigger, rows, who, who, mark)

    return Rule(name, "made up", priority, tuple(triggers), makes, react)
