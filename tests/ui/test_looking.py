"""Looking closer: one entity, violations, outages, what happened, the hint, the mouse."""

from pathlib import Path

import msgspec
import pytest

from console.app import ConsoleOptions, StormApp
from console.items import Clock, Mouse, SetFilter
from console.opening import HINT_S, hint_path
from engine.link.base import EngineLink
from engine.protocol.feed import Notice, OutageView
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.query import (
    Answer,
    EntityAnswer,
    EntityQuery,
    Query,
)
from tests.ui.fake_engine import FakeEngine
from tests.ui.fake_link import FakeLink
from tests.ui.stage import NOON_S, make, play, ready, text_of
from tests.ui.test_console import until

SIZES = [(80, 24), (120, 40), (200, 60)]
FIND_PLAYER = ("slash", *"kind=player", "enter")


def asked(link: FakeLink) -> int:
    return sum(isinstance(query, EntityQuery) for query in link.queries)


@pytest.mark.parametrize("size", SIZES)
async def test_the_drill_shows_state_socket_answers_and_events(tmp_path: Path, size):
    app, link = make(tmp_path)
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        play(app, link, 125)
        await pilot.press(*FIND_PLAYER)
        await until(lambda: app.model.live.entities.total == 300, pilot)
        await pilot.press("enter")
        await until(lambda: "socket" in text_of(app), pilot)
        shown = text_of(app)
        for words in ("health", "playing for", "120 sent, 119 answered", "in flight"):
            assert words in shown
        for words in ("last acknowledgements", "✓ permit", "recent events", "verdict", "reason"):
            assert words in shown


async def test_the_drill_asks_once_a_second_but_not_while_frozen(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("console.screens.drill.AGAIN_S", 0.02)
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("enter")
        await until(lambda: asked(link) > 3, pilot)
        await pilot.press("space")
        await until(lambda: "frozen" in text_of(app), pilot)
        await pilot.pause(0.05)
        before = asked(link)
        await pilot.pause(0.2)
        assert asked(link) == before
        await pilot.press("space")
        await until(lambda: asked(link) > before, pilot)
        await pilot.press("escape")
        await pilot.pause(0.05)
        before = asked(link)
        await pilot.pause(0.2)
        assert asked(link) == before


async def test_the_drill_tells_a_fault_a_silent_squad_and_a_dead_world(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("console.screens.drill.AGAIN_S", 0.02)

    class Silent(FakeLink):
        silent = False

        async def ask(self, query: Query, deadline_s: float = 2.0) -> Answer:
            answer = await super().ask(query, deadline_s)
            if self.silent and isinstance(answer, EntityAnswer):
                return msgspec.structs.replace(answer, player=None)
            return answer

    link = Silent(FakeEngine())
    app, _ = make(tmp_path, link=link)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        await pilot.press("slash", *"kind=player", "space", *"gold>500", "enter")
        await until(lambda: app.model.live.entities.total < 30, pilot)
        rows = app.model.live.entities.rows
        place = next(i for i, row in enumerate(rows) if (row.id - PLAYER_ID_BASE) % 3 == 0)
        await pilot.press(*["j"] * place, "enter")
        await until(lambda: "held away by a fault" in text_of(app), pilot)
        assert "↯ disconnect-storm 13s left" in text_of(app)
        link.silent = True
        link.engine.outages = (OutageView("world", 124.0, "signal 9"),)
        await pilot.press("escape", "enter")
        app.deliver([link.engine.snapshot(126.0)])
        await until(lambda: "does not tell of it" in text_of(app), pilot)
        await until(lambda: "the world is down: as of tick" in text_of(app), pilot)


async def test_v_goes_to_the_next_open_violation_and_x_acknowledges(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        total = app.model.live.snapshot.violations.total
        tail = app.model.live.snapshot.violations.tail
        await pilot.press("2", "v")
        assert (app.model.view.page, app.model.view.focus) == ("violations", "violations")
        assert app.model.view.violations.cursor == tail[0].seq
        await pilot.press("x", "v", "v", "x")
        assert app.model.seen.rows == {tail[0].seq, tail[2].seq}
        assert f"{total - 2} open of {total}" in text_of(app)
        assert text_of(app).count("✓ ") >= 2
        await pilot.press("x")
        assert app.model.seen.has(tail[1])
        assert f"{total - app.model.seen.count} open of" in text_of(app)
        await pilot.press("v")
        assert app.model.view.violations.cursor == tail[3].seq
        await pilot.press("G", "x", "v")
        await until(lambda: "no open violation" in text_of(app), pilot)
        assert f"0 open of {total}" in text_of(app)


async def test_x_spares_what_the_filter_hides(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        tail = app.model.live.snapshot.violations.tail
        shown = {row.seq for row in tail if row.policy == "speed"}
        assert 0 < len(shown) < len(tail)
        app.deliver([SetFilter("violations", "policy=speed")])
        await pilot.press("4", "G", "x")
        assert {row.seq for row in tail if app.model.seen.has(row)} == shown
        assert app.model.seen.count == len(shown)
        assert f"{len(shown)} acknowledged" in text_of(app)


@pytest.mark.parametrize("size", SIZES)
async def test_a_violation_shows_the_policy_that_found_it(tmp_path: Path, size):
    app, link = make(tmp_path)
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        play(app, link, 125)
        app.deliver([SetFilter("violations", "policy=speed")])
        await pilot.press("4", "G", "k", "enter")
        await until(lambda: "priority 40" in text_of(app), pilot)
        shown = text_of(app)
        for words in ("speed, on", "zones 9, 14", "step_tiles_max 8", "56 denied, 7 changed"):
            assert words in shown
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_v_stays_on_a_page_that_shows_the_list(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(200, 60)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        await pilot.press("x")
        await until(lambda: "pick a violation first" in text_of(app), pilot)
        await pilot.press("v")
        assert (app.model.view.page, app.model.view.focus) == ("overview", "violations")


async def test_the_status_line_counts_open_violations(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(200, 60)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        total = app.model.live.snapshot.violations.total
        assert "open violations" in text_of(app).split("\n")[0]
        assert f" {total} " in text_of(app).split("\n")[1]
        await pilot.press("v", "G", "x")
        assert f" {total} " not in text_of(app).split("\n")[1]


async def test_y_copies_the_row_and_shift_y_the_list_as_shown(tmp_path: Path):
    app, link = make(tmp_path)
    copied = tmp_path / ".local/state/seedstorm/copied.txt"
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        await pilot.press("y")
        first = copied.read_text()
        assert len(first.splitlines()) == 1
        await pilot.press("Y")
        lines = copied.read_text().splitlines()
        assert lines[0] == first.rstrip("\n")
        assert 10 <= len(lines) <= 15
        await until(lambda: f"copied {len(lines)} rows" in text_of(app), pilot)
        await pilot.press("5", "Y")
        await until(lambda: "no rows to copy" in text_of(app), pilot)
        # The banner of a world that is down takes two rows.
        await pilot.press("2", "Y")
        lines = copied.read_text().splitlines()
        link.engine.outages = (OutageView("world", 59.0, "signal 9"),)
        app.deliver([link.engine.snapshot(61.0)])
        await pilot.press("2", "Y")
        await until(lambda: f"copied {len(lines) - 2} rows" in text_of(app), pilot)


async def test_what_happened_is_listed_and_old_notices_are_no_news(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        app.deliver([Notice(3.0, "child_lost", "squad 0 is gone: signal 9", bad=True)])
        assert "squad 0 is gone" not in text_of(app)
        app.deliver([Notice(125.0, "mark", "deploy done")])
        assert "deploy done" in text_of(app)
        await pilot.press("L")
        await until(lambda: "What happened" in text_of(app), pilot)
        shown = text_of(app)
        assert "squad 0 is gone" in shown
        assert shown.index("deploy done") < shown.index("squad 0 is gone")
        assert "✖ child lost" in shown
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


def greeted(home: Path, link: FakeLink, hint: bool = True) -> StormApp:
    async def connect() -> EngineLink:
        return link

    options = ConsoleOptions(hz=0.01, environ={"HOME": str(home)}, hint=hint)
    return StormApp(connect, options)


async def test_the_hint_is_shown_once_and_the_key_that_ends_it_acts_once(tmp_path: Path):
    link = FakeLink(FakeEngine())
    app = greeted(tmp_path, link)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        assert "break something" in text_of(app)
        hint = hint_path({"HOME": str(tmp_path)})
        assert hint is not None
        assert hint.exists()
        await pilot.press("plus")
        await until(lambda: len(link.calls) == 1, pilot)
        assert "break something" not in text_of(app)
        await pilot.press("3")
        assert len(link.calls) == 1
    again = greeted(tmp_path, FakeLink(FakeEngine()))
    async with again.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(again, link, 30)
        assert "break something" not in text_of(again)


async def test_the_hint_goes_by_itself_and_is_never_an_error(tmp_path: Path):
    (tmp_path / ".local").write_text("no folder")
    link = FakeLink(FakeEngine())
    app = greeted(tmp_path, link)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        assert "break something" in text_of(app)
        app.deliver([Clock(NOON_S + HINT_S + 1), link.engine.snapshot(21.0)])
        assert "break something" not in text_of(app)
    silent = greeted(tmp_path, FakeLink(FakeEngine()), hint=False)
    async with silent.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(silent, link, 30)
        assert "break something" not in text_of(silent)


async def test_a_world_that_is_down_is_told_and_charts_have_a_gap(tmp_path: Path):
    app, link = make(tmp_path)
    link.engine.outages = (OutageView("world", 121.2, "signal 9"),)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        shown = text_of(app)
        assert "✖ world down 4s" in shown.split("\n")[1]
        assert "The world is down for 4 s" in shown
        assert "╎" in shown
        assert "✖╍╍" in shown
        link.engine.outages = (OutageView("world", 121.2, "signal 9", 125.6),)
        app.deliver([link.engine.snapshot(126.4)])
        assert "The world is back after 4.4 s" in text_of(app)
        assert "● running" in text_of(app).split("\n")[1]


async def test_the_mouse_is_off_until_m_and_then_picks_and_scrolls(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(200, 60)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        boxes = {box.panel: box for box in app.board.boxes}
        events, entities, load = boxes["events"], boxes["entities"], boxes["load"]
        await pilot.click(offset=(events.x + 5, events.y + 3))
        assert app.model.view.focus == "entities"
        await pilot.press("M")
        await until(lambda: "mouse on: shift-drag selects" in text_of(app), pilot)
        await pilot.click(offset=(events.x + 5, events.y + 3))
        assert app.model.view.focus == "events"
        picked = app.model.view.events
        assert not picked.follow
        row = text_of(app).split("\n")[events.y + 3]
        assert "▸" not in row[: events.x]
        shown = [event.seq for event in app.model.live.events]
        assert picked.cursor in shown
        await pilot.click(offset=(entities.x + 5, entities.y + 4))
        assert (app.model.view.focus, app.model.view.entities.cursor) == ("entities", 2)
        await pilot.click(offset=(load.x + 5, load.y + 4))
        assert app.model.view.focus == "load"
        await pilot.click(offset=(1, 59))
        assert app.model.view.page == "overview"
        await pilot.click(offset=(15, 59))
        assert app.model.view.page == "entities"
        await pilot.press("M")
        assert not app.model.view.mouse


async def test_the_wheel_moves_the_list_under_it_whoever_has_the_keys(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(200, 60)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        app.deliver([Mouse(True)])
        box = next(box for box in app.board.boxes if box.panel == "events")
        last = app.model.live.events[-1].seq
        await pilot._post_mouse_events([_wheel(up=True)], offset=(box.x + 3, box.y + 3), times=1)
        await pilot.pause()
        assert app.model.view.focus == "entities"
        assert app.model.view.events.cursor == last - 3
        assert not app.model.view.events.follow


def _wheel(up: bool):
    from textual import events

    return events.MouseScrollUp if up else events.MouseScrollDown
