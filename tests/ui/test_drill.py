"""The box of an entity or an event: its chain by `c`, long texts, the world itself."""

from pathlib import Path

from msgspec.structs import replace

from engine.protocol.events import Event
from engine.protocol.limits import NPC_ID_BASE
from engine.protocol.query import Answer, EntityAnswer, EntityQuery, Query
from tests.ui.fake_engine import FakeEngine
from tests.ui.fake_link import FakeLink
from tests.ui.stage import make, play, ready, text_of
from tests.ui.test_chain import chains
from tests.ui.test_console import until

LONG = "policy-failed: broken: ZeroDivisionError in line 4: division by zero in my own policy"


class NoEvents(FakeLink):
    async def ask(self, query: Query, deadline_s: float = 2.0) -> Answer:
        answer = await super().ask(query, deadline_s)
        return replace(answer, events=()) if isinstance(answer, EntityAnswer) else answer


async def test_c_opens_the_chain_of_the_newest_event(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        newest = link.engine.history(30)[-1].seq
        await pilot.press("2", "enter")
        await until(lambda: "recent events" in text_of(app), pilot)
        assert "c why" in text_of(app)
        await pilot.press("c")
        await until(lambda: f"Why event {newest:,}" in text_of(app), pilot)
        assert chains(link) == [newest]
        await pilot.press("escape")
        await until(lambda: "recent events" in text_of(app), pilot)


async def test_c_says_that_no_event_is_known(tmp_path: Path):
    app, link = make(tmp_path, link=NoEvents(FakeEngine()))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        await pilot.press("2", "enter")
        await until(lambda: "no events kept" in text_of(app), pilot)
        await pilot.press("c")
        await until(lambda: "no event of it is known" in text_of(app), pilot)
        assert chains(link) == []


async def _box_of(tmp_path: Path, event: Event) -> tuple[str, FakeLink]:
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        snapshot = app.model.live.snapshot
        assert snapshot is not None
        app.deliver([replace(snapshot, events=replace(snapshot.events, tail=(event,)))])
        await pilot.press("3", "enter")
        await until(lambda: f"event     {event.seq:,}" in text_of(app), pilot)
        await pilot.pause()
        return text_of(app), link


async def test_what_an_event_says_is_shown_whole(tmp_path: Path):
    text, _ = await _box_of(tmp_path, Event(900_000, 9, "denied", NPC_ID_BASE + 1, 1, text=LONG))
    assert LONG in " ".join(line.strip(" │") for line in text.split("\n")).replace("  ", " ")


async def test_the_world_itself_is_no_entity_to_ask_for(tmp_path: Path):
    said = "speed: disabled"
    text, link = await _box_of(tmp_path, Event(900_000, 9, "policy_changed", 0, 1, text=said))
    assert "╭─▸Event " in text
    assert said in text
    assert "▲ no entity" not in text
    assert "the world itself did this" in text
    assert not any(isinstance(query, EntityQuery) for query in link.queries)
