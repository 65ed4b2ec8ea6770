"""Lists of what happens stand still while the operator does not follow the newest. Pure.

Under load the newest few hundred rows are those of about a second: a row that was picked would
be gone before its key is pressed. A list that does not follow keeps the rows it had.
"""

from typing import Final

from msgspec.structs import replace

from console.lists import ListView
from console.model import Data, View, fresh_events, fresh_violations
from engine.protocol.events import Event
from engine.protocol.feed import ViolationRow
from engine.protocol.limits import EVENT_TAIL_MAX, VIOLATION_TAIL_MAX

STILL_LISTS: Final = ("events", "violations")


def looked(data: Data, view: View, name: str, look: ListView) -> View:
    """Return the view with list ``name`` looked at as ``look`` says, standing still or not.

    Rows it stands at stay as long as the picked one is among them; one that is newer brings
    those up to the newest along.
    """
    view = replace(view, **{name: look})
    if name == "events":
        if look.follow:
            return replace(view, still_events=None)
        if not _holds(view.still_events, look.cursor):
            return replace(view, still_events=_events(data, view))
    elif name == "violations":
        if look.follow:
            return replace(view, still_violations=None)
        if not _holds(view.still_violations, look.cursor):
            rows = reachable_violations(data, view)[-VIOLATION_TAIL_MAX:]
            return replace(view, still_violations=rows)
    return view


def widened(data: Data, view: View) -> View:
    """Return the view with what the log has for the filter, up to the newest it stands at."""
    still = view.still_events
    if not still or len(still) >= EVENT_TAIL_MAX:
        return view
    rows = {event.seq: event for event in fresh_events(data, view) if event.seq <= still[-1].seq}
    rows |= {event.seq: event for event in still}
    return replace(view, still_events=tuple(rows[seq] for seq in sorted(rows)))


def reachable_violations(data: Data, view: View) -> tuple[ViolationRow, ...]:
    """Return the violations that the list shows and the newer ones, oldest first."""
    still, fresh = view.still_violations, fresh_violations(data, view)
    if not still:
        return fresh
    return (*still, *(row for row in fresh if row.seq > still[-1].seq))


def newer(data: Data, view: View, name: str) -> tuple[int, bool]:
    """Return how many rows are newer than those a list stands at, and whether there may be more."""
    still: tuple[Event, ...] | tuple[ViolationRow, ...] | None = None
    fresh: tuple[Event, ...] | tuple[ViolationRow, ...] = ()
    if name == "events" and view.still_events is not None:
        still, fresh = view.still_events, fresh_events(data, view)
    elif name == "violations" and view.still_violations is not None:
        still, fresh = view.still_violations, fresh_violations(data, view)
    if still is None:
        return 0, False
    last = still[-1].seq if still else 0
    if name == "events" and last and fresh and not view.events.terms.terms:
        # Events are numbered one after another, also those the feed leaves out.
        return max(0, fresh[-1].seq - last), False
    count = sum(row.seq > last for row in fresh)
    full = EVENT_TAIL_MAX if name == "events" else VIOLATION_TAIL_MAX
    return count, count >= full


def _events(data: Data, view: View) -> tuple[Event, ...]:
    still, fresh = view.still_events, fresh_events(data, view)
    if not still:
        return fresh
    return (*still, *(row for row in fresh if row.seq > still[-1].seq))[-EVENT_TAIL_MAX:]


def _holds(rows: tuple[Event, ...] | tuple[ViolationRow, ...] | None, seq: int) -> bool:
    return rows is not None and any(row.seq == seq for row in rows)
