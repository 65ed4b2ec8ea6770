"""empty-node: a node without goods is gone until it grows again."""

import numpy as np

from engine.world.constants import REGROW_TICKS
from engine.world.events import Code
from engine.world.rules.base import Draft, Rule, Trigger, caused_by, first_of_each


def _react(trigger: Trigger) -> Draft | None:
    state, events = trigger.state, trigger.events
    nodes = state.rows_of(events["target"])
    rows = np.nonzero((events["b"] == 0) & (state.alive[nodes] == 1) & (state.goods[nodes] == 0))[0]
    rows = first_of_each(rows, nodes[rows])
    emptied = events[rows]
    due = trigger.tick + REGROW_TICKS
    return caused_by(trigger, rows, emptied["target"], emptied["actor"], a=due)


RULE = Rule(
    name="empty-node",
    help="a node without goods is gone until it grows again",
    priority=70,
    triggers=(Code.GATHERED,),
    makes=Code.NODE_EMPTIED,
    react=_react,
)
