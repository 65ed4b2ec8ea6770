"""wanderer: walks about, looks at what lies around, talks, rests."""

from collections.abc import Sequence
from typing import Final

from engine.assault.behaviours.base import REACH, View, Wish, roam, walk
from engine.stats.chance import Dice

_SAYINGS: Final = (
    "Anyone seen the river?",
    "The market was louder yesterday.",
    "I could walk for ever.",
    "Stay off the north road, raiders about.",
    "Good evening to you all.",
    "There is ore behind that ridge.",
)


class Wanderer:
    """Mostly on its way somewhere."""

    name = "wanderer"

    def decide(self, view: View, dice: Dice, memory: dict[str, int]) -> Sequence[Wish]:
        """See ``Behaviour.decide``."""
        if not view.alive:
            return ()
        if view.hp * 2 < view.hp_best and dice.roll() < 0.5:
            return (Wish("rest"),)
        mood = dice.roll()
        if mood < 0.06:
            return (Wish("say", text=_SAYINGS[dice.between(0, len(_SAYINGS) - 1)]),)
        if mood < 0.16:
            return (Wish("rest"),)
        node = view.nearest(view.nodes())
        if node is not None and mood < 0.45:
            if view.distance(node) <= REACH:
                return (Wish("gather", target=node.id),)
            return (walk(view, node.x, node.y, stop=REACH // 2),)
        return (roam(view, dice, memory),)


BEHAVIOUR = Wanderer()
