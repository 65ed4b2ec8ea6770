"""The status line's figures, each in a long and a short form. Pure."""

from msgspec import Struct

from console.figures import NO_FIGURE, clock, count, ms, short
from console.lines import Line, clean
from console.model import SILENT_S, Model
from console.seen import open_of
from console.select.outage import down
from engine.protocol.feed import FaultView, Snapshot, WorldView

LATENCY_WARN_MS = 150.0
LATENCY_BAD_MS = 250.0
STATE_MARKS = {
    "starting": ("○", "note"),
    "ramping": ("◐", "note"),
    "running": ("●", "good"),
    "draining": ("◑", "warn"),
    "ended": ("■", "dim"),
    "failed": ("✖", "bad"),
}


class Tile(Struct, frozen=True):
    """One figure of the status line.

    Attributes:
        label: Above it.
        value: The figure.
        brief: The label where room is short.
        brief_value: The figure where room is short.
        keep: What is shortened, and then left out, when there is no room: the lowest first.
        number: Aligned right.
        grow: Takes what room is left.
    """

    label: str
    value: Line
    brief: str
    brief_value: Line
    keep: int
    number: bool = True
    grow: bool = False


def tiles(model: Model) -> tuple[Tile, ...]:
    """Return every figure of the status line, in order, from the newest snapshot."""
    snapshot = model.live.snapshot or Snapshot(run="")
    return (
        _run(model, snapshot),
        _players(snapshot),
        _commands(snapshot),
        _events(snapshot),
        _tick(snapshot),
        _latency(snapshot),
        _violations(model, snapshot),
        _faults(snapshot),
        _console(model),
    )


def state_of(model: Model) -> tuple[str, str, str]:
    """Return (mark, word, role) for where the run is, as this console sees it."""
    if model.phase == "lost":
        return "✖", "link lost", "bad"
    if model.phase == "starting":
        return "○", "starting", "note"
    if model.phase == "ended":
        return "■", "ended", "bright"
    silent_s = model.now_s - model.heard_s
    if silent_s > SILENT_S:
        return "▲", f"silent {silent_s:.0f}s", "warn"
    state = model.live.snapshot.state if model.live.snapshot else "starting"
    outage = down(model)
    if model.phase == "live" and outage is not None and outage[0].child == "world":
        return "✖", f"world down {outage[1]:.0f}s", "bad"
    world = model.live.snapshot.world if model.live.snapshot else WorldView()
    if model.phase == "live" and world.store_error:
        return "✖", f"cannot store {world.stalled_s:.0f}s", "bad"
    if model.phase == "live" and world.stalled_s:
        return "✖", f"world stalled {world.stalled_s:.0f}s", "bad"
    if model.phase == "draining" and state not in {"ended", "failed"}:
        state = "draining"
    mark, role = STATE_MARKS[state]
    return mark, state, role


def armed(snapshot: Snapshot) -> list[tuple[FaultView, float]]:
    """Return the armed faults with the seconds they have left, the next to end first."""
    found = [
        (fault, max(0.0, fault.armed_at_s + fault.hold_s - snapshot.at_s))
        for fault in snapshot.faults
        if fault.cleared_at_s is None
    ]
    return sorted(found, key=lambda pair: pair[1])


def _run(model: Model, snapshot: Snapshot) -> Tile:
    mark, word, role = state_of(model)
    age = clock(snapshot.at_s)
    name = clean(snapshot.run, 64) or "seedstorm"
    return Tile(
        name,
        ((f"{mark} {word} ", role), (age, "bright")),
        name,
        ((f"{mark} {word} ", role), (age, "bright")),
        keep=9,
        number=False,
    )


def _players(snapshot: Snapshot) -> Tile:
    players = snapshot.players
    short_of = players.target - players.connected
    role = "bright"
    mark = ""
    if snapshot.state == "running" and short_of > max(1, players.target // 100):
        role, mark = "warn", "▲"
    widest = len(count(max(players.target, players.connected))) + 1
    connected = f"{mark}{count(players.connected)}".rjust(widest)
    return Tile(
        "players",
        ((connected, role), (f"/{count(players.target)}", "dim")),
        "players",
        ((connected, role), (f"/{count(players.target)}", "dim")),
        keep=8,
    )


def _commands(snapshot: Snapshot) -> Tile:
    value = snapshot.commands.per_s
    return Tile(
        "commands/s",
        ((f"{count(value):>6}", "bright"),),
        "cmd/s",
        ((f"{short(value):>4}", "bright"),),
        keep=3,
    )


def _events(snapshot: Snapshot) -> Tile:
    value = snapshot.events.per_s
    return Tile(
        "events/s",
        ((f"{count(value):>6}", "bright"),),
        "ev/s",
        ((f"{short(value):>4}", "bright"),),
        keep=2,
    )


def _tick(snapshot: Snapshot) -> Tile:
    tick = snapshot.tick
    role, mark = _graded(tick.ms_p99, tick.interval_ms * 0.5, float(tick.interval_ms))
    figure = ms(tick.ms_p99)
    return Tile(
        "tick p99 ms",
        ((mark, role), (f"{figure:>5}", role), (f"/{tick.interval_ms}", "dim")),
        "tick ms",
        ((mark, role), (f"{round(tick.ms_p99)}", role), (f"/{tick.interval_ms}", "dim")),
        keep=5,
    )


def _latency(snapshot: Snapshot) -> Tile:
    latency = snapshot.latency_ms
    role, mark = _graded(latency.p99, LATENCY_WARN_MS, LATENCY_BAD_MS)
    figure = ms(latency.p99) if latency.count else NO_FIGURE
    return Tile(
        "latency p99 ms",
        ((mark, role), (f"{figure:>5}", role)),
        "p99 ms",
        ((mark, role), (f"{figure:>4}", role)),
        keep=6,
    )


def _violations(model: Model, snapshot: Snapshot) -> Tile:
    unseen, critical = open_of(model.seen, snapshot.violations)
    role, mark = "bright", ""
    if critical:
        role, mark = "bad", "✖"
    elif unseen:
        role = "warn"
    value = ((mark, role), (count(unseen), role))
    return Tile("open violations", value, "viol", value, keep=4)


def _faults(snapshot: Snapshot) -> Tile:
    found = armed(snapshot)
    if not found:
        none: Line = (("none armed", "dim"),)
        return Tile("faults", none, "faults", (("none", "dim"),), keep=1, number=False, grow=True)
    shown = [
        f"{left_s:.0f}s {clean(fault.name, 40)} {clean(fault.scope, 40)}".strip()
        for fault, left_s in found
    ]
    full: Line = ((f"↯ {'  ↯ '.join(shown)}", "fault"),)
    fault, left_s = found[0]
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    brief: Line = ((f"↯{left_s:.0f}s{more} {clean(fault.name, 40)}", "fault"),)
    return Tile("faults", full, "faults", brief, keep=7, number=False, grow=True)


def _console(model: Model) -> Tile:
    cost = model.cost
    skipped_role = "warn" if cost.frames_skipped else "dim"
    return Tile(
        "console",
        (
            (f"{cost.cpu_pct:>4.1f} %  {cost.kb_per_s:>4.1f} KB/s  ", "dim"),
            (f"{cost.frames_skipped} skipped", skipped_role),
        ),
        "console",
        (
            (f"{cost.cpu_pct:.0f}% {cost.kb_per_s:.0f}K ", "dim"),
            (f"{cost.frames_skipped}", skipped_role),
        ),
        keep=0,
    )


def _graded(value: float, warn: float, bad: float) -> tuple[str, str]:
    if value >= bad:
        return "bad", "✖"
    if value >= warn:
        return "warn", "▲"
    return "bright", ""
