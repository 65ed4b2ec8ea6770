"""What can be asked of governance: how the policies stand, and what they decided."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.protocol.limits import ENTITY_ID_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX
from engine.protocol.policy import PolicyCount, PolicyView

AuditVerdict = Literal["permit", "deny", "mutate", "resent"]


class PoliciesQuery(Struct, frozen=True, tag="policies"):
    """How the policies stand, in the order in which they judge."""


class AuditQuery(Struct, frozen=True, tag="audit"):
    """What was decided on intents, and who was asked; oldest first.

    Attributes:
        policy: Only what this policy denied or changed; ``world`` for what the world itself
            could not give.
        verdict: Only these; without it, the denied and the mutated.
        actor: Only this entity's.
        limit: Rows wanted.
        after: The oldest ones after this number; None for the newest ones.
        before: Only those before this number.
    """

    policy: Annotated[str, Meta(max_length=64)] = ""
    verdict: AuditVerdict | None = None
    actor: Annotated[int, Meta(ge=0, le=ENTITY_ID_MAX)] | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_DEFAULT
    after: Annotated[int, Meta(ge=0, le=2**62)] | None = None
    before: Annotated[int, Meta(ge=0, le=2**62)] | None = None


class PolicyRow(Struct, frozen=True):
    """A policy as it stands, and what it did."""

    policy: PolicyView
    count: PolicyCount


class PoliciesAnswer(Struct, frozen=True, tag="policies"):
    """Every policy, in the order in which they judge."""

    rows: tuple[PolicyRow, ...]


class AuditRow(Struct, frozen=True):
    """What was decided on one intent.

    Attributes:
        number: Its place in the log, growing.
        tick: The tick that took it in.
        actor: Who was to act.
        seq: The sender's number of it.
        kind: Of the intent.
        role: Who asked: player, operator, narrator.
        verdict: permit, deny, mutate; resent: it had been taken before.
        policy: Who decided; empty for nobody, ``world`` for what the world could not give.
        reason: ``policy: what was found``, of the denied and the mutated.
        evaluated: The policies that were asked, in their order.
        event: Sequence number of its root event; 0 for one that was sent before.
    """

    number: int
    tick: int
    actor: int
    seq: int
    kind: str
    role: str
    verdict: AuditVerdict
    policy: str
    reason: str
    evaluated: tuple[str, ...]
    event: int


class AuditAnswer(Struct, frozen=True, tag="audit"):
    """Rows of the audit, oldest first. A question is answered from a bounded stretch of the log.

    Attributes:
        tick: The newest tick in the log.
        after: Every row that was asked for and comes up to this number was looked at; of the
            newest ones, every one from ``before`` up to this number.
        rows: The rows.
        complete: Whether there is nothing to go on with; else the oldest ones go on with this
            ``after``, the newest ones with this ``before``.
        before: Of the newest ones, every row from this number on was looked at; else 0.
    """

    tick: int
    after: int
    rows: tuple[AuditRow, ...]
    complete: bool = True
    before: int = 0
