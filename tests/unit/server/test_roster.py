"""Names, ids and tokens."""

import pytest

from engine.protocol.limits import GUEST_ID_BASE, PLAYER_ID_BASE, PLAYERS_MAX
from engine.server.roster import Roster


def test_numbered_players_have_their_number_for_ever():
    roster = Roster(b"secret", {})
    assert roster.entity("player-0") == PLAYER_ID_BASE
    assert roster.entity("player-12") == PLAYER_ID_BASE + 12
    assert roster.find(f"player-{PLAYERS_MAX - 1}") == PLAYER_ID_BASE + PLAYERS_MAX - 1


@pytest.mark.parametrize(
    "name", [f"player-{PLAYERS_MAX}", "player-007", "player--1", "player-", "player-\u0663", "Ada"]
)
def test_every_other_name_is_a_guest(name: str):
    roster = Roster(b"secret", {})
    assert roster.find(name) is None
    first = roster.entity(name)
    assert first == GUEST_ID_BASE
    assert roster.entity("someone else") == GUEST_ID_BASE + 1
    assert roster.entity(name) == roster.find(name) == first


def test_guests_of_an_earlier_start_keep_their_ids():
    roster = Roster(b"secret", {GUEST_ID_BASE + 4: "Ada"})
    assert roster.entity("Ada") == GUEST_ID_BASE + 4
    assert roster.entity("Bob") == roster.next_guest - 1 == GUEST_ID_BASE + 5


def test_a_token_proves_its_own_name_only_and_survives_a_restart():
    roster = Roster(b"secret", {})
    token = roster.token("Ada")
    assert Roster(b"secret", {}).proves("Ada", token)
    assert not roster.proves("Bob", token)
    assert not Roster(b"other", {}).proves("Ada", token)
    assert not roster.proves("Ada", "")
    assert not roster.proves("Ada", "\u00e9")


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\nb", " a", "a ", "\u202ea"])
def test_names_that_would_harm_a_terminal_are_objected_to(name: str):
    assert Roster.objection(name)


def test_ordinary_names_are_not_objected_to():
    assert [Roster.objection(name) for name in ("Ada", "Zo\u00eb von B", "\u68ee")] == [""] * 3
