"""What a run holds: ports, files, disk, sockets, and what dead ones left."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from console.checks import disk, files, ports, runs, sockets
from console.checks.base import Asked, named_size
from console.checks.ports import Port
from engine.link.places import RunEntry, noted, register, runs_folder
from tests.machine import ports_of_a_base

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("size", "said"), [(12, "12 bytes"), (2500, "2.5 kB"), (64e6, "64.0 MB"), (3e9, "3.0 GB")]
)
def test_sizes_for_people(size: float, said: str) -> None:
    assert named_size(size) == said


def test_free_ports() -> None:
    found = ports.judge(ports.Seen((Port("admin", 8000), Port("gateway", 8766))))
    assert [(one.name, one.status, one.cure) for one in found] == [
        ("port 8000", "ok", ""),
        ("port 8766", "ok", ""),
    ]


def test_ports_that_are_picked() -> None:
    (found,) = ports.judge(ports.read(Asked(None, 0)))
    assert (found.name, found.status) == ("ports", "ok")


def test_a_port_that_a_stranger_holds() -> None:
    port = Port("admin", 8000, "in use", 4711, "python3 -m http.server")
    (found,) = ports.judge(ports.Seen((port,), 9000))
    assert found.status == "fail"
    assert "process 4711 (python3 -m http.server)" in found.found
    assert found.cure == "kill 4711; or name others: --port-base 9000"


def test_a_port_whose_holder_is_not_to_be_seen() -> None:
    (found,) = ports.judge(ports.Seen((Port("admin", 80, "Permission denied"),)))
    assert (found.status, found.cure) == ("fail", "name others: --port-base 0")
    assert "Permission denied" in found.found


def test_a_port_of_a_run_of_ours() -> None:
    port = Port("gateway", 8766, "in use", 4711, "python", "market")
    (found,) = ports.judge(ports.Seen((port,), 9000))
    assert found.status == "warn"
    assert "seedstorm stop market" in found.cure


def test_the_default_ports_and_those_of_a_base() -> None:
    assert ports.numbers(None) == (8000, 8765, 8766)
    assert ports.numbers(9000) == (9000, 9001, 9002)
    assert ports.numbers(0) == ()


def test_who_holds_a_port_is_read_from_proc() -> None:
    with ports_of_a_base(1) as base:
        seen = ports.read(Asked(None, base))
    assert [bool(port.problem) for port in seen.ports] == [False, True, False]
    assert seen.ports[1].pid == os.getpid()
    assert seen.ports[1].command
    assert seen.free_base


def test_a_connection_that_is_being_closed_holds_no_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # this end closes first and stays in TIME_WAIT
    (first, *_) = ports.read(Asked(None, port)).ports
    assert not first.problem


@pytest.mark.parametrize(
    ("soft", "hard", "status", "said"),
    [
        (1024, None, "ok", "unlimited (hard)"),
        (1024, 20_000, "ok", "enough for 10,000 players"),
        (1024, 10_063, "warn", "too few for 10,000 players"),
        (1024, 1064, "warn", "too few for 10,000 players"),
        (64, 1063, "fail", "too few for 1,000 players"),
    ],
)
def test_the_file_limit(soft: int, hard: int | None, status: str, said: str) -> None:
    (found,) = files.judge(files.Seen(soft, hard))
    assert found.status == status
    assert said in found.found
    assert ("ulimit -n" in found.cure) == (status != "ok")


def seen_disk(**changes: object) -> disk.Seen:
    plain = {
        "runs_dir": "/r",
        "nearest": "/r",
        "free_bytes": 50 * GB,
        "shared_free_bytes": 8 * GB,
    }
    return disk.Seen(**{**plain, **changes})  # type: ignore[arg-type]  # a test's own words


@pytest.mark.parametrize(
    ("changes", "name", "status", "said"),
    [
        ({}, "disk", "ok", "50.0 GB free"),
        ({}, "runs folder", "ok", "/r"),
        ({"nearest": "/"}, "runs folder", "ok", "the first run makes it"),
        ({"runs_dir": ""}, "runs folder", "fail", "HOME is not set"),
        ({"problem": "Permission denied"}, "runs folder", "fail", "/r: Permission denied"),
        ({"free_bytes": 900_000_000}, "disk", "warn", "an hour"),
        ({"free_bytes": 60_000_000}, "disk", "fail", "does not begin"),
        ({}, "shared memory", "ok", "8.0 GB free"),
        ({"shared_free_bytes": 9_000_000}, "shared memory", "warn", "enough for one run"),
        ({"shared_free_bytes": 1_000_000}, "shared memory", "fail", "10,000 players"),
        ({"shared_free_bytes": None}, "shared memory", "fail", "it is not there"),
        ({"shared_problem": "Read-only"}, "shared memory", "fail", "Read-only"),
    ],
)
def test_disk_and_shared_memory(
    changes: dict[str, object], name: str, status: str, said: str
) -> None:
    (found,) = [one for one in disk.judge(seen_disk(**changes)) if one.name == name]
    assert found.status == status
    assert said in found.found
    assert bool(found.cure) == (status != "ok")


def test_space_that_cannot_be_told_is_not_judged() -> None:
    assert [one.name for one in disk.judge(seen_disk(free_bytes=None))] == [
        "runs folder",
        "shared memory",
    ]


def test_looking_at_a_folder_leaves_nothing_in_it(tmp_path: Path) -> None:
    seen = disk.read(Asked(tmp_path / "a" / "runs"))
    assert (seen.nearest, seen.problem) == (str(tmp_path), "")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert disk.read(Asked(tmp_path / "file" / "runs")).problem == "Not a directory"
    assert disk.read(Asked(Path("/proc/runs"))).problem


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"owner": 1000}, "ok", "yours alone"),
        ({}, "ok", "the first run makes it"),
        ({"can_be_made": False}, "fail", "cannot be made"),
        ({"owner": 0}, "fail", "belongs to user 0"),
        ({"owner": 1000, "mode": 0o755}, "fail", "mode 0755"),
        ({"owner": 1000, "mode": 0o400}, "fail", "mode 0400"),
        ({"owner": 1000, "is_folder": False}, "fail", "is not a folder"),
        ({"folder": ""}, "fail", "no temporary folder"),
        ({"folder": "/" + "x" * 90}, "fail", "is the most for a socket"),
    ],
)
def test_the_folder_for_sockets(changes: dict[str, object], status: str, said: str) -> None:
    plain = {"folder": "/tmp/seedstorm-1000", "user": 1000}
    seen = sockets.Seen(**{**plain, **changes})  # type: ignore[arg-type]  # a test's own words
    (found,) = sockets.judge(seen)
    assert found.status == status
    assert said in found.found
    assert bool(found.cure) == (status != "ok")


def test_a_folder_for_sockets_is_looked_at_and_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tempfile.TemporaryDirectory(prefix="ss") as short:  # pytest's are too long for sockets
        monkeypatch.setattr("tempfile.tempdir", short)
        assert sockets.read(Asked(None)).owner is None
        assert list(Path(short).iterdir()) == []
        runs_folder(Path(short)).chmod(0o750)
        assert "mode 0750" in sockets.judge(sockets.read(Asked(None)))[0].found


def test_runs_and_leftovers() -> None:
    (found,) = runs.judge(runs.Seen())
    assert (found.status, found.found) == ("ok", "nothing runs")
    blocks = (("/dev/shm/seedstorm-1-a", 2_000_000), ("/dev/shm/seedstorm-2-b", 1_000_000))
    found, died, memory = runs.judge(runs.Seen(("one", "two"), ("gone",), blocks))
    assert (found.status, found.found) == ("ok", "2 running: one, two")
    assert (died.status, died.found) == ("warn", "1 died without a word: gone")
    assert "seedstorm list" in died.cure
    assert memory.found == "2 blocks of shared memory of dead engines, 3.0 MB"
    assert memory.cure == "rm /dev/shm/seedstorm-1-a /dev/shm/seedstorm-2-b"


def test_many_runs_and_odd_names_are_cut_and_made_harmless() -> None:
    (found,) = runs.judge(runs.Seen((*(f"run-{n}" for n in range(10)),)))
    assert found.found.endswith("run-7 and 2 more")
    (found,) = runs.judge(runs.Seen(("\x1b[2J",)))
    assert "\x1b" not in found.found


def test_notes_are_read_and_stay(tmp_path: Path) -> None:
    assert noted(tmp_path) == ([], [])
    assert list(tmp_path.iterdir()) == []
    gone = RunEntry("gone", 2**22 + 1, "/c", "1", "")  # above the largest pid of Linux
    here = RunEntry("here", os.getpid(), "/c", "2", "")
    for entry in (gone, here):
        register(entry, tmp_path)
    assert noted(tmp_path) == ([here], [gone])
    assert len(list(runs_folder(tmp_path).iterdir())) == 2
