"""``Governor``: one tick's intents through governance and into the world, round by round."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from engine.protocol.errors import UserError
from engine.protocol.limits import AUDIT_TABLE_TICKS
from engine.protocol.policy import PolicyChange, PolicyCount, PolicyView
from engine.world.arrays import Array
from engine.world.audit import DENY, MUTATE, NO_POLICY, PERMIT, RESENT, AuditBlock, Marks
from engine.world.commands import Round, carry_out, record_denied
from engine.world.events import Code
from engine.world.governance import Docket, Part, govern, judge_again
from engine.world.hearing import Hearing
from engine.world.inputs import TickInputs
from engine.world.orders import Orders, sort_orders
from engine.world.policies.base import Policy
from engine.world.standing import Standing
from engine.world.turn import Turn
from engine.world.userpolicy import PolicyFailed

Lap = Callable[[str], None]


class ChangeDone(Struct, frozen=True):
    """What became of a change of a policy: what changed, or why nothing did."""

    ok: bool
    text: str


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


class Governor:
    """How every policy stands, and what they say about a tick's intents.

    Args:
        policies: Every policy there is.
        interval_ms: Of a tick.

    Attributes:
        policies: Every policy there is.
        standing: Part of the world's state.

    Raises:
        ValueError: There are too many policies, or two of one name.
    """

    def __init__(self, policies: Sequence[Policy], interval_ms: int) -> None:
        self.policies = tuple(policies)
        self.standing = Standing(policies)
        self._interval_ms = interval_ms
        self._docket: Docket | None = None
        self._words: dict[str, str] = {}
        self._counts: dict[str, list[int]] = {policy.name: [0, 0, 0] for policy in policies}

    def views(self) -> tuple[PolicyView, ...]:
        """Return how every policy stands, in the order in which they judge.

        In what words one failed is known to the process alone in which it did.
        """
        return tuple(
            replace(view, failed=f"{view.failed}: {self._words[view.name]}")
            if view.failed and view.name in self._words
            else view
            for view in self.standing.views()
        )

    def counts(self) -> dict[str, PolicyCount]:
        """Return what each policy did, since this object was made or last counted anew."""
        return {name: PolicyCount(*counts) for name, counts in self._counts.items()}

    def count_anew(self) -> None:
        """Begin to count at 0: what was re-stepped had been counted when it happened."""
        self._counts = {name: [0, 0, 0] for name in self._counts}

    def change(self, turn: Turn, changes: Sequence[PolicyChange]) -> list[ChangeDone]:
        """Change how policies stand, and record it; what is not allowed changes nothing."""
        done = []
        for change in changes:
            try:
                words = self.standing.change(change, turn.tick)
            except UserError as problem:
                done.append(ChangeDone(False, problem.message))
                continue
            text = f"{change.name}: {words or 'nothing changed'}"
            done.append(ChangeDone(True, text))
            if words:
                self._docket = None
                _tell(turn, 0, text)
        return done

    def hear(self, turn: Turn, inputs: TickInputs, lap: Lap) -> tuple[VerdictBlock, AuditBlock]:
        """Judge the tick's intents and carry out what passes, round by round.

        Args:
            turn: The tick.
            inputs: Its inputs.
            lap: Called with ``govern`` or ``step`` when such a piece of work is done.
        """
        if self._docket is None:
            self._docket = Docket(self.standing)
        docket = self._docket
        hall = _Hall(turn, inputs, self._interval_ms, docket)
        orders = sort_orders(turn.state, inputs)
        if len(orders):
            whole = hall.judge(orders, docket.at_once)
            record_denied(whole)
            hall.settle(whole)
            denied = whole.ruling.verdict == DENY
            passed = orders.take(~denied) if denied.any() else orders
            lap("govern")
            for first, end in passed.rounds():
                some = passed if end - first == len(passed) else passed.take(slice(first, end))
                acting = hall.judge(some, docket.by_round)
                lap("govern")
                carry_out(acting)
                hall.settle(acting)
                lap("step")
        audit = hall.audit(self.standing)
        self._count(audit, inputs.intents["kind"], hall.mutations, docket)
        self._fail(turn, hall.failures)
        lap("govern")
        return hall.block, audit

    def load(self, data: bytes) -> None:
        """Take the standing from a checkpoint.

        Raises:
            ValueError: It is none of these policies.
        """
        self.standing.load(data)
        self._docket = None

    def _fail(self, turn: Turn, failures: dict[str, PolicyFailed]) -> None:
        for name, problem in failures.items():
            self.standing.fail(name, problem.how, turn.tick + 1)
            self._words[name] = str(problem)
            self._docket = None
            _tell(turn, 1, f"policy-failed: {name}: {problem.how}; it is disabled")

    def _count(
        self, audit: AuditBlock, kind: Array, mutations: list[tuple[int, int]], docket: Docket
    ) -> None:
        names = docket.table.names
        asked = _bit_counts(audit.evaluated(kind, docket.table), len(names))
        denied = np.bincount(audit.policy[audit.verdict == DENY], minlength=256).tolist()
        for place, name in enumerate(names):
            counts = self._counts[name]
            counts[0] += asked[place]
            counts[1] += denied[place]
        for place, count in mutations:
            self._counts[names[place]][2] += count


class _Hall:
    """A tick's intents while they are heard, and what was decided so far.

    Attributes:
        mutations: Place of a policy, and how many intents it changed.
        failures: Policies that could not judge, and why.
    """

    def __init__(self, turn: Turn, inputs: TickInputs, interval_ms: int, docket: Docket) -> None:
        intents = inputs.intents
        count = len(intents)
        self._turn = turn
        self._interval_ms = interval_ms
        self._docket = docket
        self._texts = dict(inputs.texts)
        self._verdict = np.full(count, RESENT, np.uint8)
        self._policy = np.full(count, NO_POLICY, np.uint8)
        has_narrow = docket.at_once.has_narrow or docket.by_round.has_narrow
        self._narrow = np.zeros(count, np.uint64) if has_narrow else None
        self._event = np.zeros(count, np.uint64)
        self._kind = intents["kind"]
        self._denied_again = np.zeros(count, bool)
        self._changed = np.zeros(count, np.uint64)
        self._unasked = np.zeros(count, np.uint64)
        self._reasons: dict[int, str] = {}
        self._keys = (intents["player"], intents["seq"])
        self.mutations: list[tuple[int, int]] = []
        self.failures: dict[str, PolicyFailed] = {}

    @property
    def block(self) -> VerdictBlock:
        """What players are told; who sends again is told what it was told before."""
        verdict = np.where(self._verdict == RESENT, np.uint8(PERMIT), self._verdict)
        return VerdictBlock(*self._keys, verdict, self._event, self._reasons)

    def judge(self, orders: Orders, part: Part) -> Round:
        """Have some policies judge some orders."""
        turn = self._turn
        hearing = Hearing(
            turn.state, orders, turn.tick, turn.now_ms, self._interval_ms, self._texts
        )
        ruling = govern(part, hearing, self.failures)
        if hearing.retargeted:
            judge_again(self._docket.fixed, hearing, ruling)
        return Round(turn, hearing, ruling, np.zeros(len(orders), np.int64))

    def settle(self, acting: Round) -> None:
        """Write down what was decided on a round's orders, and what came of them."""
        given, ruling = acting.orders.given, acting.ruling
        self._verdict[given] = ruling.verdict
        self._policy[given] = ruling.policy
        self._event[given] = acting.event
        if self._narrow is not None and ruling.narrow is not None:
            self._narrow[given] |= ruling.narrow
        reasons = ruling.reasons
        if reasons:
            rows = given[np.fromiter(reasons, np.int64, len(reasons))]
            self._reasons.update(zip(rows.tolist(), reasons.values(), strict=True))
        for place, rows, _ in ruling.mutations:
            self.mutations.append((place, len(rows)))
            self._changed[given[rows]] |= np.uint64(1 << place)
        if ruling.denied_again is not None:
            self._denied_again[given] = ruling.denied_again
        if ruling.unasked:
            self._unasked[given] |= np.uint64(ruling.unasked)

    def audit(self, standing: Standing) -> AuditBlock:
        """Return what is written down of the tick."""
        tick = self._turn.tick
        told = tick % AUDIT_TABLE_TICKS == 0 or tick == standing.since_tick
        table = self._docket.table
        return AuditBlock(
            table.version,
            self._verdict,
            self._policy,
            self._narrow,
            table if told else None,
            self._marks(),
        )

    def _marks(self) -> Marks | None:
        """Return what verdict and deciding policy alone do not tell."""
        changed = self._changed
        if not changed.any() and not self._unasked.any():
            return None
        table = self._docket.table
        # Who is denied for what was changed was asked by all before.
        verdict = np.where(self._denied_again, np.uint8(PERMIT), self._verdict)
        asked = AuditBlock(table.version, verdict, self._policy, self._narrow).evaluated(
            self._kind, table
        )
        marked = (changed != 0) & (self._verdict != MUTATE)
        marked |= (changed & (changed - (changed > 0))) != 0
        marked |= (asked & self._unasked) != 0
        rows = np.flatnonzero(marked)
        if not len(rows):
            return None
        return Marks(rows.astype(np.uint32), (asked & ~self._unasked)[rows], changed[rows])


def _bit_counts(masks: Array, bits_used: int) -> list[int]:
    """Return how often each of the lower bits is set, rounded up to whole bytes."""
    planes = masks.view(np.uint8).reshape(-1, 8)
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    counts: list[int] = []
    for plane in range(-(-bits_used // 8)):
        counts += (np.bincount(planes[:, plane], minlength=256) @ bits).tolist()
    return counts


def _tell(turn: Turn, a: int, text: str) -> None:
    seq = turn.emit(Code.POLICY_CHANGED, np.zeros(1, np.int64), a=a)
    turn.text(seq, text)
