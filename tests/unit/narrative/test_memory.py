"""What is remembered, within bounds, and what may be said of it."""

from engine.protocol.events import Event
from engine.protocol.limits import FAULTS_ARMED_MAX, STORY_ENTITIES_MAX
from narrative.memory import Memory, Places, Recent, Storms


def event(seq: int, tick: int) -> Event:
    return Event(seq, tick, "died", seq, 1)


def test_memory_forgets_who_was_quiet_for_the_longest():
    memory: Memory[int, list[int]] = Memory(3, list)
    for key in (1, 2, 3):
        memory.recall(key).append(key)
    memory.recall(1)
    memory.recall(4)
    assert list(memory) == [3, 1, 4]
    assert memory.peek(2) is None
    memory.keep(3, [3])
    memory.keep(5, [5])
    assert list(memory) == [4, 3, 5]
    memory.forget(3)
    assert len(memory) == 2


def test_places_know_where_everybody_was_last():
    places = Places()
    assert places.of(1, 9) is None
    places.see(Event(1, 0, "joined", 1, 1, a=(9000 << 16) | 100))
    assert places.of(1, 9) == (8, Event(1, 0, "joined", 1, 1, a=(9000 << 16) | 100))
    places.see(Event(2, 0, "moved", 1, 2, a=70_000, b=0))
    assert places.of(1, 9) is None, "outside the map is nowhere"
    places.see(Event(5, 0, "moved", 1, 3, a=9000, b=0))
    assert places.of(1, 5) == (1, Event(5, 0, "moved", 1, 3, a=9000, b=0))
    assert places.of(1, 4) is None, "there it was only later"


def test_places_go_on_learning_however_many_there_are():
    places = Places()
    for who in range(STORY_ENTITIES_MAX + 1):
        places.see(Event(who + 1, 0, "moved", who + 1, 1, a=9000, b=0))
    assert places.of(1, 2**40) is None, "who moved the longest ago is forgotten"
    assert places.of(2, 2**40) is not None
    assert places.of(STORY_ENTITIES_MAX + 1, 2**40) is not None


def test_the_recent_are_all_since_the_first_ones_tick():
    recent = Recent(3)
    for seq, tick in enumerate((5, 5, 6), 1):
        recent.add(event(seq, tick))
    assert (len(recent), recent.first.tick, recent.last.tick) == (3, 5, 6)
    recent.add(event(4, 7))
    # With one of tick 5 gone, "since tick 5" would be one too few.
    assert [one.seq for one in recent] == [3, 4]
    assert [one.seq for one in recent.evidence] == [3, 4]


def test_a_tick_with_more_than_can_be_remembered_does_not_count():
    recent = Recent(2)
    for seq in range(1, 6):
        recent.add(event(seq, 5))
    assert len(recent) == 0
    recent.add(event(9, 6))
    assert recent.newest == (event(9, 6),)


def test_what_is_old_or_cannot_be_named_drops_out():
    recent = Recent(9)
    for seq in (10, 20, 30):
        recent.add(event(seq, seq), event(seq - 9, seq - 9))
    recent.thin(10, lambda _: True)
    assert len(recent) == 3
    recent.thin(0, lambda one: one.seq > 1)
    assert [one.seq for one in recent] == [20, 30], "an event beside the first has gone"
    recent.thin(21, lambda _: True)
    assert [one.seq for one in recent] == [30]
    recent.thin(31, lambda _: True)
    assert not recent


def test_a_count_is_told_when_it_rises_past_what_was_told():
    recent = Recent(9)
    told = []
    for seq in range(1, 30):
        # Three at any time: one comes for each that goes.
        recent.thin(seq - 2, lambda _: True)
        recent.add(event(seq, seq))
        if recent.reached((3, 5)):
            told.append(seq)
    assert told == [3]
    for seq in (31, 32, 33, 34, 35):
        recent.thin(30, lambda _: True)
        recent.add(event(seq, seq))
        if recent.reached((3, 5)):
            told.append(seq)
    assert told == [3, 33, 35], "once nobody is left it begins anew"


def test_storms_that_overlap_rage_until_the_last_is_cleared():
    storms = Storms()
    assert not storms.rage(9)
    storms.armed("f1", 10)
    storms.armed("f2", 12)
    assert [storms.rage(tick) for tick in (9, 10, 14)] == [False, True, True]
    storms.cleared("f1", 15)
    assert storms.rage(16)
    storms.cleared("f2", 20)
    storms.cleared("f9", 20)
    assert storms.rage(20), "what is told may be ahead of the events"
    assert not storms.rage(21)


def test_storms_begin_anew_with_what_is_armed_now():
    storms = Storms()
    storms.armed("f1", 10)
    storms.renew([("f2", 12)])
    storms.cleared("f2", 13)
    assert not storms.rage(14)
    storms.renew()
    assert not storms.rage(15)


def test_storms_are_bounded():
    storms = Storms()
    for number in range(FAULTS_ARMED_MAX + 1):
        storms.armed(f"f{number}", 1)
    for number in range(1, FAULTS_ARMED_MAX + 1):
        storms.cleared(f"f{number}", 2)
    assert not storms.rage(3)
