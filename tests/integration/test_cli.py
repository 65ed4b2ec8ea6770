"""The program as scripts use it: exit codes, one clear line, nothing left running."""

import json
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.link.places import running
from tests.integration.cli_kit import QUICK, command_of
from tests.integration.hub_process import children_of
from tests.machine import ports_of_a_base

pytestmark = pytest.mark.integration

PATIENCE_S = 60.0
Storm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def storm(tmp_path: Path) -> Storm:
    """Run ``seedstorm`` to its end, in a folder that holds ``quick.toml``."""
    (tmp_path / "quick.toml").write_text(QUICK)

    def run(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
        command, env = command_of(tmp_path, *words)
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # options of subprocess.run
            command,
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
            **more,
        )

    return run


def _said(result: subprocess.CompletedProcess[str]) -> str:
    """Return the only line on stderr."""
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_headless_prints_the_contracts_summary(storm: Storm, tmp_path: Path):
    result = storm(
        *("run", "quick.toml", "--headless", "--duration", "4s", "--port-base", "0"),
        *("--json", "-", "--threshold", "commands.unanswered == 0"),
    )
    summary = json.loads(result.stdout)
    assert result.returncode in (0, 4), result.stderr
    assert result.returncode == summary["exit_code"]
    assert summary["players"]["connected_max"] == 10
    assert summary["commands"]["acknowledged"] > 0
    assert summary["commands"]["due"] >= summary["commands"]["acknowledged"]
    assert summary["tick"]["count"] > 0
    assert summary["latency_ms"]["count"] > 0
    assert set(summary["latency_ms"]["by_command"]) <= {
        *("move", "attack", "gather", "trade", "say", "rest"),
    }
    assert "players 10/10" in result.stderr
    (capsule,) = (tmp_path / "seedstorm" / "runs").iterdir()
    assert {path.name for path in capsule.iterdir()} >= {
        *("manifest.json", "scenario.toml", "ports.json", "events.db", "telemetry.db"),
        *("summary.json", "engine.log", "token"),
    }
    assert (capsule.stat().st_mode & 0o777, (capsule / "token").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )
    assert json.loads((capsule / "summary.json").read_text()) == summary


def test_a_failed_threshold_exits_with_1_and_text_for_people(storm: Storm):
    result = storm(
        *("run", "quick.toml", "--headless", "--duration", "3s", "--port-base", "0"),
        *("--threshold", "players.connected_max > 10"),
    )
    assert result.returncode in (1, 4), result.stderr
    assert "players.connected_max" in result.stdout
    assert "players    10 connected of 10" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--plyers", "3"], "--players"),
        (["run", "--plyers", "3"], "(see: seedstorm run --help)"),
        (["run", "--seed", "1000000000", "--players", "1000000000"], "found 1000000000; allowed"),
        (["run", "--seed", "-1"], "allowed is 0 to 9223372036854775807"),
        (["run", "--runs-dir", ""], "--runs-dir: found ''"),
        (["check", "--runs-dir", " "], "--runs-dir: found ' '"),
        (["run", "--theme", "pink", "--headless"], "--theme: found 'pink'; allowed: dark, light"),
        (["attach", "--theme", "drak"], "did you mean 'dark'?"),
        (["run", "--unattended-max", "0s"], "--unattended-max: found 0s; allowed is 1s or more"),
        (["run", "--players", "many"], "--players"),
        (["run", "--players", "-1"], "--players: found -1; allowed is 0 to 100000"),
        (["run", "--players", "5", "--players-max", "3"], "--players-max: found 3"),
        (["run", "--duration", "soon"], "--duration: found 'soon'"),
        (["run", "--duration", "0s"], "--duration: found 0s"),
        (["run", "--port-base", "80"], "--port-base: found 80"),
        (["run", "--hz", "1000"], "--hz: found 1000"),
        (["run", "--on-disconnect", "panic"], "--on-disconnect: found 'panic'"),
        (["run", "--threshold", "latency"], "--threshold"),
        (["run", "--threshold", "latency_ms.p98 < 3"], "latency_ms.p98"),
        (["run", "--headless", "--json", "/nowhere/x.json"], "--json: /nowhere/x.json"),
        (["run", "missing.toml"], "missing.toml: cannot be read"),
        (["run", "."], "cannot be read"),
        (["scenario", "validate", "missing.toml"], "missing.toml: cannot be read"),
        (["attach", "nosuch"], "no engine"),
        (["stop"], "no engine"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(storm: Storm, words: list[str], said: str):
    result = storm(*words)
    assert result.returncode == 2
    assert said in _said(result)


def test_a_broken_scenario_names_its_field(storm: Storm, tmp_path: Path):
    (tmp_path / "s.toml").write_text('format = 1\n[[fault]]\nname = "disconect-storm"\nat = "1s"\n')
    result = storm("run", "s.toml")
    assert result.returncode == 2
    assert "fault[0].name" in _said(result)
    assert "did you mean 'disconnect-storm'?" in result.stderr


def test_a_port_in_use_is_named_with_the_flag(storm: Storm):
    with ports_of_a_base(2) as base:
        result = storm(
            *("run", "--headless", "--duration", "3s", "--players", "1"),
            *("--port-base", str(base)),
        )
    assert result.returncode == 2
    assert str(base + 2) in _said(result)
    assert "--port-base" in result.stderr


def test_a_runs_folder_that_cannot_be_written(storm: Storm, tmp_path: Path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", Path("/proc/runs")):
        result = storm("run", "--headless", "--duration", "3s", "--runs-dir", str(folder))
        assert result.returncode == 2, result.stderr
        assert str(folder) in _said(result)
        assert "exists already" not in result.stderr


def test_too_few_open_files_are_told_with_the_cure(storm: Storm):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    result = storm(
        *("run", "--headless", "--duration", "5s", "--players", "2000", "--port-base", "0"),
        preexec_fn=limit,
    )
    assert result.returncode == 2, result.stderr
    assert "ulimit -n" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_called_engine_is_not_imported(storm: Storm, tmp_path: Path):
    for name in ("engine", "console"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('imported the wrong one')")
    result = storm("run", "quick.toml", "--headless", "--duration", "2s", "--port-base", "0")
    assert result.returncode in (0, 4), result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_in_order_with_a_summary(tmp_path: Path, number: signal.Signals):
    (tmp_path / "quick.toml").write_text(QUICK)
    command, env = command_of(
        tmp_path, "run", "quick.toml", "--headless", "--port-base", "0", "--json", "-"
    )
    with subprocess.Popen(
        command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if "players 10/10" in line:
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (0, 4), err
    assert json.loads(out)["players"]["connected_max"] == 10


def _await_descendant(pid: int, module: str) -> None:
    """Return when a child of the program, or a child's child, runs ``module``."""
    end_at = time.monotonic() + PATIENCE_S
    while True:
        children = children_of(pid)
        for child in list(children):
            children |= children_of(child)
        if any(module in line for line in children.values()):
            return
        assert time.monotonic() < end_at, f"never started {module}"
        time.sleep(0.005)


@pytest.mark.parametrize("moment", ["at once", "engine.hub", "engine.server"])
def test_ctrl_c_during_start_up_leaves_nothing_running(tmp_path: Path, moment: str):
    command, env = command_of(tmp_path, "run", "--headless", "--players", "5", "--port-base", "0")
    with subprocess.Popen(
        command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if moment != "at once":
            _await_descendant(process.pid, moment)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    # At once, the interpreter itself was still starting; late, the run had begun and was held.
    early = moment == "at once"
    assert process.returncode in ((-signal.SIGINT, 1, 4) if early else (0, 4)), err
    assert early or "Traceback" not in err
    assert running() == []


def test_two_runs_at_once_and_the_second_is_listed_and_stopped(storm: Storm, tmp_path: Path):
    words = ("run", "quick.toml", "--headless", "--port-base", "0", "--json", "-")
    command, env = command_of(tmp_path, *words)
    with subprocess.Popen(
        command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stderr
        for line in first.stderr:
            if "players 10/10" in line:
                break
        second = storm(*words, "--duration", "4s")
        assert second.returncode in (0, 4), second.stderr
        (entry,) = running()
        assert entry.run in storm("list").stdout
        assert storm("stop").returncode == 0
        out, err = first.communicate(timeout=PATIENCE_S)
    assert json.loads(out)["run"] == entry.run, err
    assert running() == []


def test_a_reader_that_leaves_does_not_hurt(tmp_path: Path):
    command, env = command_of(
        tmp_path, "run", "--headless", "--players", "3", "--port-base", "0", "--duration", "1s"
    )
    with subprocess.Popen(
        command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait(PATIENCE_S) in (0, 4)
    assert running() == []


def test_everything_in_one_process(storm: Storm):
    result = storm(
        *("run", "quick.toml", "--headless", "--in-process", "--duration", "3s"),
        *("--port-base", "0", "--json", "-"),
    )
    assert result.returncode in (0, 4), result.stderr
    assert json.loads(result.stdout)["players"]["connected_max"] == 10
