import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.options import run_name
from engine.link.places import (
    RunEntry,
    claimed,
    find_run,
    register,
    running,
    runs_folder,
    socket_path,
    unregister,
)
from engine.protocol.errors import ExitCode, UserError
from tests.machine import shared_memory_name


@pytest.fixture
def base() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ss") as base:
        yield Path(base)


def _entry(run: str, base: Path, pid: int = 0, **changes: str) -> RunEntry:
    return RunEntry(
        run=run,
        pid=pid or os.getpid(),
        capsule="/c",
        started=changes.get("started", "2026-01-01T00:00:00+00:00"),
        socket_path=socket_path(run, base),
        shared_memory=changes.get("shared_memory", ""),
    )


def test_the_folder_is_private(base: Path) -> None:
    folder = runs_folder(base)
    assert folder == base / f"seedstorm-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert runs_folder(base) == folder


def test_a_folder_open_to_others_is_refused_with_the_cure(base: Path) -> None:
    runs_folder(base).chmod(0o755)
    with pytest.raises(UserError, match=r"open to others.*chmod 700") as caught:
        runs_folder(base)
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_folder_of_another_user_is_refused(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.getuid()
    (base / f"seedstorm-{me + 1}").mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    with pytest.raises(UserError, match=f"belongs to user {me}, not to you"):
        runs_folder(base)


def test_a_link_in_place_of_the_folder_is_refused(base: Path) -> None:
    (base / "elsewhere").mkdir(mode=0o700)
    (base / f"seedstorm-{os.getuid()}").symlink_to(base / "elsewhere")
    with pytest.raises(UserError, match="not a folder"):
        runs_folder(base)


def test_a_folder_that_cannot_be_made_is_told(base: Path) -> None:
    (base / "file").touch()
    with pytest.raises(UserError, match="TMPDIR"):
        runs_folder(base / "file")


def test_long_names_get_short_sockets(base: Path) -> None:
    path = socket_path("x" * 90, base)
    assert len(path) <= 100
    assert path != socket_path("x" * 91, base)
    deep = base / ("d" * 80)
    deep.mkdir()
    with pytest.raises(UserError, match="too long for a socket"):
        socket_path("r", deep)


def test_runs_are_listed_oldest_first_and_found_by_name(base: Path) -> None:
    register(_entry("late", base, started="2026-01-02"), base)
    register(_entry("early", base, started="2026-01-01"), base)
    assert [entry.run for entry in running(base)] == ["early", "late"]
    assert find_run("late", base).run == "late"
    with pytest.raises(UserError, match=r"several.*early, late"):
        find_run("", base)
    with pytest.raises(UserError, match="did you mean 'early'"):
        find_run("erly", base)
    unregister(_entry("late", base), base)
    assert find_run("", base).run == "early"
    unregister(_entry("early", base), base)
    with pytest.raises(UserError, match="seedstorm run"):
        find_run("", base)


def test_what_a_dead_engine_left_is_cleared_away(base: Path) -> None:
    gone = 2**22 + 1  # above the largest process number Linux gives out
    memory = Path("/dev/shm", shared_memory_name())
    memory.touch()
    entry = _entry("dead", base, gone, shared_memory=memory.name)
    register(entry, base)
    Path(entry.socket_path).touch()
    assert running(base) == []
    assert list(runs_folder(base).iterdir()) == []
    assert not memory.exists()


def test_only_files_of_the_folder_are_removed(base: Path) -> None:
    precious = base / "precious"
    precious.touch()
    entry = RunEntry("r", 0, "/c", "s", str(precious), str(precious), "../precious")
    unregister(entry, base)
    assert precious.exists()


def test_a_broken_note_is_no_run(base: Path) -> None:
    (runs_folder(base) / "r.json").write_text("{")
    (runs_folder(base) / "s.json").write_text('{"run": "t", "pid": 1, "capsule": ""}')
    assert running(base) == []


def _second(taken: frozenset[str]) -> str:
    return run_name("storm", "20260101-000000", taken)


def test_runs_that_begin_in_the_same_second_get_names_of_their_own(base: Path) -> None:
    folder = runs_folder(base)
    with claimed(_second, base) as one:
        with claimed(_second, base) as other:
            register(_entry(other, base), base)
            assert (one, other) == ("20260101-000000-storm", "20260101-000000-storm-2")
        with claimed(_second, base) as third:
            assert third == "20260101-000000-storm-3", "an engine that runs keeps its name"
    (folder / f"{one}.claim").write_text(str(_dead_pid()))
    (folder / "of-nobody.claim").write_text("what")
    with claimed(_second, base) as again:
        assert again == one, "who died before the start holds no name"
    assert not list(folder.glob("*.claim"))


def test_the_name_or_the_socket_of_a_living_engine_is_refused_and_left_alone(base: Path) -> None:
    other = _entry("one", base, pid=os.getppid())
    register(other, base)
    Path(other.socket_path).touch()
    with pytest.raises(UserError, match=rf"engine one \(pid {os.getppid()}.*is running"):
        register(_entry("one", base), base)
    mine = RunEntry("two", os.getpid(), "/d", "2026", socket_path=other.socket_path)
    with pytest.raises(UserError, match=r"has .*one\.sock; start this run by another name"):
        register(mine, base)
    assert running(base) == [other]
    assert Path(other.socket_path).exists()


def test_the_name_of_a_dead_engine_is_taken_over(base: Path) -> None:
    dead = _entry("one", base, pid=_dead_pid())
    register(dead, base)
    Path(dead.socket_path).touch()
    register(_entry("one", base), base)
    assert running(base) == [_entry("one", base)]
    assert not Path(dead.socket_path).exists()


def _dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid
