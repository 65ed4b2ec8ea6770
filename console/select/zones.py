"""Population by zone, from the heatmap. Pure."""

from msgspec import Struct

from engine.protocol.limits import HEATMAP_SIDE, MAP_TILES, ZONES_PER_SIDE


class Zone(Struct, frozen=True):
    """How many are in a zone; ``west`` and ``north`` are its first tile."""

    zone: int
    west: int
    north: int
    people: int


def busiest(heat: bytes) -> tuple[Zone, ...]:
    """Return the zones that have anybody in them, the most crowded first."""
    if len(heat) < HEATMAP_SIDE * HEATMAP_SIDE:
        return ()
    squares = HEATMAP_SIDE // ZONES_PER_SIDE
    tiles = MAP_TILES // ZONES_PER_SIDE
    found = []
    for zone in range(ZONES_PER_SIDE * ZONES_PER_SIDE):
        row, column = divmod(zone, ZONES_PER_SIDE)
        people = 0
        for y in range(row * squares, (row + 1) * squares):
            start = y * HEATMAP_SIDE + column * squares
            people += sum(heat[start : start + squares])
        if people:
            found.append(Zone(zone, column * tiles, row * tiles, people))
    return tuple(sorted(found, key=lambda zone: (-zone.people, zone.zone)))
