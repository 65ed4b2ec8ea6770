"""stdin, stdout and stderr as shells hand them over: closed, full, or left by their reader."""

from pathlib import Path

import pytest

from engine.link.places import running
from tests.integration.cli_kit import in_shell

pytestmark = pytest.mark.integration

RUN = "$S run quick.toml --headless --port-base 0 --duration 2s"


@pytest.mark.parametrize(
    "closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"], ids=["in", "out", "err", "all"]
)
def test_a_run_goes_well_with_streams_closed(tmp_path: Path, closed: str):
    result = in_shell(tmp_path, f"{RUN.replace(' --headless', '')} {closed}")
    assert result.returncode in (0, 4), result.stderr
    assert "fault of our own" not in result.stderr
    (capsule,) = (tmp_path / "seedstorm" / "runs").iterdir()
    assert (capsule / "summary.json").stat().st_size > 0
    if "2>" in closed:
        assert "players 10/10" not in result.stdout, "progress went to stdout"


def test_json_for_a_closed_stdout_is_refused_before_the_run(tmp_path: Path):
    result = in_shell(tmp_path, f"{RUN} --json - >&-")
    assert (result.returncode, result.stderr.strip()) == (
        2,
        "seedstorm: --json: -: stdout is closed; name a file",
    )


@pytest.mark.parametrize("command", ["--help", "--version", "list", "scenario validate quick.toml"])
def test_a_stdout_that_is_full_is_told_and_no_fault_of_ours(tmp_path: Path, command: str):
    result = in_shell(tmp_path, f"$S {command} > /dev/full")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "seedstorm: stdout cannot be written: No space left on device"
    ]


def test_a_runs_output_that_cannot_be_written_is_told(tmp_path: Path):
    result = in_shell(tmp_path, f"{RUN} > /dev/full")
    assert result.returncode == 2
    assert "stdout cannot be written: No space left on device" in result.stderr.splitlines()[-1]
    result = in_shell(tmp_path, f"{RUN} --json /dev/full")
    assert result.returncode == 2
    last = result.stderr.splitlines()[-1]
    assert last == "seedstorm: --json: /dev/full: cannot be written: No space left on device"


def test_progress_that_cannot_be_written_ends_nothing(tmp_path: Path):
    result = in_shell(tmp_path, f"{RUN} 2> /dev/full")
    assert result.returncode in (0, 4)
    assert "players    10 connected of 10" in result.stdout


def test_a_reader_that_leaves_ends_the_run_in_order_and_quietly(tmp_path: Path):
    line = f"{RUN.replace('2s', '10m')} 2>&1 | head -1; exit ${{PIPESTATUS[0]}}"
    result = in_shell(tmp_path, line)
    assert result.returncode in (0, 4)
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 1
    assert running() == []
    (capsule,) = (tmp_path / "seedstorm" / "runs").iterdir()
    assert (capsule / "summary.json").stat().st_size > 0


def test_help_that_is_cut_short_is_no_failure(tmp_path: Path):
    # A reader that is gone before the first byte: what `head` does, without its luck.
    result = in_shell(tmp_path, "{ sleep 0.1; $S --help; echo $? >&2; } | :")
    assert result.stderr.strip() == "0"


def test_a_threshold_that_failed_is_named_beside_the_json(tmp_path: Path):
    result = in_shell(tmp_path, f"{RUN} --json s.json --threshold 'players.connected_max > 10'")
    assert result.returncode in (1, 4), result.stderr
    *_, verdict, reason = result.stderr.splitlines()
    assert verdict.endswith((": FAILED", ": INVALID"))
    assert "players.connected_max > 10" in reason
    assert result.stdout == ""
