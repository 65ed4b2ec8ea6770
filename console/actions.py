"""From an action of the operator to a command for the engine. Pure."""

from typing import Final

from engine.protocol.command import (
    ClearFault,
    Command,
    Panic,
    ScalePlayers,
    ScaleRate,
)

LOAD_STEP_PCT: Final = 10.0

VIEW_ACTIONS: Final = frozenset(
    {
        "page_1", "page_2", "page_3", "page_4", "page_5", "page_6", "page_7",
        "zoom", "freeze", "pace", "panel_next", "panel_back", "down", "up", "left", "right",
        "page_up", "page_down", "top", "bottom", "back", "match_next", "match_back",
        "sort", "sort_turn", "follow",
    }
)  # fmt: skip
"""Actions that change nothing but the view; ``console.model`` carries them out."""


def command_for(action: str) -> Command | None:
    """Return the command that an action sends as it is, None when it sends none."""
    commands: dict[str, Command] = {
        "undo": ClearFault(),
        "panic": Panic(),
        "load_up": ScalePlayers(LOAD_STEP_PCT),
        "load_down": ScalePlayers(-LOAD_STEP_PCT),
        "rate_up": ScaleRate(LOAD_STEP_PCT),
        "rate_down": ScaleRate(-LOAD_STEP_PCT),
    }
    return commands.get(action)
