"""Names and numbers that stand in the events, and those that do not."""

import re

import pytest

from engine.protocol.events import ENTITY_NAME, Event, entity_id, entity_name
from engine.protocol.grounding import entities_in, ungrounded, zone_in

MOVED = Event(40, 811, "moved", 100_007, 9, 100_007, a=4 * 8192 + 5, b=3 * 8192)
DIED = Event(41, 812, "died", 1_000_012, 3, 100_007, 1_000_012, 862, 2, cause=39)
LOOTED = Event(42, 812, "looted", 100_007, 10, 100_007, 1_000_012, 1250, -7)
SAID = Event(43, 813, "said", 1_000_012, 4, 1_000_012, text="give me 77 and 1,500 for npc-9")
ALL = (MOVED, DIED, LOOTED, SAID)


@pytest.mark.parametrize(
    "text",
    [
        "npc-7 killed player-12 in tick 812, event 41, of cause 39.",
        "It took 1,250 gold (1250!) and 7 goods.",
        "Npc-7 and PLAYER-12 met in zone 28.",
        "Four events tell it, 4 in all; one death.",
        "player-12: 77 or 1500, as was said.",
        "",
        "Nobody once heard of the first or the second.",
    ],
)
def test_grounded(text: str):
    assert ungrounded(text, ALL) == ()


@pytest.mark.parametrize(
    ("text", "loose"),
    [
        ("player-13 was there", ("player-13",)),
        ("npc-9 was named in a saying, but was in no event", ("npc-9",)),
        ("the year 1999", ("1999",)),
        ("zone 29 and zone 812", ("zone 29", "zone 812")),
        ("a dozen dead, five of them twice", ("dozen", "five")),
        ("1,251 gold, 3.5 each", ("1,251", "3.5")),
        ("½ of it, and ³", ("½", "³")),
        ("player-99999999999999999999999999 of 99999999999999999999999999", None),
        ("guest-1000012", ("guest-1000012",)),
    ],
)
def test_ungrounded(text: str, loose: tuple[str, ...] | None):
    found = ungrounded(text, ALL)
    assert len(found) == 2 if loose is None else found == loose


def test_with_no_event_nothing_is_grounded():
    assert ungrounded("player-1 at tick 5", ()) == ("player-1", "5")


def test_counts_are_of_all_of_a_kind_and_of_a_kind_by_whom():
    deaths = [
        Event(seq, 9, "died", 1_000_000 + seq, 1, 100_001 if seq < 94 else 100_002, a=9, b=1)
        for seq in range(90, 98)
    ]
    blow = Event(89, 9, "attacked", 1_000_090, 1, 100_001, a=100, b=0)
    for number, holds in ((9, True), (8, True), (4, True), (6, False), (7, False)):
        assert (ungrounded(f"{number} of them", [blow, *deaths]) == ()) == holds


def test_zones_and_entities():
    assert zone_in(MOVED) == 28
    assert zone_in(Event(1, 1, "joined", 5, 1, a=(65535 << 16) | 65535)) == 63
    assert zone_in(Event(1, 1, "moved", 5, 1, a=-1, b=0)) is None
    assert zone_in(DIED) is None
    assert entities_in([Event(1, 1, "world_started", 0, 1), DIED]) == {1_000_012, 100_007}


@pytest.mark.parametrize("entity", [1, 99_999, 100_007, 1_000_012, 2_000_001])
def test_every_name_is_seen_as_a_name(entity: int):
    name = entity_name(entity)
    assert re.findall(ENTITY_NAME, f"({name}, x{name})") == [name]
    assert entity_id(name) == entity
    assert ungrounded(f"{name} was there", [Event(1, 1, "died", entity, 1)]) == ()
