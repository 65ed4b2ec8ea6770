"""Governance: policies by priority over a whole batch; the first denial ends the matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.protocol.registry import scan
from engine.world import policies
from engine.world.arrays import Array
from engine.world.policies.base import Hearing, Judgement, Policy

PERMIT: Final = 0
DENY: Final = 1
MUTATE: Final = 2


@dataclass(slots=True, eq=False)
class Ruling:
    """What governance says about a batch of orders.

    Attributes:
        verdict: ``PERMIT``, ``DENY`` or ``MUTATE``, uint8, (n,).
        reasons: Row to ``policy: what was found``, for the denied and the mutated.
    """

    verdict: Array
    reasons: dict[int, str]

    def note(self, mask: Array, verdict: int, policy: str, judgement: Judgement) -> None:
        """Write down a verdict on some rows, and why."""
        rows = np.nonzero(mask)[0]
        self.verdict[rows] = verdict
        for row, reason in zip(rows.tolist(), judgement.why(rows), strict=True):
            self.reasons[row] = f"{policy}: {reason}"


def find_policies() -> tuple[Policy, ...]:
    """Return every policy of the folder, in the order in which they judge."""
    found: list[Policy] = list(scan(policies, "POLICY").values())
    return tuple(sorted(found, key=lambda policy: (policy.priority, policy.name)))


def govern(judges: Sequence[Policy], hearing: Hearing) -> Ruling:
    """Return the verdicts; mutated moves get their new destination in ``hearing.orders``."""
    orders = hearing.orders
    ruling = Ruling(np.zeros(len(orders), np.uint8), {})
    for policy in judges:
        judgement = policy.judge(hearing)
        verdict = ruling.verdict
        denied = judgement.deny & (verdict != DENY)
        if denied.any():
            ruling.note(denied, DENY, policy.name, judgement)
        if judgement.mutate is None or judgement.x is None or judgement.y is None:
            continue
        mutated = judgement.mutate & (verdict == PERMIT)
        if mutated.any():
            orders.x[mutated], orders.y[mutated] = judgement.x[mutated], judgement.y[mutated]
            ruling.note(mutated, MUTATE, policy.name, judgement)
    return ruling
