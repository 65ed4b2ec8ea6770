"""Decides which drafts are told: few enough to be followed, the most telling first.

Every so many ticks one beat may be told; what is not used is saved up to a few. The more
is saved, the less a draft has to weigh: remarks fill a quiet time, and something is always
kept for what everybody must hear of.
"""

from collections.abc import Iterable
from typing import Final

from engine.protocol.limits import BEATS_AT_ONCE_MAX, BEATS_HELD_MAX, TICKS_PER_BEAT
from narrative.faculty.base import Draft

_HOLD_WEIGHT: Final = 4.0
"""What weighs as much waits for its turn ..."""
_HOLD_TICKS: Final = 30
"""... for so long."""
_PRICES: Final = (3.8, 2.3, 1.0)
"""What a draft must weigh while one, two or three beats are saved."""
_TIRED_TICKS: Final = 60
_TIRED_WEIGHT: Final = 1.5
"""A kind that was just told weighs so much less, and recovers with time."""
_SAME_CAST_WEIGHT: Final = 0.8


class Director:
    """Chooses among drafts, tick by tick."""

    def __init__(self) -> None:
        self._saved = float(BEATS_AT_ONCE_MAX)
        self._tick: int | None = None
        self._told_tick: dict[str, int] = {}
        self._held: list[Draft] = []
        self._last_seq = 0
        self._last_cast: tuple[int, ...] = ()

    def choose(self, tick: int, drafts: Iterable[Draft]) -> list[Draft]:
        """Return what is to be told now, by its newest event, ascending.

        No two beats share their newest event, and none is older than what was told before:
        whoever goes on after the newest event told tells nothing twice.
        """
        self._save(tick)
        fresh = [draft for draft in self._held if draft.newest.tick >= tick - _HOLD_TICKS]
        fresh += drafts
        fresh = [draft for draft in fresh if draft.newest.seq > self._last_seq]
        weighed = sorted(
            ((self._weight(draft, tick), draft) for draft in fresh),
            key=lambda pair: (-pair[0], pair[1].newest.seq),
        )
        chosen: list[Draft] = []
        for weight, draft in weighed:
            if self._saved < 1 or weight < self._price():
                continue
            if any(_alike(draft, other) for other in chosen):
                continue
            self._saved -= 1
            chosen.append(draft)
        chosen.sort(key=lambda draft: draft.newest.seq)
        for draft in chosen:
            self._told_tick[draft.kind] = tick
            self._last_seq = draft.newest.seq
            self._last_cast = draft.cast
        self._held = [
            draft
            for _, draft in weighed
            if draft.weight >= _HOLD_WEIGHT
            and draft.newest.seq > self._last_seq
            and not any(_alike(draft, other) for other in chosen)
        ][:BEATS_HELD_MAX]
        return chosen

    def _save(self, tick: int) -> None:
        passed = 0 if self._tick is None else max(0, tick - self._tick)
        self._tick = tick
        self._saved = min(float(BEATS_AT_ONCE_MAX), self._saved + passed / TICKS_PER_BEAT)

    def _price(self) -> float:
        return _PRICES[min(int(self._saved), len(_PRICES)) - 1]

    def _weight(self, draft: Draft, tick: int) -> float:
        told = self._told_tick.get(draft.kind)
        weight = draft.weight
        if told is not None:
            weight -= _TIRED_WEIGHT * max(0.0, 1 - (tick - told) / _TIRED_TICKS)
        if draft.cast and draft.cast[:2] == self._last_cast[:2]:
            weight -= _SAME_CAST_WEIGHT
        return weight


def _alike(one: Draft, other: Draft) -> bool:
    """Whether two drafts of a tick tell of the same: one event, or the same two entities."""
    if one.newest.seq == other.newest.seq:
        return True
    pair = set(one.cast[:2])
    return len(pair) > 1 and pair == set(other.cast[:2])
