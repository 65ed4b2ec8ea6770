"""The seven coordinates of everything in the world, from its columns. Pure.

Who stands where in STAT7 (present as ``engine.world.state.present`` has it: an NPC that
lives, or a living player that is connected):

===========  ==================================================================
realm        nodes data, NPCs narrative, players faculty, zones system, factions
             pattern; NPCs and players that are dead void
lineage      lives begun (``lives``); zones and factions do not live: 0
adjacency    see ``engine.stat7.near``
horizon      the stage of life; a node's is its stock: full peak, in use decay,
             empty crystallization; a zone's or faction's is the stage most of
             those in it are in (of equals the earlier, of nobody genesis)
resonance    standing with the faction: ``(s - m) / (s + m)``, where s is xp +
             ``XP_LEVEL`` and m the mean of that over the faction; nodes 0; a zone's
             is the mean of those present in it; a faction's compares its own m
             with everyone's
velocity     change of state a second since the look before: the mean of
             ``dhp / hp_max`` and ``dw / max(w, w before)``, where w is gold +
             goods at ``PRICE_GOLD``; a node's is that of its goods alone, a zone's
             that of the number present in it, a faction's the mean of those
             present; 0 for whom there was no look before
density      crowding: ``n / (n + 8)``, n others present in the interest cell; a
             zone's is ``n / (n + 128)``; a faction's its share of all present
===========  ==================================================================

Resonance, velocity and density are whole thousandths, places whole hundredths of a tile:
so "what changed" has one meaning, and numbers stay short.
"""

from dataclasses import dataclass
from typing import Final, get_args

import numpy as np

from engine.protocol.address import Horizon, Realm
from engine.protocol.limits import CELLS, POSITION_UNITS_PER_TILE, ZONES
from engine.stat7.service import Column, Look
from engine.world.constants import GOODS_NODE_MAX, PRICE_GOLD, XP_LEVEL
from engine.world.state import (
    FACTIONS,
    HOME_ZONES,
    NODE,
    NPC,
    PLAYER,
    ZONE_UNITS,
    present,
    zone_corner,
)

REALMS: Final[tuple[str, ...]] = get_args(Realm)
HORIZONS: Final[tuple[str, ...]] = get_args(Horizon)
"""In the order of the world's stages."""
THOUSANDTHS: Final = 1000
HUNDREDTHS: Final = 100

COLUMNS_SEEN: Final = (
    *("id", "kind", "alive", "connected", "x", "y", "hp", "hp_max", "gold", "goods"),
    *("level", "xp", "faction", "stage", "zone", "cell", "lives"),
)
"""What ``derive`` and bit-chains need of the world."""

PLACES: Final = len(FACTIONS) + ZONES
"""Rows before the first entity's: the factions, then the zones."""

_DATA, _NARRATIVE, _SYSTEM, _FACULTY, _, _PATTERN, _VOID = range(len(REALMS))
_PEAK, _DECAY, _CRYSTALLIZATION = 2, 3, 4
_CELL_CROWD = 8
_ZONE_CROWD = 128


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Where everything stands: a row for each faction, each zone, each entity, (n,).

    Attributes:
        tick: When.
        realm: Index among ``REALMS``.
        lineage: Lives.
        horizon: Index among ``HORIZONS``.
        resonance: Thousandths.
        velocity: Thousandths.
        density: Thousandths.
        x: Hundredths of a tile from the west.
        y: Hundredths of a tile from the north.
        crowd: Present in each faction, then in each zone, (``PLACES``,).
    """

    tick: int
    realm: Column
    lineage: Column
    horizon: Column
    resonance: Column
    velocity: Column
    density: Column
    x: Column
    y: Column
    crowd: Column


def derive(now: Look, before: Look | None, interval_ms: int) -> Sheet:
    """Return the coordinates of everything.

    Args:
        now: The world now, with ``COLUMNS_SEEN``.
        before: The same world at an earlier tick: its rows are the first rows of ``now``.
        interval_ms: Of a tick.
    """
    at = now.columns
    agents = at["kind"] != NODE
    here = present(at)
    crowd = _crowd(now, here)
    standing = at["xp"].astype(np.float64) + XP_LEVEL
    seconds = 0.0 if before is None else (now.tick - before.tick) * interval_ms / 1000
    own_resonance = _resonance(now, agents, standing)
    own_velocity = np.zeros(len(agents))
    zone_velocity = np.zeros(ZONES)
    if before is not None and seconds > 0:
        own_velocity[: len(before.columns["id"])] = _velocity(now, before) / seconds
        zones_before = _crowd(before, present(before.columns))[len(FACTIONS) :]
        zone_velocity = _change(crowd[len(FACTIONS) :], zones_before) / seconds
    factions = _Groups(at["faction"][here], len(FACTIONS))
    zones = _Groups(at["zone"][here], ZONES)
    x, y = _places(now)
    return Sheet(
        tick=now.tick,
        realm=np.concatenate(
            [np.full(len(FACTIONS), _PATTERN), np.full(ZONES, _SYSTEM), _realm(now, agents)]
        ),
        lineage=np.concatenate([np.zeros(PLACES, np.int64), at["lives"].astype(np.int64)]),
        horizon=np.concatenate(
            [
                _commonest(at["faction"][agents], at["stage"][agents], len(FACTIONS)),
                _commonest(at["zone"][here], at["stage"][here], ZONES),
                np.where(agents, at["stage"], _stock(at["goods"])),
            ]
        ),
        resonance=_thousandths(
            _faction_resonance(now, agents, standing),
            zones.mean(own_resonance[here]),
            own_resonance,
        ),
        velocity=_thousandths(factions.mean(own_velocity[here]), zone_velocity, own_velocity),
        density=_thousandths(*_density(now, here, crowd)),
        x=x,
        y=y,
        crowd=crowd,
    )


class _Groups:
    """Means over groups; a group of nobody has the mean 0."""

    def __init__(self, of: Column, count: int) -> None:
        self._of = of
        self._count = count
        self._sizes = np.bincount(of, minlength=count)[:count].clip(min=1)

    def mean(self, values: Column) -> Column:
        means: Column = np.bincount(self._of, values, self._count)[: self._count] / self._sizes
        return means


def _crowd(look: Look, here: Column) -> Column:
    at = look.columns
    return np.concatenate(
        [
            np.bincount(at["faction"][here], minlength=len(FACTIONS))[: len(FACTIONS)],
            np.bincount(at["zone"][here], minlength=ZONES)[:ZONES],
        ]
    )


def _realm(now: Look, agents: Column) -> Column:
    kind = now.columns["kind"]
    realm = np.where(kind == PLAYER, _FACULTY, np.where(kind == NPC, _NARRATIVE, _DATA))
    return np.where(agents & (now.columns["alive"] == 0), _VOID, realm)


def _stock(goods: Column) -> Column:
    return np.where(goods >= GOODS_NODE_MAX, _PEAK, np.where(goods > 0, _DECAY, _CRYSTALLIZATION))


def _commonest(groups: Column, stages: Column, count: int) -> Column:
    votes = np.bincount(
        groups.astype(np.int64) * len(HORIZONS) + stages, minlength=count * len(HORIZONS)
    )
    winners: Column = votes[: count * len(HORIZONS)].reshape(count, -1).argmax(axis=1)
    return winners


def _resonance(now: Look, agents: Column, standing: Column) -> Column:
    faction = now.columns["faction"]
    mean = _Groups(faction[agents], len(FACTIONS)).mean(standing[agents])[faction]
    return np.where(agents, (standing - mean) / (standing + mean), 0.0)


def _faction_resonance(now: Look, agents: Column, standing: Column) -> Column:
    if not agents.any():
        return np.zeros(len(FACTIONS))
    everyone = standing[agents].mean()
    groups = _Groups(now.columns["faction"][agents], len(FACTIONS))
    # Of nobody the mean is 0: such a faction is as far behind as can be.
    mean = groups.mean(standing[agents])
    ahead: Column = (mean - everyone) / (mean + everyone)
    return ahead


def _velocity(now: Look, before: Look) -> Column:
    rows = slice(0, len(before.columns["id"]))
    node = now.columns["kind"][rows] == NODE

    def pair(name: str) -> tuple[Column, Column]:
        return now.columns[name][rows].astype(np.int64), before.columns[name].astype(np.int64)

    (hp, hp_before), (gold, gold_before), (goods, goods_before) = map(pair, ("hp", "gold", "goods"))
    vigour = (hp - hp_before) / now.columns["hp_max"][rows].clip(min=1)
    wealth = _change(gold + PRICE_GOLD * goods, gold_before + PRICE_GOLD * goods_before)
    return np.where(node, wealth, (vigour + wealth) / 2)


def _change(now: Column, before: Column) -> Column:
    """Return how much an amount grew, as a share of the greater of both."""
    change: Column = (now - before) / np.maximum(np.maximum(now, before), 1)
    return change


def _density(now: Look, here: Column, crowd: Column) -> tuple[Column, Column, Column]:
    cell = now.columns["cell"]
    others = np.bincount(cell[here], minlength=CELLS)[cell] - here
    zones = crowd[len(FACTIONS) :]
    return (
        crowd[: len(FACTIONS)] / max(1, int(here.sum())),
        zones / (zones + _ZONE_CROWD),
        others / (others + _CELL_CROWD),
    )


def _places(now: Look) -> tuple[Column, Column]:
    west, north = zone_corner(np.array([*HOME_ZONES, *range(ZONES)]))
    middle = ZONE_UNITS // 2
    places = []
    for corner, name in ((west, "x"), (north, "y")):
        units = np.concatenate([corner + middle, now.columns[name].astype(np.int64)])
        places.append(units * HUNDREDTHS // POSITION_UNITS_PER_TILE)
    return places[0], places[1]


def _thousandths(*parts: Column) -> Column:
    """Return the parts in one, within -1 to 1, as whole thousandths."""
    whole: Column = np.rint(np.concatenate(parts).clip(-1, 1) * THOUSANDTHS).astype(np.int64)
    return whole
