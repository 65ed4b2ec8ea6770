"""Who a fault concerns: exact over all squads, repeatable; and what its parameters may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.faults.base import Crowd, chosen, filled_params
from engine.protocol.command import ParamValue, Scope
from engine.protocol.errors import UserError
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.paramspec import ParamSpec
from engine.protocol.query import FaultSpec


def crowd(population: int, squad: int = 0, squads: int = 1) -> Crowd:
    return Crowd(
        population,
        squad,
        squads,
        archetype_of=lambda n: "raider" if n % 10 == 0 else "wanderer",
        zone_of=lambda n: n % 64 if n % 2 else None,
    )


@given(st.floats(0, 100), st.integers(0, 3000), st.integers(1, 7), st.integers(0, 2**40))
def test_a_share_is_exact_over_all_squads(
    pct: float, population: int, squads: int, seed: int
) -> None:
    scope = Scope(players_pct=pct)
    parts = [chosen(scope, seed, crowd(population, squad, squads)) for squad in range(squads)]
    together = sorted(n for part in parts for n in part)
    assert together == sorted(chosen(scope, seed, crowd(population)))
    assert len(set(together)) == len(together) == round(pct / 100 * population)
    assert all(n % squads == squad for squad, part in enumerate(parts) for n in part)


def test_the_seed_chooses_and_a_larger_share_includes_a_smaller() -> None:
    some = chosen(Scope(players_pct=30), 1, crowd(1000))
    assert some == chosen(Scope(players_pct=30), 1, crowd(1000))
    assert set(some) != set(chosen(Scope(players_pct=30), 2, crowd(1000)))
    assert set(some) < set(chosen(Scope(players_pct=60), 1, crowd(1000)))


def test_the_other_scopes() -> None:
    assert len(chosen(Scope(count=17), 1, crowd(1000))) == 17
    assert len(chosen(Scope(count=17), 1, crowd(5))) == 5
    assert sorted(chosen(Scope(archetype="raider"), 1, crowd(100))) == list(range(0, 100, 10))
    assert sorted(chosen(Scope(zone=3), 1, crowd(200))) == [3, 67, 131, 195]
    assert chosen(Scope(zone=2), 1, crowd(200)) == []  # who knows no position stands nowhere
    ids = (PLAYER_ID_BASE + 4, 9, 9, 5000, PLAYER_ID_BASE + 4)
    assert chosen(Scope(ids=ids), 1, crowd(100)) == [4, 9]
    assert chosen(Scope(ids=ids), 1, crowd(100, squad=1, squads=2)) == [9]
    assert len(chosen(Scope(), 1, crowd(100))) == 100


SPEC = FaultSpec(
    "demo",
    "d",
    "players",
    "",
    (
        ParamSpec("how", "one", "", allowed=("one", "two")),
        ParamSpec("ms", 5, "", at_least=0, at_most=100),
        ParamSpec("rate", 0.5, "", at_least=0.0, at_most=1.0),
        ParamSpec("loud", True, ""),
    ),
)


def test_defaults_are_filled_in() -> None:
    assert filled_params(SPEC, {"ms": 7, "rate": 1}, "p") == {
        "how": "one",
        "ms": 7,
        "rate": 1,
        "loud": True,
    }


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"hwo": "one"}, "p.hwo: unknown parameter of demo; allowed: how, ms, rate, loud; did you"),
        ({"how": "tow"}, "p.how: found 'tow'; allowed: one, two; did you mean 'two'?"),
        ({"how": 1}, "allowed: one, two"),
        ({"ms": 1.5}, "allowed: a whole number"),
        ({"ms": True}, "allowed: a whole number"),
        ({"ms": -1}, "allowed: from 0 to 100"),
        ({"rate": float("nan")}, "allowed: from 0.0 to 1.0"),
        ({"rate": "1"}, "allowed: a number"),
        ({"loud": 1}, "allowed: true or false"),
        ({"\x1b[31m": 1}, "unknown parameter"),
    ],
)
def test_mistakes_are_told(params: dict[str, ParamValue], says: str) -> None:
    with pytest.raises(UserError) as caught:
        filled_params(SPEC, params, "p")
    assert says in caught.value.message
    assert caught.value.message.isprintable()
