"""The model under items and presses."""

import msgspec
import pytest

from console.actions import VIEW_ACTIONS, command_for
from console.items import Clock, Page, Press, Say, SetFilter, Size, Turn
from console.keymap import default_keymap
from console.lists import ListView, moved, window
from console.model import MESSAGE_S, Model, shown_events
from console.select.places import entities_wanted
from console.update import update
from engine.protocol.command import Panic, ScalePlayers
from engine.protocol.events import Event
from engine.protocol.feed import (
    Ended,
    EventsView,
    Gap,
    Notice,
    Snapshot,
    ViolationRow,
    ViolationsView,
)
from engine.protocol.limits import EVENT_TAIL_MAX
from engine.protocol.query import EntitiesAnswer, EntityRow


def events(first: int, count: int, kind: str = "moved") -> EventsView:
    tail = tuple(Event(seq, 1, kind, 1, seq) for seq in range(first, first + count))
    return EventsView(stored=first + count, tail=tail)


def snap(view: EventsView | None = None, state: str = "running") -> Snapshot:
    return Snapshot(run="r", state=state, events=view or EventsView())


def played(*items: object) -> Model:
    model = Model()
    for item in items:
        model = update(model, item)
    return model


def entity(number: int) -> EntityRow:
    return EntityRow(number, "npc", True, False, 0, 1.0, 1.0, 5, 9, 1, 1, 1, 0, "peak", 1)


def test_the_first_snapshot_makes_it_live_and_its_tail_is_kept_in_order():
    model = played(Clock(5.0), snap(events(1, 3)), snap(events(2, 4)))
    assert model.phase == "live"
    assert model.heard_s == 5.0
    assert [event.seq for event in model.live.events] == [1, 2, 3, 4, 5]


def test_a_page_moved_to_while_frozen_is_shown():
    first = EntitiesAnswer(tick=1, total=90, rows=(entity(1),))
    later = EntitiesAnswer(tick=9, total=90, rows=(entity(2),))
    model = played(snap(), Page(0, first), Press("freeze"), Page(40, later))
    assert model.shown.entities == later
    assert model.shown.entities_after == 40
    assert model.shown.snapshot == snap()


def test_the_event_tail_is_bounded():
    model = Model()
    for first in range(1, 2000, 50):
        model = update(model, snap(events(first, 50)))
    assert len(model.live.events) == EVENT_TAIL_MAX
    assert model.live.events[-1].seq == 2000


def test_freezing_keeps_what_was_shown_while_the_rest_goes_on():
    model = played(snap(events(1, 3)), Press("freeze"), snap(events(4, 3)))
    assert len(model.shown.events) == 3
    assert len(model.live.events) == 6
    assert len(update(model, Press("freeze")).shown.events) == 6


@pytest.mark.parametrize("page", range(1, 7))
def test_pages_focus_a_panel_they_have(page):
    model = played(Press(f"page_{page}"))
    from console.layout import PAGES, panels_of

    assert model.view.page == PAGES[page - 1]
    assert model.view.focus in panels_of(model.view.page)


def test_tab_goes_round():
    model = Model()
    seen = [model.view.focus]
    for _ in range(9):
        model = update(model, Press("panel_next"))
        seen.append(model.view.focus)
    assert seen[0] == seen[-1]
    assert len(set(seen)) == 9
    assert update(model, Press("panel_back")).view.focus == seen[-2]


def test_back_undoes_the_innermost_first():
    model = played(
        Press("page_3"), SetFilter("events", "kind=died"), Press("zoom"), Press("freeze")
    )
    model = update(model, Press("back"))
    assert model.held is None
    model = update(model, Press("back"))
    assert model.view.events.filter == ""
    assert model.view.zoom
    model = update(model, Press("back"))
    assert not model.view.zoom
    assert update(model, Press("back")).view.page == "overview"


def test_a_filter_hides_rows_and_a_wrong_one_changes_nothing():
    both = EventsView(tail=(Event(1, 1, "moved", 1, 1), Event(2, 1, "died", 1, 2)))
    model = played(snap(both), SetFilter("events", "kind=died"))
    assert [event.seq for event in shown_events(model.live, model.view)] == [2]
    wrong = update(model, SetFilter("events", "knid=died"))
    assert wrong.view.events == model.view.events
    assert wrong.message is not None
    assert wrong.message.bad


def test_moving_up_in_a_tail_stops_following_and_the_bottom_follows_again():
    model = played(snap(events(1, 50)), Press("page_3"), Press("up"))
    assert not model.view.events.follow
    assert model.view.events.cursor == 49
    model = update(model, snap(events(51, 5)))
    assert model.view.events.cursor == 49
    assert update(model, Press("bottom")).view.events.follow


def test_the_entity_cursor_stays_in_the_list_and_the_page_around_it_is_asked_for():
    rows = tuple(entity(number) for number in range(60))
    model = played(Size(120, 40), Page(0, EntitiesAnswer(1, 500, rows)), Press("page_2"))
    assert update(model, Press("up")).view.entities.cursor == 0
    model = update(model, Press("bottom"))
    assert model.view.entities.cursor == 499
    after, limit = entities_wanted(model)
    assert after < model.view.entities.top
    assert after + limit >= 500


def test_following_an_entity_keeps_the_cursor_on_it():
    rows = tuple(entity(number) for number in range(20))
    model = played(Page(0, EntitiesAnswer(1, 20, rows)), Press("down"), Press("follow"))
    assert model.view.entities.cursor == 1
    moved_rows = (*rows[2:7], rows[1], rows[0], *rows[7:])
    model = update(model, Page(0, EntitiesAnswer(2, 20, moved_rows)))
    assert model.view.entities.cursor == 5


def test_sorting_goes_through_the_columns_and_turns():
    model = played(Press("sort"))
    assert model.view.entities.sort == "hp"
    assert update(model, Press("sort_turn")).view.entities.sort == "-hp"


def test_a_refused_page_says_why_and_keeps_the_last_one():
    page = Page(0, EntitiesAnswer(1, 1, (entity(1),)))
    model = played(page, Page(0, None, "no answer within 2 s"))
    assert model.live.entities is not None
    assert model.live.entities_problem == "no answer within 2 s"


def test_messages_fade_and_gaps_are_counted():
    model = played(Clock(10.0), Say("hello"), Gap(3), Gap(4))
    assert model.gaps == 7
    assert model.message is not None
    assert update(model, Clock(10.0 + MESSAGE_S)).message is None


def test_notices_are_kept_and_shown():
    model = played(Notice(1.0, "child_lost", "squad-1 died", bad=True))
    assert model.notices[-1].text == "squad-1 died"
    assert model.message is not None
    assert model.message.bad


def test_the_end_is_final():
    model = played(snap(), Turn("draining"), Ended(0, "held"), Turn("lost", "gone"))
    assert model.phase == "ended"


def test_violations_come_from_the_snapshot():
    view = ViolationsView(
        total=2, tail=(ViolationRow(5, 1, "speed", 1, "x"), ViolationRow(9, 2, "rate", 1, "y"))
    )
    model = played(msgspec.structs.replace(snap(), violations=view), Press("page_4"), Press("top"))
    assert model.view.violations.cursor == 5


def test_every_action_of_the_keymap_is_done_somewhere():
    from console.doings import do  # the others; imported here, for it needs Textual

    opened = {
        "help", "palette", "fault", "load_exact", "mark", "filter", "drill", "theme", "copy",
        "redraw", "detach", "quit", "copy_list", "violation_next", "acknowledge", "mouse",
        "notices", "chain",
    }  # fmt: skip
    assert callable(do)
    for binding in default_keymap().bindings:
        done = binding.action in VIEW_ACTIONS | opened or command_for(binding.action)
        assert done, binding.action
    assert command_for("panic") == Panic()
    assert command_for("load_down") == ScalePlayers(-10)


def test_a_window_shows_the_cursor_and_no_empty_rows():
    keys = list(range(100, 200))
    assert window(keys, 10, ListView(follow=True)) == (90, 99)
    assert window(keys, 10, ListView(cursor=105, top=100)) == (0, 5)
    assert window(keys, 10, ListView(cursor=150, top=100)) == (41, 50)
    assert window(keys, 1000, ListView(cursor=150, top=150)) == (0, 50)
    assert window([], 10, ListView()) == (0, 0)


def test_moving_stops_at_the_ends():
    keys = list(range(10))
    assert moved(keys, 4, ListView(cursor=9, top=6), 5).cursor == 9
    assert moved(keys, 4, ListView(), -1).cursor == 0
    assert moved(keys, 4, ListView(), 4) == ListView(cursor=4, top=1)
