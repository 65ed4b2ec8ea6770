"""latency: every frame of the chosen players is held back, on its way out and on its way in."""

from collections.abc import Sequence
from typing import Final

from engine.faults.base import Crowd, Cut, PlayerHalf, Way, chosen, filled_params
from engine.protocol.child import SquadFault
from engine.protocol.paramspec import ParamSpec
from engine.protocol.query import FaultSpec
from engine.stats.chance import Dice

DELAY_MS_MAX: Final = 10_000.0

_JITTER: Final = 1
_WAYS: Final[dict[Way, int]] = {"in": 1, "out": 2}


class _Line:
    """One direction of one player: its chances, and the last draw that the next one leans on."""

    __slots__ = ("dice", "last")

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.last = dice.roll()


class _Latency(PlayerHalf):
    """The delay in one squad.

    The n-th delay of a line is ``ms + jitter_ms * (2 x - 1)`` with x in [0, 1) drawn
    evenly; with a correlation c it is c times the x before it and 1 - c times the draw,
    as Linux's netem does (tc-netem(8), "correlation").
    """

    def __init__(self, order: SquadFault, crowd: Crowd, now_s: float) -> None:
        params = filled_params(FAULT.spec, order.params, order.name)
        players = chosen(order.scope, order.seed, crowd)
        super().__init__(len(players))
        self._seed = order.seed
        self._delay_s = float(params["ms"]) / 1000.0
        self._jitter_s = float(params["jitter_ms"]) / 1000.0
        self._correlation = float(params["correlation"])
        self._lines: dict[tuple[int, Way], _Line] = {}
        at_s = [now_s + order.ramp_s * rank / len(players) for rank in range(len(players))]
        self._waiting = list(zip(at_s, players, strict=True))[::-1]

    def step(self, now_s: float) -> Sequence[Cut]:
        """See ``PlayerHalf.step``."""
        while self._waiting and self._waiting[-1][0] <= now_s:
            self.slowed.add(self._waiting.pop()[1])
        return ()

    def delay_s(self, player: int, way: Way) -> float:
        """See ``PlayerHalf.delay_s``."""
        line = self._lines.get((player, way))
        if line is None:
            dice = Dice(self._seed, _JITTER, player, _WAYS[way])
            line = self._lines[player, way] = _Line(dice)
        share = self._correlation
        line.last = share * line.last + (1.0 - share) * line.dice.roll()
        return max(0.0, self._delay_s + self._jitter_s * (2.0 * line.last - 1.0))


class Latency:
    """Delays the frames of the chosen players until it reverts; none is lost or overtakes."""

    name = "latency"
    spec = FaultSpec(
        name="latency",
        key="l",
        side="players",
        help="frames are held back on their way out and in; a round trip takes twice that longer",
        params=(
            ParamSpec("ms", 100.0, "milliseconds, each way", at_least=0.0, at_most=DELAY_MS_MAX),
            ParamSpec(
                "jitter_ms",
                20.0,
                "at most so much more or less, drawn for each frame",
                at_least=0.0,
                at_most=DELAY_MS_MAX,
            ),
            ParamSpec(
                "correlation",
                0.25,
                "0 to 1: how much a frame's delay leans on the one before it",
                at_least=0.0,
                at_most=1.0,
            ),
        ),
    )

    def arm(self, order: SquadFault, crowd: Crowd, now_s: float) -> _Latency:
        """See ``PlayerFault.arm``."""
        return _Latency(order, crowd, now_s)


FAULT: Final = Latency()
