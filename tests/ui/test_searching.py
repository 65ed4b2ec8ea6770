"""The events' filter, which searches the engine's log."""

from pathlib import Path

from console.model import shown_events
from engine.protocol.query import Answer, EventsAnswer, EventsQuery, Query, Refused
from tests.ui.fake_engine import FakeEngine
from tests.ui.fake_link import FakeLink
from tests.ui.stage import make, play, ready, text_of
from tests.ui.test_console import until


async def test_a_filter_of_the_events_reaches_back_into_the_log(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link)
        logged = [event for event in link.engine.log if event.kind in {"died", "looted"}]
        kept = [event for event in app.model.live.events if event.kind in {"died", "looted"}]
        assert len(kept) < len(logged)
        await pilot.press("3", "slash", *"kind=died,looted", "enter")
        words = f"{len(logged)} in the last {link.engine.log[-1].seq:,}"
        await until(lambda: words in text_of(app), pilot)
        assert isinstance(link.queries[-1], EventsQuery)
        # They stay while the tail rolls on, and what the tail brings comes below them.
        for second in range(126, 170):
            app.deliver([link.engine.snapshot(second + 0.4)])
        shown = shown_events(app.model.live, app.model.view)
        assert shown[: len(logged)] == tuple(logged)
        assert len(shown) > len(logged)
        await pilot.press("escape")
        await until(lambda: "500 kept" in text_of(app), pilot)


async def test_a_filter_typed_while_frozen_shows_nothing_newer(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link)
        await pilot.press("3", "space")
        last = app.model.live.events[-1].seq
        for second in range(126, 140):
            app.deliver([link.engine.snapshot(second + 0.4)])
        await pilot.press("slash", *"kind=moved", "enter")
        await until(lambda: app.model.shown.found.where == "kind=moved", pilot)
        rows = shown_events(app.model.shown, app.model.view)
        assert rows[-1].seq <= last
        assert rows[0].seq < app.model.shown.events[0].seq


async def test_how_far_a_search_has_come_is_told(tmp_path: Path):
    class Far(FakeLink):
        answer = EventsAnswer(90_000, (), searched=4_321, complete=False)

        async def ask(self, query: Query, deadline_s: float = 2.0) -> Answer:
            if isinstance(query, EventsQuery):
                return self.answer
            return await super().ask(query, deadline_s)

    link = Far(FakeEngine())
    app, _ = make(tmp_path, link=link)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link)
        await pilot.press("3", "slash", *"tick<0", "enter")
        await until(lambda: "none back to event 4,321, searching on" in text_of(app), pilot)
        assert "back to event 4,321…" in text_of(app)
        link.answer = EventsAnswer(90_000, (), searched=80_000, lost=79_999)
        await until(lambda: "79,999 older events cannot be read" in text_of(app), pilot)
        assert "in the last 10,001" in text_of(app)
        link.answer = EventsAnswer(90_000, (), searched=1)
        await until(lambda: "no event passes the filter" in text_of(app), pilot)
        assert "in the last 90,000" in text_of(app)


async def test_a_filter_that_the_engine_refuses_is_told(tmp_path: Path):
    class Slow(FakeLink):
        async def ask(self, query: Query, deadline_s: float = 2.0) -> Answer:
            if isinstance(query, EventsQuery):
                return Refused("deadline", "no answer within 2 s")
            return await super().ask(query, deadline_s)

    app, link = make(tmp_path, link=Slow(FakeEngine()))
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link)
        await pilot.press("3", "slash", *"tick<0", "enter")
        await until(lambda: "no answer within 2 s" in text_of(app), pilot)
