"""Wires a world from its spec, runs it until told to stop, and leaves nothing behind."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import structlog

from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.child import (
    ChildProblem,
    Quit,
    WorldOrder,
    WorldOrderDone,
    WorldReady,
    WorldSpec,
)
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.policy import PolicyChange, WorldPolicy, WorldPolicyDone
from engine.server.clock import MonotonicClock
from engine.server.gateway import Gateway
from engine.server.inbox import Inbox
from engine.server.publisher import Publisher
from engine.server.roster import Roster
from engine.server.shared import SharedState
from engine.server.shell import Parts, WorldShell
from engine.store.base import EventStore
from engine.store.memory import MemoryStore
from engine.store.policyfiles import config_of
from engine.store.recover import Recovered, recover
from engine.store.sqlite import SqliteStore
from engine.world.standing import Standing
from engine.world.world import World


async def serve_world(channel: Channel) -> None:
    """Be a world: take the spec, tick until ``Quit`` or until the channel closes.

    What goes wrong is posted as a ``ChildProblem``. The channel is closed in the end.
    """
    await run_world(channel)


async def run_world(
    channel: Channel,
    settled: Callable[[], object] | None = None,
    stop: asyncio.Event | None = None,
) -> ExitCode:
    """Do what ``serve_world`` does and return the exit code.

    Args:
        channel: The hub's channel.
        settled: Called once, when everything is made and the first tick is near.
        stop: Set to stop as ``Quit`` does.
    """
    try:
        await _serve(channel, settled, stop or asyncio.Event())
    except UserError as problem:
        channel.post(ChildProblem(problem.message, problem.exit_code))
        return problem.exit_code
    except Exception as problem:  # noqa: BLE001 - the last resort of a process: told, then it ends
        cause = _first(problem)
        structlog.get_logger().exception("the world failed")
        told = f"the world failed: {type(cause).__name__}: {cause}"
        channel.post(ChildProblem(told, ExitCode.OWN_FAULT))
        return ExitCode.OWN_FAULT
    finally:
        await channel.aclose()
    return ExitCode.HELD


def _first(problem: BaseException) -> BaseException:
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return problem


async def _serve(
    channel: Channel, settled: Callable[[], object] | None, stop: asyncio.Event
) -> None:
    try:
        spec = await channel.receive()
    except LinkClosed:
        return
    if not isinstance(spec, WorldSpec):
        raise UserError(
            f"a world begins with its spec, not with {type(spec).__name__}", ExitCode.OWN_FAULT
        )
    clock = MonotonicClock()
    async with AsyncExitStack() as stack:
        parts, recovered = await _wire(spec, clock.now_s, stack)
        shell = WorldShell(parts, channel, clock, recovered is not None)
        if settled is not None:
            settled()
        channel.post(
            WorldReady(
                pid=os.getpid(),
                gateway_port=parts.gateway.port,
                tick=parts.world.tick,
                recovered=recovered.text if recovered else "",
                passed_over=recovered.unusable if recovered else (),
            )
        )
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(shell.run())
            told = tasks.create_task(_until_told(channel, stop, parts.inbox))
            await stop.wait()
            running.cancel()
            told.cancel()
        shell.report()


async def _until_told(channel: Channel, stop: asyncio.Event, inbox: Inbox) -> None:
    """Take in operators' orders; set ``stop`` on ``Quit`` and when the channel closes."""
    with contextlib.suppress(LinkClosed):
        while not isinstance(message := await channel.receive(), Quit):
            if isinstance(message, WorldOrder):
                refusal = inbox.put_order(message)
                if refusal:
                    channel.post(WorldOrderDone(message.id, 0, "deny", refusal))
            elif isinstance(message, WorldPolicy):
                refusal = inbox.put_policy(message)
                if refusal:
                    channel.post(WorldPolicyDone(message.id, 0, ok=False, text=refusal))
    stop.set()


async def _wire(
    spec: WorldSpec, now_s: Callable[[], float], stack: AsyncExitStack
) -> tuple[Parts, Recovered | None]:
    """Make every part; ``stack`` closes them in the opposite order.

    Returns:
        The parts, and what recovering the world took if it has a log.
    """
    store = _open_store(spec.database)
    stack.callback(store.close)
    parts, recovered = assemble(spec, store, now_s)
    world = parts.world
    shared = None
    if spec.shared_memory:
        shared = SharedState.create(spec.shared_memory, spec.shape.capacity)
        stack.callback(shared.unlink)
        stack.callback(shared.close)
        if recovered:
            shared.publish(world.state, max(world.tick - 1, 0))
    publisher = None
    if spec.events_socket:
        publisher = Publisher(spec.events_socket)
        stack.push_async_callback(publisher.aclose)
        await publisher.open()
    stack.push_async_callback(parts.gateway.aclose, "the world stops")
    await parts.gateway.open(spec.gateway_host, spec.gateway_port)
    return replace(parts, shared=shared, publisher=publisher), recovered


def assemble(
    spec: WorldSpec, store: EventStore, now_s: Callable[[], float]
) -> tuple[Parts, Recovered | None]:
    """Make the parts that need no socket and no shared memory: those are left out.

    Args:
        spec: What the world is made from.
        store: Its log; what is in it is gone on with.
        now_s: The monotonic clock.

    Returns:
        The parts, and what recovering the world took if it has a log.

    Raises:
        UserError: See ``recover``.
    """
    config = config_of(spec.shape, Path(spec.folder))
    recovered = recover(store, config) if store.last() is not None else None
    world = recovered.world if recovered else World.create(config)
    inbox = Inbox()
    if recovered is None:
        _set_policies(world, inbox, spec.policies)
    roster = Roster(spec.secret, world.state.names)

    def has_room(entity: int | None) -> bool:
        state = world.state
        if entity is not None and state.row_of(entity) is not None:
            return True
        return state.count + inbox.newcomers < state.capacity and (
            entity is not None or (roster.takes_guests and state.may_join(roster.next_guest))
        )

    gateway = Gateway(inbox, roster, has_room, now_s)
    return Parts(spec, world, store, inbox, roster, gateway, None, None), recovered


def _set_policies(world: World, inbox: Inbox, changes: Sequence[PolicyChange]) -> None:
    """Have a new world's policies changed before its first tick.

    Raises:
        UserError: A change is not allowed.
    """
    trial = Standing(world.governor.policies)
    for change in changes:
        trial.change(change, 0)
        inbox.put_policy(WorldPolicy(0, change))


def _open_store(database: str) -> EventStore:
    return SqliteStore(Path(database)) if database else MemoryStore()
