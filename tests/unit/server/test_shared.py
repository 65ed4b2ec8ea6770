"""State in shared memory: never a torn copy, never a leftover."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.protocol.errors import UserError
from engine.server import shared as shared_module
from engine.server.shared import SharedState, SharedStateBusy
from engine.world.state import COLUMNS, State
from tests.machine import shared_memory_name


@pytest.fixture
def name() -> Iterator[str]:
    name = shared_memory_name()
    yield name
    Path("/dev/shm", name).unlink(missing_ok=True)


def filled(count: int, value: int, capacity: int = 1000) -> State:
    state = State(capacity)
    state.count = count
    for column in state.columns.values():
        column[:count] = value
    return state


def test_a_reader_gets_a_copy_of_the_rows_in_use(name: str):
    writer = SharedState.create(name, 1000)
    reader = SharedState.attach(name)
    writer.publish(filled(10, 7), tick=3)
    tick, columns = reader.read()
    assert tick == 3
    assert set(columns) == {column for column, _ in COLUMNS}
    assert all((column == 7).all() and len(column) == 10 for column in columns.values())
    writer.publish(filled(20, 8), tick=4)
    assert (columns["hp"] == 7).all()
    tick, columns = reader.read(["hp"])
    assert tick == 4
    assert list(columns) == ["hp"]
    assert len(columns["hp"]) == 20
    reader.close()
    writer.close()
    writer.unlink()
    assert not Path("/dev/shm", name).exists()


WRITER = """
import sys
import time
from engine.server.shared import SharedState
from engine.world.state import State
shared = SharedState.create(sys.argv[1], 1000)
states = []
for value in range(100):
    state = State(1000)
    state.count = 1000 - value
    for column in state.columns.values():
        column[:] = value
    states.append(state)
shared.publish(states[0], 0)
print("ready", flush=True)
tick = 0
while True:
    tick += 1
    shared.publish(states[tick % 100], tick)
    time.sleep(0.0005)
"""


def test_a_copy_is_never_torn_by_a_writer_in_another_process(name: str):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, name], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        reader = SharedState.attach(name)
        ticks = set()
        # As many as it takes to meet the writer at work: on a busy machine it may rest a while.
        while len(ticks) < 50:
            tick, columns = reader.read(["hp", "gold", "id"])
            ticks.add(tick)
            value = tick % 100
            for column in columns.values():
                assert len(column) == 1000 - value
                assert (column == value).all()
        reader.close()
    finally:
        process.kill()
        process.communicate()


def test_a_writer_that_died_in_the_middle_is_told_and_its_successor_takes_over(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shared_module, "_READ_TRIES_MAX", 3)
    first = SharedState.create(name, 1000)
    first.publish(filled(10, 1), tick=1)
    reader = SharedState.attach(name)
    first._header[shared_module._VERSION_AT] += np.uint64(1)  # dies while it copies
    with pytest.raises(SharedStateBusy):
        reader.read()
    first.close()
    second = SharedState.create(name, 1000)
    second.publish(filled(12, 2), tick=2)
    tick, columns = reader.read()
    assert (tick, len(columns["hp"])) == (2, 12)
    reader.close()
    second.close()


def test_a_block_of_another_size_is_replaced(name: str):
    SharedState.create(name, 10).close()
    larger = SharedState.create(name, 1000)
    larger.publish(filled(1000, 5), tick=1)
    reader = SharedState.attach(name)
    assert reader.capacity == 1000
    reader.close()
    larger.close()


def test_a_reader_cannot_write(name: str):
    writer = SharedState.create(name, 10)
    reader = SharedState.attach(name)
    with pytest.raises(ValueError, match="read-only"):
        reader.publish(filled(1, 1), tick=1)
    reader.close()
    writer.close()


def test_what_is_no_state_is_refused(name: str):
    with pytest.raises(FileNotFoundError):
        SharedState.attach(name)
    path = Path("/dev/shm", name)
    for content in (b"", b"x" * 10, b"x" * 4096):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"no state|empty"):
            SharedState.attach(name)


def test_a_link_under_the_name_is_replaced_and_its_target_untouched(name: str, tmp_path: Path):
    target = tmp_path / "precious"
    target.write_text("precious")
    path = Path("/dev/shm", name)
    path.symlink_to(target)
    SharedState.create(name, 10).close()
    assert target.read_text() == "precious"
    assert not path.is_symlink()


def test_no_room_is_a_clear_error(name: str, monkeypatch: pytest.MonkeyPatch):
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match="No space left"):
        SharedState.create(name, 10)
    assert not Path("/dev/shm", name).exists()


@pytest.mark.parametrize("bad", ["", "../x", "a/b", ".hidden", "x" * 101])
def test_names_cannot_leave_the_folder(bad: str):
    with pytest.raises(ValueError, match="not a name"):
        SharedState.create(bad, 10)


def test_a_read_beside_writes_of_a_thread_is_whole(name: str):
    writer = SharedState.create(name, 1000)
    states = [filled(500 + value, value) for value in range(10)]
    stop = threading.Event()

    def write() -> None:
        tick = 0
        while not stop.is_set():
            tick += 1
            writer.publish(states[tick % 10], tick)
            stop.wait(0.0002)

    thread = threading.Thread(target=write)
    writer.publish(states[0], 0)
    thread.start()
    reader = SharedState.attach(name)
    try:
        for _ in range(300):
            tick, columns = reader.read()
            assert all((column == tick % 10).all() for column in columns.values())
            assert len(columns["id"]) == 500 + tick % 10
    finally:
        stop.set()
        thread.join()
    reader.close()
    writer.close()
