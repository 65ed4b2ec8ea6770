"""Each shape of story, from events made by hand."""

import pytest

from engine.protocol.events import EVENT_KINDS
from narrative.brain import KINDS
from tests.unit.narrative.kit import Land, kinds, npc, player

FEW = 3 * 10
"""Ticks after which the narrator may tell whatever weighs anything."""


def test_a_killing_and_its_loot_are_one_beat():
    land = Land(first_seq=2)
    land.stands(npc(7), 12)
    land.kills(player(12), npc(7), gold=40, goods=3)
    (beat,) = land.passes()
    assert beat.kind == "death"
    assert beat.cast == (player(12), npc(7))
    for word in ("player-12", "npc-7", "40", "3 goods", "zone 12"):
        assert word in beat.text
    assert [land.events[seq].kind for seq in beat.events] == ["moved", "died", "looted"]


def test_loot_of_another_death_is_not_told_with_this_one():
    land = Land(first_seq=2)
    died = land.kills(player(1), npc(1))
    land.happens("looted", player(2), target=npc(2), a=49, cause=died.seq)
    (beat,) = land.passes()
    assert "49" not in beat.text


@pytest.mark.parametrize("world", ["died", "attacked", "looted", "left", "joined"])
def test_the_world_itself_is_nobody(world: str):
    land = Land()
    land.happens(world, 0, actor=0)
    assert land.passes() == []


def test_a_death_that_is_paid_back_is_a_feud():
    land = Land(first_seq=2)
    land.kills(player(1), player(2))
    land.passes(FEW)
    land.kills(player(2), player(1))
    (beat,) = land.passes()
    assert beat.kind == "feud"
    assert [land.events[seq].kind for seq in beat.events] == ["died", "died"]
    assert beat.cast == (player(2), player(1))


def test_a_second_death_by_the_same_hand_is_a_feud_too():
    land = Land(first_seq=2)
    for _ in range(2):
        land.kills(player(1), player(2))
        land.passes(FEW)
    assert kinds(land.beats) == ["death", "feud"]


def test_two_who_meet_again_and_again():
    land = Land(first_seq=2)
    for meeting in range(3):
        for _ in range(2):
            land.hits(player(1 + meeting % 2), player(2 - meeting % 2))
            assert meeting == 2 or land.passes() == []
        land.passes(150)
    (beat,) = land.beats
    assert (beat.kind, len(beat.events)) == ("feud", 3)
    land.hits(player(1), player(3))
    assert land.passes() == []


def test_a_rampage_grows_and_ends():
    land = Land(first_seq=2)
    for victim in range(10, 15):
        land.kills(player(1), player(victim))
        land.passes(FEW)
    land.kills(npc(5), player(1))
    land.passes()
    first, second, end = land.told("rampage")
    assert [len(beat.events) for beat in (first, second, end)] == [3, 5, 6]
    assert first.cast[0] == player(1)
    assert end.cast[:2] == (npc(5), player(1))
    assert second.cast[:2] == (player(1), player(14))
    # Who died has begun anew.
    land.passes(FEW)
    land.kills(player(1), player(20))
    assert kinds(land.passes()) == ["death"]


def test_kills_far_apart_are_no_rampage():
    land = Land(first_seq=2)
    for victim in range(10, 16):
        land.kills(player(1), player(victim))
        land.passes(700)
    assert land.told("rampage") == []


def test_records_of_loot_are_told_against_the_one_before():
    land = Land(first_seq=2)
    for who, gold in ((1, 60), (2, 55), (3, 90)):
        land.happens("looted", player(who), target=npc(1), a=gold)
        land.passes(100)
    first, record = land.told("fortune")
    assert "60" in first.text
    assert "90" in record.text
    assert "player-3" in record.text
    assert "player-1" in record.text
    # This brain has not seen the world begin: nothing is the richest ever.
    assert "Never" not in record.text
    assert "so far" not in record.text


def test_a_great_bargain_and_a_busy_merchant():
    land = Land(first_seq=2)
    land.happens("traded", player(1), target=npc(3), a=-30, b=-60)
    (bargain,) = land.passes(100)
    assert "player-1" in bargain.text
    assert "60 gold" in bargain.text
    for _ in range(8):
        land.happens("traded", player(2), target=npc(3), a=-5, b=-10)
        land.passes(20)
    assert [(b.kind, len(b.events)) for b in land.beats[1:]] == [("fortune", 8)]
    assert land.beats[-1].cast[0] == player(2)
    # It counts whoever asked for the sale; who buys is no merchant.
    for _ in range(8):
        land.happens("traded", player(4), target=npc(8), a=1, b=2)
        land.passes(20)
    assert land.beats[-1].cast == (npc(8), player(4))
    assert [(b.kind, len(b.events)) for b in land.beats[1:]] == [("fortune", 8)] * 2


def test_only_who_saw_the_world_begin_says_who_is_first():
    for first_seq, first in ((1, True), (2, False)):
        land = Land(first_seq=first_seq)
        land.happens("world_started", 0, actor=0)
        land.passes(FEW)
        land.happens("levelled_up", player(4), a=5, b=4)
        (beat,) = land.passes(FEW)
        assert beat.kind == "rise"
        assert ("first" in beat.text or "before anybody" in beat.text) == first


def test_who_rises_above_whom():
    land = Land()
    land.happens("world_started", 0, actor=0)
    land.passes(FEW)
    for who, level in ((1, 3), (2, 3), (3, 4)):
        land.happens("levelled_up", player(who), a=level, b=level - 1)
        land.passes(100)
    one, other = land.told("rise")
    assert one.cast == (player(1),)
    assert other.cast == (player(3), player(1))


def test_stages_of_life():
    land = Land(first_seq=2)
    land.happens("stage_changed", player(1), a=2, b=1)
    land.passes(FEW)
    land.happens("stage_changed", player(2), a=3, b=2)
    land.passes(FEW)
    land.happens("stage_changed", player(2), a=1, b=0)
    land.passes(FEW)
    assert kinds(land.beats) == ["rise", "fall"]


@pytest.mark.parametrize("helpers", [0, 1, 2])
def test_a_call_for_help_and_who_answered(helpers: int):
    land = Land(first_seq=2)
    call = land.happens("called_for_help", npc(1), target=player(9))
    for helper in range(helpers):
        land.happens(
            "retaliated", player(9), actor=npc(2 + helper), target=player(9), cause=call.seq
        )
    # The caller's own blow is no answer, nor is one against somebody else.
    land.happens("retaliated", player(9), actor=npc(8), target=player(9), cause=call.seq - 1)
    (beat,) = land.passes()
    assert beat.kind == "help"
    assert "npc-1" in beat.text
    assert len(beat.events) == 1 + helpers
    assert "npc-8" not in beat.text
    for helper in range(helpers):
        assert f"npc-{2 + helper}" in beat.text


@pytest.mark.parametrize("slayer", [npc(1), player(3)])
def test_nobody_is_missed_when_the_foe_is_dead_already(slayer: int):
    land = Land(first_seq=2)
    call = land.happens("called_for_help", npc(1), target=player(9))
    own = land.happens("retaliated", player(9), actor=npc(1), target=player(9), cause=call.seq - 1)
    land.happens("died", player(9), actor=slayer, target=player(9), cause=own.seq)
    assert kinds(land.passes()) == ["death"]


def test_who_came_too_late_is_no_rescuer():
    land = Land(first_seq=2)
    call = land.happens("called_for_help", npc(1), target=player(9))
    blow = land.happens("retaliated", player(9), actor=npc(2), target=player(9), cause=call.seq)
    land.happens("died", player(9), actor=npc(2), target=player(9), cause=blow.seq)
    land.happens("died", npc(1), actor=player(3), target=npc(1))
    land.passes()
    (beat,) = land.told("help")
    assert [land.events[seq].kind for seq in beat.events] == ["called_for_help", "retaliated"]


def test_a_rescue():
    land = Land(first_seq=2)
    call = land.happens("called_for_help", npc(1), target=player(9))
    blow = land.happens("retaliated", player(9), actor=npc(2), target=player(9), cause=call.seq)
    land.happens("died", player(9), actor=npc(2), target=player(9), cause=blow.seq)
    (beat,) = land.passes()
    assert (beat.kind, beat.cast) == ("help", (npc(1), npc(2), player(9)))


def test_a_zone_becomes_a_battlefield_and_falls_quiet():
    land = Land(first_seq=2)
    for number in range(3):
        land.stands(npc(number), 28)
        land.kills(player(10 + number), npc(number))
        land.passes(20)
    battle = land.beats[-1]
    assert battle.kind == "battle"
    assert "28" in battle.text
    assert len(battle.events) == 6
    land.stands(player(50), 28)
    assert land.passes(299) == [], "the dead are still warm"
    land.stands(player(51), 27)
    assert land.passes(1) == []
    land.stands(player(52), 28)
    (peace,) = land.passes()
    assert peace.kind == "peace"
    assert peace.cast == (player(52), npc(2))
    land.stands(player(53), 28)
    assert land.passes() == [], "told once"


def test_the_world_falls_silent_and_wakes_and_its_people_come_back():
    land = Land(first_seq=2)
    for number in range(40):
        land.happens("joined", player(number), b=100)
    land.passes(31)
    last = land.hits(player(1), player(2))
    land.passes()
    started = land.happens("world_started", 0, actor=0, a=1, b=40)
    for number in range(40):
        land.happens("disconnected", player(number), cause=started.seq)
    (woke,) = land.passes(20)
    assert woke.kind == "silence"
    assert woke.events == (last.seq, started.seq)
    for word in (f"tick {last.tick}", f"tick {started.tick}", "40 souls"):
        assert word in woke.text.lower()
    for number in range(40):
        land.happens("resumed", player(number))
        land.passes()
    (back,) = land.told("return")
    assert back.cast == (player(35), player(0))
    assert land.told("vanishing") == []


def test_a_crowd_vanishes_and_returns_and_vanishes_again():
    land = Land(first_seq=2)
    for _ in range(2):
        for number in range(30):
            land.happens("left", player(number))
        (gone,) = land.passes(50)
        assert gone.kind == "vanishing"
        assert len(gone.events) == 16
        assert "player-0, player-1 and player-2" in gone.text
        for number in range(30):
            land.happens("resumed", player(number))
        (back,) = land.passes(200)
        # At nine in ten they count as back.
        assert back.cast == (player(26), player(0))
        land.happens("left", player(99))
        land.passes(300)
    assert kinds(land.beats) == ["vanishing", "return"] * 2


def test_a_few_who_leave_one_by_one_are_no_crowd():
    land = Land(first_seq=2)
    for number in range(40):
        land.happens("left", player(number))
        land.passes(5)
    assert land.beats == []


def test_the_dawn_and_the_first_soul():
    land = Land()
    land.happens("world_started", 0, actor=0)
    land.passes(FEW)
    land.happens("joined", player(3), b=100)
    land.happens("joined", player(4), b=100)
    land.passes()
    dawn, first = land.told("dawn")
    assert dawn.cast == ()
    assert first.cast == (player(3),)


def test_every_kind_that_is_asked_for_exists():
    assert set(KINDS) <= set(EVENT_KINDS)
