"""What arrived between two ticks: bounded, texts made printable, handed over as ``TickInputs``."""

import struct
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from engine.protocol.child import WorldOrder
from engine.protocol.gateway import INTENT_KINDS, ROLES, Intent
from engine.protocol.limits import (
    INTENTS_PER_TICK_MAX,
    INTENTS_QUEUED_PER_PLAYER_MAX,
    NAME_CHARS_MAX,
    ORDER_SEQ_BASE,
    POLICY_CHANGES_PER_TICK_MAX,
    SAY_CHARS_MAX,
)
from engine.protocol.policy import PolicyChange, WorldPolicy
from engine.protocol.text import printable
from engine.world.inputs import INTENT_DTYPE, PLAYER_ROLE, TickInputs

TOO_FAST: Final = "gateway: too fast"
TOO_BUSY: Final = "gateway: too busy"

_ROW = struct.Struct("<IIBiiIiB")
"""One row of ``INTENT_DTYPE``: packing bytes is several times faster than tuples."""


class Inbox:
    """Collects joins, leaves and intents until the next tick takes them."""

    def __init__(self) -> None:
        self._kinds = {kind: code for code, kind in enumerate(INTENT_KINDS)}
        self._rows = bytearray()
        self._texts: dict[int, str] = {}
        self._queued: dict[int, set[int]] = {}
        self._present: dict[int, str | None] = {}
        self._policies: list[WorldPolicy] = []

    @property
    def newcomers(self) -> int:
        """Players that wait to join, known to the world or not."""
        return len(self._present)

    def join(self, entity: int, name: str) -> None:
        """A player has connected (again)."""
        self._present[entity] = printable(name, NAME_CHARS_MAX)

    def leave(self, entity: int) -> None:
        """A player's connection is gone."""
        self._present[entity] = None

    def put(self, entity: int, intent: Intent) -> str:
        """Queue an intent and return an empty string, or why it is refused.

        One that is queued already is queued once.
        """
        queued = self._queued.get(entity)
        if queued is None:
            queued = self._queued[entity] = set()
        elif intent.seq in queued:
            return ""
        if len(queued) >= INTENTS_QUEUED_PER_PLAYER_MAX:
            return TOO_FAST
        if self._is_full:
            return TOO_BUSY
        queued.add(intent.seq)
        self._add(entity, intent.seq, intent, PLAYER_ROLE)
        return ""

    def put_order(self, order: WorldOrder) -> str:
        """Queue an operator's intent and return an empty string, or why it is refused."""
        if self._is_full:
            return TOO_BUSY
        self._add(order.entity, ORDER_SEQ_BASE + order.id, order.intent, ROLES.index(order.role))
        return ""

    def put_policy(self, wish: WorldPolicy) -> str:
        """Queue a change of a policy and return an empty string, or why it is refused."""
        if len(self._policies) >= POLICY_CHANGES_PER_TICK_MAX:
            return TOO_BUSY
        self._policies.append(wish)
        return ""

    def drain_policies(self) -> list[WorldPolicy]:
        """Return every change of a policy since the last call, in the order they came."""
        wishes, self._policies = self._policies, []
        return wishes

    @property
    def _is_full(self) -> bool:
        return len(self._rows) >= INTENTS_PER_TICK_MAX * _ROW.size

    def _add(self, entity: int, seq: int, intent: Intent, role: int) -> None:
        if intent.text:
            said = printable(intent.text, SAY_CHARS_MAX)
            self._texts[len(self._rows) // _ROW.size] = said
        self._rows += _ROW.pack(
            entity,
            seq,
            self._kinds[intent.kind],
            intent.x,
            intent.y,
            intent.target,
            intent.amount,
            role,
        )

    def drain(
        self,
        was_connected: Callable[[int], bool],
        restarted: bool = False,
        policies: Sequence[PolicyChange] = (),
    ) -> TickInputs:
        """Return everything since the last call and begin anew.

        Args:
            was_connected: Whether the world holds an entity to be connected. One that is
                and whose connection has changed leaves, and joins if it is back again.
            restarted: The process is new and this is its first tick.
            policies: Changes of policies, as ``drain_policies`` has given them.
        """
        intents = np.frombuffer(bytes(self._rows), INTENT_DTYPE)
        joins = [(entity, name) for entity, name in self._present.items() if name is not None]
        leaves = [entity for entity in self._present if not restarted and was_connected(entity)]
        inputs = TickInputs(intents, self._texts, joins, leaves, restarted, list(policies))
        self._rows = bytearray()
        self._texts = {}
        self._queued = {}
        self._present = {}
        return inputs
