"""A chain of the made-up engine: a blow, what it led to, and what that led to."""

from engine.protocol.events import Event
from engine.protocol.limits import NPC_ID_BASE, PLAYER_ID_BASE
from engine.protocol.query import Answer, ChainAnswer, Refused

P, N = PLAYER_ID_BASE, NPC_ID_BASE
HELPERS = 12


def chain(seq: int, last_seq: int) -> Answer:
    """Return the chain of an event: it is the death in the middle."""
    if not 0 < seq <= last_seq:
        return Refused("not_found", f"no event {seq}; the newest is {last_seq}")
    root = max(1, seq - 2)
    blow = Event(root, 1204, "attacked", N + 7, 31, P + 12, N + 7, 9, 3)
    call = Event(root + 1, 1204, "called_for_help", N + 7, 32, N + 7, cause=root)
    death = Event(seq, 1204, "died", N + 7, 33, P + 12, 0, 1254, 2, cause=root + 1)
    loot = Event(seq + 1, 1204, "looted", P + 12, 80, P + 12, N + 7, 50, 3, cause=seq)
    level = Event(seq + 2, 1204, "levelled_up", P + 12, 81, P + 12, 0, 4, 3, cause=seq)
    helpers = [
        Event(seq + 3 + n, 1204, "retaliated", P + 12, 82 + n, N + 20 + n, P + 12, 4, 60, cause=seq)
        for n in range(HELPERS)
    ]
    stage = Event(
        seq + 20, 1205, "stage_changed", P + 12, 95, P + 12, text="emergence", cause=seq + 2
    )
    return ChainAnswer((blow, call), death, (loot, level, *helpers, stage))
