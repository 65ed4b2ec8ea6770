"""Frames as players decode them."""

import numpy as np
import pytest

from engine.protocol.gateway import Delta, SeenEntity, server_decoder, server_json_decoder
from engine.protocol.limits import CELLS, CELLS_PER_SIDE
from engine.world.interest import TICK_OFFSET
from tests.unit.world.arena import TILE, Arena, node, npc, player

ONE, TWO = player(0), player(1)


def _around(cell: int) -> list[int]:
    line, column = divmod(cell, CELLS_PER_SIDE)
    return [
        y * CELLS_PER_SIDE + x
        for y in range(max(line - 1, 0), min(line + 2, CELLS_PER_SIDE))
        for x in range(max(column - 1, 0), min(column + 2, CELLS_PER_SIDE))
    ]


@pytest.mark.parametrize("cell", [0, 31, 500, 992, 1023, 32, 63, 5, 1000])
def test_every_frame_holds_the_cells_around_and_who_is_in_them(cell: int) -> None:
    arena = Arena(players=300, npcs=60, nodes=90)
    rows = slice(0, arena.state.count)
    corners = np.random.default_rng(1).integers(0, 65536, (2, arena.state.count))
    arena.state.place(rows, *corners)
    frames = arena.world.frames()
    delta = server_decoder.decode(frames.frame(cell))
    assert isinstance(delta, Delta)
    assert [seen.cell for seen in delta.cells] == _around(cell)
    for seen in delta.cells:
        expected = set(arena.state.id[rows][arena.state.cell[rows] == seen.cell].tolist())
        assert {entity.id for entity in seen.entities} == expected
    assert server_json_decoder.decode(frames.json_frame(cell)) == delta
    assert frames.frame(cell) is frames.frame(cell), "made once"


def test_an_entity_as_seen() -> None:
    arena = Arena(players=1, npcs=1, nodes=1)
    arena.put(ONE, 65535, 65534)
    arena.set(ONE, hp=77, level=50, goods=1_500_000, faction=3, connected=0)
    arena.put(npc(0), 65535, 65535)
    arena.put(node(0), 65535, 65535)
    arena.set(node(0), alive=0)
    delta = server_decoder.decode(arena.world.frames().frame(CELLS - 1))
    assert isinstance(delta, Delta)
    seen = {entity.id: entity for entity in delta.cells[-1].entities}
    assert seen[ONE] == SeenEntity(ONE, 2 | 4 | 3 << 4, 65535, 65534, 77, 50, 1_500_000)
    assert seen[npc(0)].flags & 7 == 1 | 4
    assert seen[node(0)].flags & 7 == 0


def test_the_tick_stands_at_a_fixed_place() -> None:
    arena = Arena()
    arena.wait(300)
    frame = arena.world.frames().frame(7)
    assert int.from_bytes(frame[TICK_OFFSET : TICK_OFFSET + 4], "big") == arena.last.tick == 300
    assert frame.startswith(b"\x83\xa4type\xa5delta\xa4tick\xce")


def test_versions_grow_where_something_changed_and_nowhere_else() -> None:
    arena = Arena()
    arena.wait(1)
    old = 103 * TILE
    arena.put(ONE, old, old)
    arena.put(TWO, 200 * TILE, 200 * TILE)
    before = arena.state.cell_versions.copy()
    arena.step((ONE, 1, "move", old + 2 * TILE, old), (TWO, 1, "say"), texts={1: "hi"})
    changed = np.nonzero(arena.state.cell_versions != before)[0].tolist()
    assert changed == [12 * 32 + 12, 12 * 32 + 13], "the cell it left and the one it entered"
    assert arena.state.cell_versions[changed].tolist() == [arena.last.tick] * 2


def test_an_empty_world_has_frames_too() -> None:
    arena = Arena(players=0)
    delta = server_decoder.decode(arena.world.frames().frame(33))
    assert isinstance(delta, Delta)
    assert [len(seen.entities) for seen in delta.cells] == [0] * 9
