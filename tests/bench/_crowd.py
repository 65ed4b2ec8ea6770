"""A crowd for benchmarks: a command of everybody in every tick, of the mix that squads send."""

import numpy as np

from engine.protocol.limits import PLAYER_ID_BASE, POSITION_MAX
from engine.world.constants import REACH_UNITS
from engine.world.inputs import INTENT_DTYPE, TickInputs
from engine.world.orders import ATTACK, GATHER, MOVE, REST, SAY, TRADE
from engine.world.state import NODE
from engine.world.world import World, WorldConfig

PLAYERS = 9_400
CONFIG = WorldConfig(seed=7, npcs=200, nodes=400, capacity=20_000)
_WORDS = ("wolf", "river", "bread", "old", "mill", "camp", "trade", "knife", "dark", "furs", "who")


class Crowd:
    """Players who walk, gather, trade, fight, talk and rest; a few ask for what is not allowed.

    Args:
        world: Theirs; nobody is in it yet.
        seed: Chooses what they do.
    """

    def __init__(self, world: World, seed: int = 7) -> None:
        self._world = world
        self._random = np.random.default_rng(seed)

    def inputs(self) -> TickInputs:
        """Return the next tick's inputs: everybody joins in the first one."""
        if not self._world.tick:
            joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(PLAYERS)]
            return TickInputs(np.zeros(0, INTENT_DTYPE), joins=joins)
        random = self._random
        intents = np.zeros(PLAYERS, INTENT_DTYPE)
        intents["player"] = PLAYER_ID_BASE + np.arange(PLAYERS)
        intents["seq"] = self._world.tick
        wish = random.choice(
            [MOVE, ATTACK, GATHER, TRADE, SAY, REST], PLAYERS, p=[0.5, 0.1, 0.15, 0.14, 0.04, 0.07]
        )
        rows, near, whom = self._neighbours()
        # Who has nobody near walks on; one in a hundred tries all the same, and is denied.
        needs = (wish == ATTACK) | (wish == GATHER) | (wish == TRADE)
        wish = np.where(needs & ~near & (random.random(PLAYERS) > 0.01), MOVE, wish)
        state = self._world.state
        kinds = state.kind[whom]
        wish = np.where(needs & near & (kinds == NODE), GATHER, wish)
        amount = np.where(state.goods[rows] > 0, -1, 1)
        trades = (wish == TRADE) | ((wish == GATHER) & (kinds != NODE) & near)
        able = np.where(amount < 0, state.gold[whom] > 1, state.goods[whom] > 0)
        wish = np.where(trades, np.where(able & (kinds != NODE), TRADE, MOVE), wish)
        intents["kind"] = wish
        intents["target"] = state.id[whom]
        intents["amount"] = amount
        for axis in ("x", "y"):
            here = getattr(state, axis)[rows]
            step = random.integers(-90, 91, PLAYERS)
            intents[axis] = np.where(wish == MOVE, np.clip(here + step, 0, POSITION_MAX), 0)
        intents["target"][(wish == MOVE) | (wish == SAY) | (wish == REST)] = 0
        intents["amount"][wish != TRADE] = 0
        texts = {
            row: " ".join(random.choice(_WORDS, random.integers(2, 9)))
            for row in np.flatnonzero(wish == SAY).tolist()
        }
        return TickInputs(intents, texts)

    def _neighbours(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return each commander's row, whether the next one to the east is near, and its row."""
        state = self._world.state
        count = state.count
        strip = state.y[:count] // REACH_UNITS
        order = np.lexsort((state.x[:count], strip))
        after = np.empty(count, np.int64)
        after[order] = np.roll(order, -1)
        rows = state.rows_of(PLAYER_ID_BASE + np.arange(PLAYERS))
        whom = after[rows]
        gap = np.hypot(
            state.x[rows] - state.x[whom].astype(np.int64),
            state.y[rows] - state.y[whom].astype(np.int64),
        )
        return rows, gap <= REACH_UNITS, whom
