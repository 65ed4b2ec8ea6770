"""flee: an NPC beaten below a quarter of its hit points runs."""

import numpy as np

from engine.world.arrays import isqrt
from engine.world.clock import step_towards
from engine.world.constants import FLEE_UNITS
from engine.world.events import Code
from engine.world.rules.base import Draft, Rule, Trigger, caused_by, crossed


def _react(trigger: Trigger) -> Draft | None:
    """An NPC beaten below a quarter of its hit points runs from its attacker."""
    rows, victims = crossed(trigger, 4)
    if not len(rows):
        return None
    state, blows = trigger.state, trigger.events[rows]
    me, foe = victims[rows], state.rows_of(blows["actor"])
    x, y = state.x[me].astype(np.int64), state.y[me].astype(np.int64)
    dx, dy = x - state.x[foe], y - state.y[foe]
    # Someone on the very same spot is fled towards the east.
    dx = np.where((dx == 0) & (dy == 0), 1, dx)
    far = FLEE_UNITS * 4
    length = np.maximum(isqrt(dx * dx + dy * dy), 1)
    goal_x, goal_y = x + dx * far // length, y + dy * far // length
    x, y = step_towards(x, y, goal_x, goal_y, FLEE_UNITS)
    return caused_by(trigger, rows, blows["stream"], blows["stream"], blows["actor"], x, y)


RULE = Rule(
    name="flee",
    help="an NPC beaten below a quarter of its hit points runs",
    priority=50,
    triggers=(Code.ATTACKED,),
    makes=Code.FLED,
    react=_react,
)
