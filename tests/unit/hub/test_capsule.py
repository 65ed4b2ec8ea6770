import contextlib
import errno
import os
import shutil
import stat
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import msgspec
import pytest

from console.cli import known_names
from engine.hub.capsule import Capsule
from engine.hub.fold import Second
from engine.hub.logbook import Logbook
from engine.hub.telemetry import Telemetry
from engine.protocol.command import Reply, SetPlayers
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.feed import FaultView, Notice, OutageView
from engine.protocol.policy import PolicyChange
from engine.protocol.scenario import PolicyStep, Scenario
from engine.protocol.scenario_file import read_scenario
from engine.protocol.spec import PolicySource
from tests.unit.hub.fakes import run_spec


def test_what_stands_in_it_from_the_start(tmp_path: Path) -> None:
    capsule = Capsule.create(run_spec(tmp_path))
    assert stat.S_IMODE(capsule.path.stat().st_mode) == 0o700
    assert {path.name for path in capsule.path.iterdir()} == {
        "manifest.json",
        "scenario.toml",
        "token",
    }
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in capsule.path.iterdir())
    manifest = msgspec.json.decode((capsule.path / "manifest.json").read_bytes())
    assert (manifest["run"], manifest["seed"], manifest["format"]) == ("r1", 7, 1)
    assert manifest["epoch_ms"] == capsule.epoch_ms
    assert tomllib.loads((capsule.path / "scenario.toml").read_text())["seed"] == 7
    assert capsule.secret not in b"".join(path.read_bytes() for path in capsule.path.iterdir())


def test_the_scenario_is_kept_as_it_was_written(tmp_path: Path) -> None:
    capsule = Capsule.create(run_spec(tmp_path, scenario_text="# mine\nformat = 1\n"))
    assert (capsule.path / "scenario.toml").read_text() == "# mine\nformat = 1\n"


def test_a_scenario_with_policies_is_kept_so_that_it_runs_again(tmp_path: Path) -> None:
    for name in ("mine", "given"):
        (tmp_path / f"{name}.py").write_text(f"# {name}")
    steps = (
        PolicyStep(PolicyChange("speed", enabled=False)),
        PolicyStep(PolicyChange("mine", priority=3), str(tmp_path / "mine.py")),
    )
    text = "# mine\nformat = 1\n[[policy]]\nname = 'mine'\nfile = 'mine.py'\n"
    scenario = Scenario(warm_up_s=0.0, players=10, policies=steps)
    source = PolicySource(str(tmp_path / "given.py"))
    spec = run_spec(tmp_path, scenario=scenario, scenario_text=text, policies=(source,))
    capsule = Capsule.create(spec)
    (tmp_path / "mine.py").unlink()
    again, _ = read_scenario(capsule.path / "scenario.toml", known_names())
    speed, mine = again.policies
    assert (speed, mine.change) == (steps[0], steps[1].change)
    assert Path(mine.file).parent == capsule.path / "policies"
    assert Path(mine.file).read_text() == "# mine"
    other = Capsule.create(run_spec(tmp_path, "r2", scenario=again))
    assert other.policies[0].blake3 == capsule.policies[0].blake3


@pytest.mark.parametrize(
    "problem", [ValueError("embedded null byte"), UnicodeEncodeError("utf-8", "x", 0, 1, "no")]
)
def test_no_half_of_a_capsule_stays_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def fails(_: Any) -> None:
        raise problem

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(type(problem)):
        Capsule.create(run_spec(tmp_path))
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_policy_that_is_no_file_is_told_with_its_field(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    source = PolicySource(str(tmp_path / "pipe.py"), "mine")
    with pytest.raises(
        UserError, match=r"^policy 'mine': file: .*/pipe\.py: .*a named pipe"
    ) as told:
        Capsule.create(run_spec(tmp_path, policies=(source,)))
    assert told.value.exit_code == ExitCode.USAGE
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("run", ["../r", "", "a/b", ".hidden", "x" * 200, "r\n"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, run: str) -> None:
    with pytest.raises(UserError, match="run name"):
        Capsule.create(run_spec(tmp_path, run))


def _full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_is_full_is_told_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(UserError, match=r"No space left.*--runs-dir") as caught:
        Capsule.create(run_spec(tmp_path))
    assert caught.value.exit_code == ExitCode.USAGE
    assert list((tmp_path / "runs").iterdir()) == []


def test_too_little_space_is_told_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=5 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match="5 MB are free"):
        Capsule.create(run_spec(tmp_path))
    assert list((tmp_path / "runs").iterdir()) == []


def _second(at_s: int) -> Second:
    return Second(at_s, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)


def test_telemetry_keeps_seconds_faults_commands_and_notes(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    telemetry = Telemetry(path, pytest.fail)
    telemetry.second(_second(0))
    telemetry.second(_second(1))
    telemetry.command(1.5, 3, SetPlayers(9), Reply(ok=True, text="9 players"))
    telemetry.note(Notice(1.6, "mark", "here"))
    fault = FaultView("f1", "disconnect-storm", "all players", 1.0, 5.0)
    telemetry.fault(fault)
    telemetry.flush()
    telemetry.fault(msgspec.structs.replace(fault, affected=7, cleared_at_s=6.0, detected_at_s=1.5))
    kill = FaultView("f2", "kill", "the world", 2.0, 0.0, side="server", down_s=0.4)
    telemetry.fault(kill)
    telemetry.outage(OutageView("world", 2.0, "signal 9"))
    telemetry.outage(OutageView("world", 2.0, "signal 9", 2.4))
    telemetry.close()
    reader = apsw.Connection(str(path))
    assert reader.execute("SELECT count(*), max(at_s) FROM seconds").fetchall() == [(2, 1)]
    faults = reader.execute(
        "SELECT affected, cleared_at_s, detected_at_s, side, down_s FROM faults"
    )
    assert faults.fetchall() == [(7, 6.0, 1.5, "players", None), (0, None, None, "server", 0.4)]
    outages = reader.execute("SELECT * FROM outages").fetchall()
    assert outages == [("world", 2.0, "signal 9", 2.4)]
    ((command,),) = reader.execute("SELECT command FROM commands").fetchall()
    assert msgspec.json.decode(command) == {"type": "set_players", "players": 9}
    assert reader.execute("SELECT text FROM notes").fetchall() == [("here",)]
    reader.close()


def test_telemetry_that_cannot_be_written_ends_once_and_quietly(tmp_path: Path) -> None:
    told: list[str] = []
    telemetry = Telemetry(tmp_path / "telemetry.db", told.append)
    telemetry.second(_second(0))
    telemetry.second(_second(0))
    telemetry.flush()
    telemetry.second(_second(1))
    telemetry.flush()
    telemetry.close()
    assert len(told) == 1
    assert "telemetry.db" in told[0]


def test_the_log_is_json_lines_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.hub.logbook.LOG_BYTES_MAX", 1000)
    logbook = Logbook(tmp_path / "engine.log")
    for number in range(100):
        logbook.write("child", line=f"\x1b {number}\n")
    logbook.close()
    lines = (tmp_path / "engine.log").read_bytes().splitlines()
    entries = [msgspec.json.decode(line) for line in lines]
    assert entries[0]["line"] == "\x1b 0\n"
    assert "full" in entries[-1]["event"]
    assert len(entries) < 20


def test_a_file_that_cannot_be_written_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capsule = Capsule.create(run_spec(tmp_path))
    before = sorted(path.name for path in capsule.path.iterdir())
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(OSError, match="No space left"):
        capsule.write_ports({"admin": 1})
    assert sorted(path.name for path in capsule.path.iterdir()) == before


def test_a_runs_folder_that_is_a_file_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(UserError, match="runs is not a folder; name a folder"):
        Capsule.create(run_spec(tmp_path))


def test_a_log_on_a_full_disk_can_be_closed() -> None:
    logbook = Logbook(None)
    with contextlib.suppress(OSError), Path("/dev/full").open("w", buffering=1024) as file:
        logbook._file = file
        logbook.write("held back until it is closed")
        logbook.close()
        assert file.closed
