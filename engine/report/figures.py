"""What a summary is made of: figures that the hub has folded, before anyone has judged them."""

from msgspec import Struct

from engine.protocol.cheats import CheatsSummary
from engine.protocol.summary import (
    CommandsSummary,
    ConsoleSummary,
    EventsSummary,
    FaultSummary,
    GeneratorSummary,
    LatencySummary,
    PlayersSummary,
    StorySummary,
    TickSummary,
    ViolationsSummary,
)
from engine.stats.histogram import Histogram


class Trouble(Struct, frozen=True):
    """Something that broke the run: a sentence and the contract's exit code."""

    text: str
    exit_code: int


class Figures(Struct):
    """A run's figures.

    Attributes:
        duration_s: From the first player's due time to the stop.
        warm_up_s: Excluded from percentiles.
        planned: The run was given a duration, so its end was no whim.
        trouble: What broke it, worst first.
        tick: None without an embedded world; ``events`` and ``violations`` likewise.
        console: None when no console painted.
        story: None when nobody told one.
        events_missed: Events that neither came to the hub nor could be read from the log.
        stall: The longest time in which the world lived and did not tick, in words.
        squads_lost: How often a squad died, and its newest samples with it.
    """

    run: str
    seed: int
    duration_s: float
    warm_up_s: float
    planned: bool
    players: PlayersSummary
    commands: CommandsSummary
    latency: dict[str, Histogram]
    latency_uncorrected: Histogram
    generator: GeneratorSummary
    faults: list[FaultSummary]
    trouble: tuple[Trouble, ...] = ()
    tick: TickSummary | None = None
    events: EventsSummary | None = None
    violations: ViolationsSummary | None = None
    console: ConsoleSummary | None = None
    state_hash: str = ""
    squads_lost: int = 0
    events_missed: int = 0
    stall: str = ""
    story: StorySummary | None = None
    cheats: CheatsSummary = CheatsSummary()


def latency_summary(histogram: Histogram) -> LatencySummary:
    """Return a histogram's percentiles."""
    p50, p90, p95, p99, p999 = histogram.percentiles((50, 90, 95, 99, 99.9))
    return LatencySummary(histogram.count, p50, p90, p95, p99, p999, histogram.max_ms)
