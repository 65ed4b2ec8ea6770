"""Bit-chains as others write them: what is taken, and how what is wrong is told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.address import address
from engine.protocol.bitchains import parse_chain
from engine.protocol.errors import UserError

COORDINATES = {
    "realm": "void",
    "lineage": 88,
    "adjacency": ["n667", "n944"],
    "horizon": "decay",
    "resonance": 0.25,
    "velocity": -1,
    "density": 0.5,
}
CHAIN: dict[str, Any] = {
    "id": "npc-4185",
    "entity_type": "agent",
    "realm": "narrative",
    "coordinates": COORDINATES,
    "created_at": "2025-10-30T12:34:56.252Z",
    "state": {"hp": 3},
}


def _line(**changes: Any) -> bytes:
    chain = {**CHAIN, **changes}
    return json.dumps({key: value for key, value in chain.items() if value is not ...}).encode()


def _at(**changes: Any) -> bytes:
    return _line(coordinates={**COORDINATES, **changes})


def test_both_names_of_the_coordinates_mean_the_same():
    other = _line(coordinates=..., stat7_coordinates=COORDINATES)
    assert address(parse_chain(other)) == address(parse_chain(_line()))


def test_a_state_may_be_left_out_and_is_empty_then():
    assert address(parse_chain(_line(state=...))) == address(parse_chain(_line(state={})))


def test_large_numbers_in_a_state_stay_exact():
    assert parse_chain(_line(state={"n": 10**999})).state == {"n": 10**999}


DEEP = b"[" * 100_000 + b"]" * 100_000
NESTED = b'{"a":' * 64 + b"1" + b"}" * 64


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"5", "found 5; allowed is a bit-chain"),
        (b"[]", "found a list; allowed is a bit-chain"),
        (b"hello", "found what is no JSON at column 1"),
        (b"{} {}", "found what is no JSON at column 4"),
        (b'{"id": "\xff"}', "found byte 0xff at position 9; allowed is UTF-8"),
        (DEEP, "nested too deeply; allowed is 64 deep"),
        (b'{"a": ' + b"1" * 1001 + b"}", "found a number of 1001 digits; allowed are 1000"),
        (b'{"id": "a", "id": "b"}', "id: found twice; allowed is once"),
        (_line(id=...), "id: found nothing; it is needed"),
        (_line(id=5), "id: found 5; allowed is text"),
        (_line(stat=1), "stat: unknown key; allowed: created_at"),
        (_line(stat=1), "did you mean 'state'?"),
        (_line(realm="feeling"), 'realm: found "feeling"; allowed is one of data, narrative'),
        (_line(realm="narative"), "did you mean 'narrative'?"),
        (_line(realm=["void"]), "realm: found a list"),
        (_line(created_at=12), "created_at: found 12; allowed is text"),
        (_line(coordinates=...), "coordinates: found nothing; it is needed"),
        (_line(coordinates=7), "coordinates: found 7; allowed is an object"),
        (_line(stat7_coordinates=COORDINATES), "stat7_coordinates: found beside coordinates"),
        (_line(coordinates=..., stat7_coordinates={}), "stat7_coordinates.realm: found nothing"),
        (_at(depth=1), "coordinates.depth: unknown key; allowed: realm, lineage"),
        (_at(lineage=-1), "coordinates.lineage: found -1; allowed is a whole number, 0 or more"),
        (_at(lineage=1.5), "coordinates.lineage: found 1.5"),
        (_at(lineage=True), "coordinates.lineage: found true"),
        (_at(adjacency="n1"), 'coordinates.adjacency: found "n1"; allowed is a list of ids'),
        (_at(adjacency=["n1", 2]), "coordinates.adjacency[1]: found 2; allowed is text"),
        (_at(horizon="dawn"), 'coordinates.horizon: found "dawn"; allowed is one of genesis'),
        (_at(resonance=1.01), "coordinates.resonance: found 1.01; allowed is a number from -1 to"),
        (_at(density=-0.1), "coordinates.density: found -0.1; allowed is a number from 0 to 1"),
        (_at(velocity=float("nan")), "coordinates.velocity: found NaN; allowed is a number"),
        (_at(velocity=10**400), "coordinates.velocity: found 1000"),
        (_at(velocity="0"), 'coordinates.velocity: found "0"'),
        (_at(velocity=False), "coordinates.velocity: found false"),
        (_line(state=[]), "state: found a list; allowed is an object"),
        (_line(state={"a": [0, float("inf")]}), "state.a[1]: found Infinity; allowed is a finite"),
        (_line().replace(b'{"hp": 3}', b'{"hp": 1e999}'), "state.hp: found Infinity"),
        (_line().replace(b'{"hp": 3}', b'{"a": {"b": 1, "b": 2}}'), "state.a.b: found twice"),
        (_line().replace(b'{"hp": 3}', NESTED), "nested too deeply; allowed is 64 deep"),
        (_line(state={"\x1b[2J" * 99: float("nan")}), "�[2J�[2J"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told_with_its_field(line: bytes, said: str):
    with pytest.raises(UserError) as caught:
        parse_chain(line)
    assert said in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


def test_as_deep_as_allowed_is_taken():
    nested = b'{"a":' * 63 + b"1" + b"}" * 63
    assert address(parse_chain(_line().replace(b'{"hp": 3}', nested)))


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(
        lambda value: json.dumps({**CHAIN, "state": value}).encode()
    )
)
def test_nothing_but_a_chain_or_an_error_comes_out(line: bytes):
    try:
        chain = parse_chain(line)
    except UserError:
        return
    assert len(address(chain)) == 64
