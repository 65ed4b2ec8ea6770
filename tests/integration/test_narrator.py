"""The narrator in its own process, against an admin API that comes, goes and fails."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from engine.hub.eventlog import EventLog
from engine.hub.logbook import Logbook
from engine.hub.narratorpost import NarratorPost
from engine.hub.placement import Child, ProcessPlacement
from engine.hub.story import Story
from engine.protocol.child import ChildProblem, Go, NarratorReady, NarratorSpec, Quit
from engine.protocol.events import Event
from engine.protocol.limits import CHILD_GRACE_S, STORY_BACK_EVENTS_MAX
from tests.integration.fake_admin import TOKEN, FakeAdmin, without
from tests.integration.hub_process import until
from tests.machine import MARGIN_S
from tests.unit.hub.fakes import run_spec

pytestmark = pytest.mark.integration

ENDS_S = CHILD_GRACE_S + MARGIN_S
"""A narrator that is to end has the promised time for it, and the machine its own."""
BACK_S = 5.0 + MARGIN_S
"""A narrator that was killed is back within a few seconds."""


class Deaths:
    """A stream of deaths far enough apart for each to be told."""

    def __init__(self, admin: FakeAdmin) -> None:
        self._admin = admin
        self.count = 0

    def another(self) -> None:
        """Somebody dies."""
        self.count += 1
        victim = 1_000_000 + self.count
        died = Event(self.count * 10, self.count * 50, "died", victim, 1, 100_000 + self.count)
        self._admin.happen(died.tick, died)

    @property
    def told(self) -> list[int]:
        """Which deaths were told, in order."""
        return [beat.events[0] // 10 for beat in self._admin.told]

    def all_told(self) -> bool:
        return self.told == list(range(1, self.count + 1))


@asynccontextmanager
async def narrator(admin: FakeAdmin, token: str = TOKEN) -> AsyncIterator[tuple[Child, list[str]]]:
    heard: list[str] = []
    child = await ProcessPlacement().start("narrator", heard.append)
    try:
        child.channel.post(NarratorSpec("r1", 7, admin.url, token))
        ready = await asyncio.wait_for(child.channel.receive(), ENDS_S)
        assert isinstance(ready, NarratorReady)
        assert ready.pid == child.pid
        yield child, heard
    finally:
        await child.channel.aclose()
        child.kill()
        await child.wait()


async def heard_of(heard: list[str], text: str) -> None:
    await until(lambda: any(text in line for line in heard), f"{text} in {heard}")


async def test_it_follows_tells_in_order_and_hands_in_the_rest_when_it_quits() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    async with admin.up(), narrator(admin) as (child, heard):
        for _ in range(3):
            deaths.another()
        await until(deaths.all_told, "three beats")
        assert admin.queries[0]["topics"] == "events,faults"
        assert "died" in admin.queries[0]["kinds"].split(",")
        assert "rested" not in admin.queries[0]["kinds"].split(",")
        os.kill(child.pid, signal.SIGINT)
        deaths.another()
        await until(deaths.all_told, "ctrl+c is not its concern")
        child.channel.post(Quit())
        assert await asyncio.wait_for(child.wait(), ENDS_S) == 0
        assert heard == []


async def test_it_waits_for_an_engine_that_is_not_there_yet() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    deaths.another()
    async with narrator(admin) as (_, heard):
        await heard_of(heard, "waiting for the engine")
        async with admin.up():
            await until(deaths.all_told, "a beat")


async def test_it_goes_on_where_it_was_when_the_engine_comes_back() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    async with narrator(admin):
        async with admin.up():
            deaths.another()
            await until(deaths.all_told, "a beat")
            admin.cut()
            await until(lambda: len(admin.asked) == 2, "another stream")
        deaths.another()
        async with admin.up():
            deaths.another()
            await until(deaths.all_told, "the beats after the break, once each")
    assert admin.asked[:2] == [0, 10]
    assert admin.asked[-1] == 10


async def test_beats_that_could_not_be_posted_are_posted_again_in_order() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    admin.answers.extend([503, 429, 404, 500])
    async with admin.up(), narrator(admin) as (_, heard):
        for _ in range(3):
            deaths.another()
        await until(deaths.all_told, "all three in order")
        await heard_of(heard, "beats wait: POST /story/beats: 503")


async def test_what_is_refused_is_given_up_and_the_others_are_told() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    for _ in range(3):
        deaths.another()
    admin.unwanted = 20
    # While the first ones wait the others join them: all are refused, then each is tried.
    admin.answers.extend([503, 503])
    async with narrator(admin) as (_, heard), admin.up():
        await heard_of(heard, "a beat was refused")
        deaths.another()
        await until(lambda: deaths.told == [1, 3, 4], "the others")


async def test_what_is_judged_and_turned_away_is_not_told_again() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    for _ in range(3):
        deaths.another()
    admin.judge = without(20)
    async with narrator(admin) as (_, heard), admin.up():
        await heard_of(heard, "a beat was refused: event 20 is unwanted")
        await until(lambda: deaths.told == [1, 3], "the others")
        posts = admin.posts
        deaths.another()
        await until(lambda: deaths.told == [1, 3, 4], "the next")
        assert admin.posts == posts + 1


async def test_the_engine_counts_a_beat_once_that_it_turned_away() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    for _ in range(3):
        deaths.another()
    # It knows no event, so it can check none.
    story = Story(EventLog())
    admin.judge = lambda beats: story.take(beats, 1.0)
    # While the first ones wait the others join them.
    admin.answers.extend([503, 503])
    async with narrator(admin) as (_, heard), admin.up():
        await heard_of(heard, "not among those that can be checked")
        admin.judge = without(0)
        deaths.another()
        await until(lambda: deaths.told == [4], "the next")
    assert story.view().ungrounded == 3


async def test_an_answer_that_says_nothing_of_the_beats_is_said() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    admin.answers.append(201)
    async with admin.up(), narrator(admin) as (_, heard):
        deaths.another()
        await heard_of(heard, "what became of the beats is not known")
        deaths.another()
        await until(lambda: deaths.told == [2], "the next")


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"nonsense", b'{"rows": 5}', b'{"rows": [{"number": "one"}]}', b"[" * 2_000_000],
    ids=["empty", "words", "number", "beat", "endless"],
)
async def test_nonsense_for_the_newest_beat_is_asked_again(nonsense: bytes) -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    admin.newest.append(nonsense)
    deaths.another()
    async with admin.up(), narrator(admin):
        await until(deaths.all_told, "a beat")


async def test_nonsense_on_the_stream_is_passed_over() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    for text in (
        "",
        "{",
        "[]",
        '{"type": "events"}',
        '{"type": "events", "tick": 3, "last_seq": 3, "events": [{"seq": 3}]}',
        '{"type": "events", "tick": 3, "last_seq": 3, "events": [{"seq": 3, "tick": 4, '
        '"kind": "died", "stream": 5, "version": 1}]}',
        '{"type": "events", "tick": 3, "last_seq": 3, "events": [{"seq": 3, "tick": 3, '
        '"kind": "died", "stream": -5, "version": 1}]}',
        '{"type": "fault", "what": "forgotten", "tick": 1, "fault": {"id": "f1", "name": "kill"}}',
        '{"type": "weather", "rain": true}',
        '{"type": "fault", "number": 1, "what": "armed", "fault": {"name": "disconnect-storm"}}',
        '{"type": "gap", "topic": "ticks", "first": 1, "last": 9000, "count": 1, "why": "lost"}',
        '{"type": "gap", "topic": "events", "first": 1, "last": 5, "count": 5, "why": "slow"}',
        '{"type": "live", "last_seq": 5}',
    ):
        admin.say(text)
    deaths.another()
    async with admin.up(), narrator(admin) as (_, heard):
        await until(deaths.all_told, "a beat")
        await heard_of(heard, "a message of the stream is no good")
    assert len(admin.asked) == 1


async def test_what_the_hub_could_not_check_any_more_is_not_told() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    admin.last_seq = STORY_BACK_EVENTS_MAX + 20
    for _ in range(4):
        deaths.another()
    async with admin.up(), narrator(admin):
        await until(lambda: deaths.told == [3, 4], "those that can be checked")


async def test_a_gap_moves_it_on() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    async with admin.up(), narrator(admin):
        admin.say('{"type": "gap", "topic": "events", "first": 1, "last": 500}')
        # The first one is within the gap; once the other is told, the gap has come.
        deaths.another()
        deaths.count = 50
        deaths.another()
        await until(lambda: deaths.told == [51], "what is behind the gap")
        admin.cut()
        await until(lambda: len(admin.asked) > 1, "another stream")
    assert admin.asked[1] == 510


@pytest.mark.parametrize("raging", [True, False])
async def test_after_a_hole_in_the_faults_another_stream_says_which_are_armed(raging: bool) -> None:
    admin = FakeAdmin()
    storm = {"id": "f1", "name": "disconnect-storm"}
    told = {"type": "fault", "what": "armed", "tick": 1, "fault": storm}
    Deaths(admin).another()
    # Whoever has heard of that death is not told these again.
    admin.say(msgspec.json.encode(told).decode(), 9)
    admin.say('{"type": "gap", "topic": "faults", "first": 2, "last": 9}', 9)
    if raging:
        admin.armed = [{"tick": 3, "fault": storm | {"id": "f2"}}]
    async with admin.up(), narrator(admin):
        await until(lambda: len(admin.asked) == 2, "another stream")
        left = [Event(20 + n, 80, "left", 1_000_000 + n, 1, 1_000_000 + n) for n in range(30)]
        admin.happen(80, *left)
        await until(lambda: len(admin.told) == 2, "another beat")
    assert admin.asked == [0, 10]
    assert admin.told[1].kind == "vanishing"
    assert ("storm" in admin.told[1].text) == raging


async def test_a_wrong_token_is_said() -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    deaths.another()
    async with admin.up(), narrator(admin, "wrong") as (_, heard):
        await heard_of(heard, "POST /story/beats: 401")
    assert admin.told == []


@pytest.mark.parametrize("up", [True, False], ids=["listening", "waiting"])
async def test_it_ends_when_its_hub_vanishes(up: bool) -> None:
    admin = FakeAdmin()
    async with narrator(admin) as (child, _):
        if up:
            async with admin.up():
                await until(lambda: bool(admin.asked), "a stream")
                await child.channel.aclose()
                assert await asyncio.wait_for(child.wait(), ENDS_S) == 0
        else:
            await child.channel.aclose()
            assert await asyncio.wait_for(child.wait(), ENDS_S) == 0


async def test_a_first_word_that_is_no_specification_is_a_problem() -> None:
    child = await ProcessPlacement().start("narrator", lambda _: None)
    child.channel.post(Go())
    problem = await asyncio.wait_for(child.channel.receive(), ENDS_S)
    assert isinstance(problem, ChildProblem)
    assert "Go" in problem.message
    assert await asyncio.wait_for(child.wait(), ENDS_S) == 0
    await child.channel.aclose()


async def test_killed_it_is_back_within_seconds_and_tells_nothing_twice(tmp_path: Path) -> None:
    admin = FakeAdmin()
    deaths = Deaths(admin)
    story = Story(EventLog())
    said: list[str] = []

    def tell(kind: str, text: str, *, bad: bool = False) -> None:
        said.append(f"{kind}: {text}")

    logbook = Logbook(tmp_path / "engine.log")
    spec = run_spec(tmp_path, in_process=False)
    post = NarratorPost(spec, ProcessPlacement(), logbook, story, tell)
    try:
        async with admin.up():
            post.start(admin.url, TOKEN)
            post.start(admin.url, TOKEN)
            assert story.narrator == "starting"
            for _ in range(2):
                await until(lambda: story.narrator == "telling", "it tells")
                for _ in range(3):
                    deaths.another()
                await until(deaths.all_told, "the beats")
                changes = len(said) + 2
                began_s = time.monotonic()
                os.kill(post.keeper.pid, signal.SIGKILL)
                await until(lambda most=changes: len(said) >= most, "lost and back")
                assert time.monotonic() - began_s < BACK_S
            deaths.another()
            await until(deaths.all_told, "once each")
            await post.quit(2.0)
            assert post.keeper.pid == 0
    finally:
        await post.quit(0.0)
        logbook.close()
    assert (
        said
        == ["child_lost: the narrator is gone: signal 9", "child_back: the narrator is back"] * 2
    )
    assert admin.asked == sorted(admin.asked)
