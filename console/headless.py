"""A run without a terminal, in words: progress lines, the summary for people or as JSON."""

import sys
from pathlib import Path

import msgspec

from console.outcome import Outcome
from console.saying import put, say
from engine.protocol.cheats import CheatsSummary
from engine.protocol.durations import format_duration
from engine.protocol.errors import UserError
from engine.protocol.feed import Gap, Notice, Snapshot
from engine.protocol.summary import CommandLatencySummary, Summary


def progress_line(snapshot: Snapshot) -> str:
    """Return one plain line of vitals, for logs and screen readers.

    A world that cannot store, or stands still, is the state, and told before all that it causes.
    """
    players, tick, world = snapshot.players, snapshot.tick, snapshot.world
    ails = ""
    if world.store_error:
        ails = "cannot store"
    elif world.stalled_s:
        ails = f"the world lives but has not ticked for {world.stalled_s:.0f} s"
    if ails and snapshot.state == "draining":
        ails = "draining, cannot store" if world.store_error else "draining, the world stalled"
    parts = [
        f"{format_duration(snapshot.at_s):>6}",
        ails or snapshot.state,
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
    if snapshot.generator.saturated and not ails:
        parts.append("GENERATOR SATURATED")
    return "  ".join(parts)


def notice_line(item: Notice | Gap) -> str:
    """Return one plain line for a notice or a gap."""
    if isinstance(item, Gap):
        return f"        ({item.dropped} notices left out)"
    return f"{format_duration(item.at_s):>6}  {'! ' if item.bad else ''}{item.text}"


def verdict_lines(summary: Summary) -> list[str]:
    """Return the verdict and a line for each of its reasons."""
    return [
        f"{summary.run}: {summary.verdict.upper()}",
        *(f"  {reason}" for reason in summary.reasons),
    ]


def summary_text(summary: Summary) -> str:
    """Return the summary for people, some ten lines."""
    latency, commands, players = summary.latency_ms, summary.commands, summary.players
    lines = [
        *verdict_lines(summary),
        f"  players    {players.connected_max} connected of {players.target}, {players.lost} lost",
        f"  commands   {commands.due} due, {commands.acknowledged} acknowledged, "
        f"{commands.denied} denied, {commands.unanswered} unanswered, {commands.missed} missed",
        f"  latency    {_latency_words(latency)}",
    ]
    if summary.tick is not msgspec.UNSET:
        tick = summary.tick
        took = f"p50 {tick.ms.p50:.1f}  p99 {tick.ms.p99:.1f}  max {tick.ms.max:.1f}"
        lines.append(
            f"  ticks      {took if tick.count else 'none measured after the warm-up,'} "
            f"of {tick.interval_ms} ms, {tick.overruns} overruns, {tick.skipped} skipped"
        )
    if summary.events is not msgspec.UNSET:
        lines.append(f"  events     {summary.events.stored} stored, {summary.events.per_s:.0f}/s")
    if summary.violations is not msgspec.UNSET:
        by_policy = ", ".join(f"{n} {name}" for name, n in summary.violations.by_policy.items())
        lines.append(
            f"  violations {summary.violations.total}" + (f": {by_policy}" if by_policy else "")
        )
    if summary.cheats is not msgspec.UNSET:
        lines += _cheat_lines(summary.cheats)
    generator = summary.generator
    lines.append(
        f"  generator  {generator.cpu_pct:.0f} % CPU, sends late by p99 "
        f"{generator.send_lateness_ms_p99:.1f} ms" + (", SATURATED" if generator.saturated else "")
    )
    lines.extend(
        f"  fault      {fault.name} on {fault.scope}: {fault.affected} of {fault.planned} "
        f"affected, {fault.verdict}"
        + (f", down for {fault.down_s:.1f} s" if fault.down_s is not None else "")
        + (f", recovered in {fault.recover_s:.1f} s" if fault.recover_s is not None else "")
        for fault in summary.faults
    )
    return "\n".join(lines)


def _cheat_lines(cheats: CheatsSummary) -> list[str]:
    """Return what became of cheats, and how many honest commands were hit, with the policies."""
    tries, lines = cheats.by_policy, []
    if tries:
        caught = sum(count.caught + count.caught_by_other for count in tries.values())
        each = [f"{n.missed} of {n.tried} {name}" for name, n in tries.items() if n.missed]
        missed = sum(count.missed for count in tries.values())
        lines.append(
            f"  cheats     {sum(count.tried for count in tries.values())} tried, {caught} caught, "
            f"{missed} missed" + (f": {', '.join(each)}" if each else "")
        )
    honest = cheats.honest
    hit = ", ".join(f"{count} {name}" for name, count in honest.by_policy.items())
    lines.append(
        f"  honest     {honest.sent} commands, {honest.denied} denied, {honest.mutated} changed"
        + (f": {hit}" if hit else "")
    )
    return lines


def _latency_words(latency: CommandLatencySummary) -> str:
    if not latency.count:
        return "no command was measured after the warm-up"
    return (
        f"p50 {latency.p50:.0f}  p95 {latency.p95:.0f}  p99 {latency.p99:.0f}  "
        f"max {latency.max:.0f} ms  ({latency.count} counted, from the time they were due)"
    )


def check_writable(where: str) -> None:
    """Refuse a file that the summary could not be written to, before the run starts.

    Raises:
        UserError: Says why.
    """
    if where == "-":
        if sys.stdout is None:
            raise UserError("--json: -: stdout is closed; name a file")
        return
    try:
        with Path(where).open("ab"):
            pass
    except OSError as problem:
        raise UserError(f"--json: {where}: cannot be written: {problem.strerror}") from problem


def tell(outcome: Outcome, json_to: str) -> int:
    """Say how a run ended: JSON where it was asked for, else lines; return the exit code.

    Where JSON was asked for, the verdict and its reasons go to stderr.

    Raises:
        UserError: The summary cannot be written where it was asked for.
    """
    if not outcome.summary:
        put(f"{outcome.text}\n")
        return outcome.exit_code
    summary = msgspec.json.decode(outcome.summary, type=Summary)
    if not json_to:
        put(f"{summary_text(summary)}\n  capsule    {outcome.capsule}\n")
        return outcome.exit_code
    say("\n".join(verdict_lines(summary)))
    if json_to == "-":
        put(outcome.summary.decode())
        return outcome.exit_code
    try:
        Path(json_to).write_bytes(outcome.summary)
    except OSError as problem:
        raise UserError(f"--json: {json_to}: cannot be written: {problem.strerror}") from problem
    return outcome.exit_code
