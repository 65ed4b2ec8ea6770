"""STAT7 addresses against worked cases, and the rules behind them."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.address import BitChain, address, number_text, time_text, uri
from engine.protocol.errors import UserError

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "stat7_addresses.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["bitchain"]["id"])
def test_worked_cases(case):
    chain = msgspec.convert(case["bitchain"], BitChain)
    assert address(chain) == case["address"]
    assert uri(chain) == case["uri"]


@given(st.floats(-1, 1))
def test_numbers_have_no_exponent_no_minus_zero_and_at_most_eight_decimals(value):
    text = number_text(value)
    whole, _, decimals = text.partition(".")
    assert "e" not in text
    assert text not in ("-0.0", "")
    assert whole.lstrip("-").isdigit()
    assert 1 <= len(decimals) <= 8
    assert decimals == "0" or not decimals.endswith("0")
    assert abs(float(text) - value) <= 0.5e-8 + 1e-15
    assert number_text(float(text)) == text


def test_order_of_keys_and_neighbours_does_not_count():
    case = CASES[0]["bitchain"]
    turned = {**case, "state": dict(reversed(case["state"].items()))}
    turned["coordinates"] = {
        **case["coordinates"],
        "adjacency": list(reversed(case["coordinates"]["adjacency"])),
    }
    assert address(msgspec.convert(turned, BitChain)) == CASES[0]["address"]


def test_times_are_cut_and_turned_to_utc():
    assert time_text("2025-10-30T14:34:56.9999+02:00") == "2025-10-30T12:34:56.999Z"
    for wrong in ("", "yesterday", "2025-10-30T12:34:56"):
        with pytest.raises(UserError, match="created_at: found"):
            time_text(wrong)


def test_what_json_cannot_say_is_refused():
    case = CASES[0]["bitchain"]
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    for state in ({"a": float("nan")}, {"a": deep}):
        with pytest.raises(UserError, match="state"):
            address(msgspec.convert({**case, "state": state}, BitChain))
