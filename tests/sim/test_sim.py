"""Whole runs on simulated time: whatever fails in them, what must be true is true."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.__main__ import run
from tests.sim.auditor import audit
from tests.sim.plan import Plan
from tests.sim.simulation import CHECKPOINT_TICKS, Simulation
from tests.sim.trouble import KINDS

TICKS = 250
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", range(10))
def test_what_must_be_true_is_true(seed: int) -> None:
    run(seed, TICKS)


def test_a_fresh_seed() -> None:
    """Fails with the command that shows it again."""
    run(_fresh_seed(), TICKS)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_fresh_seeds() -> None:
    first = _fresh_seed()
    for seed in range(first, first + 200):
        run(seed, 2 * TICKS)


def _fresh_seed() -> int:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"fresh seed {seed}")
    return seed


def test_every_kind_of_trouble_happens() -> None:
    plan = Plan(
        seed=5, ticks=700, players=6, hecklers=2, npcs=40, nodes=40, rate=2.0, trouble_s=0.4,
        on_files=True,
    )  # fmt: skip
    simulation = Simulation(plan)
    try:
        audit(simulation.run())
    finally:
        simulation.close()
    died = {"between", "before_append", "after_append", "answering", "checkpoint"}
    happened = {f"crash {at}" for at in died | {"torn", "folding"}}
    happened |= set(KINDS)
    happened |= {"ack permit", "ack deny", "lives"}
    assert happened <= set(simulation.counts), "what never happens proves nothing"


def test_a_short_life_has_checkpoints_as_its_spec_asks() -> None:
    plan = Plan(
        seed=3, ticks=100, players=2, hecklers=0, npcs=10, nodes=10, rate=1.0, trouble_s=0.0,
        on_files=False,
    )  # fmt: skip
    simulation = Simulation(plan)
    try:
        saved = simulation.run().log.checkpoint_ticks()
    finally:
        simulation.close()
    assert saved[:2] == [CHECKPOINT_TICKS, 2 * CHECKPOINT_TICKS]


def test_one_seed_is_one_run_whatever_the_process() -> None:
    """The command that a failing seed is told with shows the same run again."""
    told = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tests.sim", "--seed", "9", "--ticks", "120"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        told.add(done.stdout.partition("digest ")[2].split()[0])
    assert len(told) == 1
