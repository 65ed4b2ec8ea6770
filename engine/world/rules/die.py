"""die: who has no hit points left dies."""

import numpy as np

from engine.world.constants import RESPAWN_TICKS
from engine.world.events import Code
from engine.world.rules.base import BLOWS, Draft, Rule, Trigger, caused_by, first_of_each


def _react(trigger: Trigger) -> Draft | None:
    """Who has no hit points left dies; the blow that took the last one is the cause."""
    state, events = trigger.state, trigger.events
    victims = state.rows_of(events["stream"])
    fatal = (events["a"] > 0) & (events["b"] == 0)
    rows = np.nonzero(fatal & (state.alive[victims] == 1) & (state.hp[victims] == 0))[0]
    if not len(rows):
        return None
    rows = first_of_each(rows, victims[rows])
    dead = events[rows]
    due, lives = trigger.tick + RESPAWN_TICKS, state.lives[victims[rows]]
    who = dead["stream"]
    return caused_by(trigger, rows, who, dead["actor"], who, due, lives)


RULE = Rule(
    name="die",
    help="who has no hit points left dies",
    priority=10,
    triggers=BLOWS,
    makes=Code.DIED,
    react=_react,
)
