"""The same inputs give the same world on every supported Python: the suite runs on each."""

import sys

from engine.protocol.events import EVENT_KINDS
from engine.world.constants import RULES_VERSION
from engine.world.world import World, WorldConfig
from tests.vectors import world

WHAT_TO_DO = (
    "If the rules, the state's columns or the events changed on purpose: raise RULES_VERSION in "
    "engine/world/constants.py and run: python -m tests.vectors. If not, logs of other machines "
    "and versions no longer replay"
)


def test_the_golden_run_gives_its_hashes() -> None:
    rules, golden = world.read_hashes()
    found = world.outcome(world.read_stimulus())
    assert rules == RULES_VERSION, f"the hashes are of rules {rules}. {WHAT_TO_DO}"
    assert len(found) == len(golden)
    for ours, theirs in zip(found, golden, strict=True):
        assert ours == theirs, f"Python {sys.version.split()[0]}: tick {ours}. {WHAT_TO_DO}"


def test_the_golden_run_has_everything_in_it() -> None:
    stimulus = world.read_stimulus()
    assert world.STIMULUS.stat().st_size < 100_000
    replayed = World.create(WorldConfig(**stimulus.config))
    seen: set[str] = set()
    for tick in stimulus.ticks:
        rows = replayed.step(world.inputs_of(stimulus.fields, tick)).events.rows
        seen |= {EVENT_KINDS[kind] for kind in set(rows["kind"].tolist())}
    # What only a runaway, a long life or a broken world brings about is tested where it is.
    rare = {"invariant_broken", "cascade_cut", "stage_changed"}
    assert set(EVENT_KINDS) - rare <= seen, set(EVENT_KINDS) - seen
