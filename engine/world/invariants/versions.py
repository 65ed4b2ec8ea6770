"""versions: the events of a stream are numbered without a gap, and its count is their number."""

import numpy as np

from engine.protocol.events import entity_name
from engine.world.arrays import Array
from engine.world.invariants.base import Break, Breaks, Invariant, Scene


def _check(scene: Scene) -> Breaks | None:
    state, count = scene.state, scene.state.count
    # One more place than there are rows, for the world's own stream: row -1 ends up there.
    before, now = np.zeros(count + 1, np.int64), np.empty(count + 1, np.int64)
    before[: len(scene.before.version)] = scene.before.version
    before[-1] = scene.before.world_version
    now[:-1], now[-1] = state.version[:count], state.world_version
    rows = scene.stream_rows
    many = np.bincount(np.where(rows < 0, count, rows), minlength=count + 1)
    wrong = before + many != now
    gap = _first_gap(scene, rows, before, many)
    if gap is None and not wrong.any():
        return None
    wrong_rows = np.flatnonzero(wrong)
    found, expected = now[wrong_rows], (before + many)[wrong_rows]
    ids = np.append(state.id[:count], 0)[wrong_rows].astype(np.int64)

    def at(place: int) -> Break:
        if gap is not None and place == len(ids):
            return gap
        who, is_, must = int(ids[place]), int(found[place]), int(expected[place])
        words = f"{entity_name(who)} has {is_} events, there must be {must}"
        return Break(is_, must, words, who)

    where, off = ids, found - expected
    if gap is not None:
        # A place that no entity has.
        where, off = np.append(where, -gap.seq), np.append(off, gap.found - gap.expected)
    return Breaks(where, off, at)


def _first_gap(scene: Scene, rows: Array, before: Array, many: Array) -> Break | None:
    """Return a break where a stream's numbers are not one after another, in order."""
    if not len(rows):
        return None
    nth = scene.events["version"].astype(np.int64) - before[rows] - 1
    ends = np.cumsum(many)
    total = len(rows)
    # Every event has its own place: its stream's first, plus its number in the stream. Where
    # numbers are without a gap each place is taken, by the event that came at that time.
    place = ends[rows] - many[rows] + nth
    taken = np.full(total, -1, np.int64)
    inside = (nth >= 0) & (nth < many[rows])
    taken[place[inside]] = np.nonzero(inside)[0]
    late = np.zeros(total, bool)
    late[1:] = taken[1:] < taken[:-1]
    late[(ends - many)[many > 0]] = False
    late |= taken < 0
    if inside.all() and not late.any():
        return None
    # The first event that is numbered otherwise than counting says.
    seen: dict[int, int] = {}
    for row, (stream_row, found) in enumerate(
        zip(rows.tolist(), scene.events["version"].tolist(), strict=True)
    ):
        expected = seen.get(stream_row, int(before[stream_row])) + 1
        seen[stream_row] = expected
        if found != expected:
            seq, who = scene.first_seq + row, int(scene.events["stream"][row])
            words = f"event {seq} is number {found} of {entity_name(who)}, not {expected}"
            return Break(found, expected, words, who, seq)
    return None


INVARIANT = Invariant("versions", "a stream's events are numbered without a gap", _check)
