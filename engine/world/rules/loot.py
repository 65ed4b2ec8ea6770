"""loot: half of what the dead had goes to the killer."""

import numpy as np

from engine.world.events import Code
from engine.world.rules.base import Draft, Rule, Trigger, caused_by, first_of_each


def _react(trigger: Trigger) -> Draft | None:
    """Half of what the dead had goes to the killer."""
    state, events = trigger.state, trigger.events
    victims = state.rows_of(events["stream"])
    gold, goods = state.gold[victims] // 2, state.goods[victims] // 2
    rows = np.nonzero((gold > 0) | (goods > 0))[0]
    rows = first_of_each(rows, victims[rows])
    found = events[rows]
    who, whose = found["actor"], found["stream"]
    return caused_by(trigger, rows, who, who, whose, gold[rows], goods[rows])


RULE = Rule(
    name="loot",
    help="half of what the dead had goes to the killer",
    priority=60,
    triggers=(Code.DIED,),
    makes=Code.LOOTED,
    react=_react,
)
