"""cheater: does what the rules forbid, so that they are seen to be kept."""

from collections.abc import Sequence
from typing import Final

from engine.assault.behaviours.base import REACH, View, Wish, roam
from engine.protocol.limits import POSITION_MAX
from engine.stats.chance import Dice

_SPAM: Final = 30
"""Commands in one burst: more than the rate policy lets through, fewer than are queued."""


class Cheater:
    """Teleports, strikes from afar, spams; walks in between to stay in the game."""

    name = "cheater"

    def decide(self, view: View, dice: Dice, memory: dict[str, int]) -> Sequence[Wish]:
        """See ``Behaviour.decide``; the dead try as well."""
        trick = dice.roll()
        if trick < 0.35:
            return (Wish("move", dice.between(0, POSITION_MAX), dice.between(0, POSITION_MAX)),)
        if trick < 0.40:
            return tuple(Wish("say", text="BUY GOLD CHEAP") for _ in range(_SPAM))
        far = [e for e in view.others if view.distance(e) > REACH]
        if trick < 0.75 and far:
            victim = far[dice.between(0, len(far) - 1)]
            if trick < 0.55:
                return (Wish("attack", target=victim.id),)
            if trick < 0.65:
                return (Wish("gather", target=victim.id),)
            return (Wish("trade", target=victim.id, amount=1_000),)
        return (roam(view, dice, memory),)


BEHAVIOUR = Cheater()
