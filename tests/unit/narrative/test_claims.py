"""What is claimed stays true: after a gap, over a window, and when storms overlap."""

import pytest

from tests.unit.narrative.kit import Land, kinds, npc, player

FEW = 3 * 10
"""Ticks after which the narrator may tell whatever weighs anything."""


def test_after_a_gap_nothing_is_the_first_and_no_silence_has_a_beginning():
    land = Land()
    land.happens("world_started", 0, actor=0)
    land.passes(FEW)
    land.brain.gap()
    land.happens("world_started", 0, actor=0, a=1, b=5)
    assert land.passes(FEW) == [], "when it fell silent is not known"
    land.happens("levelled_up", player(1), a=4, b=3)
    assert land.passes() == []


def test_after_a_gap_nobody_is_where_they_were():
    land = Land(first_seq=2)
    for number in range(3):
        land.stands(npc(number), 28)
    land.passes(FEW)
    land.brain.gap()
    for number in range(3):
        land.kills(player(10 + number), npc(number))
        land.passes(100)
    assert kinds(land.beats) == ["death"] * 3, "no battle where they may have left"
    assert all("zone" not in beat.text for beat in land.beats)


def test_after_a_gap_no_zone_was_quiet():
    land = Land(first_seq=2)
    for number in range(3):
        land.stands(npc(number), 28)
        land.kills(player(10 + number), npc(number))
        land.passes(FEW)
    assert land.told("battle")
    land.brain.gap()
    land.tick += 400
    land.stands(player(50), 28)
    assert land.passes() == []


def test_after_a_gap_meetings_are_counted_anew():
    land = Land(first_seq=2)
    for _ in range(2):
        land.hits(player(1), player(2))
        land.passes(150)
    land.brain.gap()
    for _ in range(2):
        land.hits(player(1), player(2))
        assert land.passes(150) == []
    since = land.tick - 300
    land.hits(player(1), player(2))
    (beat,) = land.passes()
    assert len(beat.events) == 3
    assert f"tick {since}" in beat.text


def test_after_a_gap_who_killed_may_have_died_since():
    land = Land(first_seq=2)
    for victim in (10, 11):
        land.kills(player(1), player(victim))
        land.passes(FEW)
    land.brain.gap()
    land.kills(player(1), player(12))
    assert kinds(land.passes(FEW)) == ["death"]
    land.kills(npc(5), player(1))
    assert "rampage" not in kinds(land.passes())


def test_after_a_gap_sales_are_counted_anew():
    land = Land(first_seq=2)
    for _ in range(7):
        land.happens("traded", player(2), target=npc(3), a=-5, b=-10)
        land.passes(20)
    land.brain.gap()
    land.happens("traded", player(2), target=npc(3), a=-5, b=-10)
    assert land.passes() == []


def test_a_steady_killer_is_told_once_for_each_count():
    land = Land(first_seq=2)
    # Three within the window at any time: each kill makes it three again.
    for victim in range(10, 40):
        land.kills(player(1), player(victim))
        land.passes(500)
    (beat,) = land.told("rampage")
    assert f"since tick {0}" in beat.text
    land.tick += 1300
    land.kills(player(1), player(50))
    land.passes(FEW)
    assert len(land.told("rampage")) == 1
    for victim in (51, 52):
        land.kills(player(1), player(victim))
        land.passes(FEW)
    assert len(land.told("rampage")) == 2, "after a rest it is another rampage"


def test_a_rampage_is_counted_over_its_window_when_it_ends():
    land = Land(first_seq=2)
    for victim in range(10, 16):
        land.kills(player(1), player(victim))
        land.passes(400)
    land.kills(npc(5), player(1))
    (end,) = land.passes()
    assert end.kind == "rampage"
    # Of the six those of the last two minutes.
    assert [land.events[seq].tick for seq in end.events] == [1200, 1600, 2000, 2400]


def test_a_steady_seller_is_told_once_for_each_count():
    land = Land(first_seq=2)
    for _ in range(60):
        land.happens("traded", player(2), target=npc(3), a=-5, b=-10)
        land.passes(100)
    (beat,) = land.told("fortune")
    assert "since tick 0" in beat.text or "from tick 0" in beat.text
    land = Land(first_seq=2)
    for buyer in range(60):
        land.happens("traded", player(2), target=npc(buyer), a=-5, b=-10)
        land.passes(20)
    assert [len(beat.events) for beat in land.told("fortune")] == [8, 16]


def test_where_somebody_died_unseen_no_deaths_are_counted_and_nothing_is_quiet():
    land = Land(first_seq=2)
    for number in range(3):
        land.stands(npc(number), 28)
    for number in range(3):
        land.kills(player(10 + number), npc(number))
        if number == 1:
            land.kills(player(20), npc(9))
        land.passes(20)
    (battle,) = land.told("battle")
    assert "since" not in battle.text
    land.kills(player(20), npc(9))
    land.passes(310)
    land.stands(player(52), 28)
    assert land.passes() == [], "it may have been there"


def test_who_moves_after_a_death_of_the_same_tick_did_not_die_there():
    land = Land(first_seq=2)
    land.kills(player(10), npc(1))
    land.stands(npc(1), 28)
    (beat,) = land.passes()
    assert "zone" not in beat.text


def test_a_duel_is_told_by_the_last_blow_of_the_tick():
    land = Land(first_seq=2)
    for _ in range(4):
        land.hits(player(1), player(2))
        land.passes()
    land.hits(player(1), player(2), left=9)
    land.hits(player(3), player(2), left=2)
    assert "duel" not in kinds(land.passes(FEW))
    land.hits(player(2), player(1), left=9)
    assert "duel" not in kinds(land.passes(FEW)), "one blow is not blow after blow"
    land.hits(player(1), player(2), left=1)
    assert kinds(land.passes()) == ["duel"]


def test_who_falls_in_the_same_tick_is_on_no_rampage():
    land = Land(first_seq=2)
    for victim in (10, 11, 12):
        land.kills(player(1), player(victim))
    land.kills(npc(5), player(1))
    (beat,) = [beat for beat in land.passes() if beat.kind == "rampage"]
    assert beat.cast[0] == npc(5)


def test_who_came_back_at_once_is_not_gone():
    land = Land(first_seq=2)
    for number in range(20):
        land.happens("left", player(number))
        if number < 9:
            land.happens("resumed", player(number))
    assert land.passes() == []
    land.happens("left", player(30))
    (beat,) = land.passes()
    assert "player-9, player-10 and player-11" in beat.text
    assert len(beat.events) == 12


def test_who_came_back_before_the_crowd_went_did_not_lead_it_back():
    land = Land(first_seq=2)
    land.happens("left", player(99))
    land.passes(30)
    land.happens("resumed", player(99))
    land.passes(30)
    for number in range(20):
        land.happens("left", player(number))
    land.passes(50)
    for number in range(20):
        land.happens("resumed", player(number))
    (back,) = land.passes()
    assert back.cast == (player(17), player(0))


def crowd(land: Land, kind: str, first: int, count: int = 20) -> None:
    for number in range(first, first + count):
        land.happens(kind, player(number))


@pytest.mark.parametrize("raging", [True, False])
def test_a_storm_is_called_a_storm(raging: bool):
    land = Land(first_seq=2)
    if raging:
        land.brain.storms.armed("f1", 0)
    crowd(land, "left", 0)
    (gone,) = land.passes(20)
    assert ("storm" in gone.text) == raging
    land.brain.storms.cleared("f1", land.tick - 1)
    crowd(land, "resumed", 0)
    (back,) = land.passes()
    assert ("storm" in back.text or "sky" in back.text) == raging


def test_one_storm_passes_and_the_other_goes_on():
    land = Land(first_seq=2)
    land.brain.storms.armed("f1", 0)
    land.tick = 50
    land.brain.storms.armed("f2", 50)
    land.brain.storms.cleared("f1", 60)
    land.tick = 70
    crowd(land, "left", 0)
    (gone,) = land.passes(20)
    assert "storm" in gone.text
    crowd(land, "resumed", 0)
    (back,) = land.passes(200)
    assert "storm" not in back.text, "it has not passed"
    assert "sky" not in back.text


@pytest.mark.parametrize("stormy", [True, False])
def test_who_is_back_is_the_crowd_that_was_seen_to_go(stormy: bool):
    told = set()
    for seed in range(20):
        land = Land(seed, first_seq=2)
        crowd(land, "left", 100)
        land.passes(150)
        land.brain.gap()
        if stormy:
            land.brain.storms.armed("f1", 0)
        crowd(land, "left", 0)
        land.passes(20)
        land.brain.storms.cleared("f1", land.tick - 1)
        crowd(land, "resumed", 0)
        (back,) = land.passes()
        told.add(back.text)
    # Those of before are away still: nothing is said of everybody.
    assert len(told) == 3
    assert all("crowd" in text for text in told)


def test_what_went_before_a_storm_was_armed_did_not_go_in_it():
    land = Land(first_seq=2)
    land.brain.storms.armed("f1", 30)
    land.tick = 29
    crowd(land, "left", 0)
    (gone,) = land.passes()
    assert "storm" not in gone.text
