"""disconnect-storm: ramp and spread in time, holding off, coming back within two seconds."""

import pytest

from engine.faults.disconnect_storm import BACK_WITHIN_S, FAULT
from engine.faults.registry import check_fault
from engine.protocol.child import SquadFault
from engine.protocol.command import ParamValue, Scope
from engine.protocol.errors import UserError
from tests.unit.faults.test_base import crowd


def _order(ramp_s: float = 0.0, **params: ParamValue) -> SquadFault:
    return SquadFault("f", "disconnect-storm", Scope(players_pct=50), params, ramp_s, 9, 60.0)


def test_at_once_by_default_and_each_cut_once() -> None:
    half = FAULT.arm(_order(), crowd(100), 10.0)
    cuts = half.step(10.0)
    assert (half.planned, len(cuts), {cut.how for cut in cuts}) == (50, 50, {"rst"})
    assert half.step(11.0) == []
    assert all(half.holds(cut.player, 10.0) for cut in cuts)
    others = set(range(100)) - {cut.player for cut in cuts}
    assert not any(half.holds(player, 10.0) for player in others)


@pytest.mark.parametrize(("ramp_s", "spread"), [(10.0, 0.0), (0.0, 10.0)])
def test_ramp_and_spread_take_their_time(ramp_s: float, spread: float) -> None:
    half = FAULT.arm(_order(ramp_s, spread=spread), crowd(1000), 100.0)
    cut: set[int] = set()
    for second in range(11):
        new = {c.player for c in half.step(100.0 + second)}
        assert not new & cut
        cut |= new
        assert len(cut) == pytest.approx(50 * second, abs=60)
        assert all(half.holds(player, 100.0 + second) for player in cut)
    assert len(cut) == 500
    early = FAULT.arm(_order(ramp_s, spread=spread), crowd(1000), 100.0)
    assert sum(early.holds(player, 100.5) for player in range(1000)) < 60


def test_everybody_is_back_within_two_seconds_but_not_at_once() -> None:
    half = FAULT.arm(_order(), crowd(100), 0.0)
    back = [half.back_after_s(player) for player in range(100)]
    assert all(0 <= after_s <= BACK_WITHIN_S for after_s in back)
    assert len({round(after_s, 2) for after_s in back}) > 50


def test_an_empty_choice_is_no_problem() -> None:
    half = FAULT.arm(_order(3.0), crowd(0), 0.0)
    assert (half.planned, list(half.step(9.0))) == (0, [])


def test_its_parameters_are_checked() -> None:
    assert check_fault("disconnect-storm", {}, Scope(), "f") == {"how": "rst", "spread": 0.0}
    with pytest.raises(UserError, match=r"^f\.params\.spread: found -1; allowed: from 0"):
        check_fault("disconnect-storm", {"spread": -1}, Scope(), "f")
    with pytest.raises(UserError, match="unknown fault 'storm'"):
        check_fault("storm", {}, Scope(), "f")
