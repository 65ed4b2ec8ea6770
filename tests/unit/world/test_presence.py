"""Joining, leaving, coming back; starts and restarts; who may not join."""

from engine.protocol.limits import GUEST_ID_BASE
from engine.world.constants import GOLD_PLAYER_START, GOLD_SUPPLY
from engine.world.world import World
from tests.unit.world.arena import Arena, npc, player

ONE = player(0)
JOIN = [(ONE, "player-0")]


def _kinds(arena: Arena) -> list[str]:
    return [event.kind for event in arena.events() if event.stream == ONE]


def test_a_join_takes_its_gold_from_the_treasury() -> None:
    arena = Arena(players=3)
    assert arena.state.treasury == GOLD_SUPPLY - 3 * GOLD_PLAYER_START
    assert arena.get(ONE, "gold") == GOLD_PLAYER_START
    assert [event.kind for event in arena.events()] == ["world_started"] + ["joined"] * 3


def test_an_empty_treasury_gives_what_it_has() -> None:
    arena = Arena(players=0)
    arena.state.supply = arena.state.treasury = 150
    arena.step(joins=[(player(2), "player-2"), (player(1), "player-1")])
    assert (arena.get(player(1), "gold"), arena.get(player(2), "gold")) == (100, 50)
    assert arena.state.treasury == 0
    assert arena.events("invariant_broken") == []


def test_where_a_player_begins_depends_on_seed_and_id_alone() -> None:
    one, other = Arena(players=1), Arena(players=0)
    other.wait(5)
    other.step(joins=[(player(4), "player-4"), *JOIN])
    (first,) = [event for event in other.events("joined") if event.stream == ONE]
    assert first.a == one.events("joined")[0].a


def test_leaving_and_coming_back() -> None:
    arena = Arena(players=1)
    arena.step(leaves=[ONE])
    assert (_kinds(arena), arena.get(ONE, "connected")) == (["left"], 0)
    arena.step(joins=JOIN)
    assert (_kinds(arena), arena.get(ONE, "connected")) == (["resumed"], 1)
    arena.step(joins=JOIN)
    assert _kinds(arena) == [], "it is here already"
    arena.step(joins=JOIN, leaves=[ONE])
    assert (_kinds(arena), arena.get(ONE, "connected")) == (["left", "resumed"], 1)
    arena.step(joins=JOIN, leaves=[ONE, ONE])
    assert (_kinds(arena), arena.get(ONE, "connected")) == (["left", "resumed", "left"], 0)
    arena.step(joins=JOIN, leaves=[ONE])
    assert (_kinds(arena), arena.get(ONE, "connected")) == (["resumed", "left"], 0)
    arena.step(leaves=[ONE, player(9), npc(0)])
    assert _kinds(arena) == []


def test_a_newcomer_that_is_gone_within_the_tick() -> None:
    arena = Arena(players=0)
    arena.step(joins=JOIN, leaves=[ONE])
    assert _kinds(arena) == ["joined", "left"]


def test_what_was_sent_before_leaving_counts() -> None:
    arena = Arena(players=1)
    arena.step((ONE, 1, "rest"), leaves=[ONE])
    assert _kinds(arena) == ["rested", "left"]


def test_a_restart_disconnects_everybody_and_says_so() -> None:
    arena = Arena(players=2)
    arena.step(restarted=True, joins=JOIN)
    started, *others = arena.events()
    assert (started.kind, started.a, started.b, started.version) == ("world_started", 1, 2, 2)
    assert [event.kind for event in others] == ["disconnected", "disconnected", "resumed"]
    assert {event.cause for event in others[:2]} == {started.seq}
    assert (arena.get(ONE, "connected"), arena.get(player(1), "connected")) == (1, 0)


def test_a_full_world_refuses_and_goes_on() -> None:
    arena = Arena(players=2, capacity=3)
    arena.step(joins=[(player(number), f"player-{number}") for number in (4, 3)])
    assert arena.get(player(3), "connected") == 1
    assert arena.state.row_of(player(4)) is None
    (denied,) = arena.events("denied")
    assert denied.text == "join: the world is full (3 entities)"
    assert (denied.stream, denied.actor) == (0, player(4))


def test_ids_that_are_no_players_are_refused() -> None:
    arena = Arena(players=0, npcs=1)
    strange = [0, -5, 17, npc(0), player(100_000), 2**40]
    arena.step(joins=[(who, "x") for who in strange])
    assert [event.text for event in arena.events("denied")] == [
        "join: no player has such an id"
    ] * len(strange)
    assert arena.state.count == 1


def test_names_of_guests_are_kept() -> None:
    arena = Arena(players=1)
    arena.step(joins=[(GUEST_ID_BASE, "Mallory\u2ffc" + "x" * 99)])
    (joined,) = arena.events("joined")
    assert joined.text.startswith("Mallory\u2ffcxxx")
    assert len(joined.text) == 32
    assert arena.state.names == {GUEST_ID_BASE: joined.text}
    again = World.restore(arena.world.config, arena.world.checkpoint())
    assert again.state.names == arena.state.names
