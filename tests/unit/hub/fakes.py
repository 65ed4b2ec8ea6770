"""Children without a world or players, and reports made by hand."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.hub.placement import ChildKind, Serve
from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.child import (
    AskPlayer,
    EventBatch,
    Go,
    PlayerTold,
    Quit,
    SetLoad,
    SquadClear,
    SquadFault,
    SquadReady,
    SquadReport,
    SquadSpec,
    TickRow,
    WorldReady,
    WorldReport,
    WorldSpec,
)
from engine.protocol.events import EVENT_CODE
from engine.protocol.query import PlayerView
from engine.protocol.scenario import FaultStep, Scenario
from engine.protocol.spec import RunSpec
from engine.server.shared import SharedState
from engine.world.events import EVENT_DTYPE, EventBlock
from engine.world.state import State
from tests.specs import small_run


def squad_report(squad: int = 0, **changes: Any) -> SquadReport:
    """Return a report of a squad at rest."""
    plain = SquadReport(
        squad=squad,
        pid=100 + squad,
        at_s=0.0,
        target=0,
        connected=0,
        connecting=0,
        lost=0,
        due=0,
        sent=0,
        acknowledged=0,
        denied=0,
        mutated=0,
        unanswered=0,
        missed=0,
        errors={},
        latency={},
        latency_now={},
        latency_uncorrected={},
        lateness={},
        loop_lag={},
        latency_max_ms={},
        lateness_max_ms=0.0,
        cpu_s=0.0,
        rss_mb=1.0,
        frames_received=0,
        bytes_received=0,
        by_archetype={},
        stage="hold",
        planned={},
        affected={},
    )
    return msgspec.structs.replace(plain, **changes)


def tick_row(tick: int, ms: float = 5.0, *, overrun: bool = False) -> TickRow:
    """Return one tick's figures."""
    return TickRow(tick, ms, 1, 1, 1, 0.5, 1, 0.5, 0, overrun, 0, 0, 0)


def world_report(tick: int, rows: tuple[TickRow, ...] = (), **changes: Any) -> WorldReport:
    """Return a report of a world at rest."""
    plain = WorldReport(
        ticks=rows or (tick_row(tick),),
        tick=tick,
        skipped=0,
        events_stored=0,
        connected=0,
        cpu_s=0.0,
        rss_mb=1.0,
        log_bytes=0,
        state_hash="00",
        frames_sent=0,
        frames_skipped=0,
        bytes_sent=0,
        bad_frames={},
    )
    return msgspec.structs.replace(plain, **changes)


def event_batch(
    tick: int, first_seq: int, events: list[dict[str, Any]], dropped: int = 0
) -> EventBatch:
    """Return a batch; an event is a dict of columns, ``kind`` by name, and perhaps ``text``."""
    rows = np.zeros(len(events), EVENT_DTYPE)
    texts: dict[int, str] = {}
    for index, event in enumerate(events):
        for name, value in event.items():
            if name == "text":
                texts[index] = value
            else:
                rows[index][name] = EVENT_CODE[value] if name == "kind" else value
    block = EventBlock(first_seq, rows, texts)
    return EventBatch(tick, first_seq, len(events), block.pack(), texts, dropped)


class Stage:
    """Fake children that keep what they were told and die on request.

    Attributes:
        told: Everything squads were told, by squad number.
        specs: Every spec a child was started with.
        target: Players a squad says it wants and has.
        channels: The newest channel of each child, by name.
    """

    def __init__(self) -> None:
        self.told: dict[int, list[Any]] = {}
        self.specs: list[WorldSpec | SquadSpec] = []
        self.target = 10
        self.channels: dict[str, Channel] = {}
        self.starts = 0
        self.ticks = 0
        self.refuse: Any = None
        self.stubborn = False
        self.silent = False

    def serve(self) -> Mapping[ChildKind, Serve]:
        return {"world": self._world, "squad": self._squad}

    def _player(self, spec: SquadSpec, number: int) -> PlayerView | None:
        if number >= self.target:
            return None
        return PlayerView(spec.squad, "wanderer", "playing", 1.0, 0, 0, 0.0, number, number)

    async def kill(self, name: str) -> None:
        await self.channels[name].aclose()

    async def _world(self, channel: Channel) -> None:
        spec = await channel.receive()
        assert isinstance(spec, WorldSpec)
        self.specs.append(spec)
        if self.refuse is not None:
            channel.post(self.refuse)
            return
        self.channels["world"] = channel
        shared = SharedState.create(spec.shared_memory, spec.shape.capacity)
        state = State(spec.shape.capacity)
        state.add(np.arange(1, 4, dtype=np.uint32))
        state.alive[:3], state.kind[:3] = 1, (0, 1, 1)
        state.hp[:3] = (0, 50, 10)
        state.stage[:3] = 1
        shared.publish(state, 1)
        channel.post(WorldReady(1234, spec.gateway_port or 4567, self.ticks))
        try:
            async with asyncio.TaskGroup() as tasks:
                beat = tasks.create_task(self._beat_world(channel))
                await _until_quit(channel)
                beat.cancel()
            channel.post(world_report(self.ticks))
        finally:
            shared.close()
            shared.unlink()

    async def _beat_world(self, channel: Channel) -> None:
        while True:
            self.ticks += 1
            channel.post(world_report(self.ticks, events_stored=self.ticks))
            died = [{"kind": "died", "stream": 2, "version": self.ticks}]
            channel.post(event_batch(self.ticks, self.ticks, died))
            await asyncio.sleep(0.02)

    async def _squad(self, channel: Channel) -> None:
        spec = await channel.receive()
        assert isinstance(spec, SquadSpec)
        self.specs.append(spec)
        self.channels[f"squad {spec.squad}"] = channel
        told = self.told.setdefault(spec.squad, [])
        self.starts += 1
        pid = 100 + self.starts
        channel.post(SquadReady(pid, spec.squad))
        sent = 0
        target = self.target
        async with asyncio.TaskGroup() as tasks:

            async def beat() -> None:
                nonlocal sent
                while True:
                    sent += 1
                    channel.post(
                        squad_report(
                            spec.squad,
                            pid=pid,
                            target=target,
                            connected=target,
                            due=sent,
                            sent=sent,
                            acknowledged=sent,
                            latency={"move": {1000: 1}},
                            latency_now={1000: 1},
                            lateness={100: 1},
                        )
                    )
                    await asyncio.sleep(0.02)

            beating = tasks.create_task(beat())
            try:
                while True:
                    message = await channel.receive()
                    if isinstance(message, Quit) and not self.stubborn:
                        break
                    told.append(message)
                    if isinstance(message, AskPlayer) and not self.silent:
                        channel.post(PlayerTold(message.id, self._player(spec, message.number)))
                    if isinstance(message, SetLoad) and message.players is not None:
                        target = message.players
            except LinkClosed:
                pass
            beating.cancel()
        channel.post(
            squad_report(
                spec.squad,
                pid=pid,
                target=target,
                due=sent,
                sent=sent,
                acknowledged=sent,
                finished=True,
            )
        )

    def told_to(self, squad: int, kind: type[Go | SetLoad | SquadFault | SquadClear]) -> list[Any]:
        return [message for message in self.told.get(squad, []) if isinstance(message, kind)]


async def _until_quit(channel: Channel) -> None:
    try:
        while not isinstance(await channel.receive(), Quit):
            pass
    except LinkClosed:
        return


def run_spec(tmp_path: Path, run: str = "r1", **changes: Any) -> RunSpec:
    """Return a small run with its capsule in ``tmp_path`` and no socket."""
    changes.setdefault("scenario", Scenario(warm_up_s=0.0, players=10))
    return small_run(tmp_path / "runs", run, **changes)


def storm_step(at_s: float, **changes: Any) -> FaultStep:
    """Return a disconnect-storm for a scenario's schedule."""
    plain = FaultStep("disconnect-storm", at_s, 5.0, 0.0, {"players_pct": 30}, {})
    return msgspec.structs.replace(plain, **changes)
