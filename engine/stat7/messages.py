"""The stream's messages as they go over the wire: one envelope for all. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct
from websockets.frames import Frame, Opcode

from engine.protocol.address import BitChain, Coordinates, address, uri
from engine.stat7.chains import COLORS, SIZES

EventType = Literal[
    "bitchain_created",
    "coordinates_updated",
    "fault",
    "experiment_start",
    "experiment_completed",
]

_encoder = msgspec.json.Encoder()


class Metadata(Struct, frozen=True):
    """How a message is drawn."""

    visualization_type: str
    color: str
    size: float


class Envelope(Struct, frozen=True):
    """One message.

    Attributes:
        event_type: What it is about.
        timestamp: When it was sent, ISO 8601 in UTC with milliseconds.
        data: By event type.
        experiment_id: The run's name.
        metadata: See ``Metadata``.
    """

    event_type: EventType
    timestamp: str
    data: Any
    experiment_id: str
    metadata: Metadata


class _Coordinates(Struct, frozen=True):
    adjacency: list[str]
    density: float
    horizon: str
    lineage: int
    realm: str
    resonance: float
    velocity: float


class _Chain(Struct, frozen=True):
    created_at: str
    entity_type: str
    id: str
    realm: str
    stat7_coordinates: _Coordinates
    state: dict[str, Any]


class _Created(Struct, frozen=True):
    bitchain: _Chain
    address: str
    stat7_uri: str
    coordinates: _Coordinates
    entity_type: str
    realm: str


_LOOKS: Mapping[EventType, Metadata] = {
    "coordinates_updated": Metadata("coordinates", COLORS["event"], SIZES["agent"]),
    "fault": Metadata("fault", COLORS["event"], SIZES["horizon"]),
    "experiment_start": Metadata("experiment", COLORS["system"], SIZES["concept"]),
    "experiment_completed": Metadata("experiment", COLORS["system"], SIZES["concept"]),
}


def stamp(at_ms: int) -> str:
    """Return milliseconds since 1970 as ISO 8601 in UTC, with milliseconds and ``Z``."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def created(chain: BitChain, run: str, timestamp: str) -> bytes:
    """Return ``bitchain_created``, ready for a socket."""
    at = _on_the_wire(chain.coordinates)
    data = _Created(
        bitchain=_Chain(
            created_at=chain.created_at,
            entity_type=chain.entity_type,
            id=chain.id,
            realm=chain.realm,
            stat7_coordinates=at,
            state=chain.state,
        ),
        address=address(chain),
        stat7_uri=uri(chain),
        coordinates=at,
        entity_type=chain.entity_type,
        realm=chain.realm,
    )
    metadata = Metadata("point_cloud", COLORS[chain.realm], SIZES[chain.entity_type])
    return _framed(Envelope("bitchain_created", timestamp, data, run, metadata))


def told(event_type: EventType, data: object, run: str, timestamp: str) -> bytes:
    """Return any other message, ready for a socket."""
    return _framed(Envelope(event_type, timestamp, data, run, _LOOKS[event_type]))


def _on_the_wire(at: Coordinates) -> _Coordinates:
    return _Coordinates(
        adjacency=sorted(at.adjacency),
        density=at.density,
        horizon=at.horizon,
        lineage=at.lineage,
        realm=at.realm,
        resonance=at.resonance,
        velocity=at.velocity,
    )


def _framed(envelope: Envelope) -> bytes:
    """Encode once for everyone: a server's frames are not masked, so all clients get the same."""
    return Frame(Opcode.TEXT, _encoder.encode(envelope)).serialize(mask=False)
