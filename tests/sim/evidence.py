"""What was seen while a simulation ran, for the auditor."""

from dataclasses import dataclass, field
from typing import NamedTuple

from engine.protocol.child import EventBatch, WorldOrderDone
from engine.protocol.gateway import Ack, Welcome
from engine.protocol.policy import WorldPolicyDone
from engine.store.base import LogReader
from engine.world.world import WorldConfig


class AckSeen(NamedTuple):
    """An acknowledgement as it left the world.

    Attributes:
        entity: Whose.
        line: On which connection.
        ack: What it says.
        durable: Newest tick that was in the log for good.
    """

    entity: int
    line: int
    ack: Ack
    durable: int


class WelcomeSeen(NamedTuple):
    """A welcome as it left the world."""

    entity: int
    welcome: Welcome
    durable: int


class UpdateSeen(NamedTuple):
    """An update as it left the world: the tick it shows."""

    tick: int
    durable: int


class BatchSeen(NamedTuple):
    """A published batch of events."""

    batch: EventBatch
    durable: int


class Start(NamedTuple):
    """A start of the world's process: its next tick, its hash, and the one that was stored."""

    tick: int
    found: bytes
    stored: bytes


@dataclass(slots=True)
class Evidence:
    """Everything the auditor goes by.

    Attributes:
        config: What the world was made from.
        log: What is in the log at the end.
        honest: Entities that keep to the protocol.
        orders_done: What was told of operators' orders.
        changes_done: What was told of operators' changes of policies.
        hashes: State hash by tick, as it was when the tick became durable.
        acknowledged_lost: What the squad found missing after a resume.
    """

    config: WorldConfig
    log: LogReader
    honest: frozenset[int]
    acks: list[AckSeen] = field(default_factory=list)
    welcomes: list[WelcomeSeen] = field(default_factory=list)
    updates: list[UpdateSeen] = field(default_factory=list)
    batches: list[BatchSeen] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    orders_done: list[WorldOrderDone] = field(default_factory=list)
    changes_done: list[WorldPolicyDone] = field(default_factory=list)
    hashes: dict[int, bytes] = field(default_factory=dict)
    acknowledged_lost: int = 0
