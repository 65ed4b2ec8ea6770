"""cheater: does what the rules forbid, so that they are seen to be kept.

Every trick is marked with the policy it is out to break. It is marked only where what the
player was told leaves no doubt, with room for what it cannot know yet: others walk on, an
answer is under way, a burst of commands may be spread over two ticks.
"""

from collections.abc import Callable, Sequence
from math import hypot
from typing import Final

from engine.assault.behaviours.base import (
    NODE,
    NPC,
    PLAYER,
    REACH,
    TILE,
    View,
    Wish,
    kind_of,
    roam,
    walk,
)
from engine.protocol.cheats import UNSURE
from engine.protocol.gateway import SeenEntity
from engine.protocol.limits import POSITION_MAX
from engine.stats.chance import Dice

_LEAP_MIN: Final = 20 * TILE
"""Eight tiles are the longest legal step, so that this is none from wherever it may stand now."""
_SPRINT: Final = 7 * TILE
_FAR: Final = REACH + 8 * TILE
"""Out of reach, also when both have walked towards each other since the last update."""
_SPAM: Final = 30
"""Commands in one burst: fewer than are queued."""
_SPAM_LEGAL: Final = 25
"""Of those, what may be legal: twenty at once, and what half a second brings."""
_DEAD_TICKS: Final = 30
"""So long after it last saw itself alive it is dead for sure: the next life begins after 50."""
_MORE_THAN_ANYBODY: Final = 900_000
_FOUL: Final = (
    "What a damn mess.",
    "You idiot, that was my ore.",
    "Get out of here, scum!",
)


class Cheater:
    """Tries every trick in turn, by chance; walks in between to stay in the game."""

    name = "cheater"

    def decide(self, view: View, dice: Dice, memory: dict[str, int]) -> Sequence[Wish]:
        """See ``Behaviour.decide``; the dead try as well."""
        if not view.alive:
            return _haunt(view, dice, memory)
        memory["lived"] = view.tick
        trick = _TRICKS.get(dice.between(0, 19))
        wishes = trick(view, dice) if trick is not None else ()
        return wishes or (roam(view, dice, memory),)


def _haunt(view: View, dice: Dice, memory: dict[str, int]) -> Sequence[Wish]:
    """Act while dead, as long as it is sure to be."""
    if "lived" not in memory or view.tick - memory["lived"] > _DEAD_TICKS:
        return ()
    kinds = (Wish("rest"), Wish("move", view.x, view.y), Wish("say", text="I am not dead."))
    return (kinds[dice.between(0, len(kinds) - 1)]._replace(cheat="dead-actor"),)


def _leap(view: View, dice: Dice) -> Sequence[Wish]:
    x, y = dice.between(0, POSITION_MAX), dice.between(0, POSITION_MAX)
    if hypot(x - view.x, y - view.y) < _LEAP_MIN:
        # The other half of the map is far away from anywhere.
        x = (x + (POSITION_MAX + 1) // 2) % (POSITION_MAX + 1)
    return (Wish("move", x, y, cheat="speed"),)


def _sprint(view: View, dice: Dice) -> Sequence[Wish]:
    """Walk as far as is allowed, and on at once: not even eight saved tiles allow for both."""
    del dice
    if view.step < 3 * TILE:
        return ()
    # Towards the middle of the map, where there is room.
    way = 1 if view.x < POSITION_MAX // 2 else -1
    first = walk(view, view.x + way * view.step, view.y)
    there = view.x + way * (view.step + _SPRINT)
    return (first._replace(cheat=UNSURE), Wish("move", there, view.y, cheat="speed"))


def _strike_from_afar(view: View, dice: Dice) -> Sequence[Wish]:
    far = [e for e in view.people() if view.distance(e) > _FAR]
    return (Wish("attack", target=_one(far, dice).id, cheat="reach"),) if far else ()


def _gather_from_afar(view: View, dice: Dice) -> Sequence[Wish]:
    far = [e for e in view.nodes() if view.distance(e) > _FAR]
    return (Wish("gather", target=_one(far, dice).id, cheat="reach"),) if far else ()


def _trade_from_afar(view: View, dice: Dice) -> Sequence[Wish]:
    far = [e for e in view.people() if view.distance(e) > _FAR]
    return (Wish("trade", target=_one(far, dice).id, amount=1, cheat="reach"),) if far else ()


def _spam(view: View, dice: Dice) -> Sequence[Wish]:
    del view, dice
    wish = Wish("rest", cheat=UNSURE)
    sure = wish._replace(cheat="rate")
    return (wish,) * _SPAM_LEGAL + (sure,) * (_SPAM - _SPAM_LEGAL)


def _chatter(view: View, dice: Dice) -> Sequence[Wish]:
    """Say it twice at once: two ticks must lie between, so a tick's begin makes it not legal.

    One tick between attacks would: two at once are no cheat for sure.
    """
    del view, dice
    word = Wish("say", text="Anyone? Anyone?", cheat=UNSURE)
    return (word, word._replace(cheat="cooldown"))


def _swear(view: View, dice: Dice) -> Sequence[Wish]:
    del view
    return (Wish("say", text=_FOUL[dice.between(0, len(_FOUL) - 1)], cheat="chat-filter"),)


def _sell_what_it_has_not(view: View, dice: Dice) -> Sequence[Wish]:
    return _trade_near(view, dice, -_MORE_THAN_ANYBODY)


def _buy_what_nobody_has(view: View, dice: Dice) -> Sequence[Wish]:
    return _trade_near(view, dice, _MORE_THAN_ANYBODY)


def _trade_near(view: View, dice: Dice, amount: int) -> Sequence[Wish]:
    near = [e for e in view.people() if view.distance(e) <= REACH]
    if not near:
        return ()
    return (Wish("trade", target=_one(near, dice).id, amount=amount, cheat="inventory"),)


def _strike_itself(view: View, dice: Dice) -> Sequence[Wish]:
    del dice
    return (Wish("attack", target=view.me, cheat="sanity"),)


def _gather_from_people(view: View, dice: Dice) -> Sequence[Wish]:
    people = [e for e in view.others if kind_of(e) in {NPC, PLAYER}]
    return (Wish("gather", target=_one(people, dice).id, cheat="sanity"),) if people else ()


def _trade_with_a_node(view: View, dice: Dice) -> Sequence[Wish]:
    nodes = [e for e in view.others if kind_of(e) == NODE]
    if not nodes:
        return ()
    return (Wish("trade", target=_one(nodes, dice).id, amount=1, cheat="sanity"),)


def _one(among: Sequence[SeenEntity], dice: Dice) -> SeenEntity:
    return among[dice.between(0, len(among) - 1)]


_TRICKS: Final[dict[int, Callable[[View, Dice], Sequence[Wish]]]] = dict(
    enumerate(
        (
            _leap,
            _leap,
            _sprint,
            _sprint,
            _strike_from_afar,
            _gather_from_afar,
            _trade_from_afar,
            _spam,
            _chatter,
            _chatter,
            _swear,
            _sell_what_it_has_not,
            _buy_what_nobody_has,
            _strike_itself,
            _gather_from_people,
            _trade_with_a_node,
        )
    )
)
"""By the roll of a die of twenty; for what is missing it walks."""

BEHAVIOUR = Cheater()
