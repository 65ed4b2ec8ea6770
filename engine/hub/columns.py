"""Filters over numpy columns: one mask for a whole table."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.protocol.filters import Field, Filter, Term
from engine.protocol.limits import HEATMAP_SIDE, MAP_TILES, POSITION_UNITS_PER_TILE
from engine.world.state import present

Column = NDArray[Any]

_SQUARE_UNITS = MAP_TILES * POSITION_UNITS_PER_TILE // HEATMAP_SIDE


def mask(
    wanted: Filter, fields: Mapping[str, Field], column: Callable[[str], Column], count: int
) -> NDArray[np.bool_]:
    """Return which of ``count`` rows satisfy every term; terms on text are left to the caller.

    Args:
        wanted: The filter.
        fields: What its terms name.
        column: Field to its values, names as codes (their place among the choices).
        count: Rows.
    """
    holds = np.ones(count, np.bool_)
    for term in wanted.terms:
        field = fields[term.field]
        if field.type != "text":
            holds &= _holds(term, field, column(term.field))
    return holds


def entity_column(columns: Mapping[str, Column], name: str) -> Column:
    """Return a column of the world's arrays as people know it: positions in tiles."""
    values = columns[name]
    if name in {"x", "y"}:
        return values / POSITION_UNITS_PER_TILE
    return values


def squares_of(columns: Mapping[str, Column]) -> NDArray[np.int64]:
    """Return how many are there by square of the map, row by row, (``HEATMAP_SIDE``²,).

    Args:
        columns: ``x``, ``y``, ``kind``, ``alive``, ``connected`` of the world's arrays.
    """
    there = present(columns)
    x, y = columns["x"][there] // _SQUARE_UNITS, columns["y"][there] // _SQUARE_UNITS
    return np.bincount(y * HEATMAP_SIDE + x, minlength=HEATMAP_SIDE * HEATMAP_SIDE)


def _holds(term: Term, field: Field, found: Column) -> NDArray[np.bool_]:
    values = [
        field.choices.index(value) if field.type == "name" and isinstance(value, str) else value
        for value in term.values
    ]
    if term.op in {"=", "!="}:
        same: NDArray[np.bool_] = np.zeros(len(found), np.bool_)
        for value in values:
            same |= found == value
        return same if term.op == "=" else ~same
    wanted: Any = values[0]
    if term.op == "<":
        return np.asarray(found < wanted)
    if term.op == "<=":
        return np.asarray(found <= wanted)
    if term.op == ">":
        return np.asarray(found > wanted)
    return np.asarray(found >= wanted)
