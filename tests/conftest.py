"""What holds for every test: nothing is left behind."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from engine.protocol.limits import CHILD_GRACE_S
from tests.machine import MARGIN_S

# The machine is shared and noisy: no example fails because it was slow, and no file is kept.
settings.register_profile("seedstorm", deadline=None, database=None, max_examples=60)
settings.load_profile("seedstorm")


def _children() -> set[int]:
    """Return the pids of living processes that descend from this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if after_name[0] != "Z":
            parents[int(entry.name)] = int(after_name[1])
    mine = {os.getpid()}
    grown = True
    while grown:
        grown = False
        for pid, parent in parents.items():
            if parent in mine and pid not in mine:
                mine.add(pid)
                grown = True
    return mine - {os.getpid()}


def _abandoned_memory() -> set[str]:
    """Return blocks of shared memory, without those of engines that run beside this suite."""
    ours = _children() | {os.getpid()}
    found = set()
    for path in Path("/dev/shm").glob("seedstorm*"):
        pid = path.name.split("-")[1:2]
        owner = int(pid[0]) if pid and pid[0].isdigit() else 0
        if not owner or owner in ours or not Path(f"/proc/{owner}").exists():
            found.add(path.name)
    return found


@pytest.fixture(scope="session", autouse=True)
def own_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give this suite's engines a folder for sockets of its own, away from anybody's real runs."""
    tmp_path_factory.getbasetemp()  # pytest's own folder stays where it is looked for
    with tempfile.TemporaryDirectory(prefix="storm-") as folder, pytest.MonkeyPatch.context() as on:
        on.setenv("TMPDIR", folder)
        on.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let children be interrupted, however this suite was started.

    A shell without job control ignores SIGINT in what it starts with ``&``, every child
    inherits that, and Python then installs no handler for ctrl+c.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _left_in(place: Path) -> set[str]:
    return {path.name for path in place.glob("seedstorm-*/*")}


@pytest.fixture(autouse=True)
def nothing_left_behind(own_place: Path) -> Iterator[None]:
    """Fail a test that leaves a process, a block of shared memory, a socket or a note."""
    children, shared, files = _children(), _abandoned_memory(), _left_in(own_place)
    yield
    # What dies with a killed parent has the promised time to do so.
    give_up_at = time.monotonic() + CHILD_GRACE_S + MARGIN_S
    while time.monotonic() < give_up_at:
        if (
            _children() <= children
            and _abandoned_memory() <= shared
            and _left_in(own_place) <= files
        ):
            return
        time.sleep(0.05)
    assert _children() <= children, "the test left a process running"
    assert _abandoned_memory() <= shared, "the test left shared memory"
    assert _left_in(own_place) <= files, "the test left a socket or a note"


@pytest.fixture(autouse=True)
async def no_task_left_behind() -> "Iterator[None]":  # type: ignore[misc]  # an async generator
    """Fail a test that leaves a task running in its loop."""
    yield
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert left == [], f"the test left tasks: {left}"
