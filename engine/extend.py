"""All that authors of behaviours, drivers, load shapes, faults and policies may import.

One file with one object: ``BEHAVIOUR``, ``DRIVER``, ``EXECUTOR``, ``FAULT`` or ``POLICY``.
Names here stay; everything else of the engine may change.
"""

from engine.assault.behaviours.base import (
    NODE,
    NPC,
    PLAYER,
    REACH,
    TILE,
    Behaviour,
    View,
    Wish,
    faction_of,
    is_alive,
    kind_of,
    roam,
    walk,
    walk_away,
)
from engine.assault.drivers.base import BadFrame, Driver
from engine.assault.executors.base import Executor
from engine.faults.base import (
    Crowd,
    Cut,
    Fault,
    PlayerFault,
    PlayerHalf,
    ServerFault,
    ServerHalf,
    ServerProcess,
    Way,
    chosen,
    filled_params,
)
from engine.protocol.cheats import UNSURE
from engine.protocol.child import SquadFault
from engine.protocol.gateway import Ack, Bye, Delta, Notice, SeenCell, SeenEntity, Welcome
from engine.protocol.paramspec import ParamSpec
from engine.protocol.query import FaultSpec
from engine.protocol.scenario import Stage
from engine.stats.chance import Dice, draw, fraction
from engine.world.userpolicy import Asked, Being, Look, policy
from engine.world.userverdict import Verdict, deny, mutate, permit

__all__ = (
    "NODE",
    "NPC",
    "PLAYER",
    "REACH",
    "TILE",
    "UNSURE",
    "Ack",
    "Asked",
    "BadFrame",
    "Behaviour",
    "Being",
    "Bye",
    "Crowd",
    "Cut",
    "Delta",
    "Dice",
    "Driver",
    "Executor",
    "Fault",
    "FaultSpec",
    "Look",
    "Notice",
    "ParamSpec",
    "PlayerFault",
    "PlayerHalf",
    "SeenCell",
    "SeenEntity",
    "ServerFault",
    "ServerHalf",
    "ServerProcess",
    "SquadFault",
    "Stage",
    "Verdict",
    "View",
    "Way",
    "Welcome",
    "Wish",
    "chosen",
    "deny",
    "draw",
    "faction_of",
    "filled_params",
    "fraction",
    "is_alive",
    "kind_of",
    "mutate",
    "permit",
    "policy",
    "roam",
    "walk",
    "walk_away",
)
