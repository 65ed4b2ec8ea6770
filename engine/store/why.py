"""``chain``: why an event happened, up to its root, and everything that came of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.protocol.events import Event
from engine.protocol.limits import CHAIN_EVENTS_MAX, EVENTS_SEARCH_TICKS_MAX
from engine.store.finding import Finder
from engine.store.lookup import Lookup, OverBudget
from engine.store.postings import Damaged, Seqs
from engine.world.events import TickEvents


@dataclass(frozen=True, slots=True)
class Chain:
    """One event with its causes and effects.

    Attributes:
        causes: Its causes, the root first, its direct cause last.
        event: The event itself.
        effects: Everything that followed from it, breadth first: effects come in the order of
            their causes, and those of one cause in the order of the log.
        cut: Why this is not all, empty when it is.
        damage: Why the index is to be made anew, empty while it is not.
    """

    causes: tuple[Event, ...]
    event: Event
    effects: tuple[Event, ...]
    cut: str = ""
    damage: str = ""


def read_chain(
    log_path: Path, index_path: Path, seq: int, most: int = CHAIN_EVENTS_MAX
) -> Chain | None:
    """Return the chain of an event, None when the log has no such event.

    Args:
        log_path: ``events.db``.
        index_path: ``index.db``; the log is searched without it when it is of no use.
        seq: The event.
        most: Causes and effects, at most.

    Raises:
        OSError: The log cannot be read.
        ValueError: What is stored is no events.
    """
    with Finder(log_path) as log, Lookup(index_path, log) as lookup:
        return _Walk(log, lookup, most).chain(seq)


class _Walk:
    def __init__(self, log: Finder, lookup: Lookup, most: int) -> None:
        self._log = log
        self._lookup = lookup
        self._most = most
        self._held: TickEvents | None = None
        self._cut = ""

    def chain(self, seq: int) -> Chain | None:
        event = self._event(seq)
        if event is None:
            return None
        causes: list[Event] = []
        above = event
        while above.cause and len(causes) < self._most:
            # A cause comes before its effect: a log that says otherwise is damaged, not endless.
            cause = self._event(above.cause) if above.cause < above.seq else None
            if cause is None:
                self._cut = f"event {above.seq} names event {above.cause} as its cause, of no use"
                break
            causes.append(cause)
            above = cause
        else:
            if above.cause:
                self._cut = f"more than {self._most} causes"
        effects = self._effects(event, self._most - len(causes))
        found = tuple(reversed(causes)), event, tuple(effects)
        return Chain(*found, self._cut, self._lookup.damage)

    def _effects(self, event: Event, most: int) -> list[Event]:
        tail = self._tail(max(self._lookup.position, event.seq))
        found: list[Event] = []
        level = np.array([event.seq], np.int64)
        while len(level):
            causes, seqs = self._caused_by(level, tail)
            # Breadth first: in the order of the causes, those of one in the order of the log.
            order = np.lexsort((seqs, causes))
            places = np.argsort(level, kind="stable")
            place = places[np.searchsorted(level[places], causes[order])]
            level = seqs[order][np.argsort(place, kind="stable")]
            if len(found) + len(level) > most:
                self._cut = self._cut or f"more than {most} effects"
                level = level[: most - len(found)]
            found += self._events(level)
        return found

    def _caused_by(self, level: Seqs, tail: tuple[Seqs, Seqs]) -> tuple[Seqs, Seqs]:
        """Return the direct effects of some events, each with its cause."""
        wanted = np.sort(level)
        here = np.isin(tail[0], wanted)
        parts = [(tail[0][here], tail[1][here])]
        try:
            later = [each for each in self._lookup.segments if each.last_seq > wanted[0]]
            parts += [self._lookup.effects_of(wanted, segment) for segment in later]
        except Damaged as problem:
            self._lookup.give_up(str(problem))
            self._cut = self._cut or "not all effects are known: the index is being made anew"
        except OverBudget:
            self._cut = self._cut or "not all effects are known: there are too many to look through"
        causes, seqs = map(np.concatenate, zip(*parts, strict=True))
        return causes, seqs

    def _tail(self, after_seq: int) -> tuple[Seqs, Seqs]:
        """Return causes and events of what the index does not cover, from the log itself."""
        causes, seqs = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for number, tick in enumerate(self._log.onward(after_seq)):
            if number == EVENTS_SEARCH_TICKS_MAX:
                self._cut = (
                    f"effects after event {tick.first_seq - 1} are not known yet: "
                    f"the index has come to event {self._lookup.position}"
                )
                break
            above = tick.rows["cause"].astype(np.int64)
            some = np.flatnonzero(above)
            causes.append(above[some])
            seqs.append(some + tick.first_seq)
        return np.concatenate(causes), np.concatenate(seqs)

    def _event(self, seq: int) -> Event | None:
        held = self._held
        if held is None or not held.first_seq <= seq <= held.last_seq:
            held = self._log.holding(seq)
            if held is None:
                return None
            self._held = held
        return held.event(seq - held.first_seq)

    def _events(self, seqs: Seqs) -> list[Event]:
        """Return some events in the order asked for."""
        found: dict[int, Event] = {}
        for tick in self._log.with_any(sorted(seqs.tolist())):
            here = seqs[(seqs >= tick.first_seq) & (seqs <= tick.last_seq)]
            found.update((event.seq, event) for event in tick.events(here - tick.first_seq))
        return [found[seq] for seq in seqs.tolist()]
