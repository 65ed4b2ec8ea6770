"""``World``: state plus ``step``. No clock, no socket, no hidden randomness."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.protocol.limits import TICK_INTERVAL_MS
from engine.world import checkpoint
from engine.world.apply import seal
from engine.world.arrays import Array, join_rows
from engine.world.cascade import Bounds, cascade, no_frontier
from engine.world.clock import pass_time
from engine.world.commands import Round, carry_out, record_denied
from engine.world.events import EVENT_DTYPE, EventBlock
from engine.world.genesis import genesis
from engine.world.governance import DENY, PERMIT, find_policies, govern
from engine.world.inputs import TickInputs
from engine.world.interest import CellFrames
from engine.world.invariants.base import Before, Scene
from engine.world.oracle import Oracle, find_invariants
from engine.world.orders import Orders, sort_orders
from engine.world.policies.base import Hearing, Policy
from engine.world.presence import arrive, depart, start
from engine.world.rulebook import Rulebook, find_rules
from engine.world.state import State
from engine.world.turn import Turn

Lap = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """What a world is made from; the same again gives the same world."""

    seed: int
    npcs: int = 200
    nodes: int = 400
    capacity: int = 20_000
    interval_ms: int = TICK_INTERVAL_MS
    cascade: Bounds = Bounds()


@dataclass(frozen=True, slots=True, eq=False)
class VerdictBlock:
    """What became of a tick's intents, row by row as they were given.

    Attributes:
        player: Entity id.
        seq: Client sequence.
        verdict: 0 permit, 1 deny, 2 mutate.
        event: ``seq`` of the root event; 0 for an intent that was sent before.
        reasons: Row to ``policy: what was found``.
    """

    player: Array
    seq: Array
    verdict: Array
    event: Array
    reasons: dict[int, str]


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
        audit_log: What governance wrote down about the intents, in its stored form.
    """

    tick: int
    events: EventBlock
    verdicts: VerdictBlock
    hash: bytes
    depth: int
    pending: int
    audit_log: bytes = b""


class World:
    """The world between two ticks.

    Attributes:
        config: What it was made from.
        state: What is true; read it, do not write it.
        tick: The next tick.
        next_seq: ``seq`` of the next event.
        hash: State hash after the last tick, empty before the first.
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
        self._whole_tick = [policy for policy in policies if policy.whole_tick]
        self._each_round = [policy for policy in policies if not policy.whole_tick]

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
            policies: Those that govern, in order; all of the folder by default.
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
        )

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
        known = arrive(turn, inputs)
        pass_time(turn)
        lap("step")
        verdicts = self._carry_out(turn, inputs, lap)
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
        return TickResult(tick, block, verdicts, self.hash, depth, len(self._pending))

    def _carry_out(self, turn: Turn, inputs: TickInputs, lap: Lap) -> VerdictBlock:
        intents = inputs.intents
        verdict = np.full(len(intents), PERMIT, np.uint8)
        event = np.zeros(len(intents), np.uint64)
        reasons: dict[int, str] = {}
        block = VerdictBlock(intents["player"], intents["seq"], verdict, event, reasons)
        orders = sort_orders(turn.state, inputs)
        if not len(orders):
            lap("govern")
            return block

        def judge(some: Orders, judges: Sequence[Policy]) -> Round:
            hearing = Hearing(turn.state, some, turn.tick, turn.now_ms, inputs.texts)
            ruling = govern(judges, hearing)
            return Round(turn, some, ruling, inputs.texts, np.zeros(len(some), np.int64))

        def settle(acting: Round) -> None:
            given = acting.orders.given
            verdict[given] = acting.ruling.verdict
            event[given] = acting.event
            for row, reason in acting.ruling.reasons.items():
                reasons[int(given[row])] = reason

        whole = judge(orders, self._whole_tick)
        record_denied(whole)
        settle(whole)
        denied = whole.ruling.verdict == DENY
        passed = orders.take(~denied) if denied.any() else orders
        lap("govern")
        for first, end in passed.rounds():
            some = passed if end - first == len(passed) else passed.take(slice(first, end))
            acting = judge(some, self._each_round)
            lap("govern")
            carry_out(acting)
            settle(acting)
            lap("step")
        return block

    def _state_hash(self) -> bytes:
        return checkpoint.state_hash(
            self.state, self.tick, self.next_seq, self._pending, self._oracle.told
        )
