"""The real program in a real pty: what a person sees and presses."""

from pathlib import Path

import pytest

from tests.terminal.pty_screen import PtyScreen

pytestmark = pytest.mark.terminal

SMALL = ["run", "--players", "40", "--port-base", "0"]


def _run(tmp_path: Path, *more: str) -> list[str]:
    return [*SMALL, "--runs-dir", str(tmp_path / "runs"), *more]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (200, 60)])
def test_a_run_from_first_paint_to_summary(tmp_path: Path, columns: int, rows: int):
    with PtyScreen(_run(tmp_path), columns, rows, tmp_path) as pty:
        pty.wait_for("40/40")
        pty.press("?")
        pty.wait_for("fault menu")
        pty.press("\x1b")
        pty.wait_gone("fault menu")
        for page in "234561":
            pty.press(page)
        pty.press("+")
        pty.wait_for("44/44")
        pty.press("q")
        pty.wait_for("quit")
        pty.press("y")
        assert pty.wait_exit() == 0
    (capsule,) = (tmp_path / "runs").iterdir()
    assert (capsule / "summary.json").is_file()


def test_a_third_of_the_players_drop_and_come_back(tmp_path: Path):
    with PtyScreen(_run(tmp_path), 120, 40, tmp_path) as pty:
        pty.wait_for("40/40")
        pty.press("!")
        pty.wait_for("disconnect-storm")
        pty.press("d")
        pty.press("\r")
        pty.wait_for("28/40")
        pty.press("U")
        pty.wait_for("40/40")
        pty.press("q")
        pty.wait_for("quit")
        pty.press("y")
        assert pty.wait_exit() == 0


def test_a_tiny_terminal_and_one_that_changes_its_size(tmp_path: Path):
    with PtyScreen(_run(tmp_path), 40, 10, tmp_path) as pty:
        pty.wait_for("40/40")
        for columns, rows in ((20, 3), (200, 60), (80, 24)):
            pty.resize(columns, rows)
            pty.read(0.5)
        pty.wait_for("40/40", "Overview")
        pty.press("\x03")
        pty.wait_for("quit")
        pty.press("y")
        assert pty.wait_exit() == 0


def test_ctrl_c_during_start_up_leaves_nothing(tmp_path: Path):
    with PtyScreen(_run(tmp_path), 80, 24, tmp_path) as pty:
        pty.press("\x03")
        pty.press("\x03")
        pty.press("y")
        assert pty.wait_exit() in (0, 2, 4)


def test_no_terminal_gets_plain_lines(tmp_path: Path):
    with PtyScreen(_run(tmp_path, "--headless", "--duration", "3s"), 120, 40, tmp_path) as pty:
        assert pty.wait_exit() in (0, 4)
        assert "players" in pty.text
        assert "\x1b" not in pty.text
