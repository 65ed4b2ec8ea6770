"""The numbers of the game: how far, how fast, how much. Changing one changes every hash."""

from typing import Final

from engine.protocol.limits import POSITION_UNITS_PER_TILE

RULES_VERSION: Final = 2
"""Raised whenever the same inputs give another state: such a log can be read, not stepped."""

WALK_UNITS_PER_100_MS: Final = POSITION_UNITS_PER_TILE // 2
"""Five tiles a second; what is not walked is saved up to ``WALK_UNITS_SAVED_MAX``."""
WALK_UNITS_SAVED_MAX: Final = 8 * POSITION_UNITS_PER_TILE
REACH_UNITS: Final = 2 * POSITION_UNITS_PER_TILE

RATE_COST_MS: Final = 100
"""One command costs this much of its player's time: 10 commands a second, ..."""
RATE_SAVED_MS_MAX: Final = 2_000
"""... and 20 at once after a pause."""

GOLD_SUPPLY: Final = 10_000_000_000
GOLD_PLAYER_START: Final = 100
GOLD_NPC_START: Final = 200
GOODS_NPC_START: Final = 20
GOODS_CARRIED_MAX: Final = 1_000_000
GOODS_NODE_MAX: Final = 20
PRICE_GOLD: Final = 2
"""Gold for one unit of goods, everywhere and always."""

HP_START: Final = 100
HP_PER_LEVEL: Final = 10
HP_REST: Final = 10
DAMAGE_MIN: Final = 6
DAMAGE_SPREAD: Final = 9
RETALIATION_MIN: Final = 3
RETALIATION_SPREAD: Final = 5
GATHER_SPREAD: Final = 3

XP_ACT: Final = 1
XP_KILL: Final = 10
XP_MAX: Final = 1_000_000_000
XP_LEVEL: Final = 20
"""Level L+1 needs ``XP_LEVEL * L * L`` points."""
LEVEL_MAX: Final = 50

RESPAWN_TICKS: Final = 50
REGROW_TICKS: Final = 100
NPC_PERIOD_TICKS: Final = 10
"""Every NPC acts in one of this many ticks."""
NPC_STEP_UNITS: Final = 2 * POSITION_UNITS_PER_TILE
NPC_ROAM_UNITS: Final = 6 * POSITION_UNITS_PER_TILE
FLEE_UNITS: Final = 4 * POSITION_UNITS_PER_TILE
HELPERS_MAX: Final = 2

STAGE_LEVEL_EMERGENCE: Final = 3
STAGE_LEVEL_PEAK: Final = 8
STAGE_LIVES_DECAY: Final = 6
STAGE_LIVES_CRYSTALLIZATION: Final = 12
