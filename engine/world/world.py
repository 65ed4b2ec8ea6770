"""``World``: state plus ``step``. No clock, no socket, no hidden randomness."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.protocol.limits import TICK_INTERVAL_MS
from engine.world import checkpoint
from engine.world.apply import seal
from engine.world.audit import AuditBlock
from engine.world.cascade import cascade, no_frontier
from engine.world.clock import pass_time
from engine.world.events import EventBlock
from engine.world.genesis import genesis
from engine.world.governance import find_policies
from engine.world.governor import ChangeDone, Governor, Lap, VerdictBlock
from engine.world.inputs import TickInputs
from engine.world.interest import CellFrames
from engine.world.invariants import check_invariants
from engine.world.policies.base import Policy
from engine.world.presence import arrive, depart, start
from engine.world.state import State
from engine.world.turn import Turn
from engine.world.userpolicy import UserPolicy


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """What a world is made from; the same again gives the same world.

    ``policies``: a user's, beside the built-in ones.
    """

    seed: int
    npcs: int = 200
    nodes: int = 400
    capacity: int = 20_000
    interval_ms: int = TICK_INTERVAL_MS
    policies: tuple[UserPolicy, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TickResult:
    """What a tick did.

    Attributes:
        tick: The tick.
        events: Its events.
        verdicts: On its intents.
        hash: State hash after it.
        depth: Levels of reactions.
        pending: Events whose reactions are left for the next tick.
        audit: What governance writes down about the intents.
        changes: What became of each change of a policy.
    """

    tick: int
    events: EventBlock
    verdicts: VerdictBlock
    hash: bytes
    depth: int
    pending: int
    audit: AuditBlock
    changes: list[ChangeDone]

    @property
    def audit_log(self) -> bytes:
        """The audit's stored form."""
        return self.audit.to_log()


class World:
    """The world between two ticks.

    Attributes:
        config: What it was made from.
        state: What is true; read it, do not write it.
        tick: The next tick.
        next_seq: ``seq`` of the next event.
        hash: State hash after the last tick, empty before the first.
        governor: How the policies stand; they are changed through a tick's inputs.
    """

    def __init__(self, config: WorldConfig, state: State, policies: Sequence[Policy]) -> None:
        self.config = config
        self.state = state
        self.tick = 0
        self.next_seq = 1
        self.hash = b""
        self._pending = no_frontier()
        self.governor = Governor([*policies, *config.policies], config.interval_ms)

    @classmethod
    def create(cls, config: WorldConfig, policies: Sequence[Policy] | None = None) -> "World":
        """Return a new world.

        Args:
            config: What to make.
            policies: The built-in ones; all of the folder by default.

        Raises:
            ValueError: There is no room for so many NPCs and nodes.
        """
        state = genesis(config.seed, config.npcs, config.nodes, config.capacity)
        return cls(config, state, find_policies() if policies is None else policies)

    @classmethod
    def restore(
        cls, config: WorldConfig, data: bytes, policies: Sequence[Policy] | None = None
    ) -> "World":
        """Return the world behind a checkpoint.

        Raises:
            ValueError: The bytes are no checkpoint of such a world.
        """
        saved, state, pending = checkpoint.load(data, config.capacity)
        if (saved.seed, saved.interval_ms) != (config.seed, config.interval_ms):
            raise ValueError(
                f"checkpoint of seed {saved.seed} and {saved.interval_ms} ms a tick; "
                f"asked for {config.seed} and {config.interval_ms}"
            )
        world = cls(config, state, find_policies() if policies is None else policies)
        world.governor.load(saved.standing)
        world.tick, world.next_seq = saved.tick, saved.next_seq
        world._pending = pending
        world.hash = world._state_hash()
        return world

    def checkpoint(self) -> bytes:
        """Return everything needed to go on from here."""
        return checkpoint.take(
            self.state,
            self.tick,
            self.next_seq,
            self._pending,
            self.config.seed,
            self.config.interval_ms,
            self.governor.standing.pack(),
        )

    def frames(self) -> CellFrames:
        """Return what players see after the last tick."""
        return CellFrames(self.state, self.state.cell_versions, max(self.tick - 1, 0))

    def step(self, inputs: TickInputs, lap: Lap = lambda _: None) -> TickResult:
        """Run one tick.

        Args:
            inputs: Everything that comes from outside.
            lap: Called with ``govern``, ``step``, ``react`` or ``hash`` when such a piece
                of work is done. Each phase may come several times: the caller adds up
                the time since its last call.

        Returns:
            The events, the verdicts and the state hash.
        """
        state, tick = self.state, self.tick
        now_ms = tick * self.config.interval_ms
        turn = Turn(state, tick, now_ms, self.config.seed, self.next_seq)
        old_cells = state.cell[: state.count].copy()
        start(turn, inputs.restarted)
        changes = self.governor.change(turn, inputs.policies)
        known = arrive(turn, inputs)
        pass_time(turn)
        lap("step")
        verdicts, audit = self.governor.hear(turn, inputs, lap)
        depart(turn, inputs, known)
        lap("step")
        self._pending, depth = cascade(turn, self._pending)
        check_invariants(turn)
        events = turn.events()
        seal(state, events, turn.texts, old_cells, tick, now_ms)
        lap("react")
        block = EventBlock(self.next_seq, events, turn.texts)
        self.tick += 1
        self.next_seq += len(events)
        self.hash = self._state_hash()
        lap("hash")
        return TickResult(
            tick, block, verdicts, self.hash, depth, len(self._pending), audit, changes
        )

    def _state_hash(self) -> bytes:
        standing = self.governor.standing.pack()
        return checkpoint.state_hash(self.state, self.tick, self.next_seq, self._pending, standing)
