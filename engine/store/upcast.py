"""Events of older versions, read as this version understands them.

The log is never rewritten. What an event of an older schema says is brought up, schema by
schema, when it is read; everything that reads events from a log goes through ``upcast``.
To change what a kind's columns mean: raise ``EVENT_SCHEMA`` and add a row here.
"""

from collections.abc import Callable
from typing import Final

from engine.world.arrays import Array
from engine.world.events import EVENT_SCHEMA, Code, EventBlock

Step = Callable[[Array], None]


def upcast(block: EventBlock, schema: int) -> EventBlock:
    """Return the events in the schema of this version; the rows are changed in place.

    Args:
        block: As it was stored.
        schema: ``EVENT_SCHEMA`` of its writer.

    Raises:
        ValueError: It is no schema that this version knows.
    """
    if not 1 <= schema <= EVENT_SCHEMA:
        raise ValueError(f"events of schema {schema}; this version reads 1 to {EVENT_SCHEMA}")
    for older in range(schema, EVENT_SCHEMA):
        for (before, kind), step in _STEPS.items():
            chosen = block.rows["kind"] == kind
            if before == older and chosen.any():
                rows = block.rows[chosen]
                step(rows)
                block.rows[chosen] = rows
    return block


def _node_regrown_brings_goods(rows: Array) -> None:
    """Schema 1 left ``b`` empty; all that a node held then was new: it grew when empty."""
    rows["b"] = rows["a"]


_STEPS: Final[dict[tuple[int, int], Step]] = {
    (1, Code.NODE_REGROWN): _node_regrown_brings_goods,
}
"""Schema and kind to the way into the next schema: it changes rows of that kind in place."""
