"""`c`: why the picked row happened, from every list."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from console.doings import picked
from engine.protocol.events import Event
from engine.protocol.feed import ViolationRow
from engine.protocol.query import Answer, ChainQuery, EntityQuery, EventsQuery, Query, Refused
from tests.ui.fake_engine import FakeEngine
from tests.ui.fake_link import FakeLink
from tests.ui.stage import make, play, ready, text_of
from tests.ui.test_console import until


def chains(link: FakeLink) -> list[int]:
    return [query.seq for query in link.queries if isinstance(query, ChainQuery)]


@pytest.mark.parametrize(("page", "keys"), [("3", ("up", "up")), ("4", ("v",)), ("7", ("g",))])
async def test_from_events_violations_and_the_story(tmp_path: Path, page: str, keys):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        await pilot.press(page, *keys, "c")
        await until(lambda: "Why event" in text_of(app), pilot)
        (seq,) = chains(link)
        shown = text_of(app)
        assert f"Why event {seq:,}: 2 causes, 15 effects" in shown
        assert "└─" in shown
        assert "enter looks into" in shown
        await pilot.press("escape")
        await until(lambda: len(app.screen_stack) == 1, pilot)


async def test_from_an_entity_its_newest_event(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        await pilot.press("2", "c")
        await until(lambda: "Why" in text_of(app) and "asking…" not in text_of(app), pilot)
        about = next(query for query in link.queries if isinstance(query, EventsQuery))
        assert (about.limit, about.after_seq) == (1, None)
        mine = [event.seq for event in link.engine.log if event.stream == about.about]
        if mine:
            assert chains(link) == mine[-1:]
        else:
            assert "nothing has happened" in text_of(app)


async def test_moving_looking_into_and_starting_from_another_event(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 125)
        await pilot.press("3", "up", "c")
        await until(lambda: "Why event" in text_of(app), pilot)
        await pilot.press("g", "c")
        await until(lambda: len(chains(link)) == 2, pilot)
        asked, root = chains(link)
        assert root == asked - 2
        await until(lambda: f"Why event {root:,}" in text_of(app), pilot)
        await pilot.press("G", "up", "pagedown", "pageup", "enter")
        await until(lambda: len(app.screen_stack) == 3, pilot)
        await until(lambda: any(isinstance(q, EntityQuery) for q in link.queries), pilot)
        await pilot.press("escape")
        await until(lambda: "Why event" in text_of(app), pilot)
        await pilot.press("y", "escape")
        await until(lambda: len(app.screen_stack) == 1, pilot)


class NoChain(FakeLink):
    async def ask(self, query: Query, deadline_s: float = 2.0) -> Answer:
        if isinstance(query, ChainQuery):
            return Refused("gone", "the log cannot be read: it is on fire")
        return await super().ask(query, deadline_s)


async def test_what_goes_wrong_is_shown(tmp_path: Path):
    app, link = make(tmp_path, link=NoChain(FakeEngine()))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        await pilot.press("3", "up", "c")
        await until(lambda: "it is on fire" in text_of(app), pilot)
        await pilot.press("j", "enter")
        await until(lambda: len(app.screen_stack) == 1, pilot)


async def test_nothing_picked_is_said(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("5", "c")
        await until(lambda: "pick an event" in text_of(app), pilot)
        assert chains(link) == []


@pytest.mark.parametrize("page", ["3", "4"])
async def test_what_is_explained_is_the_marked_row_also_under_load(tmp_path: Path, page: str):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        await pilot.press(page, "c")
        await until(lambda: len(chains(link)) == 1, pilot)
        await pilot.press("escape")
        play(app, link, 125)
        await pilot.press("c")
        await until(lambda: len(chains(link)) == 2, pilot)
        first, second = chains(link)
        assert first == second
        await pilot.press("escape")
        row = picked(app)
        assert isinstance(row, Event | ViolationRow)
        assert row.seq == first
        assert not getattr(app.model.view, app.model.view.focus).follow
        assert "newer, f follows" in text_of(app)


async def test_violations_by_v_stay_what_they_were(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        await pilot.press("v")
        row = picked(app)
        assert isinstance(row, ViolationRow)
        flood = tuple(
            ViolationRow(seq, 9000, "speed", 1, "fast", False) for seq in range(90_000, 90_200)
        )
        snapshot = app.model.live.snapshot
        assert snapshot is not None
        app.deliver([replace(snapshot, violations=replace(snapshot.violations, tail=flood))])
        await pilot.press("c")
        await until(lambda: chains(link) == [row.seq], pilot)
        await pilot.press("escape", "x", "x")
        assert app.model.seen.has(row)
        assert app.model.seen.count <= snapshot.violations.total
