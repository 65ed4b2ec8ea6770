"""Who gets which frame, and when."""

from typing import Any

import numpy as np
import pytest

from engine.protocol.gateway import Ack
from engine.protocol.limits import CELLS, CELLS_PER_SIDE, PLAYER_ID_BASE
from engine.server.fanout import QUIET_TICKS_MAX, FanOut, newest_around
from engine.server.pace import Pace
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig


class Frames:
    """Frames that say which cell they are of."""

    def frame(self, cell: int) -> bytes:
        return b"m%d" % cell

    def json_frame(self, cell: int) -> bytes:
        return b"j%d" % cell


class FakeSession:
    """What the fan-out sees of a session, and what was sent to it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.row = number
        self.plays = True
        self.is_paused = False
        self.is_json = False
        self.seen_cell = self.seen_tick = -1
        self.sent: list[Any] = []

    def send(self, message: Any) -> int:
        self.sent.append(message)
        return 10

    def send_encoded(self, payload: bytes) -> None:
        self.sent.append(payload)


class Stage:
    """Some players, one a cell, and a fan-out over them."""

    def __init__(self, players: int) -> None:
        self.sessions: list[Any] = [FakeSession(number) for number in range(players)]
        self.cells = np.arange(players, dtype=np.uint16)
        self.versions = np.zeros(CELLS, np.int64)
        self.pace = Pace(100)
        self.fan_out = FanOut(self.pace, slice_min=16)
        self.frames = Frames()

    def plan(self, tick: int, answered: tuple[int, ...] = ()) -> None:
        chosen = [self.sessions[number] for number in answered]
        self.fan_out.plan(tick, chosen, self.sessions, self.versions)

    def slice(self, index: int) -> list[int]:
        before = {session.number: len(session.sent) for session in self.sessions}
        self.fan_out.send_slice(index, self.frames, self.cells)
        return [s.number for s in self.sessions if len(s.sent) > before[s.number]]

    def tick(self, tick: int, answered: tuple[int, ...] = ()) -> list[int]:
        self.plan(tick, answered)
        return sorted(who for index in range(self.fan_out.slices) for who in self.slice(index))


def test_everyone_gets_the_frame_of_its_cell_in_its_codec():
    stage = Stage(3)
    stage.sessions[1].is_json = True
    assert stage.tick(1) == [0, 1, 2]
    assert [session.sent for session in stage.sessions] == [[b"m0"], [b"j1"], [b"m2"]]
    assert stage.fan_out.frames_sent == 3
    assert stage.fan_out.bytes_sent == 3 * (2 + 4)


def test_those_with_an_answer_are_in_the_first_slice_and_the_slices_are_even():
    stage = Stage(800)
    stage.plan(1, answered=(799, 400))
    assert stage.fan_out.slices == 8
    first = stage.slice(0)
    assert {400, 799} < set(first)
    assert len(first) == 100


def test_a_few_players_make_one_slice():
    stage = Stage(10)
    stage.plan(1)
    assert stage.fan_out.slices == 1


def test_a_frame_in_which_nothing_changed_is_not_sent_until_the_player_is_owed_one():
    stage = Stage(1)
    stage.versions[CELLS_PER_SIDE + 1] = 1
    got = [tick for tick in range(1, 2 * QUIET_TICKS_MAX + 2) if stage.tick(tick)]
    assert got == [1, 1 + QUIET_TICKS_MAX, 1 + 2 * QUIET_TICKS_MAX]
    assert stage.fan_out.frames_skipped == 0


@pytest.mark.parametrize("near", [0, 1, CELLS_PER_SIDE, CELLS_PER_SIDE + 1])
def test_a_change_next_door_is_sent_at_once(near: int):
    stage = Stage(1)
    stage.tick(1)
    stage.versions[near] = 2
    assert stage.tick(2) == [0]


def test_a_change_far_away_is_not():
    stage = Stage(1)
    stage.tick(1)
    stage.versions[2] = stage.versions[CELLS_PER_SIDE - 1] = 2
    assert stage.tick(2) == []


def test_another_cell_is_sent_at_once():
    stage = Stage(1)
    stage.tick(1)
    stage.cells[0] = 77
    assert stage.tick(2) == [0]
    assert stage.sessions[0].sent[-1] == b"m77"


def test_a_paused_client_gets_answers_and_no_frames_and_the_newest_later():
    stage = Stage(2)
    stage.sessions[0].is_paused = True
    ack = Ack(seq=1, tick=1, verdict="permit")
    assert stage.fan_out.acknowledge([(stage.sessions[0], ack)]) == [stage.sessions[0]]
    assert stage.tick(1) == [1]
    assert stage.sessions[0].sent == [ack]
    assert stage.fan_out.frames_skipped == 1
    stage.sessions[0].is_paused = False
    assert stage.tick(2) == [0]


def test_who_is_gone_gets_nothing():
    stage = Stage(2)
    stage.plan(1)
    stage.sessions[0].plays = False
    assert stage.slice(0) == [1]


def test_who_was_cut_off_comes_first_next_time():
    stage = Stage(800)
    stage.plan(1)
    for index in range(6):
        stage.slice(index)
    stage.fan_out.cut(6)
    assert stage.fan_out.slices == 6
    assert stage.fan_out.frames_skipped == 200
    stage.versions[:] = 2
    stage.plan(2, answered=(5,))
    first_two = stage.slice(0) + stage.slice(1)
    assert set(first_two) == {5, *range(600, 799)}


def test_under_load_the_quiet_get_every_second_frame_and_the_answered_every_one():
    stage = Stage(4)
    for _ in range(3):
        stage.pace.observe(90, cut=False)
    assert stage.pace.stride == 2
    stage.versions[:] = 10**6
    got = [stage.tick(tick, answered=(0,)) for tick in range(1, 5)]
    assert got == [[0, 1, 3], [0, 2], [0, 1, 3], [0, 2]]
    assert stage.fan_out.frames_skipped == 6


def test_the_newest_of_nine_cells():
    versions = np.zeros(CELLS, np.int64)
    corner, middle = CELLS - 1, 5 * CELLS_PER_SIDE + 5
    versions[corner], versions[middle] = 3, 4
    newest = newest_around(versions).reshape(CELLS_PER_SIDE, CELLS_PER_SIDE)
    assert np.argwhere(newest == 3).tolist() == [[30, 30], [30, 31], [31, 30], [31, 31]]
    assert np.argwhere(newest == 4).tolist() == [[y, x] for y in (4, 5, 6) for x in (4, 5, 6)]


def test_a_frame_that_is_left_out_would_have_shown_nothing_new():
    world = World.create(WorldConfig(seed=7, npcs=60, nodes=60, capacity=200))
    joins = [(PLAYER_ID_BASE + number, f"player-{number}") for number in range(40)]
    world.step(TickInputs.of(joins=joins))
    rng = np.random.default_rng(3)
    shown: dict[int, tuple[int, bytes]] = {}
    left_out = 0
    for seq in range(1, 60):
        intents = [
            (player, seq, int(kind), int(x), int(y), int(rng.choice(world.state.id[:160])), 1)
            for (player, _), kind, x, y in zip(
                joins, rng.integers(0, 6, 40), *rng.integers(0, 65536, (2, 40)), strict=True
            )
            if rng.random() < 0.3
        ]
        leaves = [PLAYER_ID_BASE + 7] if seq == 30 else []
        tick = world.step(TickInputs.of(intents, leaves=leaves)).tick
        newest = newest_around(world.state.cell_versions)
        frames = world.frames()
        for cell in range(CELLS):
            content = frames.frame(cell)[22:]
            if cell in shown and newest[cell] <= shown[cell][0]:
                assert content == shown[cell][1], f"cell {cell} changed unseen in tick {tick}"
                left_out += 1
            shown[cell] = (tick, content)
    assert left_out > 1000
