"""Walks reactions breadth first, within bounds; what does not fit is left for the next tick.

Every bound that bites is told by one ``cascade_cut`` in the world's stream, caused by the
first event whose reactions it put off or stopped:

- ``cascade-depth``: more levels of reactions than one tick has.
- ``cascade-width``: more reactions than one tick has, or more events than may wait.
- ``cascade-loop``: a chain that came back to one rule and one entity too often, or that has
  no end; it is stopped, and the way it went round is named.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.protocol.events import EVENT_KINDS, entity_name
from engine.protocol.limits import (
    CASCADE_CHAIN_MAX,
    CASCADE_DEPTH_MAX,
    CASCADE_EVENTS_PER_TICK_MAX,
    CASCADE_LOOP_MAX,
    CASCADE_PENDING_MAX,
)
from engine.world.arrays import Array, join_rows
from engine.world.events import EVENT_DTYPE, Code
from engine.world.lineage import Lineage, no_steps
from engine.world.rulebook import Rulebook
from engine.world.rules.base import Draft, Trigger, settle
from engine.world.turn import Turn

DEPTH: Final = "cascade-depth"
WIDTH: Final = "cascade-width"
LOOP: Final = "cascade-loop"

_NAMED_MAX: Final = 6
"""Steps of a circle, or rules, that a text names."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far reactions go in one tick.

    Attributes:
        depth_max: Levels.
        events_max: Reactions.
        loop_max: How often a chain comes back to one rule and one entity.
        pending_max: Events whose reactions wait for the next tick.
        chain_max: Reactions in one chain, over all its ticks, before what can come again in
            it is stopped. Rules that cannot make a circle need no such bound.
    """

    depth_max: int = CASCADE_DEPTH_MAX
    events_max: int = CASCADE_EVENTS_PER_TICK_MAX
    loop_max: int = CASCADE_LOOP_MAX
    pending_max: int = CASCADE_PENDING_MAX
    chain_max: int = CASCADE_CHAIN_MAX


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """Events whose reactions are still to come.

    Attributes:
        rows: ``EVENT_DTYPE``, by ``seq``.
        seqs: Their ``seq``, uint64.
        steps: ``STEP_DTYPE``: the reactions they came from; empty but between two ticks.
    """

    rows: Array
    seqs: Array
    steps: Array

    def __len__(self) -> int:
        return len(self.seqs)

    def take(self, rows: Array | slice) -> "Frontier":
        """Return some of the events."""
        return Frontier(self.rows[rows], self.seqs[rows], self.steps)

    def then(self, other: "Frontier") -> "Frontier":
        """Return these events, then the other ones, which came later."""
        if not len(self) or not len(other):
            return self if len(self) else other
        rows = join_rows((self.rows, other.rows), EVENT_DTYPE)
        return Frontier(rows, np.concatenate((self.seqs, other.seqs)), self.steps)


def no_frontier() -> Frontier:
    """Return an empty frontier."""
    return Frontier(np.empty(0, EVENT_DTYPE), np.empty(0, np.uint64), no_steps())


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """What one rule makes of a level: its place in the rulebook, and the draft."""

    rule: int
    draft: Draft

    def __len__(self) -> int:
        return len(self.draft)

    def take(self, rows: Array) -> "_Wanted":
        return _Wanted(self.rule, self.draft.take(rows))


def cascade(
    turn: Turn, pending: Frontier, book: Rulebook, bounds: Bounds | None = None
) -> tuple[Frontier, int]:
    """Emit the reactions to what is pending and to the tick's events, level by level.

    Args:
        turn: The tick; its events so far are level 0.
        pending: Frontier left by the tick before.
        book: The rules.
        bounds: How far to go.

    Returns:
        The frontier left for the next tick, and the number of levels.
    """
    return _Cascade(turn, pending, book, bounds or Bounds()).run()


class _Cascade:
    """The reactions of one tick."""

    def __init__(self, turn: Turn, pending: Frontier, book: Rulebook, bounds: Bounds) -> None:
        self._turn = turn
        self._pending = pending
        self._book = book
        self._bounds = bounds
        self._lineage = Lineage(pending.steps) if book.can_loop else None
        self._stopped = 0
        self._first_stopped: tuple[int, str] | None = None

    def run(self) -> tuple[Frontier, int]:
        bounds = self._bounds
        frontier = self._pending.then(self._frontier(0))
        left, cut, bound, first = no_frontier(), "", 0, 0
        room, depth = bounds.events_max, 0
        while len(frontier):
            wanted = self._react(frontier)
            total = sum(map(len, wanted))
            if not total:
                break
            if depth == bounds.depth_max:
                left = frontier.take(np.isin(frontier.seqs, _causes(wanted)))
                by = self._names(one.rule for one in wanted if len(one))
                cut = f"{DEPTH}: reactions ({by}) go on beyond {depth} levels in one tick"
                bound, first = bounds.depth_max, int(left.seqs[0])
                break
            if total > room:
                kept, left, lost = _cut(wanted, frontier, room, whole=room == bounds.events_max)
                pairs = zip(wanted, kept, strict=True)
                by = self._names(one.rule for one, some in pairs if len(some) < len(one))
                cut = f"{WIDTH}: more than {bounds.events_max} reactions ({by}) in one tick"
                if lost:
                    cut += f", {lost} to one event never come: it alone has more"
                first = int(_causes(wanted).min() if lost else left.seqs[0])
                wanted, bound = kept, bounds.events_max
            first_block = len(self._turn.blocks)
            emitted = self._emit(wanted)
            room -= emitted
            depth += emitted > 0
            frontier = self._frontier(first_block)
            if cut:
                # Breadth first: what was cut off comes before what followed it.
                left = left.then(frontier)
                break
        if cut:
            left = self._wait(left, cut, bound, first)
        self._tell_loops()
        return left, depth

    def _frontier(self, first_block: int) -> Frontier:
        """Return the events of some blocks that may trigger something, with their ``seq``."""
        turn = self._turn
        blocks, seqs, seq = [], [], turn.first_seq + turn.count
        for rows in reversed(turn.blocks[first_block:]):
            seq -= len(rows)
            if self._book.triggers[rows["kind"][0]]:
                blocks.append(rows)
                seqs.append(np.arange(seq, seq + len(rows), dtype=np.uint64))
        if not blocks:
            return no_frontier()
        rows = join_rows(blocks[::-1], EVENT_DTYPE)
        return Frontier(rows, np.concatenate(seqs[::-1]), no_steps())

    def _react(self, frontier: Frontier) -> list[_Wanted]:
        turn, book = self._turn, self._book
        kinds = frontier.rows["kind"]
        present = set(np.nonzero(np.bincount(kinds))[0].tolist())
        found = []
        for place, (rule, mask) in enumerate(zip(book.rules, book.masks, strict=True)):
            here = present.intersection(rule.triggers)
            if not here:
                continue
            some = frontier if here == present else frontier.take(mask[kinds])
            draft = rule.react(Trigger(turn.state, turn.tick, turn.seed, some.rows, some.seqs))
            if draft is None or not len(draft):
                continue
            wanted = _Wanted(place, draft)
            found.append(self._without_loops(wanted) if book.circular[place] else wanted)
        return found

    def _without_loops(self, wanted: _Wanted) -> _Wanted:
        """Leave out what would go round in circles, and remember that it was there."""
        lineage, draft, bounds = self._lineage, wanted.draft, self._bounds
        if lineage is None:
            return wanted
        looped = lineage.visits(wanted.rule, draft.stream, draft.cause) > bounds.loop_max
        endless = lineage.lengths(draft.cause) > bounds.chain_max
        if not (looped.any() or endless.any()):
            return wanted
        stopped = looped | endless
        row = int(np.argmax(stopped))
        self._stopped += int(stopped.sum())
        if self._first_stopped is None:
            cause, stream = int(draft.cause[row]), int(draft.stream[row])
            way = lineage.circle(wanted.rule, stream, cause)
            kind = self._book.rules[wanted.rule].makes
            steps = _way([*((k, who) for k, who, _ in way), (kind, stream)])
            by = self._names([*(rule for _, _, rule in way), wanted.rule])
            why = (
                f"came back more than {bounds.loop_max} times"
                if looped[row]
                else f"went on for more than {bounds.chain_max} reactions"
            )
            self._first_stopped = cause, f"{steps} ({by}) {why}"
        return wanted.take(np.nonzero(~stopped)[0])

    def _emit(self, wanted: list[_Wanted]) -> int:
        turn, before = self._turn, self._turn.count
        for one in wanted:
            if not len(one):
                continue
            kind = self._book.rules[one.rule].makes
            draft = settle(turn.state, kind, one.draft)
            first = turn.emit(
                kind,
                draft.stream,
                actor=draft.actor,
                target=draft.target,
                a=draft.a,
                b=draft.b,
                cause=draft.cause,
                correlation=draft.correlation,
            )
            if self._lineage is not None:
                self._lineage.add(one.rule, turn.blocks[-1], first)
        return turn.count - before

    def _wait(self, left: Frontier, cut: str, bound: int, first: int) -> Frontier:
        """Have events wait for the next tick, as many as may, and tell that they do."""
        kept = left.take(slice(0, self._bounds.pending_max))
        told = f"{cut}; those to {len(kept)} events wait for the next tick"
        if lost := len(left) - len(kept):
            told += f", those to {lost} more never come: no more may wait"
        self._tell(first, told, len(left), bound)
        steps = no_steps() if self._lineage is None else self._lineage.of(kept.seqs)
        return Frontier(kept.rows, kept.seqs, steps)

    def _tell_loops(self) -> None:
        if self._first_stopped is None:
            return
        cause, way = self._first_stopped
        chains = f"{self._stopped} chains stopped" if self._stopped > 1 else "stopped"
        bound = self._bounds.loop_max
        self._tell(cause, f"{LOOP}: {way}; {chains}", self._stopped, bound)

    def _tell(self, cause: int, text: str, a: int, b: int) -> None:
        nobody, turn = np.zeros(1, np.int64), self._turn
        correlation = self._correlation(cause)
        seq = turn.emit(Code.CASCADE_CUT, nobody, a=a, b=b, cause=cause, correlation=correlation)
        turn.text(seq, text)

    def _correlation(self, seq: int) -> int:
        """Return the correlation of an event of this tick, or of one that waited for it."""
        waited = self._pending
        at = int(np.searchsorted(waited.seqs, np.uint64(seq)))
        if at < len(waited) and int(waited.seqs[at]) == seq:
            return int(waited.rows["correlation"][at])
        at = seq - self._turn.first_seq
        for rows in self._turn.blocks:
            if at < len(rows):
                return int(rows["correlation"][at])
            at -= len(rows)
        return 0

    def _names(self, rules: Iterable[int]) -> str:
        """Return the names of some rules, each once, in order."""
        names = [self._book.rules[rule].name for rule in dict.fromkeys(rules)]
        return ", ".join(_some(names, ["…"]))


def _some(items: list[str], gap: list[str]) -> list[str]:
    """Return so many items as a text names, the last one always."""
    return items if len(items) <= _NAMED_MAX else [*items[: _NAMED_MAX - 1], *gap, items[-1]]


def _way(steps: list[tuple[int, int]]) -> str:
    """Return reactions, (kind, stream) each, as people read them."""
    names = [f"{EVENT_KINDS[kind]} {entity_name(who)}" for kind, who in steps]
    between = len(names) - _NAMED_MAX
    return " → ".join(_some(names, [f"… {between} more …"]))


def _causes(wanted: list[_Wanted]) -> Array:
    return np.concatenate([one.draft.cause for one in wanted])


def _cut(
    wanted: list[_Wanted], frontier: Frontier, room: int, *, whole: bool
) -> tuple[list[_Wanted], Frontier, int]:
    """Keep the reactions to the earliest events, as many as there is room for.

    An event's reactions stay together. One that alone has more than a whole tick has room
    for would wait for ever: it gets as many as there is room for, and no more.

    Args:
        wanted: What there would be.
        frontier: The events.
        room: Reactions that there is room for.
        whole: Whether that is all the room a tick has.

    Returns:
        What is kept, the events that wait, and how many reactions never come.
    """
    causes = np.sort(_causes(wanted))
    limit, lost = causes[room], 0
    kept = [one.take(np.nonzero(one.draft.cause < limit)[0]) for one in wanted]
    if whole and causes[0] == limit:
        lost = int(np.searchsorted(causes, limit, side="right")) - room
        limit = limit + np.uint64(1)
        kept = [one.take(np.nonzero(one.draft.cause < limit)[0]) for one in wanted]
        for place, one in enumerate(kept):
            kept[place] = one.take(np.arange(min(len(one), room)))
            room -= len(kept[place])
    return kept, frontier.take(np.isin(frontier.seqs, causes[causes >= limit])), lost
