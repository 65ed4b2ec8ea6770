"""raider: hunts NPCs and players of other factions, runs when it bleeds, rests."""

from collections.abc import Sequence
from typing import Final

from engine.assault.behaviours.base import (
    NPC,
    PLAYER,
    REACH,
    TILE,
    View,
    Wish,
    faction_of,
    kind_of,
    roam,
    walk,
    walk_away,
)
from engine.protocol.gateway import SeenEntity
from engine.stats.chance import Dice

_BLEEDS_BELOW: Final = 0.3
_SAFE: Final = 8 * TILE


class Raider:
    """Looks for the weakest it can reach, else for the nearest."""

    name = "raider"

    def decide(self, view: View, dice: Dice, memory: dict[str, int]) -> Sequence[Wish]:
        """See ``Behaviour.decide``."""
        if not view.alive:
            memory.pop("prey", None)
            return ()
        prey = [e for e in view.people() if _is_prey(e, view)]
        if view.hp < _BLEEDS_BELOW * view.hp_best:
            return (self._recover(view, prey),)
        in_reach = [e for e in prey if view.distance(e) <= REACH]
        if in_reach:
            # The one already bitten, then the one that falls first.
            target = min(in_reach, key=lambda e: (e.id != memory.get("prey"), e.hp, e.id))
            memory["prey"] = target.id
            return (Wish("attack", target=target.id),)
        nearest = view.nearest(prey)
        if nearest is not None:
            return (walk(view, nearest.x, nearest.y),)
        return (roam(view, dice, memory, radius=60 * TILE),)

    def _recover(self, view: View, enemies: list[SeenEntity]) -> Wish:
        threat = view.nearest(enemies)
        if threat is not None and view.distance(threat) < _SAFE:
            return walk_away(view, threat.x, threat.y)
        return Wish("rest")


def _is_prey(entity: SeenEntity, view: View) -> bool:
    kind = kind_of(entity)
    return kind == NPC or (kind == PLAYER and faction_of(entity) != view.faction)


BEHAVIOUR = Raider()
