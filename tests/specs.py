"""Small runs, ready to start: what is not said here is as plain as can be."""

from pathlib import Path
from typing import Any

import msgspec

from engine.protocol.scenario import Scenario, Stage
from engine.protocol.spec import RunSpec


def at_once(players: int = 10, **changes: Any) -> Scenario:
    """Return a scenario without a warm-up whose players all come at once."""
    stages = (Stage("constant-players", players, 0.0),)
    return Scenario(warm_up_s=0.0, players=players, stages=stages, **changes)


def small_run(runs_dir: Path, run: str = "r1", /, **changes: Any) -> RunSpec:
    """Return a run of ten players in this process, with no socket and its capsule in ``runs_dir``.

    Args:
        runs_dir: Folder for capsules.
        run: Its name.
        changes: Fields of ``RunSpec`` that shall be otherwise.
    """
    plain = RunSpec(
        run=run,
        scenario=at_once(),
        scenario_text="",
        runs_dir=str(runs_dir),
        socket_path="",
        players_max=100,
        duration_s=None,
        squads=1,
        port_base=0,
        on_disconnect="revert",
        unattended_s_max=600.0,
        thresholds=(),
        in_process=True,
    )
    return msgspec.structs.replace(plain, **changes)
