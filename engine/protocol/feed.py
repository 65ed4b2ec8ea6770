"""What the engine tells whoever watches: snapshots (latest wins) and notices (bounded)."""

from typing import Literal

from msgspec import Struct

from engine.protocol.cheats import CheatsSummary
from engine.protocol.events import Event
from engine.protocol.story import StoryView

RunState = Literal["starting", "ramping", "running", "draining", "ended", "failed"]
NoticeKind = Literal[
    "run",
    "load",
    "stage",
    "fault_armed",
    "fault_cleared",
    "child_lost",
    "child_back",
    "saturated",
    "overrun",
    "slow_tick",
    "violation",
    "policy",
    "mark",
    "problem",
]


class Percentiles(Struct, frozen=True):
    """Latency in milliseconds; all zero while ``count`` is 0."""

    count: int = 0
    p50: float = 0.0
    p90: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    p999: float = 0.0
    max: float = 0.0


class PlayersView(Struct, frozen=True):
    """Virtual players: wanted, connected now, lost since the start without being told to leave."""

    target: int = 0
    connected: int = 0
    connecting: int = 0
    players_max: int = 0
    lost: int = 0
    commands_per_s_each: float = 0.0
    stage: str = ""
    """What drives the load: ``ramp to 1000, 12s left``, ``hold``, ``manual``."""


class CommandsView(Struct, frozen=True):
    """Commands since the start; ``per_s`` is acknowledged ones in the last second.

    The denied and the mutated are among the acknowledged. ``errors`` are no commands: what
    went wrong in players' connections, also by kind (at most ``ERROR_KINDS_MAX``, and other).
    """

    due: int = 0
    sent: int = 0
    acknowledged: int = 0
    denied: int = 0
    errors: int = 0
    unanswered: int = 0
    missed: int = 0
    per_s: float = 0.0
    mutated: int = 0
    errors_by_kind: dict[str, int] = {}


class TickView(Struct, frozen=True):
    """Tick timing over the last 10 s, counts since the start.

    ``phases_ms_p95`` has govern, step, react, hash, append, fan_out.
    """

    tick: int = 0
    interval_ms: int = 100
    ms_p50: float = 0.0
    ms_p99: float = 0.0
    ms_max: float = 0.0
    overruns: int = 0
    skipped: int = 0
    phases_ms_p95: dict[str, float] = {}


class EventsView(Struct, frozen=True):
    """Stored events: count, rate, and the newest ones since the last snapshot.

    ``tail`` is oldest first; ``left_out`` counts those that did not fit since the
    last snapshot.
    """

    stored: int = 0
    per_s: float = 0.0
    tail: tuple[Event, ...] = ()
    left_out: int = 0


class ViolationRow(Struct, frozen=True, array_like=True):
    """One violation: a deny, a mutate or a broken invariant."""

    seq: int
    tick: int
    policy: str
    actor: int
    reason: str
    critical: bool = False


class ViolationsView(Struct, frozen=True):
    """Violations since the start; ``tail`` is oldest first and bounded."""

    total: int = 0
    critical: int = 0
    per_s: float = 0.0
    by_policy: dict[str, int] = {}
    tail: tuple[ViolationRow, ...] = ()


FaultPhase = Literal["armed", "cleared", "recovered"]


class FaultView(Struct, frozen=True):
    """One fault, armed (``cleared_at_s`` is None) or over.

    Attributes:
        side: ``players`` or ``server``.
        detected_at_s: When harm showed; None while none has.
        recovered_at_s: When as many players as before were connected and answered again.
        down_s: For how long the server's process was gone; None when it was not.
    """

    id: str
    name: str
    scope: str
    armed_at_s: float
    hold_s: float
    planned: int = 0
    affected: int = 0
    cleared_at_s: float | None = None
    cleared_why: str = ""
    recovered_at_s: float | None = None
    side: str = "players"
    detected_at_s: float | None = None
    down_s: float | None = None

    def phases(self) -> tuple[tuple[FaultPhase, float], ...]:
        """Return what the fault has been through, in order, with the time of each."""
        told: tuple[tuple[FaultPhase, float | None], ...] = (
            ("armed", self.armed_at_s),
            ("cleared", self.cleared_at_s),
            ("recovered", self.recovered_at_s),
        )
        return tuple((phase, at_s) for phase, at_s in told if at_s is not None)


class GeneratorView(Struct, frozen=True):
    """The generator's own health, summed or worst over squads."""

    squads: int = 0
    cpu_pct: float = 0.0
    send_lateness_ms_p99: float = 0.0
    send_lateness_ms_max: float = 0.0
    loop_lag_ms_p99: float = 0.0
    rss_mb: float = 0.0
    saturated: bool = False


class WorldView(Struct, frozen=True):
    """The world process's health and what is in it.

    ``stalled_s``: for how long it has lived without a new tick, 0 while it ticks.
    ``store_error``: why its ticks cannot be stored at present, empty while they can.
    """

    pid: int = 0
    cpu_pct: float = 0.0
    rss_mb: float = 0.0
    npcs: int = 0
    nodes: int = 0
    alive: int = 0
    deaths: int = 0
    state_hash: str = ""
    log_mb: float = 0.0
    stalled_s: float = 0.0
    store_error: str = ""


class OutageView(Struct, frozen=True, array_like=True):
    """A span without the world or a squad; ``back_at_s`` is None while it lasts.

    ``child``: ``world`` or ``squad N``; times on the run's clock.
    """

    child: str
    lost_at_s: float
    why: str
    back_at_s: float | None = None


class SeriesView(Struct, frozen=True):
    """One value a second, oldest first, all of one length; ``start_s`` is the first's time.

    A second without any tick has no tick time, one without any answer no latency: None.
    """

    start_s: int = 0
    players: tuple[float, ...] = ()
    commands_per_s: tuple[float, ...] = ()
    events_per_s: tuple[float, ...] = ()
    tick_ms_p99: tuple[float | None, ...] = ()
    latency_ms_p50: tuple[float | None, ...] = ()
    latency_ms_p99: tuple[float | None, ...] = ()
    violations_per_s: tuple[float, ...] = ()


class Snapshot(Struct, frozen=True, tag="snapshot"):
    """Everything a console paints, at one moment.

    Attributes:
        run: The run's name.
        state: Where the run is.
        at_s: Seconds since the run's start.
        outages: The newest spans without the world or a squad, oldest first.
        marked_s: When the newest moments were marked, oldest first.
        heat: Population of ``HEATMAP_SIDE`` x ``HEATMAP_SIDE`` squares, row by row from the
            north-west corner: one byte a square, 255 means 255 or more.
    """

    run: str
    state: RunState = "starting"
    at_s: float = 0.0
    seed: int = 0
    capsule: str = ""
    players: PlayersView = PlayersView()
    commands: CommandsView = CommandsView()
    latency_ms: Percentiles = Percentiles()
    latency_total_ms: Percentiles = Percentiles()
    tick: TickView = TickView()
    events: EventsView = EventsView()
    violations: ViolationsView = ViolationsView()
    faults: tuple[FaultView, ...] = ()
    outages: tuple[OutageView, ...] = ()
    marked_s: tuple[float, ...] = ()
    generator: GeneratorView = GeneratorView()
    world: WorldView = WorldView()
    story: StoryView = StoryView()
    series: SeriesView = SeriesView()
    cheats: CheatsSummary = CheatsSummary()
    heat: bytes = b""
    thresholds: tuple[tuple[str, bool], ...] = ()


class Notice(Struct, frozen=True, tag="notice"):
    """Something that happened, for the operator."""

    at_s: float
    kind: NoticeKind
    text: str
    bad: bool = False


class Gap(Struct, frozen=True, tag="gap"):
    """Notices that were dropped because the reader was slow."""

    dropped: int


class Ended(Struct, frozen=True, tag="ended"):
    """Last item of a feed: the run is over.

    Attributes:
        exit_code: What ``seedstorm run`` exits with.
        text: The verdict and its reasons, for people.
        capsule: The run's folder.
        summary: ``summary.json`` as it was to be written: a disk that is full takes it from
            no console. Empty when there is none.
    """

    exit_code: int
    text: str
    capsule: str = ""
    summary: bytes = b""


FeedItem = Snapshot | Notice | Gap | Ended
