"""level-up: the level follows experience."""

import numpy as np

from engine.world.arrays import isqrt
from engine.world.constants import LEVEL_MAX, XP_LEVEL
from engine.world.events import Code
from engine.world.rules.base import BLOWS, Draft, Rule, Trigger, caused_by, first_of_each
from engine.world.state import NODE


def _react(trigger: Trigger) -> Draft | None:
    """Experience is counted after every act; the level follows it, several at once if due."""
    state, events = trigger.state, trigger.events
    actors = state.rows_of(events["actor"])
    earned = (isqrt(state.xp[actors] // XP_LEVEL) + 1).clip(max=LEVEL_MAX)
    rising = (earned > state.level[actors]) & (actors >= 0) & (state.kind[actors] != NODE)
    rows = np.nonzero(rising)[0]
    if not len(rows):
        return None
    rows = first_of_each(rows, actors[rows])
    ids, old = events["actor"][rows], state.level[actors[rows]]
    return caused_by(trigger, rows, ids, ids, 0, earned[rows], old)


RULE = Rule(
    name="level-up",
    help="the level follows experience",
    priority=80,
    triggers=(*BLOWS, Code.DIED, Code.GATHERED, Code.TRADED),
    makes=Code.LEVELLED_UP,
    react=_react,
)
