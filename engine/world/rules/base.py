"""What a rule is: one file, one ``RULE``, saying what events make happen next.

A rule reads the state and changes nothing. It gets the events that trigger it, in order,
and returns a draft of new events with the ``seq`` of their direct cause. The chain is
walked by ``engine.world.cascade``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.world.arrays import Array, take_in_order
from engine.world.constants import RETALIATION_MIN, RETALIATION_SPREAD
from engine.world.events import Code
from engine.world.rng import Purpose, below
from engine.world.state import NPC, State


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
    """Events to be, all of the kind that its rule makes.

    Columns as in ``EVENT_DTYPE``, (n,) each; ``cause`` is the ``seq`` of a triggering event.
    """

    stream: Array
    actor: Array
    target: Array
    a: Array
    b: Array
    cause: Array
    correlation: Array

    def __len__(self) -> int:
        return len(self.cause)

    def take(self, rows: Array) -> "Draft":
        """Return some of the events."""
        return Draft(
            self.stream[rows],
            self.actor[rows],
            self.target[rows],
            self.a[rows],
            self.b[rows],
            self.cause[rows],
            self.correlation[rows],
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """What events make happen next.

    Attributes:
        name: Unique, as people see it.
        help: What it does, in one line.
        priority: Where several react in one level, lower ones are recorded first.
        triggers: Kinds of event it reacts to.
        makes: The kind of event that comes of it.
        react: The events that trigger it to the events to be, None for none.
    """

    name: str
    help: str
    priority: int
    triggers: tuple[int, ...]
    makes: int
    react: Callable[[Trigger], Draft | None]


def settle(state: State, kind: int, draft: Draft) -> Draft:
    """Return the draft as it really happens, given what was emitted before it.

    Several rules may strike one victim in one level; none takes more than is left.
    """
    if kind != Code.RETALIATED:
        return draft
    rows = state.rows_of(draft.stream)
    damage, left = take_in_order(draft.a, rows, state.hp[rows])
    return replace(draft, a=damage, b=left)


def caused_by(
    trigger: Trigger,
    rows: Array,
    stream: Array,
    actor: Array,
    target: Array | int = 0,
    a: Array | int = 0,
    b: Array | int = 0,
) -> Draft:
    """Return a draft whose causes are the given rows of the trigger."""
    shape = len(rows)
    return Draft(
        stream,
        actor,
        np.broadcast_to(target, shape),
        np.broadcast_to(a, shape),
        np.broadcast_to(b, shape),
        trigger.seqs[rows],
        trigger.events["correlation"][rows],
    )


def first_of_each(rows: Array, keys: Array) -> Array:
    """Return the rows whose key occurs for the first time, in order."""
    _, first = np.unique(keys, return_index=True)
    return rows[np.sort(first)]


def struck_npcs(trigger: Trigger) -> tuple[Array, Array]:
    """Return which blows hit an NPC that still stands, and each blow's victim row."""
    state = trigger.state
    victims = state.rows_of(trigger.events["stream"])
    stands = (state.kind[victims] == NPC) & (state.hp[victims] > 0) & (trigger.events["a"] > 0)
    return np.nonzero(stands)[0], victims


def crossed(trigger: Trigger, part: int) -> tuple[Array, Array]:
    """Return the blows that brought an NPC below 1/part of its hit points, and victim rows."""
    rows, victims = struck_npcs(trigger)
    events, hp_max = trigger.events[rows], trigger.state.hp_max[victims[rows]]
    below_now = events["b"] * part < hp_max
    rows = rows[below_now & ((events["b"] + events["a"]) * part >= hp_max)]
    return first_of_each(rows, victims[rows]), victims


def strike(trigger: Trigger, rows: Array, strikers: Array, foes: Array) -> Draft | None:
    """Draft the blows of NPCs against foes who still stand; ``settle`` says what they do."""
    state = trigger.state
    foe_rows = state.rows_of(foes)
    standing = (state.alive[foe_rows] == 1) & (state.hp[foe_rows] > 0) & (foe_rows >= 0)
    rows, strikers, foes = rows[standing], strikers[standing], foes[standing]
    if not len(rows):
        return None
    luck = below(RETALIATION_SPREAD, trigger.seed, trigger.tick, Purpose.RETALIATE, strikers)
    return caused_by(trigger, rows, foes, strikers, foes, RETALIATION_MIN + luck)


BLOWS: Final = (Code.ATTACKED, Code.RETALIATED)
