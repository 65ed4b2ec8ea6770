"""What every fault in the folder promises."""

from collections import Counter
from typing import Any

import pytest

from engine.faults.base import (
    Crowd,
    PlayerFault,
    PlayerHalf,
    ServerFault,
    filled_params,
)
from engine.faults.registry import all_faults
from engine.protocol.child import SquadFault
from engine.protocol.command import Scope
from engine.protocol.errors import UserError

FAULTS = all_faults()
OF_PLAYERS = {name: f for name, f in FAULTS.items() if isinstance(f, PlayerFault)}
OF_SERVERS = {name: f for name, f in FAULTS.items() if isinstance(f, ServerFault)}
CROWD = Crowd(200, 0, 1, archetype_of=lambda n: "wanderer", zone_of=lambda n: 0)
SCOPES = [
    Scope(),
    Scope(players_pct=25.0),
    Scope(count=3),
    Scope(zone=0),
    Scope(archetype="wanderer"),
    Scope(ids=(1, 2)),
]


def _order(name: str, scope: Scope = SCOPES[1]) -> SquadFault:
    return SquadFault("f1", name, scope, {}, 2.0, 7, 10.0)


def test_names_and_keys_are_told_apart() -> None:
    assert FAULTS
    keys = Counter(fault.spec.key for fault in FAULTS.values())
    assert max(keys.values()) == 1
    for name, fault in FAULTS.items():
        assert fault.name == fault.spec.name == name


@pytest.mark.parametrize("name", FAULTS)
def test_the_menu_can_show_it(name: str) -> None:
    spec = FAULTS[name].spec
    assert len(spec.key) == 1
    assert spec.help
    assert spec.side in {"players", "server"}
    assert spec.available or spec.why_not
    for param in spec.params:
        assert param.help
        assert not param.allowed or param.default in param.allowed
        assert filled_params(spec, {param.name: param.default}, "p")[param.name] == param.default


@pytest.mark.parametrize("name", FAULTS)
def test_an_unknown_parameter_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="unknown parameter"):
        filled_params(FAULTS[name].spec, {"no such thing": 1}, "p")


@pytest.mark.parametrize("name", FAULTS)
def test_it_has_the_half_that_its_side_says(name: str) -> None:
    assert (name in OF_PLAYERS) == (FAULTS[name].spec.side == "players")
    assert (name in OF_SERVERS) == (FAULTS[name].spec.side == "server")
    params = {param.name: param for param in FAULTS[name].spec.params}
    hold = FAULTS[name].spec.hold_param
    assert not hold or isinstance(params[hold].default, float)


@pytest.mark.parametrize("name", OF_PLAYERS)
@pytest.mark.parametrize("scope", SCOPES)
def test_its_player_half_touches_the_chosen_only_and_each_once(name: str, scope: Scope) -> None:
    half = OF_PLAYERS[name].arm(_order(name, scope), CROWD, 100.0)
    cuts = [cut.player for tenth in range(120) for cut in half.step(100.0 + tenth / 10)]
    assert len(set(cuts)) == len(cuts) <= half.planned <= CROWD.population
    held = {n for n in range(CROWD.population) if half.holds(n, 112.0)}
    assert set(cuts) <= set(range(CROWD.population))
    assert len(held) <= half.planned
    assert all(0 <= half.back_after_s(n) <= 5 for n in held)
    assert len(half.slowed) <= half.planned
    assert half.slowed <= set(range(CROWD.population))
    assert all(half.delay_s(n, way) >= 0 for n in half.slowed for way in ("in", "out"))


@pytest.mark.parametrize("name", OF_PLAYERS)
def test_the_same_seed_does_the_same(name: str) -> None:
    halves = [OF_PLAYERS[name].arm(_order(name), CROWD, 100.0) for _ in range(2)]
    one, same = (_deeds(half) for half in halves)
    assert one == same


def _deeds(half: PlayerHalf) -> list[Any]:
    deeds: list[Any] = [half.step(100.0 + second) for second in range(20)]
    for player in sorted(half.slowed):
        deeds += [(player, half.delay_s(player, "in"), half.delay_s(player, "out"))]
    return deeds


class _Process:
    def __init__(self) -> None:
        self.done: list[str] = []

    def kill(self) -> None:
        self.done.append("kill")

    def start(self) -> None:
        self.done.append("start")


@pytest.mark.parametrize("name", OF_SERVERS)
def test_its_server_half_undoes_what_it_did(name: str) -> None:
    fault, process = OF_SERVERS[name], _Process()
    half = fault.strike(filled_params(fault.spec, {}, "p"), 7)
    assert process.done == []
    half.begin(process)
    assert process.done
    half.revert(process)
    assert process.done.count("start") >= process.done.count("kill")
