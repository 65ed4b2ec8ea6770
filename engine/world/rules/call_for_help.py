"""call-for-help: an NPC beaten below half its hit points calls its kin."""

from engine.world.events import Code
from engine.world.rules.base import Draft, Rule, Trigger, caused_by, crossed


def _react(trigger: Trigger) -> Draft | None:
    """An NPC beaten below half its hit points calls its kin."""
    rows, _ = crossed(trigger, 2)
    blows = trigger.events[rows]
    who = blows["stream"]
    return caused_by(trigger, rows, who, who, blows["actor"])


RULE = Rule(
    name="call-for-help",
    help="an NPC beaten below half its hit points calls its kin",
    priority=30,
    triggers=(Code.ATTACKED,),
    makes=Code.CALLED_FOR_HELP,
    react=_react,
)
