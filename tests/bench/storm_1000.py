"""1,000 players for 60 s after the warm-up, the console on, in a pty of 160x45."""

import sqlite3
import tempfile
import time
from pathlib import Path

import msgspec

from engine.protocol.summary import Summary
from tests.bench.base import Bench, Figure, at_least, at_most, told
from tests.terminal.pty_screen import PtyScreen

WARM_UP_S = 20.0
MEASURED_S = 60.0


def run_storm(folder: Path, seconds: float, stall_s: tuple[float, float] | None = None) -> Path:
    """Run 1,000 players in a pty and return the capsule.

    Args:
        folder: For everything the run writes.
        seconds: How long to run before quitting.
        stall_s: When to stop reading the terminal, and for how long; None reads always.
    """
    arguments = ["run", "--players", "1000", "--port-base", "0", "--runs-dir", str(folder / "runs")]
    with PtyScreen(arguments, 160, 45, folder) as pty:
        pty.wait_for("1,000/1,000")
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            if stall_s is not None and stall_s[0] <= passed < stall_s[0] + stall_s[1]:
                time.sleep(stall_s[0] + stall_s[1] - passed)
            pty.read(0.05)
        pty.press("q")
        pty.wait_for("Quit?")
        pty.press("\r")
        code = pty.wait_exit()
    (capsule,) = (folder / "runs").iterdir()
    assert code in (0, 4), f"exit code {code}"
    return capsule


def read_summary(capsule: Path) -> Summary:
    """Return a capsule's summary."""
    return msgspec.json.decode((capsule / "summary.json").read_bytes(), type=Summary)


def series(capsule: Path, column: str) -> list[tuple[int, float]]:
    """Return (second, value) pairs of a column of ``telemetry.db``."""
    with sqlite3.connect(capsule / "telemetry.db") as db:
        rows = db.execute(f"select at_s, {column} from seconds order by at_s").fetchall()
    db.close()
    return [(int(at_s), float(value)) for at_s, value in rows]


def _run() -> dict[str, Figure]:
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        summary = read_summary(run_storm(Path(folder), WARM_UP_S + MEASURED_S))
    assert summary.tick is not msgspec.UNSET
    assert summary.console is not msgspec.UNSET
    generator, console = summary.generator, summary.console
    return {
        "connected": at_least(summary.players.connected_max, 1000, "players"),
        "overruns": at_most(summary.tick.overruns, 0, "ticks"),
        "tick_ms_p50": told(summary.tick.ms.p50, "ms"),
        "tick_ms_p99": at_most(summary.tick.ms.p99, 40, "ms"),
        "latency_ms_p50": told(summary.latency_ms.p50, "ms"),
        "latency_ms_p99": at_most(summary.latency_ms.p99, 140, "ms"),
        "unanswered": at_most(summary.commands.unanswered, 0, "commands"),
        "send_lateness_ms_p99": at_most(generator.send_lateness_ms_p99, 5, "ms"),
        "generator_cpu_pct": told(generator.cpu_pct, "% of a core"),
        "console_cpu_pct": at_most(console.cpu_pct, 3, "% of a core"),
        "console_kb_per_s": at_most(console.bytes_per_s / 1000, 25, "KB/s"),
    }


BENCH = Bench("storm_1000", _run)
