"""The keeper of one child: restarts, and a child that is held down whatever it is doing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec import Struct

from engine.hub.keeper import Keeper, Owner, Ready
from engine.hub.placement import Child, ChildKind, Heard, LocalPlacement
from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.child import NarratorReady, NarratorSpec, Quit
from engine.protocol.limits import CHILD_RESTARTS_MAX


class Bench(LocalPlacement):
    """A keeper and its fake children; ``gate`` holds starts back, ``mute`` their first word."""

    def __init__(self) -> None:
        super().__init__({"narrator": self.serve})
        self.made = 0
        self.channels: list[Channel] = []
        self.ready: list[bool] = []
        self.lost: list[str] = []
        self.broken: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.mute = False
        owner = Owner(
            spec=lambda: NarratorSpec("r1", 7, "http://127.0.0.1:1", "secret"),
            ready=self._ready,
            message=lambda _: None,
            lost=self.lost.append,
            broken=self.broken.append,
            heard=lambda _: None,
        )
        self.keeper = Keeper("narrator", "the child", self, owner)

    async def start(self, kind: ChildKind, heard: Heard) -> Child:
        await self.gate.wait()
        child = await super().start(kind, heard)
        self.made += 1
        return child

    async def serve(self, channel: Channel) -> None:
        await channel.receive()
        if not self.mute:
            channel.post(NarratorReady(4321))
        self.channels.append(channel)
        try:
            while not isinstance(await channel.receive(), Quit):
                pass
        except LinkClosed:
            return

    async def crash(self) -> None:
        """Have the newest child die by itself."""
        await self.channels[-1].aclose()

    async def _ready(self, _: Ready | Struct, again: bool) -> None:
        self.ready.append(again)


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr("engine.hub.keeper._BACK_OFF_S", 0.05)
    async with _opened() as made:
        yield made


@asynccontextmanager
async def _opened() -> AsyncIterator[Bench]:
    made = Bench()
    await made.keeper.start()
    try:
        yield made
    finally:
        made.gate.set()
        await made.keeper.quit(0.0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.005)


async def _stays_down(bench: Bench) -> None:
    """Look for longer than any back-off of these tests: nothing comes back."""
    back = len(bench.ready)
    await asyncio.sleep(0.5)
    assert len(bench.ready) == back
    assert bench.keeper.pid == 0


async def test_a_child_that_is_held_down_stays_down_until_it_is_let_up(bench: Bench) -> None:
    bench.keeper.hold_down()
    await until(lambda: len(bench.lost) == 1)
    await _stays_down(bench)
    bench.keeper.let_up()
    await until(lambda: bench.ready == [False, True])


async def test_held_down_during_the_pause_before_a_restart(bench: Bench) -> None:
    await bench.crash()
    await until(lambda: len(bench.lost) == 1)
    bench.keeper.hold_down()
    await _stays_down(bench)
    bench.keeper.let_up()
    await until(lambda: bench.ready == [False, True])


async def test_held_down_while_it_is_being_made(bench: Bench) -> None:
    bench.gate.clear()
    await bench.crash()
    await until(lambda: len(bench.lost) == 1)
    await asyncio.sleep(0.2)  # beyond the pause: it is being made
    bench.keeper.hold_down()
    bench.gate.set()
    await until(lambda: bench.made == 2)
    await _stays_down(bench)
    assert bench.broken == []
    bench.keeper.let_up()
    await until(lambda: bench.ready == [False, True])


async def test_held_down_before_its_first_word(bench: Bench) -> None:
    bench.mute = True
    await bench.crash()
    await until(lambda: len(bench.channels) == 2)
    bench.keeper.hold_down()
    bench.mute = False
    await _stays_down(bench)
    bench.keeper.let_up()
    await until(lambda: bench.ready == [False, True])


async def test_being_let_up_excuses_no_later_death(bench: Bench) -> None:
    await bench.crash()
    await until(lambda: len(bench.lost) == 1)
    bench.keeper.hold_down()
    bench.keeper.let_up()
    await until(lambda: len(bench.ready) == 2)
    for count in range(CHILD_RESTARTS_MAX):
        assert bench.broken == []
        await bench.crash()
        await until(lambda most=count: len(bench.lost) == 2 + most)
        await until(lambda most=count: bool(bench.broken) or len(bench.ready) == 3 + most)
    assert len(bench.broken) == 1


async def test_quitting_while_it_starts_again_starts_no_other(bench: Bench) -> None:
    bench.mute = True
    await bench.crash()
    await until(lambda: len(bench.channels) == 2)
    await asyncio.wait_for(bench.keeper.quit(0.0), 5.0)
    assert bench.made == 2
