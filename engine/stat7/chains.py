"""Bit-chains of what is in the world: names, types, adjacency, state. Pure."""

from collections.abc import Mapping
from typing import Final

from engine.protocol.address import BitChain, Coordinates
from engine.protocol.events import entity_name
from engine.protocol.limits import POSITION_UNITS_PER_TILE
from engine.stat7.coordinates import (
    HORIZONS,
    HUNDREDTHS,
    PLACES,
    REALMS,
    THOUSANDTHS,
    Sheet,
)
from engine.stat7.near import Near, zones_beside
from engine.stat7.service import Column, Look
from engine.world.state import FACTIONS, HOME_ZONES, NODE, PLAYER

COLORS: Final[Mapping[str, str]] = {
    "data": "#3498db",
    "narrative": "#e74c3c",
    "system": "#2ecc71",
    "faculty": "#f39c12",
    "event": "#9b59b6",
    "pattern": "#1abc9c",
    "void": "#34495e",
}
"""By realm."""

SIZES: Final[Mapping[str, float]] = {
    "concept": 1.0,
    "artifact": 1.5,
    "agent": 2.0,
    "lineage": 1.2,
    "adjacency": 0.8,
    "horizon": 1.8,
    "fragment": 0.6,
}
"""By entity type."""

_NUMBERS: Final = ("goods", "zone")
_NUMBERS_OF_AGENTS: Final = ("hp", "hp_max", "gold", "level", "xp")


def place_name(row: int) -> str:
    """Return the id of a faction or a zone, by its row in a ``Sheet``."""
    if row < len(FACTIONS):
        return f"faction-{row}"
    return f"zone-{row - len(FACTIONS)}"


def bit_chains(
    rows: list[int], sheet: Sheet, look: Look, near: Near, created: list[str]
) -> list[BitChain]:
    """Return the bit-chains of some rows of a sheet.

    Args:
        rows: Rows of the sheet.
        sheet: Where everything stands.
        look: The columns that the sheet was derived from.
        near: Who met whom.
        created: World time in which each began to be, ISO 8601.
    """
    entities = [row - PLACES for row in rows if row >= PLACES]
    met = near.of(look.columns["id"][entities]) if entities else {}
    return [
        _place(row, sheet, stamp)
        if row < PLACES
        else _entity(row - PLACES, sheet, look, met, stamp)
        for row, stamp in zip(rows, created, strict=True)
    ]


def _place(row: int, sheet: Sheet, created: str) -> BitChain:
    present = int(sheet.crowd[row])
    if row < len(FACTIONS):
        home = HOME_ZONES[row]
        at = _coordinates(row, sheet, (f"zone-{home}",))
        state = {"name": FACTIONS[row], "home_zone": home, "present": present}
        return BitChain(place_name(row), "concept", at.realm, at, created, state)
    zone = row - len(FACTIONS)
    at = _coordinates(row, sheet, tuple(f"zone-{beside}" for beside in zones_beside(zone)))
    return BitChain(place_name(row), "horizon", at.realm, at, created, {"present": present})


def _entity(
    row: int, sheet: Sheet, look: Look, met: Mapping[int, list[int]], created: str
) -> BitChain:
    columns = look.columns
    entity = int(columns["id"][row])
    node = int(columns["kind"][row]) == NODE
    faction = int(columns["faction"][row])
    home = f"zone-{columns['zone'][row]}" if node else f"faction-{faction}"
    neighbours = (*map(entity_name, met.get(entity, ())), home)
    at = _coordinates(row + PLACES, sheet, neighbours)
    state: dict[str, int | str | bool] = {"alive": bool(columns["alive"][row])}
    for name in ("x", "y"):
        state[name] = int(columns[name][row]) // POSITION_UNITS_PER_TILE
    for name in _NUMBERS if node else (*_NUMBERS, *_NUMBERS_OF_AGENTS):
        state[name] = int(columns[name][row])
    if not node:
        state["faction"] = FACTIONS[faction]
    if int(columns["kind"][row]) == PLAYER:
        state["connected"] = bool(columns["connected"][row])
    kind = "artifact" if node else "agent"
    return BitChain(entity_name(entity), kind, at.realm, at, created, state)


def _coordinates(row: int, sheet: Sheet, adjacency: tuple[str, ...]) -> Coordinates:
    return Coordinates(
        realm=REALMS[sheet.realm[row]],
        lineage=int(sheet.lineage[row]),
        adjacency=adjacency,
        horizon=HORIZONS[sheet.horizon[row]],
        resonance=int(sheet.resonance[row]) / THOUSANDTHS,
        velocity=int(sheet.velocity[row]) / THOUSANDTHS,
        density=int(sheet.density[row]) / THOUSANDTHS,
    )


def update_rows(rows: Column, names: list[str], sheet: Sheet) -> list[list[object]]:
    """Return ``[id, resonance, velocity, density, horizon, x, y]`` for some rows; x, y in tiles."""
    listed = rows.tolist()
    columns = (
        [names[row] for row in listed],
        *((part[rows] / THOUSANDTHS).tolist() for part in (sheet.resonance, sheet.velocity)),
        (sheet.density[rows] / THOUSANDTHS).tolist(),
        [HORIZONS[stage] for stage in sheet.horizon[rows].tolist()],
        *((part[rows] / HUNDREDTHS).tolist() for part in (sheet.x, sheet.y)),
    )
    return [list(row) for row in zip(*columns, strict=True)]


def realm_rows(rows: Column, names: list[str], sheet: Sheet) -> list[list[object]]:
    """Return ``[id, realm, lineage]`` for some rows."""
    return [
        [names[row], REALMS[realm], lineage]
        for row, realm, lineage in zip(
            rows.tolist(), sheet.realm[rows].tolist(), sheet.lineage[rows].tolist(), strict=True
        )
    ]
