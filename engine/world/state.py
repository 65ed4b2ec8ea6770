"""``State``: everything that is true in the world, as a structure of arrays.

One row an entity; rows are appended and never removed or reused. Everything is an
integer. Only ``engine.world.apply`` writes here.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from engine.protocol import limits
from engine.world.arrays import Array
from engine.world.constants import GOLD_SUPPLY

NODE: Final = 0
NPC: Final = 1
PLAYER: Final = 2

STAGES: Final = ("genesis", "emergence", "peak", "decay", "crystallization")
FACTIONS: Final = ("ember", "tide", "grove", "gale")
HOME_ZONES: Final = (9, 14, 49, 54)
"""Where each faction comes back to life, by faction."""

COLUMNS: Final[tuple[tuple[str, str], ...]] = (
    ("id", "<u4"),
    ("kind", "u1"),
    ("alive", "u1"),
    ("connected", "u1"),
    ("x", "<i4"),
    ("y", "<i4"),
    ("hp", "<i4"),
    ("hp_max", "<i4"),
    ("gold", "<i8"),
    ("goods", "<i4"),
    ("level", "<i4"),
    ("xp", "<i4"),
    ("faction", "u1"),
    ("stage", "u1"),
    ("zone", "u1"),
    ("cell", "<u2"),
    ("lives", "<i4"),
    ("last_seq", "<i8"),
    ("last_order", "<i8"),
    ("version", "<i8"),
    ("due_tick", "<i8"),
    ("walked", "<i8"),
    ("busy_ms", "<i8"),
    ("home_x", "<i4"),
    ("home_y", "<i4"),
    ("attacked_ms", "<u4"),
    ("gathered_ms", "<u4"),
    ("traded_ms", "<u4"),
    ("said_ms", "<u4"),
    ("rested_ms", "<u4"),
    ("spawned_ms", "<u4"),
)
"""Name and numpy type. Those that do not speak for themselves: ``lives`` lives begun;
``last_seq`` highest client sequence applied, ``last_order`` that of operators' orders;
``version`` events in the entity's stream;
``due_tick`` when the dead come back (0: not dead); ``walked`` and ``busy_ms`` the walking
and the command allowance, as positions on the clock's scale (see the speed and rate
policies); ``home_x``, ``home_y`` the place an NPC roams about; ``attacked_ms`` to
``rested_ms`` when the entity last did so by its own command, and ``spawned_ms`` when it came
into the world if it has not attacked since: world time and 1 ms, 0 for never."""

_UNITS_PER_CELL: Final = limits.CELL_TILES * limits.POSITION_UNITS_PER_TILE
_UNITS_PER_ZONE: Final = (
    limits.MAP_TILES // limits.ZONES_PER_SIDE
) * limits.POSITION_UNITS_PER_TILE


class State:
    """The world's columns and its few scalars.

    Attributes:
        capacity: Rows there is room for.
        count: Rows in use.
        columns: Every column by name, ``capacity`` long; also attributes of their own.
        supply: All the gold there is.
        treasury: Gold that no entity holds.
        goods_supply: All the goods there are; only what nodes grow adds to it.
        world_version: Events in the stream of the world itself (stream 0).
        names: Names of guests; other names follow from the id.
        cell_versions: Tick of the last change in each interest cell.
    """

    id: Array
    kind: Array
    alive: Array
    connected: Array
    x: Array
    y: Array
    hp: Array
    hp_max: Array
    gold: Array
    goods: Array
    level: Array
    xp: Array
    faction: Array
    stage: Array
    zone: Array
    cell: Array
    lives: Array
    last_seq: Array
    last_order: Array
    version: Array
    due_tick: Array
    walked: Array
    busy_ms: Array
    home_x: Array
    home_y: Array
    attacked_ms: Array
    gathered_ms: Array
    traded_ms: Array
    said_ms: Array
    rested_ms: Array
    spawned_ms: Array

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.columns: dict[str, Array] = {}
        for name, dtype in COLUMNS:
            column = np.zeros(capacity, dtype)
            self.columns[name] = column
            setattr(self, name, column)
        self.supply = GOLD_SUPPLY
        self.treasury = GOLD_SUPPLY
        self.goods_supply = 0
        self.world_version = 0
        self.names: dict[int, str] = {}
        self.cell_versions = np.zeros(limits.CELLS, np.int64)
        # Row + 1 by entity id, so that zero pages stay untouched and mean "unknown".
        self._row_after: Array = np.zeros(limits.GUEST_ID_BASE + capacity + 1, np.int64)

    def row_of(self, entity: int) -> int | None:
        """Return the row of an entity, None when there is none."""
        if not 0 < entity < len(self._row_after):
            return None
        row = int(self._row_after[entity]) - 1
        return row if row >= 0 else None

    def rows_of(self, entities: Array) -> Array:
        """Return the row of each entity, -1 where there is none, int64, (n,)."""
        # What is out of range is clipped to one of the two ends, which are nobody's.
        return self._row_after.take(entities, mode="clip") - 1

    def may_join(self, entity: int) -> bool:
        """Whether the id is one that a player can have."""
        player = limits.PLAYER_ID_BASE <= entity < limits.PLAYER_ID_BASE + limits.PLAYERS_MAX
        return player or limits.GUEST_ID_BASE <= entity < len(self._row_after) - 1

    def add(self, entities: Array) -> slice:
        """Append a row for each new entity and return the rows; every other column is zero.

        Raises:
            ValueError: There is no room.
        """
        start, end = self.count, self.count + len(entities)
        if end > self.capacity:
            raise ValueError(f"{end} entities; there is room for {self.capacity}")
        self.id[start:end] = entities
        self._row_after[entities.astype(np.int64)] = np.arange(start + 1, end + 1)
        self.count = end
        return slice(start, end)

    def place(self, rows: Array | slice, x: Array, y: Array) -> None:
        """Put entities somewhere: position, interest cell and zone."""
        self.x[rows] = x
        self.y[rows] = y
        self.cell[rows] = (y // _UNITS_PER_CELL) * limits.CELLS_PER_SIDE + x // _UNITS_PER_CELL
        self.zone[rows] = zone_of(x, y)

    def reindex(self) -> None:
        """Rebuild the way from id to row after the columns were filled from a checkpoint."""
        self._row_after[self.id[: self.count].astype(np.int64)] = np.arange(1, self.count + 1)


def present(columns: Mapping[str, Array]) -> Array:
    """Return who is there: players connected and NPCs, alive; (n,), of bools.

    Args:
        columns: ``kind``, ``alive``, ``connected``, (n,) each.
    """
    kind = columns["kind"]
    there: Array = (columns["alive"] > 0) & (
        (kind == NPC) | ((kind == PLAYER) & (columns["connected"] > 0))
    )
    return there


def zone_of(x: Array, y: Array) -> Array:
    """Return the zone of each place on the map."""
    zones: Array = (y // _UNITS_PER_ZONE) * limits.ZONES_PER_SIDE + x // _UNITS_PER_ZONE
    return zones


def zone_corner(zones: Array) -> tuple[Array, Array]:
    """Return the north-west corner of each zone, in position units."""
    zones = zones.astype(np.int64)
    return (
        zones % limits.ZONES_PER_SIDE * _UNITS_PER_ZONE,
        zones // limits.ZONES_PER_SIDE * _UNITS_PER_ZONE,
    )


ZONE_UNITS: Final = _UNITS_PER_ZONE
