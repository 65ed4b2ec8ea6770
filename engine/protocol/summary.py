"""``summary.json``: what a run was, in figures. Units last; numbers, never strings.

A field that a run cannot know (no embedded world, no console) is absent.
"""

from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from engine.protocol.cheats import CheatsSummary

SUMMARY_NAME: Final = "summary.json"

Verdict = Literal["held", "failed", "invalid"]


class PlayersSummary(Struct, frozen=True):
    """Virtual players over the run."""

    target: int
    connected_max: int
    connected_end: int
    lost: int


class CommandsSummary(Struct, frozen=True):
    """Commands over the run; ``errors`` counts by kind.

    ``acknowledged_lost``: acknowledged commands that the world had forgotten when their
    player came back. It must be 0: an acknowledgement promises that they are stored.
    """

    due: int
    sent: int
    acknowledged: int
    denied: int
    errors: dict[str, int]
    unanswered: int
    missed: int
    acknowledged_lost: int = 0


class LatencySummary(Struct, frozen=True):
    """Percentiles in milliseconds from mergeable buckets (< 1 % error)."""

    count: int
    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float


class CommandLatencySummary(Struct, frozen=True):
    """Latency from the intended send time, all kinds and by command kind."""

    count: int
    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float
    by_command: dict[str, LatencySummary]


class Spread(Struct, frozen=True):
    """Percentiles in milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float


class TickSummary(Struct, frozen=True):
    """Ticks after the warm-up, and the overruns within it apart."""

    count: int
    interval_ms: int
    overruns: int
    overruns_warm_up: int
    skipped: int
    ms: Spread
    phases_ms_p95: dict[str, float]


class EventsSummary(Struct, frozen=True):
    """Stored events."""

    stored: int
    per_s: float
    cascade_depth_max: int


class ViolationsSummary(Struct, frozen=True):
    """Denied or mutated commands, cascades that were cut, and broken invariants.

    ``critical``: reports of broken invariants among them, ``broken`` by invariant. One is
    enough, and the run has failed.
    """

    total: int
    by_policy: dict[str, int]
    critical: int = 0
    broken: dict[str, int] = {}


class FaultSummary(Struct, frozen=True):
    """One fault: planned against really affected, and how long recovery took.

    Attributes:
        detect_s: From arming until harm showed; None when none did.
        recover_s: From the revert until as many players as before were connected and
            answered (after a delay: until latency was as before).
        down_s: For how long the server's process was gone; None when it was not.
    """

    id: str
    name: str
    armed_at_s: float
    cleared_at_s: float | None
    scope: str
    planned: int
    affected: int
    verdict: Literal["held", "degraded", "not recovered", "invalid"]
    detect_s: float | None
    recover_s: float | None
    down_s: float | None = None


class StorySummary(Struct, frozen=True):
    """What the narrator told; ``grounded_pct`` of its beats said only what their events say."""

    beats: int
    grounded_pct: float


class GeneratorSummary(Struct, frozen=True):
    """The generator's own health.

    Attributes:
        saturated_at_s: The first second that it could not keep up.
        updates_dropped: Updates that a fault would have held back, beyond what may wait.
    """

    cpu_pct: float
    send_lateness_ms_p99: float
    send_lateness_ms_max: float
    loop_lag_ms_p99: float
    saturated: bool
    saturated_at_s: float | None
    rss_mb: float
    updates_dropped: int = 0


class ConsoleSummary(Struct, frozen=True):
    """What the console itself cost."""

    cpu_pct: float
    bytes_per_s: float
    frames_skipped: int


class Summary(Struct, frozen=True):
    """The whole summary, as written to the capsule and printed by ``--json``."""

    run: str
    seed: int
    verdict: Verdict
    reasons: list[str]
    exit_code: int
    duration_s: float
    players: PlayersSummary
    commands: CommandsSummary
    latency_ms: CommandLatencySummary
    latency_uncorrected_ms: LatencySummary
    generator: GeneratorSummary
    faults: list[FaultSummary]
    tick: TickSummary | UnsetType = UNSET
    events: EventsSummary | UnsetType = UNSET
    violations: ViolationsSummary | UnsetType = UNSET
    cheats: CheatsSummary | UnsetType = UNSET
    story: StorySummary | UnsetType = UNSET
    console: ConsoleSummary | UnsetType = UNSET
    state_hash: str | UnsetType = UNSET
