"""Policies as operators change them and as everybody sees them."""

from typing import Annotated

from msgspec import Meta, Struct

from engine.protocol.events import entity_name
from engine.protocol.gateway import IntentKind, Role
from engine.protocol.limits import (
    ENTITY_ID_MAX,
    NAME_IN_PATH_CHARS_MAX,
    PARAM_CHARS_MAX,
    POLICY_PRIORITY_MAX,
    SCOPE_ENTITIES_MAX,
    ZONES,
)
from engine.protocol.paramspec import ParamSpec

Priority = Annotated[int, Meta(ge=0, le=POLICY_PRIORITY_MAX)]
PolicyName = Annotated[str, Meta(min_length=1, max_length=NAME_IN_PATH_CHARS_MAX)]
PolicyParams = dict[
    Annotated[str, Meta(max_length=64)],
    Annotated[str, Meta(max_length=PARAM_CHARS_MAX)] | int | float | bool,
]
_Zone = Annotated[int, Meta(ge=0, lt=ZONES)]
_Entity = Annotated[int, Meta(ge=0, le=ENTITY_ID_MAX)]


class PolicyScope(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which intents a policy judges; every field that is not empty narrows it.

    Attributes:
        zones: The actor stands in one of these.
        kinds: Kinds of intent.
        entities: The actor is one of these.
        roles: Who asks.
    """

    zones: Annotated[tuple[_Zone, ...], Meta(max_length=ZONES)] = ()
    kinds: Annotated[tuple[IntentKind, ...], Meta(max_length=16)] = ()
    entities: Annotated[tuple[_Entity, ...], Meta(max_length=SCOPE_ENTITIES_MAX)] = ()
    roles: Annotated[tuple[Role, ...], Meta(max_length=8)] = ()


class PolicyChange(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an operator changes in a policy; None leaves as it is.

    Attributes:
        name: The policy.
        enabled: Whether it judges at all.
        priority: Lower ones judge first.
        params: Values by name; those not named stay.
        scope: The whole new scope.
    """

    name: PolicyName
    enabled: bool | None = None
    priority: Priority | None = None
    params: PolicyParams | None = None
    scope: PolicyScope | None = None


class PolicyView(Struct, frozen=True):
    """A policy as it stands.

    Attributes:
        name: Unique.
        help: What it forbids or changes, in one line.
        priority: Lower ones judge first; of equals by name.
        enabled: Whether it judges.
        scope: Which intents it judges.
        params: Values now, by name.
        specs: What each parameter is, and its bounds.
        built_in: False for one from a user's file.
        failed: Why it was disabled by the world itself, empty when it was not.
    """

    name: str
    help: str
    priority: int
    enabled: bool
    scope: PolicyScope
    params: dict[str, str | int | float | bool]
    specs: tuple[ParamSpec, ...] = ()
    built_in: bool = True
    failed: str = ""


class PolicyFile(Struct, frozen=True):
    """A user's policy in a capsule.

    Attributes:
        file: Path, relative to the capsule; its copies are in one folder of it.
        blake3: Hash of what was copied there, hex.
        origin: Where it was copied from.
        name: What the scenario calls it; empty for whatever it calls itself.
    """

    file: Annotated[str, Meta(pattern=r"^policies/[A-Za-z0-9_-]{1,64}\.py\Z")]
    blake3: str
    origin: str
    name: str = ""


class PolicyCount(Struct, frozen=True, array_like=True):
    """What a policy did since its world's process began."""

    evaluated: int = 0
    denied: int = 0
    mutated: int = 0


class WorldPolicy(Struct, frozen=True, tag="world_policy"):
    """A change of a policy, to be taken in at the start of the next tick; ``id`` from 1."""

    id: int
    change: PolicyChange


class WorldPolicyDone(Struct, frozen=True, tag="world_policy_done"):
    """Answer to ``world_policy``, once it is durable; ``text``: what changed, or why not."""

    id: int
    tick: int
    ok: bool
    text: str


class WorldPolicies(Struct, frozen=True, tag="world_policies"):
    """How the policies stand, in the order in which they judge: at first, and when changed."""

    policies: tuple[PolicyView, ...]


PolicyWord = WorldPolicyDone | WorldPolicies
"""What the world says of its policies."""


def scope_words(scope: PolicyScope) -> str:
    """Return a scope for people: ``attack, trade; zones 9, 14``; ``everything`` when empty."""
    parts = [", ".join(scope.kinds), ", ".join(scope.roles)]
    parts += [f"zones {_some([str(zone) for zone in scope.zones])}"] if scope.zones else []
    parts += [_some([entity_name(who) for who in scope.entities])] if scope.entities else []
    return "; ".join(part for part in parts if part) or "everything"


def _some(words: list[str]) -> str:
    shown = ", ".join(words[:8])
    return shown if len(words) <= 8 else f"{shown} and {len(words) - 8} more"
