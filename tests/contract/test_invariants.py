"""What every invariant of the folder must do: the scan picks newcomers up."""

import numpy as np
import pytest

from engine.protocol.limits import PLAYER_ID_BASE
from engine.world.cascade import no_frontier
from engine.world.events import EVENT_DTYPE
from engine.world.inputs import TickInputs
from engine.world.invariants.base import Before, Break, Invariant, Scene
from engine.world.oracle import find_invariants
from engine.world.world import World, WorldConfig

INVARIANTS = find_invariants()


def _scene(dice: np.random.Generator | None = None, events: int = 0) -> Scene:
    """A true world, or with ``dice`` one in which nothing is right."""
    world = World.create(WorldConfig(seed=3, npcs=20, nodes=20))
    joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(8)]
    world.step(TickInputs.of(joins=joins))
    state = world.state
    before = Before.of(state)
    rows = np.zeros(events, EVENT_DTYPE)
    if dice is not None:
        for name, values in state.columns.items():
            info = np.iinfo(values.dtype)
            small = {name: dice.integers(max(info.min, -99), 99, state.count)}
            wild = dice.integers(info.min, info.max, state.count, values.dtype, endpoint=True)
            values[: state.count] = np.where(dice.random(state.count) < 0.5, wild, small[name])
        for name in EVENT_DTYPE.names or ():
            info = np.iinfo(EVENT_DTYPE[name])
            rows[name] = dice.integers(info.min, info.max, events, EVENT_DTYPE[name], endpoint=True)
        rows["kind"] %= 26
    return Scene(state, before, rows, 500, state.rows_of(rows["stream"]), no_frontier())


def test_names_differ_and_are_as_thresholds_want_them() -> None:
    names = [invariant.name for invariant in INVARIANTS]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalpha() and name == name.lower() for name in names)


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: invariant.name)
class TestEveryInvariant:
    def test_a_true_world_passes(self, invariant: Invariant) -> None:
        assert invariant.check(_scene()) is None

    def test_a_wild_world_is_judged_and_left_as_it_is(self, invariant: Invariant) -> None:
        found = []
        for seed in range(20):
            scene = _scene(np.random.default_rng(seed), events=40)
            columns = {name: column.copy() for name, column in scene.state.columns.items()}
            events = scene.events.copy()
            found.append(invariant.check(scene))
            for name, column in columns.items():
                assert np.array_equal(scene.state.columns[name], column), name
            assert np.array_equal(scene.events, events)
        assert any(found), "nothing is right there"
        for breaks in filter(None, found):
            assert len(breaks.where) == len(breaks.off) > 0
            assert breaks.where.dtype == breaks.off.dtype == np.int64
        for broken in (breaks.at(n) for breaks in found if breaks for n in range(len(breaks.off))):
            assert isinstance(broken, Break)
            assert broken.words.isprintable()
            assert len(broken.words) < 160
            for number in (broken.found, broken.expected):
                assert -(2**63) <= number < 2**63
            assert broken.seq == 0 or 500 <= broken.seq < 540

    def test_says_what_it_is(self, invariant: Invariant) -> None:
        assert invariant.help.isprintable()
        assert len(invariant.help) < 80
