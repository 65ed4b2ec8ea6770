"""What a behaviour sees and what it may wish for. One archetype a file, as ``BEHAVIOUR``.

A behaviour acts on what its player was told, never on what the world knows. It is asked
when a command is due; it has no clock and draws every chance from its player's dice.
"""

from collections.abc import Sequence
from math import hypot
from typing import Final, NamedTuple, Protocol

from engine.protocol.gateway import Delta, IntentKind, SeenEntity
from engine.protocol.limits import POSITION_MAX, POSITION_UNITS_PER_TILE
from engine.stats.chance import Dice

NODE, NPC, PLAYER = 0, 1, 2
TILE: Final = POSITION_UNITS_PER_TILE
REACH: Final = 2 * TILE
"""How far attack, gather and trade reach."""
STEP_MAX: Final = 4 * TILE
"""How far a player that moves once a second may walk; less when it moves more often."""


class Wish(NamedTuple):
    """What a player wants to do; the fields are those of ``Intent``, without its ``seq``.

    ``cheat`` never leaves the squad: the name of the policy that the wish is out to break,
    so that it is counted whether it was caught. Mark only what is a cheat for sure, given
    what the player was told; what may be legal by what it was not told is ``UNSURE``.
    """

    kind: IntentKind
    x: int = 0
    y: int = 0
    target: int = 0
    amount: int = 0
    text: str = ""
    cheat: str = ""


def kind_of(entity: SeenEntity) -> int:
    """Return ``NODE``, ``NPC`` or ``PLAYER``."""
    return entity.flags & 3


def is_alive(entity: SeenEntity) -> bool:
    """Return whether the entity lives."""
    return bool(entity.flags & 4)


def faction_of(entity: SeenEntity) -> int:
    """Return the entity's faction."""
    return entity.flags >> 4 & 7


class View:
    """What a player knows when it decides. Positions in 1/256 of a tile.

    Attributes:
        me: The player's entity id.
        tick: Tick of the newest frame, 0 before the first.
        x, y: Where the player stands.
        alive: Whether it lives.
        hp, hp_best: Its health, and the best it ever saw of itself.
        goods, level, faction: Its own.
        others: Everything else in sight.
        step: How far it may walk with this command.
    """

    __slots__ = (
        "alive",
        "faction",
        "goods",
        "hp",
        "hp_best",
        "level",
        "me",
        "others",
        "step",
        "tick",
        "x",
        "y",
    )

    def __init__(self, me: int, x: int, y: int) -> None:
        self.me = me
        self.x = x
        self.y = y
        self.tick = 0
        self.alive = True
        self.hp = self.hp_best = 1
        self.goods = self.level = self.faction = 0
        self.others: list[SeenEntity] = []
        self.step = STEP_MAX

    def take(self, delta: Delta) -> None:
        """Take in a frame: it replaces everything that was in sight."""
        me = self.me
        self.tick = delta.tick
        seen = [entity for cell in delta.cells for entity in cell.entities]
        self.others = others = [entity for entity in seen if entity.id != me]
        if len(others) == len(seen):
            return
        entity = next(entity for entity in seen if entity.id == me)
        self.x, self.y = entity.x, entity.y
        self.alive = is_alive(entity)
        self.hp = entity.hp
        self.hp_best = max(self.hp_best, entity.hp)
        self.goods, self.level = entity.goods, entity.level
        self.faction = faction_of(entity)

    def distance(self, entity: SeenEntity) -> float:
        """Return how far away an entity is."""
        return hypot(entity.x - self.x, entity.y - self.y)

    def nearest(self, among: Sequence[SeenEntity]) -> SeenEntity | None:
        """Return the nearest of some entities, the lowest id among equals; None of none."""
        x, y = self.x, self.y
        # The place in line last: a server may show an entity twice, and entities have no order.
        ranked = [((e.x - x) ** 2 + (e.y - y) ** 2, e.id, at) for at, e in enumerate(among)]
        return among[min(ranked)[2]] if ranked else None

    def nodes(self) -> list[SeenEntity]:
        """Return the resource nodes in sight that hold goods."""
        return [e for e in self.others if e.flags & 3 == NODE and e.goods > 0]

    def people(self) -> list[SeenEntity]:
        """Return the living NPCs and players in sight."""
        return [e for e in self.others if e.flags & 3 != NODE and e.flags & 4]


class Behaviour(Protocol):
    """What an archetype's file offers as ``BEHAVIOUR``."""

    @property
    def name(self) -> str:
        """The archetype, as a scenario's mix names it."""
        ...

    def decide(self, view: View, dice: Dice, memory: dict[str, int]) -> Sequence[Wish]:
        """Return what to do now: usually one wish, none to let the moment pass.

        Args:
            view: What the player knows.
            dice: The player's own chances.
            memory: The player's own, kept between decisions.
        """
        ...


def walk(view: View, x: int, y: int, stop: int = 0) -> Wish:
    """Return a move towards a place, within the allowance, ending ``stop`` short of it."""
    dx, dy = x - view.x, y - view.y
    far = hypot(dx, dy)
    go = min(float(view.step), max(0.0, far - stop))
    share = go / far if far else 0.0
    return Wish("move", _inside(view.x + int(dx * share)), _inside(view.y + int(dy * share)))


def walk_away(view: View, x: int, y: int) -> Wish:
    """Return a move away from a place, along the edge where there is one."""
    dx, dy = view.x - x, view.y - y
    far = hypot(dx, dy) or 1.0
    return walk(
        view,
        _inside(view.x + int(dx / far * view.step) or view.x + 1),
        _inside(view.y + int(dy / far * view.step)),
    )


def roam(view: View, dice: Dice, memory: dict[str, int], radius: int = 40 * TILE) -> Wish:
    """Return a move towards a place of the player's choice; a new one once it is there."""
    goal_x, goal_y = memory.get("x", view.x), memory.get("y", view.y)
    if hypot(goal_x - view.x, goal_y - view.y) < TILE:
        goal_x = _inside(view.x + dice.between(-radius, radius))
        goal_y = _inside(view.y + dice.between(-radius, radius))
        memory["x"], memory["y"] = goal_x, goal_y
    return walk(view, goal_x, goal_y)


def _inside(position: int) -> int:
    return min(max(position, 0), POSITION_MAX)
