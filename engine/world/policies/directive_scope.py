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

_FAR_UNITS = 2**24
"""More than from anywhere on the map to anywhere else."""
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
        orders, state = hearing.orders, hearing.state
        actor, kind = orders.actor_row[rows], orders.kind[rows]
        moves = kind == MOVE
        stands = zone_of(state.x[actor], state.y[actor])
        x, y = orders.x[rows], orders.y[rows]
        goes = zone_of(x.clip(0, POSITION_MAX), y.clip(0, POSITION_MAX))
        zones = params.allowed_zones()
        # Off the map may be anywhere; clipping keeps the squares within the type.
        dx = (x - state.home_x[actor]).clip(-_FAR_UNITS, _FAR_UNITS)
        dy = (y - state.home_y[actor]).clip(-_FAR_UNITS, _FAR_UNITS)
        away = isqrt(dx * dx + dy * dy)
        wrong = np.stack(
            (
                (actor < 0) | (state.kind[actor] != NPC),
                ~params.allowed_kinds()[kind],
                ~zones[stands],
                moves & ~zones[goes],
                moves & (away > params.home_tiles_max * POSITION_UNITS_PER_TILE),
            )
        )
        denied = np.flatnonzero(wrong.any(0))
        if not len(denied):
            return None
        first = wrong[:, denied].argmax(0)
        found = (first, *(column[denied] for column in (kind, stands, goes, away)))
        return Judgement(
            rows[denied],
            lambda at: [
                _words(params, *row)
                for row in zip(*(column[at].tolist() for column in found), strict=True)
            ],
        )


def _words(params: Params, first: int, kind: int, stands: int, goes: int, away: int) -> str:
    """Return what is wrong with a directive first."""
    if first == 0:
        return "only NPCs take directives"
    if first == 1:
        name = INTENT_KINDS[kind] if kind < len(INTENT_KINDS) else f"kind {kind}"
        return f"no directive to {name}; allowed: {params.kinds}"
    if first in {2, 3}:
        zone = stands if first == 2 else goes
        return f"zone {zone} is closed to directives; open: {params.zones}"
    return f"{away / POSITION_UNITS_PER_TILE:.1f} tiles from home, allowed {params.home_tiles_max}"


POLICY = DirectiveScope()
