"""change-stage: the stage of life follows level and lives."""

import numpy as np

from engine.world.constants import (
    STAGE_LEVEL_EMERGENCE,
    STAGE_LEVEL_PEAK,
    STAGE_LIVES_CRYSTALLIZATION,
    STAGE_LIVES_DECAY,
)
from engine.world.events import Code
from engine.world.rules.base import Draft, Rule, Trigger, caused_by, first_of_each


def _react(trigger: Trigger) -> Draft | None:
    """Stages of life follow level, and after many deaths the number of lives."""
    state, events = trigger.state, trigger.events
    entities = state.rows_of(events["stream"])
    level, lives = state.level[entities], state.lives[entities]
    stage = (level >= STAGE_LEVEL_EMERGENCE).astype(np.int64) + (level >= STAGE_LEVEL_PEAK)
    stage = np.where(lives >= STAGE_LIVES_DECAY, 3, stage)
    stage = np.where(lives >= STAGE_LIVES_CRYSTALLIZATION, 4, stage)
    rows = np.nonzero(stage != state.stage[entities])[0]
    rows = first_of_each(rows, entities[rows])
    ids, old = events["stream"][rows], state.stage[entities[rows]]
    return caused_by(trigger, rows, ids, ids, 0, stage[rows], old)


RULE = Rule(
    name="change-stage",
    help="the stage of life follows level and lives",
    priority=90,
    triggers=(Code.LEVELLED_UP, Code.RESPAWNED),
    makes=Code.STAGE_CHANGED,
    react=_react,
)
