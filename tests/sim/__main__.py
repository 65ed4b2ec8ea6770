"""``python -m tests.sim --seed N``: one simulation, or many, and what the auditor says."""

import argparse
import sys
import time
from collections import Counter

from tests.sim.auditor import Broken, audit
from tests.sim.plan import Plan
from tests.sim.simulation import Simulation, digest, quiet

TICKS = 1000


def run(seed: int, ticks: int, on_files: bool | None = None) -> tuple[str, Counter[str], str]:
    """Simulate and audit one seed.

    Returns:
        One line about it, how often what happened, and a digest of all that was seen.

    Raises:
        Broken: Something is not true; says how to see it again.
    """
    plan = Plan.of(seed, ticks, on_files)
    begun_s = time.perf_counter()
    simulation = Simulation(plan)
    try:
        evidence = simulation.run()
        took_s = time.perf_counter() - begun_s
        audit(evidence)
        seen = digest(evidence)
    except Broken as broken:
        where = {True: " --log files", False: " --log memory", None: ""}[on_files]
        again = f"python -m tests.sim --seed {seed} --ticks {ticks}{where}"
        raise Broken(broken.check, f"{broken.words} (again: {again})") from broken
    finally:
        simulation.close()
    done = simulation.durable + 1
    log = "files" if plan.on_files else "memory"
    line = (
        f"seed {seed}: {done} ticks, {plan.players} players, log in {log}, "
        f"{simulation.counts['lives']} deaths, {len(evidence.acks)} answers, "
        f"{done / took_s:,.0f} ticks/s, digest {seen}"
    )
    return line, simulation.counts, seen


def main() -> int:
    """Run what the command line asks for; 1 when something is not true."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim")
    parser.add_argument("--seed", type=int, required=True, help="the first seed")
    parser.add_argument("--ticks", type=int, default=TICKS, help="world ticks of each run")
    parser.add_argument("--runs", type=int, default=1, help="how many seeds in a row")
    parser.add_argument("--log", choices=("memory", "files"), help="as the seed says by default")
    asked = parser.parse_args()
    quiet()
    on_files = None if asked.log is None else asked.log == "files"
    for seed in range(asked.seed, asked.seed + asked.runs):
        try:
            line, counts, _ = run(seed, asked.ticks, on_files)
        except Broken as broken:
            print(f"seed {seed}: BROKEN: {broken}", flush=True)
            return 1
        print(line, flush=True)
        if asked.runs == 1:
            print("  " + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
