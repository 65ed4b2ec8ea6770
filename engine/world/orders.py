"""``Orders``: a tick's intents in canonical order, in contiguous columns."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.protocol.events import CORRELATION_SEQ_BITS
from engine.protocol.gateway import INTENT_KINDS
from engine.protocol.limits import ORDER_SEQ_BASE
from engine.world.arrays import Array, group_starts, stable_order
from engine.world.inputs import TickInputs
from engine.world.state import State

MOVE: Final = INTENT_KINDS.index("move")
ATTACK: Final = INTENT_KINDS.index("attack")
GATHER: Final = INTENT_KINDS.index("gather")
TRADE: Final = INTENT_KINDS.index("trade")
SAY: Final = INTENT_KINDS.index("say")
REST: Final = INTENT_KINDS.index("rest")


@dataclass(slots=True, eq=False)
class Orders:
    """Intents that are new, sorted by (round, player, client sequence).

    The n-th intent of each player makes up round n, so that within a round every player
    acts once, and the rounds are carried out one after another.

    Attributes:
        given: Row in the tick's inputs.
        player: Entity id.
        seq: Client sequence.
        kind: Index in ``INTENT_KINDS``.
        x: Destination.
        y: Destination.
        target: Entity id.
        amount: Goods.
        role: Index in ``ROLES``.
        actor_row: The player's row, -1 where there is none.
        target_row: The target's row, -1 where there is none.
        round: Round, from 0.
    """

    given: Array
    player: Array
    seq: Array
    kind: Array
    x: Array
    y: Array
    target: Array
    amount: Array
    role: Array
    actor_row: Array
    target_row: Array
    round: Array

    def __len__(self) -> int:
        return len(self.given)

    @property
    def correlation(self) -> Array:
        """See ``correlations``, uint64."""
        return correlations(self.player.astype(np.uint64), self.seq.astype(np.uint64))

    def take(self, rows: Array | slice) -> "Orders":
        """Return some of the orders."""
        return Orders(
            self.given[rows],
            self.player[rows],
            self.seq[rows],
            self.kind[rows],
            self.x[rows],
            self.y[rows],
            self.target[rows],
            self.amount[rows],
            self.role[rows],
            self.actor_row[rows],
            self.target_row[rows],
            self.round[rows],
        )

    def rounds(self) -> list[tuple[int, int]]:
        """Return where each round starts and ends."""
        if not len(self):
            return []
        ends = np.cumsum(np.bincount(self.round)).tolist()
        return list(zip([0, *ends[:-1]], ends, strict=True))


def correlations(players: Array, seqs: Array) -> Array:
    """Return ``correlation_of`` of each player and sequence; two columns of one 64-bit type."""
    return players << CORRELATION_SEQ_BITS | seqs


def sort_orders(state: State, inputs: TickInputs) -> Orders:
    """Return the intents not applied before, in an order that arrival has no part in.

    A resent one (``seq`` not above the player's highest, or twice in the batch) is left
    out; operators' orders have a highest of their own.
    """
    intents = inputs.intents
    player, seq = intents["player"].astype(np.int64), intents["seq"].astype(np.int64)
    key = correlations(player, seq)
    order = np.argsort(key)
    sorted_key = key[order]
    again = np.zeros(len(order), bool)
    again[1:] = sorted_key[1:] == sorted_key[:-1]
    if again.any():
        order = _break_ties(inputs, key)
    player, seq = player[order], seq[order]
    actor_row = state.rows_of(player)
    known = actor_row >= 0
    is_order = seq > ORDER_SEQ_BASE
    newest = state.last_seq[actor_row]
    if is_order.any():
        newest = np.where(is_order, state.last_order[actor_row], newest)
    fresh = ~again & ~(known & (seq <= newest))
    if not fresh.all():
        order, player, seq = order[fresh], player[fresh], seq[fresh]
        actor_row = actor_row[fresh]
    turn = np.arange(len(order)) - group_starts(player)
    if turn.any():
        by_round = stable_order(turn)
        order, player, seq = order[by_round], player[by_round], seq[by_round]
        actor_row, turn = actor_row[by_round], turn[by_round]
    chosen = intents[order]
    target = chosen["target"].astype(np.int64)
    return Orders(
        given=order,
        player=player,
        seq=seq,
        kind=np.ascontiguousarray(chosen["kind"]),
        x=chosen["x"].astype(np.int64),
        y=chosen["y"].astype(np.int64),
        target=target,
        amount=chosen["amount"].astype(np.int64),
        role=np.ascontiguousarray(chosen["role"]),
        actor_row=actor_row,
        target_row=state.rows_of(target),
        round=turn,
    )


def _break_ties(inputs: TickInputs, key: Array) -> Array:
    """Order by content what has one player and one sequence: the first of those counts."""
    rows, texts = inputs.intents, inputs.texts
    content = [tuple(row) for row in rows.tolist()]
    said = [texts.get(index, "") for index in range(len(rows))]
    keys = key.tolist()
    order = sorted(range(len(rows)), key=lambda row: (keys[row], content[row], said[row]))
    return np.array(order, np.int64)
