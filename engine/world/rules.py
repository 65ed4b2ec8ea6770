"""Reactions: what one event makes happen next. Each rule reads the state, none changes it.

A rule gets the events that trigger it, in order, and returns drafts of new events with
the ``seq`` of their direct cause. The chain is walked by ``engine.world.cascade``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.world.arrays import Array, isqrt, stable_order, take_in_order
from engine.world.clock import step_towards
from engine.world.constants import (
    FLEE_UNITS,
    HELPERS_MAX,
    LEVEL_MAX,
    REGROW_TICKS,
    RESPAWN_TICKS,
    RETALIATION_MIN,
    RETALIATION_SPREAD,
    STAGE_LEVEL_EMERGENCE,
    STAGE_LEVEL_PEAK,
    STAGE_LIVES_CRYSTALLIZATION,
    STAGE_LIVES_DECAY,
    XP_LEVEL,
)
from engine.world.events import Code
from engine.world.rng import Purpose, below
from engine.world.state import FACTIONS, NODE, NPC, State


@dataclass(frozen=True, slots=True, eq=False)
class Trigger:
    """The events a rule reacts to.

    Attributes:
        state: The world as it is now.
        tick: The tick.
        seed: The world's seed.
        events: ``EVENT_DTYPE``, in order.
        seqs: Their ``seq``.
    """

    state: State
    tick: int
    seed: int
    events: Array
    seqs: Array


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Events to be, all of one kind; columns as in ``EVENT_DTYPE``, ``cause`` never 0."""

    kind: int
    stream: Array
    actor: Array
    target: Array
    a: Array
    b: Array
    cause: Array
    correlation: Array

    def take(self, rows: Array) -> "Draft":
        """Return some of the events."""
        return Draft(
            self.kind,
            self.stream[rows],
            self.actor[rows],
            self.target[rows],
            self.a[rows],
            self.b[rows],
            self.cause[rows],
            self.correlation[rows],
        )


Rule = Callable[[Trigger], Draft | None]


def settle(state: State, draft: Draft) -> Draft:
    """Return the draft as it really happens, given what was emitted before it.

    Several rules may strike one victim in one level; none takes more than is left.
    """
    if draft.kind != Code.RETALIATED:
        return draft
    rows = state.rows_of(draft.stream)
    damage, left = take_in_order(draft.a, rows, state.hp[rows])
    return replace(draft, a=damage, b=left)


def _draft(
    trigger: Trigger,
    rows: Array,
    kind: int,
    stream: Array,
    actor: Array,
    target: Array | int = 0,
    a: Array | int = 0,
    b: Array | int = 0,
) -> Draft:
    """Return a draft whose causes are the given rows of the trigger."""
    shape = len(rows)
    return Draft(
        kind,
        stream,
        actor,
        np.broadcast_to(target, shape),
        np.broadcast_to(a, shape),
        np.broadcast_to(b, shape),
        trigger.seqs[rows],
        trigger.events["correlation"][rows],
    )


def _first_of_each(rows: Array, keys: Array) -> Array:
    """Return the rows whose key occurs for the first time, in order."""
    _, first = np.unique(keys, return_index=True)
    return rows[np.sort(first)]


def _struck_npcs(trigger: Trigger) -> tuple[Array, Array]:
    """Return which blows hit an NPC that still stands, and each blow's victim row."""
    state = trigger.state
    victims = state.rows_of(trigger.events["stream"])
    stands = (state.kind[victims] == NPC) & (state.hp[victims] > 0) & (trigger.events["a"] > 0)
    return np.nonzero(stands)[0], victims


def _crossed(trigger: Trigger, part: int) -> tuple[Array, Array]:
    """Return the blows that brought an NPC below 1/part of its hit points, and victim rows."""
    rows, victims = _struck_npcs(trigger)
    events, hp_max = trigger.events[rows], trigger.state.hp_max[victims[rows]]
    crossed = (events["b"] * part < hp_max) & ((events["b"] + events["a"]) * part >= hp_max)
    rows = rows[crossed]
    return _first_of_each(rows, victims[rows]), victims


def _die(trigger: Trigger) -> Draft | None:
    """Who has no hit points left dies; the blow that took the last one is the cause."""
    state, events = trigger.state, trigger.events
    victims = state.rows_of(events["stream"])
    fatal = (events["a"] > 0) & (events["b"] == 0)
    rows = np.nonzero(fatal & (state.alive[victims] == 1) & (state.hp[victims] == 0))[0]
    if not len(rows):
        return None
    rows = _first_of_each(rows, victims[rows])
    dead = events[rows]
    due, lives = trigger.tick + RESPAWN_TICKS, state.lives[victims[rows]]
    who = dead["stream"]
    return _draft(trigger, rows, Code.DIED, who, dead["actor"], who, due, lives)


def _loot(trigger: Trigger) -> Draft | None:
    """Half of what the dead had goes to the killer."""
    state, events = trigger.state, trigger.events
    victims = state.rows_of(events["stream"])
    gold, goods = state.gold[victims] // 2, state.goods[victims] // 2
    rows = np.nonzero((gold > 0) | (goods > 0))[0]
    rows = _first_of_each(rows, victims[rows])
    found = events[rows]
    who, whose = found["actor"], found["stream"]
    return _draft(trigger, rows, Code.LOOTED, who, who, whose, gold[rows], goods[rows])


def _retaliate(trigger: Trigger) -> Draft | None:
    """An NPC strikes back at the first who hit it."""
    rows, victims = _struck_npcs(trigger)
    rows = _first_of_each(rows, victims[rows])
    return _strike(trigger, rows, trigger.events["stream"][rows], trigger.events["actor"][rows])


def _strike(trigger: Trigger, rows: Array, strikers: Array, foes: Array) -> Draft | None:
    """Draft the blows of NPCs against foes who still stand; ``settle`` says what they do."""
    state = trigger.state
    foe_rows = state.rows_of(foes)
    standing = (state.alive[foe_rows] == 1) & (state.hp[foe_rows] > 0) & (foe_rows >= 0)
    rows, strikers, foes = rows[standing], strikers[standing], foes[standing]
    if not len(rows):
        return None
    luck = below(RETALIATION_SPREAD, trigger.seed, trigger.tick, Purpose.RETALIATE, strikers)
    return _draft(trigger, rows, Code.RETALIATED, foes, strikers, foes, RETALIATION_MIN + luck)


def _call_for_help(trigger: Trigger) -> Draft | None:
    """An NPC beaten below half its hit points calls its kin."""
    rows, _ = _crossed(trigger, 2)
    blows = trigger.events[rows]
    who = blows["stream"]
    return _draft(trigger, rows, Code.CALLED_FOR_HELP, who, who, blows["actor"])


def _answer_call(trigger: Trigger) -> Draft | None:
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
    return _strike(trigger, rows, state.id[helpers], trigger.events["target"][rows])


def _flee(trigger: Trigger) -> Draft | None:
    """An NPC beaten below a quarter of its hit points runs from its attacker."""
    rows, victims = _crossed(trigger, 4)
    if not len(rows):
        return None
    state, blows = trigger.state, trigger.events[rows]
    me, foe = victims[rows], state.rows_of(blows["actor"])
    x, y = state.x[me].astype(np.int64), state.y[me].astype(np.int64)
    dx, dy = x - state.x[foe], y - state.y[foe]
    # Someone on the very same spot is fled towards the east.
    dx = np.where((dx == 0) & (dy == 0), 1, dx)
    far = FLEE_UNITS * 4
    length = np.maximum(isqrt(dx * dx + dy * dy), 1)
    goal_x, goal_y = x + dx * far // length, y + dy * far // length
    x, y = step_towards(x, y, goal_x, goal_y, FLEE_UNITS)
    return _draft(trigger, rows, Code.FLED, blows["stream"], blows["stream"], blows["actor"], x, y)


def _empty_node(trigger: Trigger) -> Draft | None:
    state, events = trigger.state, trigger.events
    nodes = state.rows_of(events["target"])
    rows = np.nonzero((events["b"] == 0) & (state.alive[nodes] == 1) & (state.goods[nodes] == 0))[0]
    rows = _first_of_each(rows, nodes[rows])
    emptied = events[rows]
    due = trigger.tick + REGROW_TICKS
    return _draft(trigger, rows, Code.NODE_EMPTIED, emptied["target"], emptied["actor"], a=due)


def _level_up(trigger: Trigger) -> Draft | None:
    """Experience is counted after every act; the level follows it, several at once if due."""
    state, events = trigger.state, trigger.events
    actors = state.rows_of(events["actor"])
    earned = (isqrt(state.xp[actors] // XP_LEVEL) + 1).clip(max=LEVEL_MAX)
    rising = (earned > state.level[actors]) & (actors >= 0) & (state.kind[actors] != NODE)
    rows = np.nonzero(rising)[0]
    if not len(rows):
        return None
    rows = _first_of_each(rows, actors[rows])
    ids, old = events["actor"][rows], state.level[actors[rows]]
    return _draft(trigger, rows, Code.LEVELLED_UP, ids, ids, 0, earned[rows], old)


def _change_stage(trigger: Trigger) -> Draft | None:
    """Stages of life follow level, and after many deaths the number of lives."""
    state, events = trigger.state, trigger.events
    entities = state.rows_of(events["stream"])
    level, lives = state.level[entities], state.lives[entities]
    stage = (level >= STAGE_LEVEL_EMERGENCE).astype(np.int64) + (level >= STAGE_LEVEL_PEAK)
    stage = np.where(lives >= STAGE_LIVES_DECAY, 3, stage)
    stage = np.where(lives >= STAGE_LIVES_CRYSTALLIZATION, 4, stage)
    rows = np.nonzero(stage != state.stage[entities])[0]
    rows = _first_of_each(rows, entities[rows])
    ids, old = events["stream"][rows], state.stage[entities[rows]]
    return _draft(trigger, rows, Code.STAGE_CHANGED, ids, ids, 0, stage[rows], old)


_BLOWS: Final = (Code.ATTACKED, Code.RETALIATED)

RULES: Final[tuple[tuple[tuple[int, ...], Rule], ...]] = (
    (_BLOWS, _die),
    ((Code.ATTACKED,), _retaliate),
    ((Code.ATTACKED,), _call_for_help),
    ((Code.CALLED_FOR_HELP,), _answer_call),
    ((Code.ATTACKED,), _flee),
    ((Code.DIED,), _loot),
    ((Code.GATHERED,), _empty_node),
    ((*_BLOWS, Code.DIED, Code.GATHERED, Code.TRADED), _level_up),
    ((Code.LEVELLED_UP, Code.RESPAWNED), _change_stage),
)
"""Kinds that trigger a rule, and the rule; in the order in which reactions are recorded."""
