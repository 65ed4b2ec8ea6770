"""``World``: state plus ``step``. No clock, no socket, no hidden randomness."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.protocol.limits import TICK_INTERVAL_MS
from engine.world import checkpoint
from engine.world.apply import seal
from engine.world.arrays import join_rows
from engine.world.audit import AuditBlock
from engine.world.cascade import Bounds, cascade, no_frontier
from engine.world.clock import pass_time
from engine.world.events import EVENT_DTYPE, EventBlock
from engine.world.genesis import genesis
from engine.world.governance import find_policies
from engine.world.governor import ChangeDone, Governor, Lap, VerdictBlock
from engine.world.inputs import TickInputs
from engine.world.interest import CellFrames
from engine.world.invariants.base import Before, Scene
from engine.world.oracle import Oracle, Told, find_invariants
from engine.world.policies.base import Policy
from engine.world.presence import arrive, depart, start
from engine.world.rulebook import Rulebook, find_rules
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
    cascade: Bounds = Bounds()
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

    def __init__(
        self,
        config: WorldConfig,
        state: State,
        policies: Sequence[Policy] | None,
        rules: Rulebook | None = None,
    ) -> None:
        policies = find_policies() if policies is None else policies
        self.config = config
        self.state = state
        self.tick = 0
        self.next_seq = 1
        self.hash = b""
        self._pending = no_frontier()
        self._rules = find_rules() if rules is None else rules
        self._oracle = Oracle(find_invariants(), {})
        self.governor = Governor([*policies, *config.policies], config.interval_ms)

    @classmethod
    def create(
        cls,
        config: WorldConfig,
        policies: Sequence[Policy] | None = None,
        rules: Rulebook | None = None,
    ) -> "World":
        """Return a new world.

        Args:
            config: What to make.
            policies: The built-in ones; all of the folder by default.
            rules: What events make happen next; all of the folder by default.

        Raises:
            ValueError: There is no room for so many NPCs and nodes.
        """
        state = genesis(config.seed, config.npcs, config.nodes, config.capacity)
        return cls(config, state, policies, rules)

    @classmethod
    def restore(
        cls,
        config: WorldConfig,
        data: bytes,
        policies: Sequence[Policy] | None = None,
        rules: Rulebook | None = None,
    ) -> "World":
        """Return the world behind a checkpoint.

        Raises:
            ValueError: The bytes are no checkpoint of such a world.
        """
        saved, state, pending, told = checkpoint.load(data, config.capacity)
        if (saved.seed, saved.interval_ms) != (config.seed, config.interval_ms):
            raise ValueError(
                f"checkpoint of seed {saved.seed} and {saved.interval_ms} ms a tick; "
                f"asked for {config.seed} and {config.interval_ms}"
            )
        world = cls(config, state, policies, rules)
        if len(pending.steps) and int(pending.steps["rule"].max()) >= len(world._rules.rules):
            raise ValueError("checkpoint of a cascade that other rules have begun")
        world.governor.load(saved.standing)
        world.tick, world.next_seq = saved.tick, saved.next_seq
        world._pending = pending
        world._oracle.told = told
        world.hash = world._state_hash()
        return world

    def checkpoint(self) -> bytes:
        """Return everything needed to go on from here."""
        return checkpoint.take(
            self.state,
            self.tick,
            self.next_seq,
            self._pending,
            self._oracle.told,
            self.config.seed,
            self.config.interval_ms,
            self.governor.standing.pack(),
        )

    @property
    def interval_ms(self) -> int:
        """Of a tick."""
        return self.config.interval_ms

    @property
    def told(self) -> dict[str, Told]:
        """Broken invariants that were told already, part of the world's state; a copy."""
        return dict(self._oracle.told)

    def frames(self) -> CellFrames:
        """Return what players see after the last tick."""
        return CellFrames(self.state, self.state.cell_versions, max(self.tick - 1, 0))

    def step(self, inputs: TickInputs, lap: Lap = lambda _: None) -> TickResult:
        """Run one tick.

        Args:
            inputs: Everything that comes from outside.
            lap: Called with ``govern``, ``step``, ``react`` or ``hash`` when such a piece
                of work is done; ``react`` includes the invariants. Each phase may come
                several times: the caller adds up the time since its last call.

        Returns:
            The events, the verdicts and the state hash.
        """
        state, tick = self.state, self.tick
        now_ms = tick * self.config.interval_ms
        turn = Turn(state, tick, now_ms, self.config.seed, self.next_seq)
        before, waited = Before.of(state), self._pending
        start(turn, inputs.restarted)
        changes = self.governor.change(turn, inputs.policies)
        known = arrive(turn, inputs)
        pass_time(turn)
        lap("step")
        verdicts, audit = self.governor.hear(turn, inputs, lap)
        depart(turn, inputs, known)
        lap("step")
        self._pending, depth = cascade(turn, waited, self._rules, self.config.cascade)
        events = turn.events()
        seal(state, events, turn.texts, before.cell, tick, now_ms)
        rows = state.rows_of(events["stream"])
        self._oracle.look(turn, Scene(state, before, events, self.next_seq, rows, waited))
        if turn.count > len(events):
            told = join_rows(turn.blocks, EVENT_DTYPE)[len(events) :]
            seal(state, told, {}, before.cell, tick, now_ms)
            events = join_rows((events, told), EVENT_DTYPE)
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
        return checkpoint.state_hash(
            self.state,
            self.tick,
            self.next_seq,
            self._pending,
            self._oracle.told,
            self.governor.standing.pack(),
        )
