"""A small world that a test arranges as it likes."""

from typing import Any

import numpy as np

from engine.protocol.events import Event
from engine.protocol.gateway import INTENT_KINDS
from engine.protocol.limits import NODE_ID_BASE, NPC_ID_BASE, PLAYER_ID_BASE
from engine.world.events import to_events
from engine.world.inputs import TickInputs
from engine.world.rulebook import Rulebook
from engine.world.world import TickResult, World, WorldConfig

TILE = 256
MIDDLE = 144 * TILE
"""In the middle of a zone, on the corner of a cell."""


def player(number: int) -> int:
    return PLAYER_ID_BASE + number


def npc(number: int) -> int:
    return NPC_ID_BASE + number


def node(number: int) -> int:
    return NODE_ID_BASE + number


class Arena:
    """A world with players on one spot, and shorthand for what tests do with it."""

    def __init__(
        self,
        players: int = 2,
        npcs: int = 0,
        nodes: int = 0,
        rules: Rulebook | None = None,
        **config: Any,
    ) -> None:
        config = {"seed": 7, "npcs": npcs, "nodes": nodes, **config}
        self.world = World.create(WorldConfig(**config), rules=rules)
        names = [(player(number), f"player-{number}") for number in range(players)]
        self.step(joins=names)
        for number in range(players):
            self.put(player(number), MIDDLE, MIDDLE)
            # They have been here for longer than newcomers are protected.
            self.set(player(number), spawned_ms=0)

    @property
    def state(self):
        return self.world.state

    def row(self, entity: int) -> int:
        row = self.state.row_of(entity)
        assert row is not None
        return row

    def get(self, entity: int, column: str) -> int:
        return int(self.state.columns[column][self.row(entity)])

    def put(self, entity: int, x: int, y: int) -> None:
        self.state.place(np.array([self.row(entity)]), np.array([x]), np.array([y]))

    def set(self, entity: int, **columns: int) -> None:
        """Set columns; what that adds to the world's goods is counted as being there."""
        self.state.goods_supply += columns.get("goods", 0) - self.get(entity, "goods") * (
            "goods" in columns
        )
        for name, value in columns.items():
            self.state.columns[name][self.row(entity)] = value

    def endow(self, entity: int, gold: int) -> None:
        """Set a purse; the treasury makes up for it."""
        self.state.treasury += self.get(entity, "gold") - gold
        self.set(entity, gold=gold)

    def step(self, *intents: tuple, texts: dict | None = None, **inputs) -> TickResult:
        """Step once; an intent is (player, seq, kind name, then fields by position)."""
        rows = []
        for who, seq, kind, *fields in intents:
            code = INTENT_KINDS.index(kind) if isinstance(kind, str) else kind
            rows.append((who, seq, code, *fields, *[0] * (4 - len(fields))))
        self.last = self.world.step(TickInputs.of(rows, texts=texts or {}, **inputs))
        return self.last

    def move(self, who: int, seq: int, dx: int, dy: int = 0) -> tuple:
        """A move relative to where the player stands now."""
        return (who, seq, "move", self.get(who, "x") + dx, self.get(who, "y") + dy)

    def events(self, *kinds: str) -> list[Event]:
        """The last tick's events, of some kinds."""
        found = to_events(self.last.events, self.last.tick)
        return [event for event in found if not kinds or event.kind in kinds]

    def verdicts(self) -> list[int]:
        return self.last.verdicts.verdict.tolist()

    def reason(self, row: int = 0) -> str:
        return self.last.verdicts.reasons[row]

    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            self.step()


def target(kind: str, who: int, seq: int, whom: int, amount: int = 0) -> tuple:
    """An intent with a target."""
    return (who, seq, kind, 0, 0, whom, amount)
