"""retaliate: an NPC strikes back at who hit it."""

from engine.world.events import Code
from engine.world.rules.base import Draft, Rule, Trigger, first_of_each, strike, struck_npcs


def _react(trigger: Trigger) -> Draft | None:
    """An NPC strikes back at the first who hit it."""
    rows, victims = struck_npcs(trigger)
    rows = first_of_each(rows, victims[rows])
    return strike(trigger, rows, trigger.events["stream"][rows], trigger.events["actor"][rows])


RULE = Rule(
    name="retaliate",
    help="an NPC strikes back at who hit it",
    priority=20,
    triggers=(Code.ATTACKED,),
    makes=Code.RETALIATED,
    react=_react,
)
