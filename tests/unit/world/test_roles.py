"""Who may command whom, and what the narrator may direct."""

import numpy as np
import pytest

from engine.protocol.limits import ORDER_SEQ_BASE
from engine.world.inputs import NARRATOR, OPERATOR
from engine.world.orders import ATTACK, MOVE
from engine.world.policies.directive_scope import Params
from engine.world.state import zone_of
from tests.unit.world.arena import TILE, Arena, npc, player
from tests.unit.world.test_governor import change

ONE = player(0)


class TestRoles:
    def order(self, who: int, number: int, kind: int, role: int, whom: int = 0) -> tuple:
        return (who, ORDER_SEQ_BASE + number, kind, 0, 0, whom, 0, role)

    def test_who_may_command_whom(self) -> None:
        arena = Arena(npcs=2)
        rest = 5
        arena.step(
            self.order(ONE, 1, rest, OPERATOR),
            self.order(npc(0), 2, rest, OPERATOR),
            self.order(npc(1), 3, rest, NARRATOR),
            self.order(ONE, 4, rest, NARRATOR),
            self.order(npc(0), 5, rest, 0),
            self.order(ONE, 6, rest, 7),
        )
        assert arena.verdicts() == [0, 0, 0, 1, 1, 1]
        assert arena.reason(3) == "role: a narrator does not command player-0"
        assert arena.reason(4) == "role: a player does not command npc-0"
        assert arena.reason(5) == "role: there is no role 7"

    def test_what_the_narrator_may_direct(self) -> None:
        arena = Arena(npcs=1)
        home = (arena.get(npc(0), "home_x"), arena.get(npc(0), "home_y"))
        arena.step(self.order(npc(0), 1, ATTACK, NARRATOR, ONE))
        assert arena.reason() == (
            "directive-scope: no directive to attack; allowed: move, say, rest, trade"
        )
        change(arena, "directive-scope", params={"home_tiles_max": 1})
        east = 1 if home[0] < 32_000 else -1
        there = (home[0] + east * 3 * TILE, home[1])
        arena.step((npc(0), ORDER_SEQ_BASE + 2, MOVE, *there, 0, 0, NARRATOR))
        assert arena.reason() == "directive-scope: 3.0 tiles from home, allowed 1"
        zone = arena.get(npc(0), "zone")
        change(arena, "directive-scope", params={"zones": f"{(zone + 1) % 64}"})
        arena.step(self.order(npc(0), 3, 5, NARRATOR))
        assert arena.reason().startswith(f"directive-scope: zone {zone} is closed to directives")

    def test_directives_are_judged_in_columns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        arena = Arena(npcs=4)
        homes = [(arena.get(npc(n), "home_x"), arena.get(npc(n), "home_y")) for n in range(4)]
        zones = {zone_of(np.array(x), np.array(y)).item() for x, y in homes}
        change(arena, "directive-scope", params={"zones": ",".join(map(str, sorted(zones)))})
        free = next(zone for zone in range(64) if zone not in zones)
        side = 64 * TILE // 2
        closed = (free % 8 * side + 9, free // 8 * side + 9)
        asked = []
        whole = Params.allowed_kinds
        monkeypatch.setattr(Params, "allowed_kinds", lambda self: asked.append(0) or whole(self))

        def move(number: int, x: int, y: int) -> tuple:
            return (npc(number), ORDER_SEQ_BASE + 9 + number, MOVE, x, y, 0, 0, NARRATOR)

        arena.step(
            move(0, *homes[0]),
            self.order(npc(1), 1, 5, NARRATOR),
            move(2, *closed),
            self.order(npc(3), 2, ATTACK, NARRATOR, ONE),
        )
        assert arena.verdicts()[1:] == [0, 1, 1]
        assert arena.verdicts()[0] == 0 or arena.reason(0).startswith("speed: ")
        told = f"directive-scope: zone {free} is closed to directives; open: "
        assert arena.reason(2).startswith(told)
        assert arena.reason(3).startswith("directive-scope: no directive to attack")
        assert len(asked) == 1, "once for all of them"
