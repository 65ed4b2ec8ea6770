"""Which stories are told, and in which words."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from engine.protocol.events import Event
from engine.protocol.limits import BEATS_AT_ONCE_MAX, TICKS_PER_BEAT
from narrative.director import Director
from narrative.faculty.base import Draft, cast, evidence, names
from narrative.realise import Teller
from tests.unit.narrative.kit import Land, npc, player


def draft(seq: int, weight: float, kind: str = "death", who: Sequence[int] = ()) -> Draft:
    event = Event(seq, seq // 10, "died", seq, 1)
    return Draft(kind, weight, ("{n} a", "{n} b", "{n} c"), {"n": seq}, (event,), tuple(who))


def test_about_one_beat_a_second_on_average_however_much_happens():
    director = Director()
    ticks = 2000
    told = 0
    for tick in range(ticks):
        drafts = [draft(tick * 10 + n, 5.0, f"k{n}", (tick * 10 + n,)) for n in range(8)]
        told += len(director.choose(tick, drafts))
    assert ticks / TICKS_PER_BEAT <= told <= ticks / TICKS_PER_BEAT + BEATS_AT_ONCE_MAX


def test_the_most_telling_comes_first_and_remarks_wait_for_a_quiet_time():
    director = Director()
    chosen = director.choose(0, [draft(1, 1.2), draft(2, 5.0, "feud"), draft(3, 2.6, "help")])
    assert [d.kind for d in chosen] == ["feud", "help"]
    assert director.choose(1, [draft(12, 1.2)]) == []
    assert len(director.choose(40, [draft(402, 1.2)])) == 1


def test_something_is_kept_for_what_everybody_must_hear_of():
    director = Director()
    for tick in range(100):
        director.choose(tick, [draft(tick * 10 + 1, 2.5, f"k{tick}", (tick,))])
    chosen = director.choose(100, [draft(1001, 5.8, "vanishing", (1,))])
    assert len(chosen) == 1


def test_what_weighs_much_waits_for_its_turn_but_not_for_ever():
    director = Director()
    crowd = [draft(n, 5.5, f"k{n}", (n,)) for n in range(1, 6)]
    told = director.choose(0, crowd)
    assert [d.newest.seq for d in told] == [1, 2, 3]
    assert [d.newest.seq for d in director.choose(12, [])] == [4]
    assert director.choose(60, []) == []


def test_the_newest_events_of_beats_only_ever_rise():
    director = Director()
    director.choose(0, [draft(50, 6.0)])
    assert director.choose(10, [draft(49, 6.0, "other"), draft(50, 6.0, "third")]) == []


def test_one_event_and_the_same_two_are_told_once_a_tick():
    director = Director()
    pair = (player(1), player(2))
    drafts = [
        draft(5, 5.0, "feud", pair),
        draft(5, 4.0, "death", (9, 8)),
        draft(6, 4.5, "duel", pair[::-1]),
    ]
    assert [d.kind for d in director.choose(0, drafts)] == ["feud"]


def test_a_kind_just_told_and_the_same_cast_weigh_less():
    director = Director()
    director.choose(0, [draft(1, 5.0, "death", (1, 2))])
    drafts = [draft(11, 3.0, "death", (3, 4)), draft(12, 2.9, "help", (5, 6))]
    assert [d.kind for d in director.choose(1, drafts)][:1] == ["help"]


def test_a_kind_is_never_told_in_the_same_words_twice_in_a_row():
    teller = Teller(3)
    texts = [teller.tell(draft(seq, 1.0)).text.split()[1] for seq in range(1, 200)]
    assert all(one != other for one, other in pairwise(texts))
    assert set(texts) == {"a", "b", "c"}


def test_the_seed_chooses_the_words():
    def told(seed: int) -> list[str]:
        teller = Teller(seed)
        return [teller.tell(draft(seq, 1.0)).text for seq in range(1, 40)]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_a_sentence_that_is_too_long_is_a_mistake_of_ours():
    long = Draft("x", 1.0, ("{n}",), {"n": "a" * 241}, (Event(1, 1, "died", 1, 1),), ())
    with pytest.raises(ValueError, match="241 characters"):
        Teller(1).tell(long)


def test_the_same_events_make_the_same_story():
    def story(seed: int) -> list[str]:
        land = Land(seed)
        for number in range(60):
            land.stands(npc(number % 5), 3)
            land.kills(player(number % 7), npc(number % 5), gold=number)
            land.passes(7)
        return [beat.text for beat in land.beats]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_small_words():
    assert names([npc(1)]) == "npc-1"
    assert names([npc(1), npc(2), npc(3)]) == "npc-1, npc-2 and npc-3"
    assert cast(0, 5, 5, 0, 6) == (5, 6)
    events = [Event(seq, 0, "died", 1, 1) for seq in range(1, 30)]
    assert [event.seq for event in evidence(*events[::-1])] == list(range(14, 30))
