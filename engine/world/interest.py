"""What players see: one ready-made frame for each 3x3 of interest cells.

Every entity is a msgpack array of fixed width: a numpy record whose fields are the
marker bytes and the big-endian values. The records are laid out once a tick, cell by
cell in row-major order, so that a 3x3 is three contiguous slices.
"""

from typing import Final

import numpy as np

from engine.protocol.gateway import json_encoder, server_decoder
from engine.protocol.limits import CELLS, CELLS_PER_SIDE
from engine.world.arrays import Array
from engine.world.state import State

_U8, _U16, _U32 = 0xCC, 0xCD, 0xCE

_ENTITY: Final = np.dtype(
    [
        ("array", "u1"),
        ("id_mark", "u1"),
        ("id", ">u4"),
        ("flags_mark", "u1"),
        ("flags", "u1"),
        ("x_mark", "u1"),
        ("x", ">u2"),
        ("y_mark", "u1"),
        ("y", ">u2"),
        ("hp_mark", "u1"),
        ("hp", ">u2"),
        ("level_mark", "u1"),
        ("level", "u1"),
        ("goods_mark", "u1"),
        ("goods", ">u4"),
    ]
)
_CELL: Final = np.dtype(
    [
        ("array", "u1"),
        ("cell_mark", "u1"),
        ("cell", ">u2"),
        ("version_mark", "u1"),
        ("version", ">u4"),
        ("entities_mark", "u1"),
        ("entities", ">u2"),
    ]
)
_ARRAY_OF_3, _ARRAY_OF_7, _ARRAY_16 = 0x93, 0x97, 0xDC
_HEAD: Final = b"\x83\xa4type\xa5delta\xa4tick\xce"
TICK_OFFSET: Final = len(_HEAD)
"""Where a frame's tick stands: four bytes, big-endian. ``type`` comes before it."""


def _neighbourhoods() -> tuple[Array, Array, tuple[int, ...]]:
    """Return for each cell the 3x3 around it, cut at the map's edge.

    Returns:
        First cell and the cell after the last one, of each of the three lines, (3,
        ``CELLS``), equal for a line off the map; and the number of cells.
    """
    line, column = np.divmod(np.arange(CELLS), CELLS_PER_SIDE)
    lines = line + np.array([[-1], [0], [1]])
    left, right = np.maximum(column - 1, 0), np.minimum(column + 2, CELLS_PER_SIDE)
    on_map = (lines >= 0) & (lines < CELLS_PER_SIDE)
    first = np.where(on_map, lines * CELLS_PER_SIDE + left, 0)
    end = np.where(on_map, lines * CELLS_PER_SIDE + right, 0)
    return first, end, tuple((end - first).sum(axis=0).tolist())


_FIRST, _END, _COUNT = _neighbourhoods()


class CellFrames:
    """The frames of one tick; made when first asked for, then kept.

    Args:
        state: The world.
        cell_versions: Version of each cell, (``CELLS``,).
        tick: The tick they show.
    """

    def __init__(self, state: State, cell_versions: Array, tick: int) -> None:
        per_cell = np.bincount(state.cell[: state.count], minlength=CELLS)
        before = np.concatenate(([0], np.cumsum(per_cell)))
        offsets = before * _ENTITY.itemsize + np.arange(CELLS + 1) * _CELL.itemsize
        self._body = _lay_out(state, cell_versions, per_cell, offsets)
        self._lines = [
            (offsets[first].tolist(), offsets[end].tolist())
            for first, end in zip(_FIRST, _END, strict=True)
        ]
        head = _HEAD + tick.to_bytes(4, "big") + b"\xa5cells\xdc"
        self._heads = {count: head + count.to_bytes(2, "big") for count in set(_COUNT)}
        self._frames: dict[int, bytes] = {}

    def frame(self, cell: int) -> bytes:
        """Return the ``Delta`` of the cells around ``cell``, as msgpack."""
        frame = self._frames.get(cell)
        if frame is None:
            frame = self._frames[cell] = self._make(cell)
        return frame

    def json_frame(self, cell: int) -> bytes:
        """Return the same as JSON."""
        return json_encoder.encode(server_decoder.decode(self.frame(cell)))

    def _make(self, cell: int) -> bytes:
        body = self._body
        (first_1, end_1), (first_2, end_2), (first_3, end_3) = self._lines
        return (
            self._heads[_COUNT[cell]]
            + body[first_1[cell] : end_1[cell]]
            + body[first_2[cell] : end_2[cell]]
            + body[first_3[cell] : end_3[cell]]
        )


def _lay_out(state: State, cell_versions: Array, per_cell: Array, offsets: Array) -> bytes:
    """Return every cell's header and entities, one cell after another."""
    count = state.count
    order = np.argsort(state.cell[:count], kind="stable")  # 16 bits: a radix sort
    entities = _entities(state, order)
    headers = np.empty(CELLS, _CELL)
    headers["array"] = _ARRAY_OF_3
    headers["cell_mark"] = _U16
    headers["cell"] = np.arange(CELLS)
    headers["version_mark"] = _U32
    headers["version"] = cell_versions
    headers["entities_mark"] = _ARRAY_16
    headers["entities"] = per_cell
    body = np.empty(int(offsets[-1]), np.uint8)
    _scatter(body, headers, offsets[:-1])
    cells_begun = state.cell[order].astype(np.int64) + 1
    _scatter(body, entities, np.arange(count) * _ENTITY.itemsize + cells_begun * _CELL.itemsize)
    return body.tobytes()


def _entities(state: State, order: Array) -> Array:
    rows = np.empty(len(order), _ENTITY)
    rows["array"] = _ARRAY_OF_7
    rows["id_mark"] = rows["goods_mark"] = _U32
    rows["flags_mark"] = rows["level_mark"] = _U8
    rows["x_mark"] = rows["y_mark"] = rows["hp_mark"] = _U16
    rows["id"] = state.id[order]
    alive, connected = state.alive[order] << 2, state.connected[order] << 3
    rows["flags"] = state.kind[order] | alive | connected | state.faction[order] << 4
    rows["x"] = state.x[order]
    rows["y"] = state.y[order]
    rows["hp"] = state.hp[order]
    rows["level"] = state.level[order]
    rows["goods"] = state.goods[order]
    return rows


def _scatter(body: Array, records: Array, offsets: Array) -> None:
    """Write records of one width to byte offsets that do not overlap."""
    width = records.dtype.itemsize
    if not len(records):
        return
    # Elements one byte apart: fancy assignment then copies a whole record to each offset.
    window: Array = np.ndarray(
        (len(body) - width + 1,), np.dtype((np.void, width)), body.data, strides=(1,)
    )
    window[offsets] = records.view(window.dtype)
