"""What goes wrong in a simulation, and when: drawn from its seed."""

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Final

from engine.protocol.child import SquadFault, WorldOrder
from engine.protocol.command import Scope
from engine.protocol.gateway import INTENT_KINDS, Intent
from engine.protocol.limits import GUEST_ID_BASE, NPC_ID_BASE, PLAYER_ID_BASE
from engine.protocol.policy import PolicyChange, PolicyScope, WorldPolicy
from tests.sim.disk import Crash, CrashAt
from tests.sim.network import Line

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

_WAYS_TO_DIE: Final[tuple[CrashAt, ...]] = (
    "between", "before_append", "after_append", "answering", "checkpoint",
)  # fmt: skip
KINDS: Final = (
    "crash", "crash", "full", "storm", "latency", "stall", "slow", "order", "order", "govern",
    "forgetful", "doubtful",
)  # fmt: skip
"""What strikes, each a method of ``Trouble``; what is named twice strikes twice as often."""
_CHANGED: Final = (
    "rate", "speed", "reach", "cooldown", "chat-filter", "zone-capacity", "spawn-protection",
)  # fmt: skip
"""Policies whose absence leaves the world whole, though not fair."""
_TORN: Final[tuple[CrashAt, ...]] = ("torn", "folding")


class Trouble:
    """Strikes again and again.

    Args:
        simulation: What is struck.
        counts: Where it is counted, by name.
    """

    def __init__(self, simulation: "Simulation", counts: Counter[str]) -> None:
        self._simulation = simulation
        self._plan = simulation.plan
        self._timeline = simulation.timeline
        self._chance = Random(f"faults {simulation.plan.seed}")
        self._counts = counts
        self._ways_to_die: list[CrashAt] = []
        self._answers_left = 0
        self._orders = 0
        self._wishes = 0
        self._until_s = 0.0

    def begin(self, until_s: float) -> None:
        """Strike from now on, until some time."""
        self._until_s = until_s
        if self._plan.trouble_s:
            self._timeline.after(self._pause_s(), self._strike)

    def answered(self) -> None:
        """The world has answered somebody; it may be meant to die amid its answers.

        Raises:
            Crash: It is.
        """
        if self._simulation.store.crash_at == "answering":
            self._answers_left -= 1
            if self._answers_left < 0:
                raise Crash

    def down_s(self) -> float:
        """Return how long a dead world stays down."""
        return self._chance.uniform(0.05, 2.0)

    def tear(self) -> None:
        """Leave the files of a world that was killed as they are then."""
        self._simulation.disk.crash(self._chance, self._simulation.store.crash_at)

    def _pause_s(self) -> float:
        return self._chance.expovariate(1.0 / self._plan.trouble_s)

    def _strike(self) -> None:
        if self._timeline.time_s >= self._until_s:
            return
        self._timeline.after(self._pause_s(), self._strike)
        kind = self._chance.choice(KINDS)
        self._counts[kind] += 1
        getattr(self, f"_{kind}")()

    def _crash(self) -> None:
        if self._simulation.store.crash_at or self._simulation.parts is None:
            return  # it waits for its moment, or is dead
        if not self._ways_to_die:
            # Each comes once before any comes again.
            self._ways_to_die = [*_WAYS_TO_DIE, *(_TORN if self._plan.on_files else ())]
            self._chance.shuffle(self._ways_to_die)
        self._simulation.store.crash_at = self._ways_to_die.pop()
        self._answers_left = self._chance.randrange(4)
        if self._simulation.store.crash_at == "between":
            raise Crash

    def _full(self) -> None:
        self._simulation.store.full_until_s = self._timeline.time_s + self._chance.uniform(0.2, 4.0)

    def _forgetful(self) -> None:
        self._simulation.store.loses_checkpoints = True

    def _doubtful(self) -> None:
        self._simulation.store.hides_success = True

    def _storm(self) -> None:
        how = self._chance.choice(("rst", "fin", "silent"))
        self._arm("disconnect-storm", {"how": how})

    def _latency(self) -> None:
        self._arm("latency", {"ms": self._chance.choice((20.0, 400.0))})

    def _arm(self, name: str, params: dict[str, str | int | float | bool]) -> None:
        fault = SquadFault(
            id=f"{name} {self._counts[name]}",
            name=name,
            scope=Scope(players_pct=self._chance.choice((30.0, 100.0))),
            params=params,
            ramp_s=0.0,
            seed=self._chance.randrange(1000),
            hold_s=self._chance.uniform(0.2, 5.0),
        )
        self._counts[name] += 1
        self._simulation.squad.arm(fault)

    def _stall(self) -> None:
        for line in self._some_lines():
            line.stall(self._chance.uniform(0.1, 3.0))

    def _slow(self) -> None:
        """Clients that do not read: frames are left out, then they are closed."""
        for line in self._some_lines():
            session = line.session
            if session is None:
                continue
            session.pause_writing()
            if self._chance.random() < 0.5:
                self._timeline.after(
                    self._chance.uniform(0.1, 2.0),
                    lambda session=session: session.resume_writing(),  # type: ignore[misc]  # bound now
                )

    def _some_lines(self) -> list[Line]:
        return [
            line for line in self._simulation.network.lines.values() if self._chance.random() < 0.5
        ]

    def _order(self) -> None:
        """An operator sends somebody somewhere."""
        if self._simulation.parts is None:
            return
        self._orders += 1
        who = self._chance.choice(
            (
                NPC_ID_BASE + self._chance.randrange(self._plan.npcs),
                PLAYER_ID_BASE + self._chance.randrange(self._plan.players),
                GUEST_ID_BASE,
            )
        )
        intent = Intent(
            seq=1,
            kind=self._chance.choice(INTENT_KINDS),
            x=self._chance.randrange(65_536),
            y=self._chance.randrange(65_536),
            target=PLAYER_ID_BASE,
            text="by order",
        )
        role = self._chance.choice(("operator", "narrator"))
        self._simulation.parts.inbox.put_order(WorldOrder(self._orders, who, intent, role))

    def _govern(self) -> None:
        """An operator changes a policy; sometimes to what cannot be."""
        if self._simulation.parts is None:
            return
        self._wishes += 1
        name = self._chance.choice(_CHANGED)
        change = self._chance.choice(
            (
                PolicyChange(name, enabled=False),
                PolicyChange(name, enabled=True),
                PolicyChange(name, priority=self._chance.randrange(100)),
                PolicyChange(name, scope=PolicyScope(kinds=("move", "attack"))),
                PolicyChange(name, scope=PolicyScope(zones=(1, 2, 3), roles=("player",))),
                PolicyChange(name, scope=PolicyScope()),
                PolicyChange("rate", params={"burst": self._chance.randrange(1, 12)}),
                PolicyChange("reach", params={"tiles_max": self._chance.randrange(1, 40)}),
                PolicyChange("reach", params={"tiles_max": -1}),
                PolicyChange("no-such-policy", enabled=False),
            )
        )
        self._simulation.parts.inbox.put_policy(WorldPolicy(self._wishes, change))
