"""The real program in a real pty: what a person sees and presses."""

import sqlite3
import time
from pathlib import Path

import pytest

from engine.link.places import running
from tests.machine import is_good_end, read_summary
from tests.terminal.pty_screen import PtyScreen

pytestmark = pytest.mark.terminal

QUICK = """
format = 1
warm_up = "0s"
[population]
players = 40
npcs = 40
[[stage]]
executor = "constant-players"
"""


def _run(tmp_path: Path, *more: str) -> list[str]:
    (tmp_path / "quick.toml").write_text(QUICK)
    return ["run", "quick.toml", "--port-base", "0", "--runs-dir", str(tmp_path / "runs"), *more]


def _quit(pty: PtyScreen, tmp_path: Path, key: str = "q") -> None:
    """Quit, and expect the summary of a run that went well."""
    pty.press(key)
    pty.wait_for("Quit?")
    pty.press("\r")
    code = pty.wait_exit()
    (capsule,) = (tmp_path / "runs").iterdir()
    summary = read_summary(capsule)
    assert (code, is_good_end(summary)) == (summary.exit_code, True), summary.reasons


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (200, 60)])
def test_a_run_from_first_paint_to_summary(tmp_path: Path, columns: int, rows: int):
    with PtyScreen(_run(tmp_path), columns, rows, tmp_path) as pty:
        pty.wait_for("40/40")
        pty.press("?")
        pty.wait_for("esc closes")
        pty.press("\x1b")
        pty.wait_gone("esc closes")
        for page in "2345671":
            pty.press(page)
        pty.press("+")
        pty.wait_for("44/44")
        _quit(pty, tmp_path)


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
        _quit(pty, tmp_path)


@pytest.mark.parametrize("exported", [{}, {"COLUMNS": "80", "LINES": "24"}], ids=["", "exported"])
def test_a_tiny_terminal_and_one_that_changes_its_size(tmp_path: Path, exported: dict[str, str]):
    with PtyScreen(_run(tmp_path), 40, 10, tmp_path, exported) as pty:
        pty.wait_for("40/40")
        for columns, rows in ((20, 3), (200, 60), (90, 26)):
            pty.resize(columns, rows)
            pty.read(0.5)
        pty.wait_for("40/40", "Overview")
        _quit(pty, tmp_path, "\x03")


def test_a_terminal_that_nobody_reads_does_not_stop_the_players(tmp_path: Path):
    with PtyScreen(_run(tmp_path), 120, 40, tmp_path) as pty:
        pty.wait_for("40/40")
        unread_from_s = time.monotonic()
        while time.monotonic() < unread_from_s + 10:
            time.sleep(0.5)  # not reading is what this test does
        pty.wait_for("40/40")
        _quit(pty, tmp_path)
    (capsule,) = (tmp_path / "runs").iterdir()
    db = sqlite3.connect(capsule / "telemetry.db")
    rows = db.execute("select at_s, players, commands_per_s from seconds order by at_s").fetchall()
    db.close()
    steady = [row for row in rows if row[1] == 40][2:]
    assert steady[-1][0] - steady[0][0] >= 7
    # 40 commands are due each second. The terminal takes nothing after its first kilobytes: what
    # it stalled would send next to none, and no busy machine loses half of ten seconds.
    assert sum(row[2] for row in steady) > 20 * (steady[-1][0] - steady[0][0])


def test_ctrl_c_during_start_up_leaves_nothing(tmp_path: Path):
    with PtyScreen(_run(tmp_path), 80, 24, tmp_path) as pty:
        pty.wait_for("starting")
        pty.press("\x03")
        assert pty.wait_exit() in (2, 4)
        assert "interrupted" in pty.text
    assert running() == []


def test_no_terminal_gets_plain_lines(tmp_path: Path):
    with PtyScreen(_run(tmp_path, "--headless", "--duration", "3s"), 120, 40, tmp_path) as pty:
        assert pty.wait_exit() in (0, 4)
        assert "players" in pty.text
        assert "\x1b" not in pty.text
