"""The world killed in the middle of a run: what was acknowledged is in the log, once."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import websockets

from engine.protocol import gateway as wire
from engine.protocol.command import ArmFault, Panic
from engine.protocol.events import Event
from engine.protocol.feed import Snapshot
from engine.protocol.summary import Summary
from engine.store.reading import read_events
from engine.world.events import to_events
from tests.integration.gateway_kit import WAIT_S
from tests.integration.hub_process import Place, Run

pytestmark = pytest.mark.integration

WITNESSES = 20
KILLS = 3


@pytest.fixture
def place() -> Iterator[Place]:
    with Place() as place:
        yield place


class _Witness:
    """A player that writes down every acknowledgement, and resends what was not answered."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.entity = 0
        self.token: str | None = None
        self.seq = 0
        self.flights: dict[int, wire.Intent] = {}
        self.acks: list[wire.Ack] = []
        self.applied: list[int] = []
        self.resent = 0

    async def play(self, over: asyncio.Event) -> None:
        """Play, and come back whenever the connection is lost, until ``over``; then drain."""
        while not (over.is_set() and not self.flights):
            with contextlib.suppress(OSError, websockets.WebSocketException):
                await self._visit(over)

    async def _visit(self, over: asyncio.Event) -> None:
        async with websockets.connect(
            self.url, compression=None, proxy=None, close_timeout=0.2
        ) as socket:
            hello = wire.Hello(name=self.name, resume=self.token)
            await socket.send(wire.encoder.encode(hello))
            while not (over.is_set() and not self.flights):
                message = wire.server_decoder.decode(await asyncio.wait_for(socket.recv(), WAIT_S))
                match message:
                    case wire.Welcome():
                        self.entity, self.token = message.player, message.resume_token
                        self.applied.append(message.seq)
                        for intent in self.flights.values():
                            self.resent += 1
                            await socket.send(wire.encoder.encode(intent))
                    case wire.Ack():
                        self.acks.append(message)
                        self.flights.pop(message.seq, None)
                    case wire.Bye():
                        return
                if not over.is_set() and len(self.flights) < 3:
                    self.seq += 1
                    intent = wire.Intent(seq=self.seq, kind="say", text=f"{self.name} {self.seq}")
                    self.flights[self.seq] = intent
                    await socket.send(wire.encoder.encode(intent))


async def _url(run: Run) -> str:
    ports = msgspec.json.decode((Path(run.ready.capsule) / "ports.json").read_bytes())
    return f"ws://127.0.0.1:{ports['gateway']}/play"


def _recovered(number: int) -> Callable[[Snapshot], bool]:
    def holds(snapshot: Snapshot) -> bool:
        faults = snapshot.faults
        return len(faults) == number and faults[-1].recovered_at_s is not None

    return holds


def _played_on(witnesses: list[_Witness]) -> Callable[[Snapshot], bool]:
    """Return whether each witness has been let in again and heard of some more commands."""
    before = [(len(witness.applied), len(witness.acks)) for witness in witnesses]

    def holds(_: Snapshot) -> bool:
        return all(
            len(witness.applied) > times and len(witness.acks) > acks + 3
            for witness, (times, acks) in zip(witnesses, before, strict=True)
        )

    return holds


async def test_no_acknowledged_command_is_lost_and_none_is_applied_twice(place: Place) -> None:
    run = await place.start(place.spec())
    url = await _url(run)
    witnesses = [_Witness(f"witness {number}", url) for number in range(WITNESSES)]
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for witness in witnesses:
            tasks.create_task(witness.play(over))
        await run.watch(lambda s: s.players.connected == 20 and s.tick.tick > 10, "players play")
        await run.watch(lambda _: all(witness.acks for witness in witnesses), "witnesses play")
        for number in range(1, KILLS + 1):
            played_on = _played_on(witnesses)
            reply = await run.link.call(ArmFault("kill"))
            assert reply.ok, reply
            await run.watch(_recovered(number), "recovered")
            await run.watch(played_on, "witnesses play again")
        over.set()
    await run.end()
    database = Path(run.ready.capsule) / "events.db"
    stored: list[Event] = []
    while ticks := read_events(
        database, stored[-1].seq if stored else 0, ticks_max=256, events_max=10_000
    ):
        for tick in ticks:
            stored += to_events(tick.block, tick.tick)
    assert [event.seq for event in stored] == list(range(1, len(stored) + 1))
    roots = {event.seq: event for event in stored if event.cause == 0 and event.correlation}
    for witness in witnesses:
        assert len(witness.applied) >= KILLS + 1
        for ack in witness.acks:
            assert ack.event is None or roots[ack.event].correlation == (
                witness.entity << 32 | ack.seq
            )
        start = f"{witness.name} "
        said = Counter(e.text for e in roots.values() if e.text.startswith(start))
        assert max(said.values()) == 1
        acknowledged = {ack.seq for ack in witness.acks if ack.tick and ack.verdict == "permit"}
        assert acknowledged
        assert {f"{witness.name} {seq}" for seq in acknowledged} <= set(said)
    assert sum(witness.resent for witness in witnesses) > 0
    summary = msgspec.json.decode(
        (Path(run.ready.capsule) / "summary.json").read_bytes(), type=Summary
    )
    assert summary.commands.acknowledged_lost == 0
    assert [fault.name for fault in summary.faults] == ["kill"] * KILLS
    for fault in summary.faults:
        assert fault.verdict in {"held", "degraded"}
        assert fault.affected == fault.planned == 20
        assert fault.down_s is not None
        assert fault.recover_s is not None
    assert run.said("problem") == []
    assert place.left() == []


async def test_a_world_that_stays_down_is_undone_by_panic(place: Place) -> None:
    run = await place.start(place.spec())
    await run.watch(lambda s: s.players.connected == 20, "players play")
    reply = await run.link.call(ArmFault("kill", params={"restart_after_s": 600.0}, hold_s=600.0))
    assert reply.ok, reply
    down = await run.watch(lambda s: s.world.pid == 0 and s.players.connected == 0, "down")
    await run.watch(lambda s: s.at_s > down.at_s + 1.5, "it stays down")
    assert run.snapshots[-1].world.pid == 0
    assert (await run.link.call(Panic())).ok
    await run.watch(lambda s: s.players.connected == 20, "everybody is back")
    await run.end()
    assert place.left() == []
