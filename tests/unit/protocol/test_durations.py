"""Durations as people write them."""

import pytest

from engine.protocol.durations import format_duration, parse_duration_s
from engine.protocol.errors import UserError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1h30m", 5400.0),
        ("1.5s", 1.5),
        ("45", 45.0),
        (3, 3.0),
        ("0", 0.0),
    ],
)
def test_durations_that_are_read(text, seconds):
    assert parse_duration_s(text, "x") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1d", "1s2", "nan", "inf", "8761h", True])
def test_durations_that_are_refused(text):
    with pytest.raises(UserError, match="--hold: found"):
        parse_duration_s(text, "--hold")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "250ms"), (12.9, "12s"), (185, "3m05s"), (3720, "1h02m")]
)
def test_durations_for_people(seconds, text):
    assert format_duration(seconds) == text
