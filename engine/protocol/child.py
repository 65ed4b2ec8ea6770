"""What the hub and its children (world, squads, indexer, historian) say to each other.

Frames on a socket pair that the hub made: four bytes of length, big-endian, then
msgpack. When the hub dies the pair closes and the child exits.
"""

import msgspec
from msgspec import Struct

from engine.protocol.archive import (
    AskHistory,
    HistoryReady,
    HistorySpec,
    HistoryTold,
    IndexAnew,
    IndexerReady,
    IndexerSpec,
    IndexReport,
    WithdrawHistory,
)
from engine.protocol.cheats import CheatsSummary
from engine.protocol.command import Scope
from engine.protocol.gateway import Intent, Role, VerdictKind
from engine.protocol.limits import CHECKPOINT_EVENTS, CHECKPOINT_TICKS
from engine.protocol.manifest import WorldShape
from engine.protocol.policy import (
    PolicyChange,
    PolicyCount,
    PolicyWord,
    WorldPolicy,
)
from engine.protocol.query import PlayerView, TickFigures
from engine.protocol.scenario import Stage


class WorldSpec(Struct, frozen=True, tag="world_spec"):
    """Everything a world needs to start (or to start again) from its capsule.

    Attributes:
        shape: What the world is made from.
        epoch_ms: World time of tick 0, milliseconds since 1970.
        gateway_host: Address to listen on.
        gateway_port: Port to listen on, 0 for a free one.
        database: Path of ``events.db``, empty for the in-memory store.
        events_socket: Path of the unix socket on which event batches are published.
        shared_memory: Name of the block for the state arrays, empty for none.
        secret: Key of the resume tokens.
        folder: The capsule.
        policies: What a new world's policies are changed to before its first tick.
        checkpoint_ticks: Between two checkpoints.
        checkpoint_events: After so many a checkpoint is taken earlier.
    """

    shape: WorldShape
    epoch_ms: int
    gateway_host: str
    gateway_port: int
    database: str
    events_socket: str
    shared_memory: str
    secret: bytes
    folder: str = ""
    policies: tuple[PolicyChange, ...] = ()
    checkpoint_ticks: int = CHECKPOINT_TICKS
    checkpoint_events: int = CHECKPOINT_EVENTS


class SquadSpec(Struct, frozen=True, tag="squad_spec"):
    """Everything a squad needs to start.

    A squad owns the player numbers ``n`` with ``n % squads == squad``.
    """

    squad: int
    squads: int
    seed: int
    url: str
    players_max: int
    stages: tuple[Stage, ...]
    mix: dict[str, float]
    commands_per_s: float
    warm_up_s: float
    driver: str = "seed"


class SetLoad(Struct, frozen=True, tag="set_load"):
    """Take the load by hand: players of the whole run (not of this squad), or a rate.

    None leaves a value as it is. The running stage is suspended by ``players``.
    """

    players: int | None = None
    commands_per_s: float | None = None


class SquadFault(Struct, frozen=True, tag="squad_fault"):
    """Arm a fault's player half in this squad."""

    id: str
    name: str
    scope: Scope
    params: dict[str, str | int | float | bool]
    ramp_s: float
    seed: int
    hold_s: float


class SquadClear(Struct, frozen=True, tag="squad_clear"):
    """Revert a fault in this squad."""

    id: str


class AskPlayer(Struct, frozen=True, tag="ask_player"):
    """Tell of player number ``number`` of this squad; ``id`` comes back in the answer."""

    id: int
    number: int


class PlayerTold(Struct, frozen=True, tag="player_told"):
    """Answer to ``ask_player``; None when the squad has never opened that player."""

    id: int
    player: PlayerView | None


class WorldOrder(Struct, frozen=True, tag="world_order"):
    """An operator's intent for an entity, to be taken in by the next tick.

    The intent's own ``seq`` means nothing: its sequence number in the world is
    ``ORDER_SEQ_BASE + id``, above every player's own, and ``id`` counts from 1. ``role``
    says who asks: an operator, or the narrator.
    """

    id: int
    entity: int
    intent: Intent
    role: Role = "operator"


class WorldOrderDone(Struct, frozen=True, tag="world_order_done"):
    """Answer to ``world_order``, once its events are durable."""

    id: int
    tick: int
    verdict: VerdictKind
    reason: str = ""
    event: int = 0


class NarratorSpec(Struct, frozen=True, tag="narrator_spec"):
    """Everything the narrator needs to start: where to listen and where to tell."""

    run: str
    seed: int
    admin_url: str
    token: str


class NarratorReady(Struct, frozen=True, tag="narrator_ready"):
    """The narrator runs; it follows the stream as soon as that can be had."""

    pid: int


class Quit(Struct, frozen=True, tag="quit"):
    """Stop in order: say good-bye, flush, report once more, exit."""


class Go(Struct, frozen=True, tag="go"):
    """Begin the stages; ``elapsed_s`` is how far the run already is (a squad that came back)."""

    elapsed_s: float = 0.0


class WorldReady(Struct, frozen=True, tag="world_ready"):
    """The world listens.

    Attributes:
        tick: The next one, more than 0 after a restart.
        recovered: What it took to go on from the log, in words; empty for a new world.
        passed_over: Checkpoints that could not be used, and why.
    """

    pid: int
    gateway_port: int
    tick: int
    recovered: str = ""
    passed_over: tuple[str, ...] = ()


class TickRow(TickFigures, frozen=True, array_like=True):
    """``TickFigures`` as the world reports them: by position, which is shorter."""


class WorldReport(Struct, frozen=True, tag="world_report"):
    """The world's figures; at most four a second.

    ``ticks`` and ``stalls`` are those since the last report, ``events_stored`` counts
    the whole log; other counters begin at 0 with the process.
    """

    ticks: tuple[TickRow, ...]
    tick: int
    skipped: int
    events_stored: int
    connected: int
    cpu_s: float
    rss_mb: float
    log_bytes: int
    state_hash: str
    frames_sent: int
    frames_skipped: int
    bytes_sent: int
    bad_frames: dict[str, int]
    stalls: tuple[str, ...] = ()
    """Causes of bad ticks: ``tick 812: commit took 120 ms``."""
    store_error: str = ""
    update_stride: int = 1
    """Ticks from one update of a quiet player to the next; more than 1 under too much load."""
    policies: dict[str, PolicyCount] = {}


class SquadReady(Struct, frozen=True, tag="squad_ready"):
    """The squad's loop runs and waits for ``go``."""

    pid: int
    squad: int


class SquadReport(Struct, frozen=True, tag="squad_report"):
    """A squad's figures; counters since the start, histograms since the last report.

    Histograms are sparse: bucket index to count, as ``engine.stats.histogram`` makes them.

    Attributes:
        latency: By command kind, from the due time; warm-up excluded.
        latency_now: All kinds since the last report, warm-up included (live view).
        latency_uncorrected: All kinds, from the time of sending.
        lateness: Send time minus due time.
        loop_lag: How late the loop's own timer fired.
        affected: Players really touched, by fault id.
        planned: Players chosen, by fault id.
        target: Players this squad wants now.
    """

    squad: int
    pid: int
    at_s: float
    target: int
    connected: int
    connecting: int
    lost: int
    due: int
    sent: int
    acknowledged: int
    denied: int
    mutated: int
    unanswered: int
    missed: int
    errors: dict[str, int]
    latency: dict[str, dict[int, int]]
    latency_now: dict[int, int]
    latency_uncorrected: dict[int, int]
    lateness: dict[int, int]
    loop_lag: dict[int, int]
    latency_max_ms: dict[str, float]
    lateness_max_ms: float
    cpu_s: float
    rss_mb: float
    frames_received: int
    bytes_received: int
    by_archetype: dict[str, int]
    stage: str
    planned: dict[str, int]
    affected: dict[str, int]
    finished: bool = False
    latency_now_max_ms: float = 0.0
    latency_uncorrected_max_ms: float = 0.0
    acknowledged_lost: int = 0
    """Acknowledged commands that the world turned out not to know of: never more than 0."""
    updates_dropped: int = 0
    """Updates that a fault would have held back, beyond what may wait."""
    cheats: CheatsSummary = CheatsSummary()
    """What became of commands that were marked as cheats, and of the others."""


class ChildProblem(Struct, frozen=True, tag="problem"):
    """A child could not go on; ``exit_code`` is the contract's."""

    message: str
    exit_code: int


class EventBatch(Struct, frozen=True, tag="event_batch"):
    """One tick's events on the world's socket, for whoever watches.

    Attributes:
        tick: The tick.
        first_seq: Sequence number of the first event.
        count: Number of events.
        columns: The events' columns, as ``engine.world.events`` packs them.
        texts: Row in the batch to text, for the rows that have one.
        dropped: Batches this watcher missed since its last one.
    """

    tick: int
    first_seq: int
    count: int
    columns: bytes
    texts: dict[int, str]
    dropped: int = 0


ToChild = (
    WorldSpec
    | SquadSpec
    | NarratorSpec
    | IndexerSpec
    | IndexAnew
    | HistorySpec
    | AskHistory
    | WithdrawHistory
    | SetLoad
    | SquadFault
    | SquadClear
    | AskPlayer
    | WorldOrder
    | WorldPolicy
    | Quit
    | Go
)
FromChild = (
    WorldReady
    | WorldReport
    | WorldOrderDone
    | PolicyWord
    | SquadReady
    | SquadReport
    | PlayerTold
    | NarratorReady
    | IndexerReady
    | IndexReport
    | HistoryReady
    | HistoryTold
    | ChildProblem
    | EventBatch
)

to_child_decoder = msgspec.msgpack.Decoder(ToChild)
from_child_decoder = msgspec.msgpack.Decoder(FromChild)
encoder = msgspec.msgpack.Encoder()
