"""disconnect-storm: many players lose their connection at once and come back together."""

from collections.abc import Sequence
from typing import Final

from engine.faults.base import Crowd, Cut, How, PlayerHalf, chosen, filled_params
from engine.protocol.child import SquadFault
from engine.protocol.limits import FAULT_HOLD_S_MAX
from engine.protocol.paramspec import ParamSpec
from engine.protocol.query import FaultSpec
from engine.stats.chance import fraction

BACK_WITHIN_S: Final = 2.0
"""After the revert players come back spread over this long, each at its own drawn moment."""

_SPREAD, _BACK = 1, 2


class _Storm(PlayerHalf):
    """The storm in one squad: who is cut when, and who must stay away."""

    def __init__(self, order: SquadFault, crowd: Crowd, now_s: float) -> None:
        params = filled_params(FAULT.spec, order.params, order.name)
        how = params["how"]
        self._how: How = "fin" if how == "fin" else "silent" if how == "silent" else "rst"
        self._seed = order.seed
        players = chosen(order.scope, order.seed, crowd)
        super().__init__(len(players))
        spread_s = float(params["spread"])
        self._at_s = {
            player: now_s
            + order.ramp_s * rank / len(players)
            + spread_s * fraction(order.seed, _SPREAD, player)
            for rank, player in enumerate(players)
        }
        self._waiting = sorted(self._at_s, key=self._at_s.__getitem__, reverse=True)

    def step(self, now_s: float) -> Sequence[Cut]:
        """See ``PlayerHalf.step``."""
        cuts = []
        while self._waiting and self._at_s[self._waiting[-1]] <= now_s:
            cuts.append(Cut(self._waiting.pop(), self._how))
        return cuts

    def holds(self, player: int, now_s: float) -> bool:
        """See ``PlayerHalf.holds``."""
        return self._at_s.get(player, now_s + 1.0) <= now_s

    def back_after_s(self, player: int) -> float:
        """See ``PlayerHalf.back_after_s``."""
        return BACK_WITHIN_S * fraction(self._seed, _BACK, player)


class DisconnectStorm:
    """Cuts the chosen players' connections and keeps them away until it reverts."""

    name = "disconnect-storm"
    spec = FaultSpec(
        name="disconnect-storm",
        key="d",
        side="players",
        help="players lose their connection, stay away for the hold, then come back at once",
        params=(
            ParamSpec(
                "how",
                "rst",
                "rst: reset; fin: closed in order; silent: the socket stays open, nobody reads it",
                allowed=("rst", "fin", "silent"),
            ),
            ParamSpec(
                "spread",
                0.0,
                "seconds over which the connections are cut, each at its own drawn moment",
                at_least=0.0,
                at_most=FAULT_HOLD_S_MAX,
            ),
        ),
    )

    def arm(self, order: SquadFault, crowd: Crowd, now_s: float) -> _Storm:
        """See ``PlayerFault.arm``."""
        return _Storm(order, crowd, now_s)


FAULT = DisconnectStorm()
