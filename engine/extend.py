"""All that authors of behaviours, drivers, load shapes and faults may import.

One file with one object: ``BEHAVIOUR``, ``DRIVER``, ``EXECUTOR`` or ``FAULT``. Names here
stay; everything else of the engine may change.
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
from engine.protocol.query import FaultSpec, ParamSpec
from engine.protocol.scenario import Stage
from engine.stats.chance import Dice, draw, fraction

__all__ = (
    "NODE",
    "NPC",
    "PLAYER",
    "REACH",
    "TILE",
    "UNSURE",
    "Ack",
    "BadFrame",
    "Behaviour",
    "Bye",
    "Crowd",
    "Cut",
    "Delta",
    "Dice",
    "Driver",
    "Executor",
    "Fault",
    "FaultSpec",
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
    "View",
    "Way",
    "Welcome",
    "Wish",
    "chosen",
    "draw",
    "faction_of",
    "filled_params",
    "fraction",
    "is_alive",
    "kind_of",
    "roam",
    "walk",
    "walk_away",
)
