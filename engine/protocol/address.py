"""STAT7 addresses and URIs of bit-chains.

The address is the SHA-256 of the bit-chain's canonical JSON: keys sorted at every depth,
no white space, ASCII escapes; real coordinates rounded half-even to eight decimals and
written without an exponent, trailing zeros or a minus before zero; time in UTC, cut to
milliseconds.
"""

import hashlib
import json
import math
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from engine.protocol.errors import UserError
from engine.protocol.limits import CHAIN_DEPTH_MAX

Realm = Literal["data", "narrative", "system", "faculty", "event", "pattern", "void"]
Horizon = Literal["genesis", "emergence", "peak", "decay", "crystallization"]

_EIGHT_DECIMALS = Decimal("0.00000001")


class Coordinates(Struct, frozen=True):
    """Where a bit-chain stands in the seven dimensions."""

    realm: Realm
    lineage: Annotated[int, Meta(ge=0)]
    adjacency: tuple[str, ...]
    horizon: Horizon
    resonance: Annotated[float, Meta(ge=-1, le=1)]
    velocity: Annotated[float, Meta(ge=-1, le=1)]
    density: Annotated[float, Meta(ge=0, le=1)]


class BitChain(Struct, frozen=True):
    """One entity as STAT7 sees it."""

    id: str
    entity_type: str
    realm: Realm
    coordinates: Coordinates
    created_at: str
    state: dict[str, Any] = {}


def number_text(value: float) -> str:
    """Return a real coordinate as it is hashed and shown: ``0.3``, ``0.00001234``, ``0.0``.

    Raises:
        UserError: Not a finite number.
    """
    if not math.isfinite(value):
        raise UserError(f"coordinate: found {value}; allowed is a finite number")
    rounded = Decimal(repr(float(value))).quantize(_EIGHT_DECIMALS, ROUND_HALF_EVEN)
    if not rounded:
        return "0.0"
    whole, _, decimals = f"{rounded:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}"


def time_text(stamp: str) -> str:
    """Return an ISO 8601 time in UTC, cut to milliseconds, with ``Z``.

    Raises:
        UserError: Not a time with an offset.
    """
    moment: datetime | None
    try:
        moment = datetime.fromisoformat(stamp)
        # The first and the last hours there are have no UTC.
        moment = moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise UserError(
            f"created_at: found {stamp[:64]!r}; allowed is ISO 8601 with an offset, "
            "such as 2025-10-30T12:34:56.252Z"
        )
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def address(chain: BitChain) -> str:
    """Return the bit-chain's address: 64 hex digits.

    Raises:
        UserError: Its time is no time, or its state is nested too deeply or holds what
            JSON cannot say.
    """
    at = chain.coordinates
    coordinates = {
        "adjacency": sorted(at.adjacency),
        "density": _Number(at.density),
        "horizon": at.horizon,
        "lineage": at.lineage,
        "realm": at.realm,
        "resonance": _Number(at.resonance),
        "velocity": _Number(at.velocity),
    }
    whole = {
        "created_at": time_text(chain.created_at),
        "entity_type": chain.entity_type,
        "id": chain.id,
        "realm": chain.realm,
        "stat7_coordinates": coordinates,
        "state": chain.state,
    }
    return hashlib.sha256(_canonical(whole).encode()).hexdigest()


def uri(chain: BitChain) -> str:
    """Return the bit-chain's ``stat7://`` URI."""
    at = chain.coordinates
    adjacency = _canonical({"adjacency": sorted(at.adjacency)})
    near = hashlib.sha256(adjacency.encode()).hexdigest()[:8]
    return (
        f"stat7://{at.realm}/{at.lineage}/{near}/{at.horizon}"
        f"?r={number_text(at.resonance)}&v={number_text(at.velocity)}&d={number_text(at.density)}"
    )


class _Number(float):
    """A real coordinate: written by ``number_text``."""


def _canonical(value: Any, depth: int = 0) -> str:
    if depth > CHAIN_DEPTH_MAX:
        raise UserError(f"state: nested more than {CHAIN_DEPTH_MAX} deep")
    if isinstance(value, _Number):
        return number_text(value)
    if isinstance(value, dict):
        items = sorted(value.items())
        return (
            "{"
            + ",".join(f"{json.dumps(key)}:{_canonical(item, depth + 1)}" for key, item in items)
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(_canonical(item, depth + 1) for item in value) + "]"
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise UserError(f"state: {problem}") from problem
