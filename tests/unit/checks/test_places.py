"""What a run holds: ports, files, disk, sockets, and what dead ones left."""

import os
import tempfile
from pathlib import Path

import pytest

from console.checks import disk, files, runs, sockets
from console.checks._read import user_name
from console.checks.base import Asked, named_size
from engine.link.places import RunEntry, noted, register, runs_folder

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("size", "said"), [(12, "12 bytes"), (2500, "2.5 kB"), (64e6, "64.0 MB"), (3e9, "3.0 GB")]
)
def test_sizes_for_people(size: float, said: str) -> None:
    assert named_size(size) == said


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
    assert ("in this shell: ulimit -n" in found.cure) == (status != "ok")


@pytest.mark.parametrize(
    ("uid", "user", "may_raise", "now", "line"),
    [
        (0, "root", True, "ulimit -n 1064", "'root hard nofile 1064'"),
        (1000, "ann", False, "sudo prlimit --pid $$ --nofile=1064", "'ann hard nofile 1064'"),
        (54_321, "54321", False, "sudo prlimit --pid $$ --nofile=1064", "':54321 hard nofile "),
    ],
)
def test_the_file_limit_is_raised_for_whoever_asks(
    uid: int, user: str, may_raise: bool, now: str, line: str
) -> None:
    (found,) = files.judge(files.Seen(64, 64, uid, user, may_raise))
    assert f"in this shell: {now};" in found.cure
    assert line in found.cure
    assert (files.read(Asked(None)).uid, files.read(Asked(None)).user) == (
        os.getuid(),
        user_name(),
    )


def test_a_root_that_may_not_raise_the_limit_is_told_who_may() -> None:
    (found,) = files.judge(files.Seen(64, 64, 0, "root", may_raise=False))
    assert "ulimit -n" not in found.cure
    assert "a container: --ulimit nofile=1064; a service: LimitNOFILE=1064" in found.cure


@pytest.mark.parametrize(
    ("status", "may"),
    [
        ("CapPrm:\tff\nCapEff:\t000001ffffffffff\n", True),
        ("CapEff:\t0000000001000000\n", True),
        ("CapEff:\t00000000a80425fb\n", False),  # a container of Docker's
        ("CapEff:\t0000000000000000\n", False),
        ("", False),
    ],
)
def test_who_may_raise_limits(status: str, may: bool) -> None:
    assert files.may_raise_limits(status) is may


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
        ({"runs_dir": ""}, "runs folder", "fail", "neither XDG_STATE_HOME nor HOME is set"),
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


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({"shared_free_bytes": None}, "mkdir -p /dev/shm && mount -t tmpfs "),
        ({"shared_problem": "Read-only file system"}, "mount -o remount,rw,size=320m /dev/shm"),
        ({"shared_free_bytes": 1_000_000}, "mount -o remount,size=320m /dev/shm"),
    ],
)
def test_shared_memory_grows_and_hides_nothing(changes: dict[str, object], cure: str) -> None:
    seen = seen_disk(shared_bytes=64 * 1024**2, **changes)
    (found,) = [one for one in disk.judge(seen) if one.name == "shared memory"]
    assert f"as root: {cure}" in found.cure


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


def test_what_is_to_be_removed_says_how_much_of_it_that_is() -> None:
    memory = tuple((f"/dev/shm/seedstorm-{number}-x", 1) for number in range(9))
    (_, found) = runs.judge(runs.Seen(memory=memory))
    assert found.found.startswith("9 blocks of shared memory")
    assert found.cure.startswith("the first 8, then look again: rm /dev/shm/seedstorm-0-x ")
    assert found.cure.endswith("/dev/shm/seedstorm-7-x")


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
