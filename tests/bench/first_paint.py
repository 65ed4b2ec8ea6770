"""From typing the command to the first painted frame."""

import tempfile
import time
from pathlib import Path

from tests.bench.base import Bench, Figure, at_most, median, told
from tests.terminal.pty_screen import PtyScreen

RUNS = 5


def _once() -> float:
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        arguments = ["run", "--players", "10", "--port-base", "0", "--runs-dir", f"{folder}/runs"]
        begun = time.perf_counter()
        with PtyScreen(arguments, 120, 40, Path(folder)) as pty:
            while "starting" not in pty.text and "ramping" not in pty.text:
                assert pty.read(0.005), pty.text
            painted_s = time.perf_counter() - begun
            pty.wait_for("10/10")
            pty.press("q")
            pty.wait_for("Quit?")
            pty.press("\r")
            pty.wait_exit()
    return painted_s


def _run() -> dict[str, Figure]:
    times_s = [_once() for _ in range(RUNS)]
    return {
        "first_paint_s": at_most(median(times_s), 0.35, "s"),
        "first_paint_s_min": told(min(times_s), "s"),
    }


BENCH = Bench("first_paint", _run)
