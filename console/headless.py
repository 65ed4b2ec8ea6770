"""A run without a terminal: progress on stderr, the summary on stdout or in a file."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Self

import msgspec

from console.outcome import Outcome
from engine.link.base import EngineLink, LinkClosed
from engine.protocol.command import Lease, Stop
from engine.protocol.durations import format_duration
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.feed import Ended, Gap, Notice, Snapshot
from engine.protocol.summary import Summary

PROGRESS_S = 1.0


class StopSignals:
    """SIGINT or SIGTERM once: stop in order. Twice: now.

    Use as a context manager; gives the previous handlers back.
    """

    def __init__(self, stop: Callable[[], None], now: Callable[[], None]) -> None:
        self._stop = stop
        self._now = now
        self._count = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.getsignal(number)
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what getsignal gave

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._count += 1
        (self._stop if self._count == 1 else self._now)()


def progress_line(snapshot: Snapshot) -> str:
    """Return one plain line of vitals, for logs and screen readers."""
    players, tick = snapshot.players, snapshot.tick
    parts = [
        f"{format_duration(snapshot.at_s):>6}",
        snapshot.state,
        f"players {players.connected}/{players.target}",
        f"{snapshot.commands.per_s:.0f} commands/s",
        f"{snapshot.events.per_s:.0f} events/s",
        f"tick p99 {tick.ms_p99:.1f}/{tick.interval_ms} ms",
        f"latency p99 {snapshot.latency_ms.p99:.0f} ms",
        f"violations {snapshot.violations.total}",
    ]
    armed = [fault for fault in snapshot.faults if fault.cleared_at_s is None]
    for fault in armed:
        left_s = max(0.0, fault.armed_at_s + fault.hold_s - snapshot.at_s)
        parts.append(f"{fault.name} {left_s:.0f}s left")
    if snapshot.generator.saturated:
        parts.append("GENERATOR SATURATED")
    return "  ".join(parts)


def notice_line(item: Notice | Gap) -> str:
    """Return one plain line for a notice or a gap."""
    if isinstance(item, Gap):
        return f"        ({item.dropped} notices left out)"
    return f"{format_duration(item.at_s):>6}  {'! ' if item.bad else ''}{item.text}"


def summary_text(summary: Summary) -> str:
    """Return the summary for people, some ten lines."""
    latency, commands, players = summary.latency_ms, summary.commands, summary.players
    lines = [
        f"{summary.run}: {summary.verdict.upper()}",
        *(f"  {reason}" for reason in summary.reasons),
        f"  players    {players.connected_max} connected of {players.target}, {players.lost} lost",
        f"  commands   {commands.due} due, {commands.acknowledged} acknowledged, "
        f"{commands.denied} denied, {commands.unanswered} unanswered, {commands.missed} missed",
        f"  latency    p50 {latency.p50:.0f}  p95 {latency.p95:.0f}  p99 {latency.p99:.0f}  "
        f"max {latency.max:.0f} ms  ({latency.count} counted, from the time they were due)",
    ]
    if summary.tick is not msgspec.UNSET:
        tick = summary.tick
        lines.append(
            f"  ticks      p50 {tick.ms.p50:.1f}  p99 {tick.ms.p99:.1f}  max {tick.ms.max:.1f} ms "
            f"of {tick.interval_ms}, {tick.overruns} overruns, {tick.skipped} skipped"
        )
    if summary.events is not msgspec.UNSET:
        lines.append(f"  events     {summary.events.stored} stored, {summary.events.per_s:.0f}/s")
    if summary.violations is not msgspec.UNSET:
        by_policy = ", ".join(f"{n} {name}" for name, n in summary.violations.by_policy.items())
        lines.append(
            f"  violations {summary.violations.total}" + (f": {by_policy}" if by_policy else "")
        )
    generator = summary.generator
    lines.append(
        f"  generator  {generator.cpu_pct:.0f} % CPU, sends late by p99 "
        f"{generator.send_lateness_ms_p99:.1f} ms" + (", SATURATED" if generator.saturated else "")
    )
    lines.extend(
        f"  fault      {fault.name} on {fault.scope}: {fault.affected} of {fault.planned} "
        f"affected, {fault.verdict}"
        + (f", recovered in {fault.recover_s:.1f} s" if fault.recover_s is not None else "")
        for fault in summary.faults
    )
    return "\n".join(lines)


def read_summary(capsule: str) -> tuple[Summary, bytes]:
    """Return the summary of a capsule, and its bytes.

    Raises:
        UserError: It is missing or is no summary.
    """
    path = Path(capsule) / "summary.json"
    try:
        raw = path.read_bytes()
        return msgspec.json.decode(raw, type=Summary), raw
    except (OSError, msgspec.DecodeError) as problem:
        raise UserError(f"{path}: no summary to read: {problem}", ExitCode.OWN_FAULT) from problem


def check_writable(where: str) -> None:
    """Refuse a file that the summary could not be written to, before the run starts.

    Raises:
        UserError: Says why.
    """
    if where == "-":
        return
    try:
        with Path(where).open("ab"):
            pass
    except OSError as problem:
        raise UserError(f"--json: {where}: cannot be written: {problem.strerror}") from problem


def tell(outcome: Outcome, json_to: str) -> int:
    """Say how a run ended: JSON where it was asked for, else lines; return the exit code.

    Raises:
        UserError: The summary is missing or cannot be written.
    """
    if outcome.detached or not outcome.capsule:
        print(outcome.text)  # noqa: T201 - this command's output
        return outcome.exit_code
    summary, raw = read_summary(outcome.capsule)
    if json_to == "-":
        sys.stdout.write(raw.decode())
    elif json_to:
        Path(json_to).write_bytes(raw)
    else:
        print(f"{summary_text(summary)}\n  capsule    {outcome.capsule}")  # noqa: T201 - this command's output
    return outcome.exit_code


async def follow(link: EngineLink, end_now: Callable[[], None]) -> Outcome:
    """Show progress until the run is over.

    Args:
        link: To the engine.
        end_now: Called on the second SIGINT or SIGTERM.

    Raises:
        UserError: The engine was lost.
    """
    loop = asyncio.get_running_loop()
    stops: set[asyncio.Task[object]] = set()

    def stop() -> None:
        print("stopping: commands in flight are drained (again to stop now)", file=sys.stderr)  # noqa: T201 - progress is this command's output
        loop.call_soon_threadsafe(lambda: stops.add(asyncio.ensure_future(_ask_to_stop(link))))

    lease = asyncio.ensure_future(_keep_lease(link))
    try:
        with StopSignals(stop, end_now):
            ended = await _show_until_ended(link)
            return Outcome(ended.exit_code, ended.text, ended.capsule)
    except LinkClosed as problem:
        raise UserError(
            "the engine is gone; its log is engine.log in the capsule", ExitCode.OWN_FAULT
        ) from problem
    finally:
        for task in (lease, *stops):
            task.cancel()
        await asyncio.gather(lease, *stops, return_exceptions=True)
        await link.aclose()


async def _ask_to_stop(link: EngineLink) -> None:
    await link.call(Stop())


async def _keep_lease(link: EngineLink) -> None:
    while not link.closed:
        await link.call(Lease())
        await asyncio.sleep(1.0)


async def _show_until_ended(link: EngineLink) -> Ended:
    loop = asyncio.get_running_loop()
    next_line_at = loop.time()
    while True:
        await link.wait()
        for item in link.take_notices():
            print(notice_line(item), file=sys.stderr, flush=True)  # noqa: T201 - progress is this command's output
        snapshot = link.take_snapshot()
        if link.ended is not None:
            return link.ended
        if link.closed:
            raise LinkClosed("the engine is gone")
        if snapshot is not None and loop.time() >= next_line_at:
            next_line_at = max(next_line_at + PROGRESS_S, loop.time())
            print(progress_line(snapshot), file=sys.stderr, flush=True)  # noqa: T201 - progress is this command's output
