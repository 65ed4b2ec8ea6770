"""Who met whom lately."""

import numpy as np

from engine.stat7.near import Near, zones_beside
from tests.unit.stat7.kit import happened


def _met(near, *entities):
    return near.of(np.array(entities, np.uint32))


def _attack(actor, target, **more):
    return {"kind": "attacked", "actor": actor, "target": target, **more}


def test_both_sides_of_what_happened_newest_first():
    near = Near()
    near.take([happened(1, _attack(5, 6), _attack(5, 7)), happened(2, _attack(8, 5))])
    assert _met(near, 5) == {5: [8, 6, 7]}
    assert _met(near, 6, 8) == {6: [5], 8: [5]}
    assert _met(near, 99) == {}


def test_the_world_oneself_and_what_was_denied_are_nobody():
    near = Near()
    near.take(
        [happened(1, _attack(5, 0), _attack(0, 5), _attack(5, 5), _attack(5, 6, kind="denied"))]
    )
    assert _met(near, 5, 6) == {}


def test_the_same_other_counts_once_and_others_are_bounded(monkeypatch):
    monkeypatch.setattr("engine.stat7.near.STAT7_NEAR_MAX", 2)
    near = Near()
    near.take([happened(tick, _attack(5, 10 + tick // 2)) for tick in range(1, 9)])
    assert _met(near, 5) == {5: [14, 13]}


def test_old_meetings_and_joins_are_forgotten(monkeypatch):
    monkeypatch.setattr("engine.stat7.near.STAT7_NEAR_TICKS", 3)
    near = Near()
    near.take([happened(1, _attack(5, 6), {"kind": "joined", "stream": 7})])
    near.take([happened(3, _attack(5, 8), last_seq=44)])
    assert (_met(near, 5), near.seen_seq) == ({5: [8, 6]}, 44)
    near.take([happened(4, {"kind": "moved", "actor": 5})])
    assert _met(near, 5) == {5: [8]}
    assert near.joined(7, 99) == 99


def test_a_join_is_remembered_however_often_it_is_asked_for():
    near = Near()
    near.take([happened(3, {"kind": "joined", "stream": 7})])
    assert (near.joined(7, 99), near.joined(7, 99), near.joined(8, 99)) == (3, 3, 99)


def test_zones_have_neighbours_as_far_as_the_map_goes():
    assert zones_beside(0) == [1, 8]
    assert zones_beside(9) == [1, 8, 10, 17]
    assert zones_beside(63) == [55, 62]
