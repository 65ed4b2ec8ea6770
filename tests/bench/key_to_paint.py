"""From a key to the first byte of what it changes, on a live console of 120x40."""

import tempfile
import time
from pathlib import Path

from tests.bench.base import Bench, Figure, at_most, percentile
from tests.terminal.pty_screen import PtyScreen

KEYS = 200


def _run() -> dict[str, Figure]:
    times_ms = []
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        arguments = ["run", "--players", "50", "--port-base", "0", "--runs-dir", f"{folder}/runs"]
        with PtyScreen(arguments, 120, 40, Path(folder)) as pty:
            pty.wait_for("50/50")
            pty.press("2 ")  # the entities, and the view frozen: what is painted is the key's
            pty.wait_for("FROZEN")
            for number in range(KEYS):
                while pty.read(0.05) and pty.read_last:
                    pass  # what an earlier key or the clock painted is not this key's
                begun = time.perf_counter()
                pty.press("k" if number % 2 else "j")
                while not pty.read(1.0) or not pty.read_last:
                    pass
                times_ms.append((time.perf_counter() - begun) * 1000)
            pty.press(" ")
            pty.press("q")
            pty.wait_for("Quit?")
            pty.press("\r")
            pty.wait_exit()
    return {
        "row_ms_p50": at_most(percentile(times_ms, 50), 3, "ms"),
        "row_ms_p99": at_most(percentile(times_ms, 99), 15, "ms"),
    }


BENCH = Bench("key_to_paint", _run)
