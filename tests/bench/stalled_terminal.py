"""A terminal that is not read for 10 s while 1,000 players play: no send is later for it."""

import tempfile
from pathlib import Path

from tests.bench.base import Bench, Figure, at_most, told
from tests.bench.storm_1000 import run_storm, series

STALL_AT_S = 20.0
STALL_S = 10.0


def _run() -> dict[str, Figure]:
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        capsule = run_storm(Path(folder), 50.0, stall_s=(STALL_AT_S, STALL_S))
        lateness = series(capsule, "send_lateness_ms_max")
        connected_at_s = next(
            at_s for at_s, players in series(capsule, "players") if players >= 1000
        )
    begin = connected_at_s + STALL_AT_S + 1
    end = connected_at_s + STALL_AT_S + STALL_S
    within = [value for at_s, value in lateness if begin <= at_s < end]
    rest = [
        value
        for at_s, value in lateness
        if at_s > connected_at_s + 10 and not begin - 2 <= at_s < end + 2
    ]
    return {
        "lateness_ms_max_rest": told(max(rest), "ms"),
        "lateness_ms_max_stalled": told(max(within), "ms"),
        "more_because_of_it": at_most(max(within) - max(rest), 10, "ms"),
    }


BENCH = Bench("stalled_terminal", _run)
