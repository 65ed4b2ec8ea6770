"""Hostile text becomes harmless; names that are nearly right are recognised."""

from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.events import entity_id, entity_name
from engine.protocol.text import nearest, printable


@given(st.text())
def test_printable_text_has_nothing_that_moves_a_terminal(text):
    safe = printable(text, 50)
    assert safe.isprintable()
    assert len(safe) <= 50
    assert printable(safe, 50) == safe


def test_ordinary_text_is_left_alone():
    assert printable("Grüße, player-12", 50) == "Grüße, player-12"


def test_nearest_name():
    assert (
        nearest("disconect", ["disconnect-storm", "kill"]) == "; did you mean 'disconnect-storm'?"
    )
    assert nearest("zzz", ["kill"]) == ""


@given(st.integers(1, 2_100_000))
def test_entity_names_round_trip(entity):
    assert entity_id(entity_name(entity)) == entity


def test_what_is_no_entity():
    assert entity_name(0) == "world"
    for name in ("", "player-", "player-x", "ogre-1", "-1", "player-1²"):
        assert entity_id(name) is None
