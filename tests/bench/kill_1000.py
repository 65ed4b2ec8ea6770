"""The world of 1,000 players killed in the middle of a run, three times."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from engine.protocol.summary import FaultSummary, Summary
from tests.bench.base import Bench, Figure, at_least, at_most, median

SCENARIO = """
format = 1
name = "kills"
[population]
players = 1000
[[fault]]
name = "kill"
at = "25s"
[[fault]]
name = "kill"
at = "40s"
[[fault]]
name = "kill"
at = "55s"
"""
DURATION_S = 70


def _storm(folder: Path) -> Summary:
    scenario = folder / "kills.toml"
    scenario.write_text(SCENARIO)
    told = folder / "summary.json"
    subprocess.run(
        [
            *(sys.executable, "-P", "-m", "console", "run", str(scenario), "--headless"),
            *("--duration", f"{DURATION_S}s", "--port-base", "0", "--json", str(told)),
            *("--runs-dir", str(folder / "runs")),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return msgspec.convert(json.loads(told.read_bytes()), Summary)


def _worst(faults: list[FaultSummary], name: str) -> float:
    """Return the worst of a figure; a fault that lacks it was never recovered from."""
    values = [getattr(fault, name) for fault in faults]
    return max(float("inf") if value is None else value for value in values)


def _run() -> dict[str, Figure]:
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        summary = _storm(Path(folder))
    faults = summary.faults
    return {
        "affected": at_least(min(fault.affected for fault in faults), 1000, "players"),
        "down_s_median": at_most(median([fault.down_s or 0.0 for fault in faults]), 2, "s"),
        "down_s_max": at_most(_worst(faults, "down_s"), 2, "s"),
        "recover_s_max": at_most(_worst(faults, "recover_s"), 5, "s"),
        "acknowledged_lost": at_most(summary.commands.acknowledged_lost, 0, "commands"),
        "unanswered": at_most(summary.commands.unanswered, 0, "commands"),
    }


BENCH = Bench("kill_1000", _run)
