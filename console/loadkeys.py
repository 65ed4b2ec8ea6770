"""The load's keys: pressed faster than the engine takes changes, they add up to one."""

import asyncio
from typing import TYPE_CHECKING, Final

from console.figures import count
from console.items import Say
from engine.protocol.command import ScalePlayers, ScaleRate
from engine.protocol.limits import LOAD_CHANGES_PER_S_MAX

if TYPE_CHECKING:
    from console.app import StormApp

EVERY_S: Final = 1.1 / LOAD_CHANGES_PER_S_MAX
"""Changes go out this far apart; a tenth more than the limit, for the way takes its time."""
PCT_MAX: Final = 1000.0
"""The most that one change may add."""
KNOWN_LATE_S: Final = 1.5
"""For this long after a change the newest snapshot may still tell of the load before it."""

Step = ScalePlayers | ScaleRate


class LoadKeys:
    """Sends the first step at once and what is pressed soon after it as one more.

    Args:
        storm: The app.
    """

    def __init__(self, storm: "StormApp") -> None:
        self._storm = storm
        self._factors: dict[type[Step], float] = {}
        self._sending = False
        self._free_s = 0.0
        self._sent: dict[type[Step], tuple[float, float]] = {}

    def press(self, step: Step) -> None:
        """Add a step to what is to be sent; say what that will come to if it has to wait."""
        kind = type(step)
        factor = self._factors.get(kind, 1.0) * (1 + step.pct / 100)
        self._factors[kind] = min(factor, 1 + PCT_MAX / 100)
        if self._sending or self._now_s() < self._free_s:
            self._storm.deliver([Say(self._pending(kind))])
        if not self._sending:
            self._sending = True
            self._storm.start(self._send())

    async def _send(self) -> None:
        try:
            while self._factors:
                await asyncio.sleep(max(0.0, self._free_s - self._now_s()))
                kind, factor = next(iter(self._factors.items()))
                wanted = self._wanted(kind)
                del self._factors[kind]
                self._free_s = self._now_s() + EVERY_S
                self._sent[kind] = (wanted, self._now_s())
                self._storm.send(kind(round(100 * (factor - 1), 6)))
        finally:
            self._sending = False

    def _wanted(self, kind: type[Step]) -> float:
        """Return the load after what is still to be sent, as far as it is known here."""
        snapshot = self._storm.model.live.snapshot
        if snapshot is None:
            return 0.0
        players = snapshot.players
        base = float(players.target) if kind is ScalePlayers else players.commands_per_s_each
        if kind in self._sent and self._now_s() - self._sent[kind][1] < KNOWN_LATE_S:
            base = self._sent[kind][0]
        wanted = base * self._factors[kind]
        return min(wanted, players.players_max) if kind is ScalePlayers else wanted

    def _pending(self, kind: type[Step]) -> str:
        change = f"{100 * (self._factors[kind] - 1):+.0f} % in a moment"
        if self._storm.model.live.snapshot is None:
            return change
        wanted = self._wanted(kind)
        if kind is ScalePlayers:
            return f"{change}: about {count(round(wanted))} players"
        return f"{change}: about {wanted:.3g} commands/s each"

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()
