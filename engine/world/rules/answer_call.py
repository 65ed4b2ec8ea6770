"""answer-call: kin of the same zone strike whom a caller names."""

import numpy as np

from engine.world.arrays import stable_order
from engine.world.constants import HELPERS_MAX
from engine.world.events import Code
from engine.world.rules.base import Draft, Rule, Trigger, strike
from engine.world.state import FACTIONS, NPC


def _react(trigger: Trigger) -> Draft | None:
    """Up to ``HELPERS_MAX`` NPCs of the same faction and zone strike the attacker."""
    state, count = trigger.state, trigger.state.count
    callers = state.rows_of(trigger.events["stream"])
    able = (state.kind[:count] == NPC) & (state.alive[:count] == 1) & (state.hp[:count] > 0)
    pool = np.nonzero(able)[0]
    pool_key = state.zone[pool].astype(np.int64) * len(FACTIONS) + state.faction[pool]
    order = stable_order(pool_key)
    pool, pool_key = pool[order], pool_key[order]
    key = state.zone[callers].astype(np.int64) * len(FACTIONS) + state.faction[callers]
    first = np.searchsorted(pool_key, key)
    size = np.searchsorted(pool_key, key, side="right") - first
    position = np.zeros(count, np.int64)
    position[pool] = np.arange(len(pool))
    # The kin right after the caller, round the group, so that not the same two always come.
    after = position[callers] - first
    chosen_rows, chosen = [], []
    for nth in range(1, HELPERS_MAX + 1):
        has = np.nonzero(size > nth)[0]
        chosen_rows.append(has)
        chosen.append(pool[first[has] + (after[has] + nth) % size[has]])
    rows, helpers = np.concatenate(chosen_rows), np.concatenate(chosen)
    order = stable_order(rows)
    rows, helpers = rows[order], helpers[order]
    return strike(trigger, rows, state.id[helpers], trigger.events["target"][rows])


RULE = Rule(
    name="answer-call",
    help="kin of the same zone strike whom a caller names",
    priority=40,
    triggers=(Code.CALLED_FOR_HELP,),
    makes=Code.RETALIATED,
    react=_react,
)
