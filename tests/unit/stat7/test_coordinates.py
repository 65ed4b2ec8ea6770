"""Where things stand: every formula by a world worked out by hand, and its bounds by any world."""

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.address import address
from engine.stat7.chains import bit_chains
from engine.stat7.coordinates import HORIZONS, PLACES, REALMS, derive
from engine.stat7.near import Near
from engine.world.state import FACTIONS
from tests.unit.stat7.kit import look, node, npc, player

TILE = 256
ZONE_ROW = len(FACTIONS)


def _sheet_of(now, before=None):
    sheet = derive(now, before, 100)
    assert len(sheet.realm) == PLACES + len(now.columns["id"])
    return sheet


class Stand(NamedTuple):
    realm: str
    lineage: int
    horizon: str
    resonance: int
    velocity: int
    density: int
    x: int = 0
    y: int = 0


def _entity(sheet, row):
    at = PLACES + row
    numbers = (sheet.resonance, sheet.velocity, sheet.density, sheet.x, sheet.y)
    return Stand(
        REALMS[sheet.realm[at]],
        int(sheet.lineage[at]),
        HORIZONS[sheet.horizon[at]],
        *(int(column[at]) for column in numbers),
    )


def test_a_world_worked_out_by_hand():
    before = look(
        10,
        node(0, goods=20),
        npc(0, faction=1, xp=20, gold=100, goods=0),
        player(0, faction=1, xp=100, hp=100, gold=200),
        player(1, faction=0),
        player(2, faction=0, x=9 * TILE, lives=3),
    )
    now = look(
        15,  # half a second later
        node(0, goods=15),
        npc(0, faction=1, xp=20, gold=100, goods=0, stage=2),
        player(0, faction=1, xp=100, hp=80, gold=150, x=TILE // 2, stage=2),
        player(1, faction=0, alive=0, hp=0),
        player(2, faction=0, x=9 * TILE, lives=4, connected=0),
        player(3, faction=3, x=33 * TILE, y=255 * TILE),
    )
    sheet = _sheet_of(now, before)
    # 20 goods became 15: -5/20 in half a second. Two others are present in its cell: 2/(2 + 8).
    assert _entity(sheet, 0) == Stand("data", 1, "decay", 0, -500, 200)
    # Standings 40 and 120, mean 80: -40/120 and 40/200. Each has one other beside it: 1/9.
    assert _entity(sheet, 1) == Stand("narrative", 1, "peak", -333, 0, 111)
    # hp -20/100, wealth -50/200: the mean is -0.225, in half a second -0.45. Half a tile east.
    assert _entity(sheet, 2) == Stand("faculty", 1, "peak", 200, -450, 111, 50, 0)
    # Dead: in the void, and nobody's crowd. hp -100/100 of it, halved, in half a second: -1.
    assert _entity(sheet, 3) == Stand("void", 1, "genesis", 0, -1000, 200)
    # Alone in the next cell and not connected. A fourth life.
    assert _entity(sheet, 4).realm == "faculty"
    assert _entity(sheet, 4).lineage == 4
    assert _entity(sheet, 4).density == 0
    # Just come: no velocity yet, and alone in its faction.
    assert _entity(sheet, 5) == Stand("faculty", 1, "genesis", 0, 0, 0, 3300, 25500)


def test_factions_and_zones_of_that_world():
    before = look(0, npc(0, faction=1, xp=20), npc(1, faction=2, xp=0))
    now = look(
        10,
        npc(0, faction=1, xp=20, stage=3, hp=60),
        npc(1, faction=2, xp=0, x=40 * TILE),
        player(0, faction=1, xp=60, stage=3),
    )
    sheet = _sheet_of(now, before)
    # Standings 40, 80 | 20: everyone's mean is 46.667, faction 1's 60, 2's 20; 0 and 3 are empty.
    assert sheet.resonance[:ZONE_ROW].tolist() == [-1000, 125, -400, -1000]
    assert sheet.density[:ZONE_ROW].tolist() == [0, 667, 333, 0]
    # Faction 1: one lost 40 of 100 hp (halved: -0.2), the other just came.
    assert sheet.velocity[:ZONE_ROW].tolist() == [0, -100, 0, 0]
    assert [HORIZONS[stage] for stage in sheet.horizon[:4]] == [
        *("genesis", "decay", "genesis", "genesis")
    ]
    assert {REALMS[realm] for realm in sheet.realm[:ZONE_ROW]} == {"pattern"}
    # Zone 0 has two, as before; zone 1 has the one that went there.
    zones = slice(ZONE_ROW, PLACES)
    assert sheet.density[zones].tolist()[:3] == [15, 8, 0]
    assert sheet.velocity[zones].tolist()[:3] == [0, 1000, 0]
    # -20/100 and 20/140 in zone 0: the mean.
    assert sheet.resonance[zones].tolist()[:3] == [-29, 0, 0]
    assert sheet.crowd[:ZONE_ROW].tolist() == [0, 2, 1, 0]
    assert (sheet.x[ZONE_ROW], sheet.y[ZONE_ROW]) == (1600, 1600)
    assert {REALMS[realm] for realm in sheet.realm[zones]} == {"system"}
    assert set(sheet.lineage[:PLACES].tolist()) == {0}


def test_a_nodes_stage_is_its_stock():
    now = look(0, node(0, goods=20), node(1, goods=1), node(2, goods=0, alive=0))
    sheet = _sheet_of(now)
    assert [_entity(sheet, row).horizon for row in range(3)] == [
        *("peak", "decay", "crystallization")
    ]
    assert {_entity(sheet, row).realm for row in range(3)} == {"data"}


def test_time_that_stands_still_or_goes_back_makes_no_velocity():
    before, now = look(10, player(0, hp=90)), look(10, player(0, hp=10))
    assert _entity(_sheet_of(now, before), 0).velocity == 0
    assert _entity(_sheet_of(look(9, player(0, hp=10)), before), 0).velocity == 0


def test_an_empty_world():
    sheet = _sheet_of(look(0))
    assert not sheet.crowd.any()
    assert not sheet.density.any()


AGENT = st.fixed_dictionaries(
    {
        "alive": st.integers(0, 1),
        "connected": st.integers(0, 1),
        "x": st.integers(0, 65535),
        "y": st.integers(0, 65535),
        "hp": st.integers(-10, 600),
        "hp_max": st.integers(0, 600),
        "gold": st.integers(0, 10**10),
        "goods": st.integers(0, 10**6),
        "xp": st.integers(0, 10**9),
        "level": st.integers(1, 50),
        "faction": st.integers(0, 3),
        "stage": st.integers(0, 4),
        "lives": st.integers(1, 10**6),
    }
)
WORLD = st.lists(st.tuples(st.integers(0, 2), AGENT), max_size=8)


def _rows(world):
    kinds = (node, npc, player)
    return [kinds[kind](at, **columns) for at, (kind, columns) in enumerate(world)]


@given(WORLD, WORLD, st.integers(1, 100))
def test_every_value_is_in_its_range_and_addresses_are_stable(world, later, ticks):
    rows = _rows(world)
    # The same entities later, and perhaps newcomers.
    after = [
        {**row, **changed, "faction": row["faction"]}
        for row, (_, changed) in zip(rows, later, strict=False)
    ] + rows[len(later) :]
    newcomers = _rows(later)[len(rows) :]
    before, now = look(5, *rows), look(5 + ticks, *after, *newcomers)
    for sheet in (derive(before, None, 100), derive(now, before, 100)):
        assert np.all(np.abs(sheet.resonance) <= 1000)
        assert np.all(np.abs(sheet.velocity) <= 1000)
        assert np.all((sheet.density >= 0) & (sheet.density <= 1000))
        assert np.all((sheet.horizon >= 0) & (sheet.horizon < len(HORIZONS)))
        assert np.all(sheet.lineage >= 0)
        assert np.all((sheet.x >= 0) & (sheet.x < 25600) & (sheet.y >= 0) & (sheet.y < 25600))
    sheet = derive(now, before, 100)
    every = list(range(len(sheet.realm)))
    stamps = ["2025-10-30T12:34:56.252Z"] * len(every)
    chains = bit_chains(every, sheet, now, Near(), stamps)
    again = bit_chains(every, derive(now, before, 100), now, Near(), stamps)
    assert [address(chain) for chain in chains] == [address(chain) for chain in again]
    assert len({address(chain) for chain in chains}) == len(every)
    for chain in chains:
        assert all(type(value) in (int, str, bool) for value in chain.state.values())
        assert chain.realm == chain.coordinates.realm
        assert chain.coordinates.adjacency
