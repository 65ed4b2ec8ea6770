"""Lists that stand still under load: the picked row stays, and newer ones are counted."""

import pytest

from console.figures import count
from console.items import Found, Item, Pick, Press, SetFilter
from console.lines import plain
from console.model import Model, list_keys
from console.panels.events import PANEL as EVENTS
from console.panels.violations import PANEL as VIOLATIONS
from console.select.lists import list_window
from console.update import update
from engine.protocol.events import Event
from engine.protocol.feed import EventsView, Snapshot, ViolationRow, ViolationsView
from engine.protocol.limits import EVENT_TAIL_MAX, VIOLATION_TAIL_MAX

LISTS = ("events", "violations")
ROWS = 18


def snap(last: int, events: int = EVENT_TAIL_MAX, rows: int = VIOLATION_TAIL_MAX) -> Snapshot:
    """Return a snapshot whose newest event and violation is number ``last``."""
    tail = tuple(
        Event(seq, 1, "moved", 1, seq) for seq in range(max(1, last - events + 1), last + 1)
    )
    found = tuple(
        ViolationRow(seq, seq, "speed", 1, "fast", False)
        for seq in range(max(1, last - rows + 1), last + 1)
    )
    return Snapshot(
        run="r",
        state="running",
        events=EventsView(stored=last, tail=tail),
        violations=ViolationsView(total=last, tail=found),
    )


def after(model: Model, *items: Item) -> Model:
    for item in items:
        model = update(model, item)
    return model


def on(name: str, *items: Item) -> Model:
    page = "page_3" if name == "events" else "page_4"
    return after(Model(), snap(1000), Press(page), *items)


def picked(model: Model, name: str) -> tuple[int, list[int]]:
    """Return the picked row's number and those that show."""
    shown = list_window(model.shown, model.view, name, ROWS)
    seqs = [row.seq for row in shown.rows if isinstance(row, Event | ViolationRow)]
    return seqs[shown.picked], seqs


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("keys", [("up", "up"), ("follow",), ("up", "page_up"), ("top",)])
def test_no_row_moves_under_the_cursor_while_thousands_come(name: str, keys: tuple[str, ...]):
    model = on(name, *map(Press, keys))
    before = picked(model, name)
    model = after(model, *(snap(last) for last in range(1300, 9000, 300)))
    assert picked(model, name) == before
    assert picked(after(model, Press("down"), Press("up")), name)[0] in before[1]
    every = list_keys(model.shown, model.view, name)
    assert (every[0], every[-1]) == ((501 if name == "events" else 801), 1000)


@pytest.mark.parametrize("name", LISTS)
def test_following_again_shows_the_newest(name: str):
    model = on(name, Press("up"), snap(5000))
    for again in ("follow", "bottom"):
        newest, _ = picked(after(model, Press(again)), name)
        assert newest == 5000


@pytest.mark.parametrize("name", LISTS)
def test_not_following_the_newest_begins_at_the_newest(name: str):
    assert picked(on(name, Press("follow")), name)[0] == 1000


def test_newer_rows_are_counted_and_the_key_is_said():
    def upper(model: Model) -> str:
        return plain(EVENTS.draw(model, 80, 22, True)[0])

    model = on("events", Press("up"))
    assert "newer" not in upper(model)
    assert "+8,000 newer, f follows" in upper(after(model, snap(9000)))
    assert "newer" not in upper(after(model, snap(9000), Press("follow")))


def test_of_violations_those_that_the_feed_holds_are_counted():
    def upper(model: Model, width: int = 80) -> str:
        return plain(VIOLATIONS.draw(model, width, 22, True)[0])

    model = on("violations", Press("up"))
    assert "+23 newer, f follows" in upper(after(model, snap(1023)))
    assert f"+{count(VIOLATION_TAIL_MAX)} or more newer, f follows" in upper(
        after(model, snap(9000))
    )
    assert len(upper(after(model, snap(9000)), 38)) == 38


def test_the_next_violation_is_reached_beyond_the_rows_it_stands_at():
    model = on("violations", Pick("violations", 900), snap(1010))
    assert picked(model, "violations")[0] == 900
    model = after(model, Pick("violations", 1003))
    assert picked(model, "violations")[0] == 1003
    model = after(model, snap(2000))
    assert picked(model, "violations")[0] == 1003


def test_another_filter_shows_what_passes_it_now():
    model = on("events", Press("up"), snap(3000), SetFilter("events", "kind=moved"))
    assert model.view.events.follow
    assert picked(model, "events")[0] == 3000


def test_what_the_log_has_for_a_filter_comes_to_a_list_that_stands_still_already():
    model = on("events", SetFilter("events", "kind=moved"), Press("up"))
    cursor, _ = picked(model, "events")
    older = tuple(Event(seq, 1, "moved", 1, seq) for seq in range(701, 1101))
    model = after(model, snap(1100), Found("kind=moved", older, 1100))
    assert picked(model, "events")[0] == cursor
    every = list_keys(model.shown, model.view, "events")
    assert (every[0], every[-1]) == (501, 1000)


def test_a_search_that_goes_on_adds_older_rows_and_no_newer():
    some = tuple(Event(seq, 1, "died", 1, seq) for seq in (400, 700, 900))
    model = on("events", SetFilter("events", "kind=died"))
    model = after(model, Found("kind=died", some[1:], 1000, 600, complete=False), Press("up"))
    assert picked(model, "events") == (700, [700, 900])
    later = (*some, Event(1500, 2, "died", 1, 1500))
    model = after(model, Found("kind=died", later, 1600, 300))
    assert picked(model, "events") == (700, [400, 700, 900])
    assert list_keys(model.shown, model.view, "events") == (400, 700, 900)
    assert "+1 newer" in plain(EVENTS.draw(model, 80, 22, True)[0])


def test_freezing_and_going_on_leave_it_where_it_is():
    model = on("events", Press("up"), Press("freeze"), snap(4000))
    before = picked(model, "events")
    assert picked(after(model, Press("freeze"), snap(5000)), "events") == before
