"""gold_conservation: purses and treasury together hold all the gold there is."""

from engine.world.invariants._ledger import blame
from engine.world.invariants.base import Break, Breaks, Invariant, Scene


def _check(scene: Scene) -> Breaks | None:
    state = scene.state
    found = int(state.gold[: state.count].sum()) + state.treasury
    if found == state.supply:
        return None
    words = f"{found} gold in the world, there must be {state.supply}"
    return Breaks.one(Break(found, state.supply, words, *blame(scene, "gold")))


INVARIANT = Invariant("gold_conservation", "gold is neither made nor lost", _check)
