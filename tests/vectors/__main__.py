"""``python -m tests.vectors``: makes the golden run's hashes anew, on purpose.

With ``--record`` the stimulus, too: from a simulation of everything that players do.
"""

import argparse
import sys
from dataclasses import replace

from engine.world.constants import RULES_VERSION
from tests.sim.plan import Plan
from tests.sim.simulation import Simulation, quiet
from tests.vectors import world

PLAN = Plan(
    seed=1, ticks=450, players=12, hecklers=2, npcs=200, nodes=200, rate=4.0, trouble_s=1.0,
    on_files=False,
)  # fmt: skip


def main() -> int:
    """Write what is asked for; 1 when it is refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.vectors")
    parser.add_argument("--record", action="store_true", help="record a new stimulus first")
    parser.add_argument(
        "--same-rules", action="store_true", help="although RULES_VERSION is what it was"
    )
    parser.add_argument("--seed", type=int, default=PLAN.seed, help="of the recording")
    asked = parser.parse_args()
    quiet()
    if world.HASHES.exists() and not asked.same_rules and world.read_hashes()[0] == RULES_VERSION:
        print(
            f"RULES_VERSION is {RULES_VERSION}, as when the hashes were written. Logs of that "
            "version could no longer be re-run: raise it in engine/world/constants.py, or, when "
            "no released version has it yet, say --same-rules"
        )
        return 1
    if asked.record:
        simulation = Simulation(replace(PLAN, seed=asked.seed))
        evidence = simulation.run()
        world.write_stimulus(world.of_log(evidence.log, evidence.config))
        simulation.close()
    lines = world.outcome(world.read_stimulus())
    world.write_hashes(lines)
    print(f"{world.HASHES}: {len(lines)} ticks; stimulus {world.STIMULUS.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
