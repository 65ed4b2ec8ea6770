"""Signals to a console without a terminal: which end the run, and which only leave it."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from engine.link.places import running
from tests.integration.cli_kit import RUN, in_shell, started, the_engine
from tests.integration.hub_process import PATIENCE_S, children_of

pytestmark = pytest.mark.integration


def _left(process: "subprocess.Popen[str]", run: str) -> str:
    """Return what a console said that left its run, which goes on."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert f"the run goes on: seedstorm attach {run}" in out
    assert the_engine().run == run
    return out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_one_that_only_attached_leaves_the_run(tmp_path: Path, number: signal.Signals):
    with started(tmp_path, *RUN, until="players 10/10") as first:
        run = the_engine().run
        with started(tmp_path, "attach", until="players 10/10") as second:
            second.send_signal(number)
            assert _left(second, run).startswith("detached")
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        out, err = first.communicate(timeout=PATIENCE_S)
    assert first.returncode in (0, 4), err
    assert "players    10 connected of 10" in out
    assert running() == []


def test_a_terminal_that_closes_leaves_the_run(tmp_path: Path):
    with started(tmp_path, *RUN, until="players 10/10") as process:
        run = the_engine().run
        process.send_signal(signal.SIGHUP)
        assert _left(process, run).startswith("the terminal is gone")
    assert in_shell(tmp_path, "$S stop").returncode == 0
    end_at = time.monotonic() + PATIENCE_S
    while running():  # it has said its last word, and is putting things away
        assert time.monotonic() < end_at, "the engine never ended"
        time.sleep(0.05)


def test_a_terminal_that_closes_ends_a_run_inside_of_its_console(tmp_path: Path):
    with started(tmp_path, *RUN, "--in-process", until="players 10/10") as process:
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (0, 4), err
    assert "players    10 connected of 10" in out


def test_a_second_signal_ends_it_now(tmp_path: Path):
    with started(tmp_path, *RUN, until="players 10/10") as process:
        entry = the_engine()
        process.send_signal(signal.SIGTERM)
        assert process.stderr
        assert any("again to stop now" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (0, 4), err
    # It may have ended between the two.
    assert "stopped at once" in out or f"{entry.run}: " in out
    assert running() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_start_up_leaves_nothing_running(tmp_path: Path, number: signal.Signals):
    with started(tmp_path, *RUN) as process:
        end_at = time.monotonic() + PATIENCE_S
        while not any("engine.hub" in line for line in children_of(process.pid).values()):
            assert time.monotonic() < end_at, "the engine never started"
            time.sleep(0.005)
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (0, 4), err  # 0: it came late, the run had begun and was held
    assert "Traceback" not in err
    assert running() == []
