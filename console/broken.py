"""What becomes of a run whose console broke."""

import traceback
from typing import TYPE_CHECKING

from console.outcome import Outcome
from engine.link.memory import MemoryLink
from engine.protocol.errors import ExitCode

if TYPE_CHECKING:
    from console.app import StormApp


def broken(storm: "StormApp", problem: Exception) -> Outcome:
    """Leave the run to itself, as after a dropped connection; say how to return to it.

    Raises:
        Exception: ``problem``, where no run goes on without this process.
    """
    alone = storm.link is not None and not isinstance(storm.link, MemoryLink)
    if not alone or storm.model.phase not in {"live", "draining"}:
        raise problem
    if storm.environ.get("SEEDSTORM_TRACEBACK"):
        traceback.print_exception(problem)
    snapshot = storm.model.live.snapshot
    run = snapshot.run if snapshot else ""
    text = (
        f"seedstorm: a fault of our own: {type(problem).__name__}: {problem} "
        "(SEEDSTORM_TRACEBACK=1 shows where)\n"
        f"the console is gone and the run is not: seedstorm attach {run}".rstrip()
    )
    return Outcome(ExitCode.OWN_FAULT, text, snapshot.capsule if snapshot else "", detached=True)
