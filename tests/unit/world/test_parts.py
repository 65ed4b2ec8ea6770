"""Randomness, sharing in order, stored forms, checkpoints, invariants."""

import numpy as np
import pytest

from engine.world.arrays import isqrt, rank_in_group, running_total, stable_order, take_in_order
from engine.world.events import EventBlock, to_events
from engine.world.inputs import INTENT_DTYPE, TickInputs
from engine.world.rng import Purpose, below
from engine.world.world import World, WorldConfig
from tests.unit.world.arena import Arena, player, target

ONE, TWO = player(0), player(1)


def test_randomness_depends_on_its_arguments_alone() -> None:
    ids = np.arange(1, 2000)
    draws = below(100, 7, 3, Purpose.DAMAGE, ids)
    assert np.array_equal(draws[::-1], below(100, 7, 3, Purpose.DAMAGE, ids[::-1]))
    assert draws.min() == 0
    assert draws.max() == 99
    assert abs(draws.mean() - 49.5) < 3
    for other in (
        below(100, 8, 3, Purpose.DAMAGE, ids),
        below(100, 7, 4, Purpose.DAMAGE, ids),
        below(100, 7, 3, Purpose.GATHER, ids),
    ):
        assert (draws == other).mean() < 0.05


def test_randomness_is_the_same_for_ever() -> None:
    draws = below(1_000_000, 7, 12, Purpose.WANDER_X, np.array([1, 2, 1_000_000]))
    assert draws.tolist() == [348209, 538360, 355996]


def test_isqrt_is_exact() -> None:
    roots = np.array([0, 1, 2, 3, 255, 65535, 92681], np.int64)
    assert np.array_equal(isqrt(roots**2), roots)
    assert np.array_equal(isqrt(roots[2:] ** 2 - 1), roots[2:] - 1)


def test_groups() -> None:
    keys = np.array([5, 3, 5, -1, 3, 5])
    assert stable_order(keys).tolist() == [3, 1, 4, 0, 2, 5]
    assert rank_in_group(keys).tolist() == [0, 0, 1, 0, 1, 2]
    assert running_total(np.array([1, 2, 3, 4, 5, 6]), keys).tolist() == [1, 2, 4, 4, 7, 10]


def test_take_in_order() -> None:
    wanted, owners, have = np.array([4, 9, 4, 4]), np.array([1, 2, 1, 1]), np.array([6, 9, 6, 6])
    taken, left = take_in_order(wanted, owners, have)
    assert taken.tolist() == [4, 9, 2, 0]
    assert left.tolist() == [2, 0, 0, 0]


def test_inputs_survive_their_stored_form() -> None:
    inputs = TickInputs.of(
        [(ONE, 3, 4, 0, 0, 0, 0), (TWO, 1, 0, 65535, 1, 0, -7)],
        texts={0: "x\u2ffcy\u0007"},
        joins=[(ONE, "player-0")],
        leaves=[TWO],
        restarted=True,
    )
    again = TickInputs.unpack(inputs.pack())
    assert np.array_equal(again.intents, inputs.intents)
    assert again.texts == inputs.texts, "which characters are printable, a Python may say otherwise"
    assert (again.joins, again.leaves, again.restarted) == ([(ONE, "player-0")], [TWO], True)
    assert len(TickInputs.unpack(TickInputs.of().pack()).intents) == 0


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xc1", b"nonsense"])
def test_bytes_that_are_no_inputs_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        TickInputs.unpack(data)


def test_inputs_of_another_length_are_refused() -> None:
    packed = TickInputs(np.zeros(2, INTENT_DTYPE)).pack()
    with pytest.raises(ValueError, match="25 bytes for 2 rows"):
        TickInputs.unpack(packed.replace(b"\xc4\x34" + bytes(52), b"\xc4\x19" + bytes(25)))


def test_events_survive_their_stored_form() -> None:
    arena = Arena()
    result = arena.step(target("attack", ONE, 1, TWO), (TWO, 1, "say"), texts={1: "ouch"})
    again = EventBlock.from_log(result.events.first_seq, result.events.to_log())
    assert to_events(again, 1) == to_events(result.events, 1)
    columns = EventBlock.unpack(again.first_seq, result.events.pack(), result.events.texts)
    assert to_events(columns, 1) == to_events(result.events, 1)


def test_a_checkpoint_goes_on_as_if_nothing_had_happened() -> None:
    arena = Arena(players=20, npcs=30, nodes=10)
    arena.wait(3)
    other = World.restore(arena.world.config, arena.world.checkpoint())
    assert (other.tick, other.next_seq, other.hash) == (
        arena.world.tick,
        arena.world.next_seq,
        arena.world.hash,
    )
    for seq in (1, 2):
        arena.step(target("attack", ONE, seq, TWO))
        assert other.step(TickInputs.of([(ONE, seq, 1, 0, 0, TWO, 0)])).hash == arena.last.hash
    assert np.array_equal(other.state.cell_versions, arena.state.cell_versions)


def test_checkpoints_that_do_not_fit_are_refused() -> None:
    arena = Arena(players=5)
    saved = arena.world.checkpoint()
    with pytest.raises(ValueError, match="asked for 8"):
        World.restore(WorldConfig(seed=8), saved)
    with pytest.raises(ValueError, match="room for 4"):
        World.restore(WorldConfig(seed=7, capacity=4), saved)
    with pytest.raises(ValueError, match="format 9"):
        World.restore(arena.world.config, saved.replace(b"\xa6format\x02", b"\xa6format\x09"))
    for cut in (0, 10, len(saved) // 2, len(saved) - 1):
        with pytest.raises(ValueError, match=r"."):
            World.restore(arena.world.config, saved[:cut])


def test_worlds_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="room for 9"):
        World.create(WorldConfig(seed=7, npcs=5, nodes=5, capacity=9))


def test_phases_are_told_in_order() -> None:
    arena = Arena()
    laps: list[str] = []
    arena.world.step(TickInputs.of([(ONE, 1, 5, 0, 0, 0, 0)]), laps.append)
    assert laps == ["step", "govern", "govern", "step", "govern", "step", "react", "hash"]
