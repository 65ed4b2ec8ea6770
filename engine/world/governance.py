"""Governance: policies in their order over a whole batch; the first denial ends the matter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine.protocol.gateway import INTENT_KINDS, ROLES
from engine.protocol.policy import PolicyChange, PolicyScope
from engine.protocol.registry import scan
from engine.world import policies
from engine.world.arrays import Array
from engine.world.audit import DENY, MUTATE, NO_POLICY, OTHER_KINDS, AuditTable
from engine.world.hearing import Hearing
from engine.world.policies.base import Judgement, Policy
from engine.world.standing import Seat, Standing
from engine.world.userpolicy import PolicyFailed


@dataclass(slots=True, eq=False)
class Ruling:
    """What governance says about a batch of orders.

    Attributes:
        verdict: ``PERMIT``, ``DENY`` or ``MUTATE``, uint8, (n,).
        policy: Place of the deciding policy in the judging order, or ``NO_POLICY``, uint8.
        narrow: Bit by place of each policy of a narrow scope that was asked, uint64; None when
            there are no such policies.
        denials: Row to ``policy: what was found``, for the denied.
        changes: The same for the mutated, one after another.
        mutations: Place of the policy, rows, and a reason for each, of every mutation in order.
        denied_again: Mask of those that were denied after every policy had been asked, for
            what these had changed; None for none.
        unasked: Bit by place of each policy that could not judge, and so judged none of these.
    """

    verdict: Array
    policy: Array
    narrow: Array | None
    denials: dict[int, str] = field(default_factory=dict)
    changes: dict[int, str] = field(default_factory=dict)
    mutations: list[tuple[int, Array, list[str]]] = field(default_factory=list)
    denied_again: Array | None = None
    unasked: int = 0

    @property
    def reasons(self) -> dict[int, str]:
        """Row to what changed it and what denied it, in this order: ``one: why; other: why``."""
        if not self.changes:
            return self.denials
        both = {
            row: f"{self.changes[row]}; {why}" if row in self.changes else why
            for row, why in self.denials.items()
        }
        return {**self.changes, **both}

    def refuse(self, rows: Array, place: int, reasons: Sequence[str]) -> None:
        """Write down denials."""
        self.verdict[rows] = DENY
        self.policy[rows] = place
        self.denials.update(zip(rows.tolist(), reasons, strict=True))

    def note(self, rows: Array, place: int, reasons: list[str]) -> None:
        """Write down mutations."""
        self.verdict[rows] = MUTATE
        self.policy[rows] = place
        self.mutations.append((place, rows, reasons))
        for row, reason in zip(rows.tolist(), reasons, strict=True):
            earlier = self.changes.get(row)
            self.changes[row] = reason if earlier is None else f"{earlier}; {reason}"


class Bench:
    """One policy that judges: its place, and its scope made ready for whole columns."""

    def __init__(self, place: int, seat: Seat) -> None:
        policy, scope = seat.policy, seat.scope
        self.place = place
        self.bit = np.uint64(1 << place)
        self.name = policy.name
        self.policy = policy
        self.params = seat.params
        wanted = [INTENT_KINDS.index(kind) for kind in scope.kinds]
        self.kinds = _both(policy.kinds, tuple(wanted))
        """None for all."""
        self.steady = policy.steady and not scope.zones
        self._zones = _mask(scope.zones) if scope.zones else None
        self._roles = _mask([ROLES.index(r) for r in scope.roles]) if scope.roles else None
        self._entities = np.array(scope.entities, np.int64) if scope.entities else None
        self._kinds = None if self.kinds is None else _mask(self.kinds)
        # Kinds that the policy itself names are looked up; a narrower scope is a mask.
        self.is_narrow = scope != PolicyScope() and (scope != PolicyScope(kinds=scope.kinds))
        self.narrows_kinds = self.kinds is not None and set(self.kinds) != set(policy.kinds)

    def within(self, hearing: Hearing) -> Array | None:
        """Return the mask of the orders in the scope, None for all that are of its kinds."""
        if not self.is_narrow and not self.narrows_kinds:
            return None
        orders = hearing.orders
        mask = np.ones(len(orders), bool)
        if self._kinds is not None:
            mask &= self._kinds[orders.kind]
        if self._roles is not None:
            mask &= self._roles[orders.role]
        if self._entities is not None:
            mask &= np.isin(orders.player, self._entities)
        if self._zones is not None:
            mask &= self._zones[hearing.actor("zone")] & (orders.actor_row >= 0)
        return mask


class Part:
    """Some policies in their order."""

    def __init__(self, benches: Sequence[Bench]) -> None:
        self.benches = tuple(benches)
        self.has_narrow = any(bench.is_narrow for bench in benches)


class Docket:
    """The enabled policies of a standing, ready to judge.

    Attributes:
        table: Which of them judge each kind of intent.
        at_once: Those that come first and judge all the tick's intents at once.
        by_round: The others, which judge each round.
    """

    def __init__(self, standing: Standing) -> None:
        benches = [
            Bench(place, seat) for place, seat in enumerate(standing.seats.values()) if seat.enabled
        ]
        by_kind = [0] * (OTHER_KINDS + 1)
        for bench in benches:
            for kind in range(OTHER_KINDS + 1):
                if not bench.is_narrow and (bench.kinds is None or kind in bench.kinds):
                    by_kind[kind] |= 1 << bench.place
        self.table = AuditTable(standing.version, tuple(standing.seats), tuple(by_kind))
        first = next((i for i, b in enumerate(benches) if not b.steady), len(benches))
        self.at_once = Part(benches[:first])
        self.by_round = Part(benches[first:])
        self.fixed = Part([bench for bench in benches if bench.policy.fixed])


def find_policies() -> tuple[Policy, ...]:
    """Return every built-in policy, in the order in which they judge at first."""
    found: list[Policy] = list(scan(policies, "POLICY").values())
    return tuple(sorted(found, key=lambda policy: (policy.priority, policy.name)))


def check_policy(change: PolicyChange, where: str) -> None:
    """Refuse a change of a built-in policy that is not allowed.

    Raises:
        UserError: Says what is wrong with it; ``where`` is what it is called there.
    """
    Standing(find_policies()).change(change, 0, where)


def govern(part: Part, hearing: Hearing, failures: dict[str, PolicyFailed]) -> Ruling:
    """Return the verdicts; what is mutated is changed in ``hearing``.

    Args:
        part: The policies that judge.
        hearing: The orders they judge.
        failures: Policies that could not judge, and why: they are not asked, and those that
            cannot now are added.
    """
    count = len(hearing.orders)
    ruling = Ruling(
        np.zeros(count, np.uint8),
        np.full(count, NO_POLICY, np.uint8),
        np.zeros(count, np.uint64) if part.has_narrow else None,
    )
    for bench in part.benches:
        if bench.name not in failures:
            try:
                ask(bench, hearing, ruling)
            except PolicyFailed as problem:
                failures[bench.name] = problem
        if bench.name in failures:
            ruling.unasked |= 1 << bench.place
    hearing.within = None
    return ruling


def judge_again(part: Part, hearing: Hearing, ruling: Ruling) -> None:
    """Have policies judge what others, that came after them, have changed."""
    denied = ruling.verdict == DENY
    for bench in part.benches:
        ask(bench, hearing, ruling)
    hearing.within = None
    ruling.denied_again = (ruling.verdict == DENY) & ~denied


def ask(bench: Bench, hearing: Hearing, ruling: Ruling) -> None:
    """Have one policy judge, and write down what it finds.

    Raises:
        PolicyFailed: It is a user's, and could not judge.
    """
    if bench.kinds is not None and not hearing.has(bench.kinds):
        return
    hearing.within = within = bench.within(hearing)
    if bench.is_narrow and within is not None and ruling.narrow is not None:
        ruling.narrow[within & hearing.open] |= bench.bit
    judgement = bench.policy.judge(hearing, bench.params)
    if judgement is not None:
        _enforce(bench, judgement, hearing, ruling)


def _enforce(bench: Bench, judgement: Judgement, hearing: Hearing, ruling: Ruling) -> None:
    if len(judgement.denied):
        rows, at = _counting(judgement.denied, hearing)
        if len(rows):
            reasons = [f"{bench.name}: {why}" for why in judgement.why(at)]
            ruling.refuse(rows, bench.place, reasons)
            hearing.open[rows] = False
    if len(judgement.changed):
        rows, at = _counting(judgement.changed, hearing)
        if len(rows):
            ruling.note(
                rows, bench.place, [f"{bench.name}: {why}" for why in judgement.why_changed(at)]
            )
            for name, values in judgement.fields.items():
                chosen: Array | list[str]
                if isinstance(values, list):
                    chosen = [values[place] for place in at.tolist()]
                else:
                    chosen = values[at]
                hearing.change(rows, name, chosen)


def _counting(rows: Array, hearing: Hearing) -> tuple[Array, Array]:
    """Return the rows that are in play, and their positions."""
    keep = hearing.open[rows]
    if hearing.within is not None:
        keep &= hearing.within[rows]
    at = np.flatnonzero(keep)
    return (rows, at) if len(at) == len(rows) else (rows[at], at)


def _both(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the kinds in both, where empty stands for all; None for all."""
    if not one or not other:
        return one or other or None
    return tuple(kind for kind in one if kind in other) or (_NO_KIND,)


_NO_KIND: Final = len(INTENT_KINDS) + 100
"""A kind that no intent has: what a scope leaves of a policy that is about other kinds."""


def _mask(codes: Sequence[int]) -> Array:
    mask = np.zeros(256, bool)
    mask[list(codes)] = True
    return mask
