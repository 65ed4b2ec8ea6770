"""Events as people and scripts see them, and the names of their kinds."""

from typing import Final

from msgspec import Struct

from engine.protocol import limits

EVENT_KINDS: Final = (
    "world_started",
    "joined",
    "left",
    "moved",
    "attacked",
    "died",
    "looted",
    "respawned",
    "gathered",
    "node_emptied",
    "node_regrown",
    "traded",
    "said",
    "rested",
    "levelled_up",
    "stage_changed",
    "retaliated",
    "called_for_help",
    "fled",
    "denied",
    "invariant_broken",
    "resumed",
    "disconnected",
    "policy_changed",
    "mutated",
    "cascade_cut",
)
"""In stored order: the index is the kind's code in the log; only ever append."""

EVENT_CODE: Final = {name: code for code, name in enumerate(EVENT_KINDS)}

CORRELATION_SEQ_BITS: Final = 32
"""Bits of a correlation that hold the client sequence; the entity stands above them."""


ENTITY_NAME: Final = r"\b(?:player|npc|node|guest)-\d+"
"""A regular expression: what ``entity_name`` calls whoever is not the world, in any text."""


class Event(Struct, frozen=True, omit_defaults=True):
    """A stored fact.

    Attributes:
        seq: Position in the log, from 1, without gaps.
        tick: The tick that made it.
        kind: One of ``EVENT_KINDS``.
        stream: The entity it is about.
        version: Position in that entity's stream, from 1, without gaps.
        actor: The entity that did it (0: the world itself).
        target: The entity it was done to (0: none).
        a: First number of the payload; its meaning depends on the kind.
        b: Second number of the payload.
        text: Text of the payload (say, reason of a denial).
        cause: ``seq`` of the event that directly caused it (0: a command or the clock).
        correlation: Root command, see ``correlation_of`` (0: the world itself).
    """

    seq: int
    tick: int
    kind: str
    stream: int
    version: int
    actor: int = 0
    target: int = 0
    a: int = 0
    b: int = 0
    text: str = ""
    cause: int = 0
    correlation: int = 0


def correlation_of(entity: int, seq: int) -> int:
    """Return what stands in every event that follows from an entity's command ``seq``."""
    return entity << CORRELATION_SEQ_BITS | seq


def entity_name(entity: int) -> str:
    """Return the name people see: ``player-12``, ``npc-7``, ``node-3``, ``guest-1``, ``world``."""
    if entity >= limits.GUEST_ID_BASE:
        return f"guest-{entity - limits.GUEST_ID_BASE}"
    if entity >= limits.PLAYER_ID_BASE:
        return f"player-{entity - limits.PLAYER_ID_BASE}"
    if entity >= limits.NPC_ID_BASE:
        return f"npc-{entity - limits.NPC_ID_BASE}"
    if entity >= limits.NODE_ID_BASE:
        return f"node-{entity - limits.NODE_ID_BASE}"
    return "world"


def entity_id(name: str) -> int | None:
    """Return the id behind a name or a plain number, None when it is neither."""
    if name.isascii() and name.isdigit():
        return int(name)
    prefix, _, number = name.partition("-")
    base = {
        "guest": limits.GUEST_ID_BASE,
        "player": limits.PLAYER_ID_BASE,
        "npc": limits.NPC_ID_BASE,
        "node": limits.NODE_ID_BASE,
    }.get(prefix)
    if base is None or not (number.isascii() and number.isdigit()):
        return None
    return base + int(number)
