"""directive-scope: what the narrator may have NPCs do, and where."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from engine.protocol.gateway import INTENT_KINDS
from engine.protocol.limits import (
    MAP_TILES,
    PARAM_CHARS_MAX,
    POSITION_MAX,
    POSITION_UNITS_PER_TILE,
    ZONES,
)
from engine.protocol.text import nearest, printable
from engine.world.arrays import Array, isqrt
from engine.world.hearing import Hearing
from engine.world.inputs import NARRATOR
from engine.world.orders import MOVE
from engine.world.policies.base import Judgement
from engine.world.state import NPC, zone_of

_Words = Annotated[str, Meta(max_length=PARAM_CHARS_MAX)]


class Params(Struct, frozen=True):
    """Of ``directive-scope``."""

    kinds: Annotated[_Words, Meta(description="kinds of intents, with commas between")] = (
        "move, say, rest, trade"
    )
    zones: Annotated[_Words, Meta(description="zones, with commas between; empty: all")] = ""
    home_tiles_max: Annotated[
        int, Meta(ge=1, le=2 * MAP_TILES, description="how far from home an NPC is sent")
    ] = 32

    def __post_init__(self) -> None:
        """Refuse names of kinds and numbers of zones that there are not."""
        self.allowed_kinds()
        self.allowed_zones()

    def allowed_kinds(self) -> Array:
        """Return a mask by kind."""
        mask = np.zeros(256, bool)
        for word in self.kinds.split(","):
            name = word.strip()
            if name not in INTENT_KINDS:
                shown, allowed = printable(name, 40), ", ".join(INTENT_KINDS)
                raise ValueError(
                    f"kinds: found {shown!r}; allowed: {allowed}{nearest(shown, INTENT_KINDS)}"
                )
            mask[INTENT_KINDS.index(name)] = True
        return mask

    def allowed_zones(self) -> Array:
        """Return a mask by zone."""
        mask = np.zeros(256, bool)
        for word in filter(None, (word.strip() for word in self.zones.split(","))):
            if not (word.isascii() and word.isdigit() and int(word) < ZONES):
                raise ValueError(f"zones: found {printable(word, 40)!r}; allowed: 0 to {ZONES - 1}")
            mask[int(word)] = True
        return mask if mask.any() else ~mask


@dataclass(frozen=True, slots=True)
class DirectiveScope:
    """Only NPCs, only some kinds, only in some zones, not too far from home."""

    name: str = "directive-scope"
    help: str = "directives of the narrator beyond what it may have NPCs do"
    priority: int = 25
    kinds: tuple[int, ...] = ()
    steady: bool = False
    fixed: bool = False
    defaults: Params = Params()

    def judge(self, hearing: Hearing, params: Params) -> Judgement | None:
        """See ``Policy``."""
        rows = np.flatnonzero(hearing.orders.role == NARRATOR)
        rows = hearing.in_play(rows) if len(rows) else rows
        if not len(rows):
            return None
        found = [(row, why) for row in rows.tolist() if (why := _why(hearing, params, row))]
        return Judgement(
            np.array([row for row, _ in found], np.int64),
            lambda at: [found[place][1] for place in at.tolist()],
        )


def _why(hearing: Hearing, params: Params, row: int) -> str:
    """Return what is wrong with a directive, empty for nothing."""
    orders, state = hearing.orders, hearing.state
    actor, kind = int(orders.actor_row[row]), int(orders.kind[row])
    if actor < 0 or state.kind[actor] != NPC:
        return "only NPCs take directives"
    if not params.allowed_kinds()[kind]:
        name = INTENT_KINDS[kind] if kind < len(INTENT_KINDS) else f"kind {kind}"
        return f"no directive to {name}; allowed: {params.kinds}"
    places = [(int(state.x[actor]), int(state.y[actor]))]
    if kind == MOVE:
        places.append((int(orders.x[row]), int(orders.y[row])))
    zones = params.allowed_zones()
    for x, y in np.clip(places, 0, POSITION_MAX).tolist():
        zone = int(zone_of(np.array(x), np.array(y)))
        if not zones[zone]:
            return f"zone {zone} is closed to directives; open: {params.zones}"
    if kind != MOVE:
        return ""
    dx, dy = orders.x[row] - state.home_x[actor], orders.y[row] - state.home_y[actor]
    away = int(isqrt(np.array(min(int(dx) ** 2 + int(dy) ** 2, 2**50))))
    if away <= params.home_tiles_max * POSITION_UNITS_PER_TILE:
        return ""
    tiles = away / POSITION_UNITS_PER_TILE
    return f"{tiles:.1f} tiles from home, allowed {params.home_tiles_max}"


POLICY = DirectiveScope()
