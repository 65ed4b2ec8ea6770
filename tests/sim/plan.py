"""What is simulated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

_QUARRELSOME: Final = (("wanderer", 1.0), ("trader", 2.0), ("raider", 3.0), ("cheater", 1.0))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated; everything follows from the seed.

    Attributes:
        seed: The seed.
        ticks: World ticks, about.
        players: Honest players.
        hecklers: Clients that keep to no rule.
        npcs: NPCs.
        nodes: Resource nodes.
        rate: Commands of an honest player a second.
        trouble_s: Mean time between two faults; 0 for none.
        on_files: The log is a real event store in files.
        mix: Of the honest players.
    """

    seed: int
    ticks: int
    players: int
    hecklers: int
    npcs: int
    nodes: int
    rate: float
    trouble_s: float
    on_files: bool
    mix: Mapping[str, float] = field(default_factory=lambda: dict(_QUARRELSOME))

    @classmethod
    def of(cls, seed: int, ticks: int, on_files: bool | None = None) -> "Plan":
        """Return the plan that follows from a seed."""
        chance = Random(f"plan {seed}")
        return cls(
            seed=seed,
            ticks=ticks,
            players=chance.randint(2, 12),
            hecklers=chance.randint(0, 2),
            npcs=chance.choice((10, 60, 200)),
            nodes=chance.choice((10, 60, 200)),
            rate=chance.choice((0.5, 2.0, 5.0)),
            trouble_s=chance.choice((2.0, 6.0, 20.0)),
            on_files=chance.random() < 0.5 if on_files is None else on_files,
        )
