"""goods_conservation: only what nodes grow comes new into the world, nothing is lost."""

import numpy as np

from engine.world.invariants._ledger import blame
from engine.world.invariants.base import Break, Breaks, Invariant, Scene


def _check(scene: Scene) -> Breaks | None:
    state = scene.state
    found = int(state.goods[: state.count].sum(dtype=np.int64))
    if found == state.goods_supply:
        return None
    words = f"{found} goods in the world, there must be {state.goods_supply}"
    return Breaks.one(Break(found, state.goods_supply, words, *blame(scene, "goods")))


INVARIANT = Invariant("goods_conservation", "goods come from nodes alone", _check)
