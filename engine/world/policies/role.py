"""role: players act for themselves, the narrator for NPCs, an operator for anybody."""

from dataclasses import dataclass

import numpy as np

from engine.protocol.events import entity_name
from engine.protocol.gateway import ROLES
from engine.world.arrays import Array
from engine.world.hearing import Hearing
from engine.world.inputs import NARRATOR, OPERATOR, PLAYER_ROLE
from engine.world.policies.base import Judgement, NoParams
from engine.world.state import NPC, PLAYER


@dataclass(frozen=True, slots=True)
class Role:
    """Who asks must be one that may command such an entity.

    The gateway lets a player act for its own entity only; so what is wrong here did not come
    through a door, or came through the narrator's.
    """

    name: str = "role"
    help: str = "commanding what is not one's own to command"
    priority: int = 5
    kinds: tuple[int, ...] = ()
    steady: bool = True
    fixed: bool = False
    defaults: NoParams = NoParams()

    def judge(self, hearing: Hearing, params: NoParams) -> Judgement | None:
        """See ``Policy``."""
        del params
        orders = hearing.orders
        role, kind = orders.role, hearing.actor("kind")
        wrong = (role == PLAYER_ROLE) & (kind != PLAYER)
        if role.any():
            wrong |= (role == NARRATOR) & (kind != NPC)
            wrong &= orders.actor_row >= 0  # who is not there at all is another policy's
            wrong |= role > max(PLAYER_ROLE, OPERATOR, NARRATOR)
        else:
            wrong &= orders.actor_row >= 0
        denied = np.flatnonzero(wrong)
        return Judgement(denied, lambda at: _why(hearing, denied[at])) if len(denied) else None


def _why(hearing: Hearing, rows: Array) -> list[str]:
    orders = hearing.orders
    pairs = zip(orders.role[rows].tolist(), orders.player[rows].tolist(), strict=True)
    return [
        f"a {ROLES[role]} does not command {entity_name(who)}"
        if role < len(ROLES)
        else f"there is no role {role}"
        for role, who in pairs
    ]


POLICY = Role()
