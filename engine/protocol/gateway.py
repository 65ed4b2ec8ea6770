"""What players and the world say to each other on ``ws://…/play``.

Binary frames are msgpack, text frames (``?codec=json``) JSON of the same structs: a
map whose ``type`` names the struct. Positions are integers, 1/256 of a tile.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from engine.protocol.limits import (
    NAME_CHARS_MAX,
    POSITION_MAX,
    SAY_CHARS_MAX,
    SEQ_MAX,
)

IntentKind = Literal["move", "attack", "gather", "trade", "say", "rest"]
VerdictKind = Literal["permit", "deny", "mutate"]
Role = Literal["player", "operator", "narrator"]

INTENT_KINDS: tuple[IntentKind, ...] = ("move", "attack", "gather", "trade", "say", "rest")
"""In wire order: the index is the kind's code in stored inputs; only ever append."""

ROLES: tuple[Role, ...] = ("player", "operator", "narrator")
"""Who asks: over the gateway, over ``POST /commands``, over ``POST /npcs/{id}/directives``; the
index is the role's code in stored inputs; only ever append."""

Coordinate = Annotated[int, Meta(ge=0, le=POSITION_MAX)]
EntityId = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Hello(Struct, frozen=True, tag_field="type", tag="hello"):
    """First frame of a player. ``resume`` is the token of an earlier ``welcome``."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
    resume: Annotated[str, Meta(max_length=64)] | None = None


class Intent(Struct, frozen=True, tag_field="type", tag="intent"):
    """What a player wants. Which fields count depends on ``kind``.

    move: ``x``, ``y`` (destination). attack, gather: ``target``. trade: ``target`` and
    ``amount`` (goods; positive buys from the target, negative sells to it). say:
    ``text``. rest: nothing.
    """

    seq: Annotated[int, Meta(ge=1, le=SEQ_MAX)]
    kind: IntentKind
    x: Coordinate = 0
    y: Coordinate = 0
    target: EntityId = 0
    amount: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] = 0
    text: Annotated[str, Meta(max_length=SAY_CHARS_MAX)] = ""


class Ping(Struct, frozen=True, tag_field="type", tag="ping"):
    """Answered at once with ``notice{text="pong"}``; keeps a connection known to be alive."""


class Welcome(Struct, frozen=True, tag_field="type", tag="welcome"):
    """Answer to ``hello``, after the join is durable.

    Attributes:
        player: The player's entity id, the same for ever.
        tick: Tick at which it joined or resumed.
        interval_ms: Tick interval.
        resume_token: To be sent in the ``hello`` of a later connection.
        seq: Highest ``seq`` already applied for this player; go on after it.
        x: Where it stands.
        y: Where it stands.
    """

    player: int
    tick: int
    interval_ms: int
    resume_token: str
    seq: int = 0
    x: int = 0
    y: int = 0


class Ack(Struct, frozen=True, tag_field="type", tag="ack", omit_defaults=True, gc=False):
    """The verdict on one intent, sent after its events are durable.

    Attributes:
        seq: The intent's ``seq``.
        tick: The tick that took it.
        verdict: permit, deny or mutate.
        reason: Why it was denied or mutated: ``policy: what was found``.
        event: Sequence number of its first event, when there is one.
    """

    seq: int
    tick: int
    verdict: VerdictKind
    reason: str | None = None
    event: int | None = None


class SeenEntity(Struct, frozen=True, array_like=True, gc=False):
    """One entity of a cell, as a fixed-width array of seven.

    ``flags``: bits 0-1 kind (0 node, 1 npc, 2 player), bit 2 alive, bit 3 connected,
    bits 4-6 faction.
    """

    id: int
    flags: int
    x: int
    y: int
    hp: int
    level: int
    goods: int


class SeenCell(Struct, frozen=True, array_like=True, gc=False):
    """One interest cell, absolute: it replaces whatever the player knew of the cell.

    ``version`` grows with every tick that changed the cell, so a frame may be skipped
    and an older one ignored.
    """

    cell: int
    version: int
    entities: tuple[SeenEntity, ...]


class Delta(Struct, frozen=True, tag_field="type", tag="delta"):
    """The cells around a player after a tick."""

    tick: int
    cells: tuple[SeenCell, ...]


class Notice(Struct, frozen=True, tag_field="type", tag="notice"):
    """A sentence for the player: pong, slowed down, slow reader warning."""

    text: str


class Bye(Struct, frozen=True, tag_field="type", tag="bye"):
    """Last frame before the server closes, with the reason."""

    reason: str


ClientMessage = Hello | Intent | Ping
ServerMessage = Welcome | Ack | Delta | Notice | Bye

client_decoder = msgspec.msgpack.Decoder(ClientMessage)
client_json_decoder = msgspec.json.Decoder(ClientMessage)
server_decoder = msgspec.msgpack.Decoder(ServerMessage)
server_json_decoder = msgspec.json.Decoder(ServerMessage)
encoder = msgspec.msgpack.Encoder()
json_encoder = msgspec.json.Encoder()
