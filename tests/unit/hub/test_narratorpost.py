"""The hub's post at the narrator, on fake children."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.hub.embedded import Embedded
from engine.hub.eventlog import EventLog
from engine.hub.logbook import Logbook
from engine.hub.narratorpost import NarratorPost
from engine.hub.placement import LocalPlacement
from engine.hub.story import Story
from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.child import ChildProblem, NarratorReady, NarratorSpec, Quit
from engine.protocol.limits import CHILD_RESTARTS_MAX
from tests.unit.hub.fakes import Stage, run_spec


class Apart(LocalPlacement):
    """Fake children that count as processes."""

    in_process = False


class Bench:
    """A post, and the fake narrators that sat at it."""

    def __init__(self, tmp_path: Path, **changes: object) -> None:
        self.specs: list[NarratorSpec] = []
        self.channels: list[Channel] = []
        self.said: list[tuple[str, str, bool]] = []
        self.quits = 0
        self.refuses = False
        self.story = Story(EventLog())
        self.logbook = Logbook(tmp_path / "engine.log")
        spec = run_spec(tmp_path, in_process=False, **changes)
        placement = Apart({"narrator": self.serve})
        self.post = NarratorPost(spec, placement, self.logbook, self.story, self.tell)

    def tell(self, kind: str, text: str, *, bad: bool = False) -> None:
        self.said.append((kind, text, bad))

    async def serve(self, channel: Channel) -> None:
        spec = await channel.receive()
        assert isinstance(spec, NarratorSpec)
        self.specs.append(spec)
        if self.refuses:
            channel.post(ChildProblem("no words today", 6))
            return
        self.channels.append(channel)
        channel.post(NarratorReady(4321))
        try:
            while not isinstance(await channel.receive(), Quit):
                pass
            self.quits += 1
        except LinkClosed:
            return


@asynccontextmanager
async def bench(tmp_path: Path, **changes: object) -> AsyncIterator[Bench]:
    made = Bench(tmp_path, **changes)
    try:
        yield made
    finally:
        await made.post.quit(0.0)
        made.logbook.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


async def test_it_starts_beside_the_run_and_ends_with_it(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        assert made.story.narrator == "off"
        made.post.start("http://127.0.0.1:1", "secret")
        assert made.story.narrator == "starting", "and nothing has waited"
        await until(lambda: made.story.narrator == "telling")
        assert made.specs == [NarratorSpec("r1", 7, "http://127.0.0.1:1", "secret")]
        await made.post.quit(2.0)
        assert made.quits == 1
        await made.post.quit(2.0)
    assert made.said == []


async def test_lost_it_comes_back_and_both_are_told(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        made.post.start("http://127.0.0.1:1", "secret")
        await until(lambda: len(made.channels) == 1)
        await made.channels[0].aclose()
        await until(lambda: made.story.narrator == "gone")
        await until(lambda: made.story.narrator == "telling")
        assert [(kind, bad) for kind, _, bad in made.said] == [
            ("child_lost", True),
            ("child_back", False),
        ]
        assert made.specs[0] == made.specs[1]


async def test_after_too_many_ends_it_is_given_up_and_nothing_else_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.hub.keeper._BACK_OFF_S", 0.0)
    async with bench(tmp_path) as made:
        made.post.start("http://127.0.0.1:1", "secret")
        for start in range(CHILD_RESTARTS_MAX + 1):
            await until(lambda most=start: len(made.channels) > most)
            await made.channels[start].aclose()
        await until(lambda: bool(made.said) and made.said[-1][0] == "problem")
        assert "no more stories" in made.said[-1][1]
        assert "the run goes on" in made.said[-1][1]
        assert made.story.narrator == "gone"


async def test_one_that_cannot_start_is_told(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        made.refuses = True
        made.post.start("http://127.0.0.1:1", "secret")
        await until(lambda: bool(made.said))
        assert made.said == [
            ("problem", "there will be no more stories: no words today; the run goes on", True)
        ]
        assert made.story.narrator == "gone"


async def test_a_run_that_ends_while_it_starts_does_not_wait(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        made.post.start("http://127.0.0.1:1", "secret")
        await asyncio.wait_for(made.post.quit(10.0), 5)
    assert made.said == []


async def test_nobody_wanted_one(tmp_path: Path) -> None:
    async with bench(tmp_path, warbler=False) as made:
        made.post.start("http://127.0.0.1:1", "secret")
        await asyncio.sleep(0)
        assert made.story.narrator == "off"
        assert made.specs == []


async def test_in_one_process_there_is_none(tmp_path: Path) -> None:
    engine = Embedded(run_spec(tmp_path), LocalPlacement(Stage().serve()))
    await engine.start()
    engine.engine.hub.start_narrator("http://127.0.0.1:1", "secret")
    assert engine.engine.hub.fold.story.narrator == "off"
    ended = await engine.aclose()
    assert ended is not None
    assert b"story" not in (tmp_path / "runs" / "r1" / "summary.json").read_bytes()
