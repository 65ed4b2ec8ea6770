"""versions: the events of a stream are numbered without a gap, and its count is their number."""

import numpy as np

from engine.protocol.events import entity_name
from engine.world.arrays import Array
from engine.world.invariants.base import Break, Invariant, Scene


def _check(scene: Scene) -> Break | None:
    state, count = scene.state, scene.state.count
    # One more place than there are rows, for the world's own stream: row -1 ends up there.
    before, now = np.zeros(count + 1, np.int64), np.empty(count + 1, np.int64)
    before[: len(scene.before.version)] = scene.before.version
    before[-1] = scene.before.world_version
    now[:-1], now[-1] = state.version[:count], state.world_version
    rows = scene.stream_rows
    many = np.bincount(np.where(rows < 0, count, rows), minlength=count + 1)
    wrong = before + many != now
    if wrong.any():
        row = int(np.argmax(wrong))
        who = int(state.id[row]) if row < count else 0
        found, expected = int(now[row]), int(before[row] + many[row])
        words = f"{entity_name(who)} has {found} events, there must be {expected}"
        return Break(found, expected, words, who, who)
    return _first_gap(scene, rows, before, many)


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
            return Break(found, expected, words, seq, who, seq)
    return None


INVARIANT = Invariant("versions", "a stream's events are numbered without a gap", _check)
