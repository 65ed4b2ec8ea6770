"""How the console leaves: signals, an engine that was killed, options that are wrong."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from console.terminal import ALT_SCREEN, MAIN_SCREEN
from engine.link.places import RunEntry, running
from tests.integration.cli_kit import QUICK
from tests.terminal.pty_screen import PATIENCE_S, PtyScreen

pytestmark = pytest.mark.terminal


def _run(tmp_path: Path) -> PtyScreen:
    (tmp_path / "quick.toml").write_text(QUICK)
    words = ["run", "quick.toml", "--port-base", "0", "--runs-dir", str(tmp_path / "runs")]
    return PtyScreen(words, 120, 40, tmp_path)


def _engine() -> RunEntry:
    (entry,) = running()
    return entry


def _told(pty: PtyScreen) -> str:
    """Return the screen in one piece: the emulator has one screen, so a line may wrap."""
    return "".join(pty.screen.display)


def test_sigterm_leaves_a_run_that_was_attached_to_and_stops_the_one_started_here(tmp_path: Path):
    with _run(tmp_path) as first:
        first.wait_for("10/10")
        run = _engine().run
        with PtyScreen(["attach"], 120, 40, tmp_path) as second:
            second.wait_for("10/10")
            second.process.kill(signal.SIGTERM)
            assert second.wait_exit() == 0
            assert f"the run goes on: seedstorm attach {run}" in _told(second)
        assert _engine().run == run
        first.press("2")
        first.wait_for("10/10")
        first.process.kill(signal.SIGTERM)
        assert first.wait_exit() in (0, 4)
        assert "10 connected of 10" in _told(first)


def test_an_engine_that_was_killed_is_told_with_its_log(tmp_path: Path):
    with _run(tmp_path) as pty:
        pty.wait_for("10/10")
        entry = _engine()
        os.kill(entry.pid, signal.SIGKILL)
        pty.wait_for("The link to the engine is gone", "it was killed (SIGKILL)", "engine.log")
        pty.press("q")
        assert pty.wait_exit() == 6
        assert "Errno" not in _told(pty)
        assert _told(pty).count("the engine is gone: it was killed (SIGKILL)") == 1
    assert running() == []


@pytest.mark.parametrize(
    ("words", "keys", "said"),
    [(["--theme", "pink"], "", "--theme: found 'pink'"), ([], "[keys]\nnosuch = 'a'\n", "nosuch")],
    ids=["theme", "keys"],
)
def test_what_is_wrong_is_told_on_the_users_own_screen(
    tmp_path: Path, words: list[str], keys: str, said: str
):
    folder = tmp_path / "seedstorm"
    folder.mkdir()
    (folder / "keys.toml").write_text(keys)
    (tmp_path / "quick.toml").write_text(QUICK)
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "console", "run", "quick.toml", "--port-base", "0", *words],
        env={
            **os.environ,
            "TERM": "xterm-256color",
            "XDG_CONFIG_HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path),
        },
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        code = process.wait(PATIENCE_S)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert code == 2
    assert said in shown
    if ALT_SCREEN in shown:
        assert shown.index(MAIN_SCREEN) < shown.index("seedstorm: "), shown
    assert not words or ALT_SCREEN not in shown, "it was drawn before the options were checked"
