"""What a stream tells: order, gaps, and nothing that grows."""

from typing import Any

import msgspec
import pytest

from engine.admin.errors import Problem
from engine.admin.follow import Follow, Wish, wish_of
from engine.admin.service import ArmedFault, FaultNews
from engine.protocol.events import EVENT_CODE
from engine.protocol.feed import Ended, FaultView, Snapshot, StoryView
from engine.protocol.limits import STREAM_EVENTS_PER_MESSAGE_MAX
from engine.protocol.story import Beat
from engine.world.events import TickEvents
from tests.unit.admin.fakes import FakeService, figures_of, tick_of

LAG = 50_000


async def told(follow: Follow) -> list[dict[str, Any]]:
    return [msgspec.json.decode(message) async for message in follow.pending()]


def spans(messages: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(m["first_seq"], m["last_seq"]) for m in messages if m["type"] == "events"]


async def test_catches_up_then_goes_live_once(service: FakeService):
    follow = Follow(service, Wish(after_seq=0), LAG)
    assert msgspec.json.decode(follow.hello()) == {
        "type": "hello",
        "run": service.run,
        "interval_ms": 100,
        "topics": ["events"],
        "after_seq": 0,
        "last_seq": 6,
    }
    messages = await told(follow)
    assert [m["type"] for m in messages] == ["events", "events", "events", "live"]
    assert spans(messages) == [(1, 3), (4, 4), (5, 6)]
    assert [e["seq"] for m in messages[:-1] for e in m["events"]] == [1, 2, 3, 4, 5, 6]
    assert messages[-1] == {"type": "live", "last_seq": 6}
    assert await told(follow) == []
    service.ticks.append(tick_of(5, 7, ["said"], {0: "hi"}))
    (message,) = await told(follow)
    assert message["events"][0]["text"] == "hi"


async def test_begins_in_the_middle_of_a_tick(service: FakeService):
    messages = await told(Follow(service, Wish(after_seq=2), LAG))
    assert spans(messages) == [(3, 3), (4, 4), (5, 6)]
    assert [e["seq"] for e in messages[0]["events"]] == [3]


async def test_without_a_beginning_only_what_happens_now(service: FakeService):
    follow = Follow(service, Wish(), LAG)
    assert await told(follow) == []
    service.ticks.append(tick_of(5, 7, ["said"]))
    assert spans(await told(follow)) == [(7, 7)]


async def test_filtered_messages_still_account_for_every_event(service: FakeService):
    kinds = (EVENT_CODE["joined"], EVENT_CODE["died"])
    follow = Follow(service, Wish(after_seq=0, kinds=kinds), LAG)
    messages = await told(follow)
    assert spans(messages) == [(1, 3), (4, 6)]
    assert [e["kind"] for m in messages[:-1] for e in m["events"]] == ["joined", "died"]


async def test_a_large_tick_comes_in_several_messages(service: FakeService):
    count = 2 * STREAM_EVENTS_PER_MESSAGE_MAX + 5
    service.ticks = [tick_of(1, 1, ["moved"] * count)]
    messages = (await told(Follow(service, Wish(after_seq=0), LAG)))[:-1]
    most = STREAM_EVENTS_PER_MESSAGE_MAX
    assert spans(messages) == [(1, most), (most + 1, 2 * most), (2 * most + 1, count)]
    assert sum(len(m["events"]) for m in messages) == count


async def test_what_cannot_be_had_is_a_told_gap(service: FakeService):
    del service.ticks[1]
    messages = await told(Follow(service, Wish(after_seq=0), LAG))
    assert messages[1] == {
        "type": "gap",
        "topic": "events",
        "first": 4,
        "last": 4,
        "count": 1,
        "why": "lost",
    }
    assert spans(messages) == [(1, 3), (5, 6)]


def accounted(messages: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """Return what messages about events account for, gaps too."""
    return [
        (m["type"], m.get("first_seq", m.get("first")), m.get("last_seq", m.get("last")))
        for m in messages
        if m["type"] in {"events", "gap"}
    ]


def quiet_ticks_and_a_hole() -> list[TickEvents]:
    """Return 1 death, 899 moves, a hole from 901 to 905, and a death."""
    moves = [tick_of(n, 2 + 31 * (n - 2), ["moved"] * 31) for n in range(2, 31)]
    assert moves[-1].last_seq == 900
    return [tick_of(1, 1, ["died"]), *moves, tick_of(40, 906, ["moved", "died"])]


async def test_a_gap_with_kinds_claims_only_what_was_lost(service: FakeService):
    service.ticks = quiet_ticks_and_a_hole()
    messages = await told(Follow(service, Wish(after_seq=0, kinds=(EVENT_CODE["died"],)), LAG))
    gap = messages[2]
    assert (gap["first"], gap["last"], gap["count"], gap["why"]) == (901, 905, 5, "lost")
    assert accounted(messages) == [
        ("events", 1, 1),
        ("events", 2, 900),
        ("gap", 901, 905),
        ("events", 906, 907),
    ]
    assert (messages[1]["tick"], messages[1]["events"]) == (30, [])


async def test_a_gap_among_violations_claims_only_what_was_lost(service: FakeService):
    service.ticks = quiet_ticks_and_a_hole()
    messages = await told(Follow(service, Wish(topics=("violations",), after_seq=0), LAG))
    assert messages == [
        {
            "type": "gap",
            "topic": "violations",
            "first": 901,
            "last": 905,
            "count": 5,
            "why": "lost",
        },
        {"type": "live", "last_seq": 907},
    ]


async def test_a_slow_stream_of_few_kinds_is_told_what_it_missed_and_no_more(
    service: FakeService,
):
    follow = Follow(service, Wish(kinds=(EVENT_CODE["died"],)), lag_events_max=10)
    service.ticks.append(tick_of(5, 7, ["moved"] * 4))
    assert await told(follow) == []
    service.ticks.append(tick_of(6, 11, ["moved"] * 30))
    assert accounted(await told(follow)) == [("events", 7, 10), ("gap", 11, 40)]
    service.ticks.append(tick_of(7, 41, ["died"]))
    assert accounted(await told(follow)) == [("events", 41, 41)]


async def test_a_live_stream_too_far_behind_is_told_a_gap_and_goes_on_with_the_newest(
    service: FakeService,
):
    follow = Follow(service, Wish(), lag_events_max=10)
    for number in range(20):
        service.ticks.append(tick_of(5 + number, 7 + 2 * number, ["moved", "moved"]))
    (gap,) = await told(follow)
    assert gap["why"] == "slow"
    assert (gap["first"], gap["last"], gap["count"]) == (7, 46, 40)
    service.ticks.append(tick_of(30, 47, ["died"]))
    assert spans(await told(follow)) == [(47, 47)]


async def test_one_that_falls_behind_while_it_is_told_is_told_a_gap_too(service: FakeService):
    follow = Follow(service, Wish(), lag_events_max=4)
    service.ticks += [tick_of(5, 7, ["moved", "moved"]), tick_of(6, 9, ["moved"])]
    seen = []
    async for raw in follow.pending():
        message = msgspec.json.decode(raw)
        seen.append(message)
        if len(seen) == 1:  # its client takes long over the first message
            service.ticks.append(tick_of(7, 10, ["moved"] * 50))
    assert [m["type"] for m in seen] == ["events", "gap"]
    assert (seen[1]["first"], seen[1]["last"]) == (9, 59)


async def test_catching_up_is_complete_however_far_behind(service: FakeService):
    messages = await told(Follow(service, Wish(after_seq=0), lag_events_max=1))
    assert spans(messages) == [(1, 3), (4, 4), (5, 6)]


async def test_violations(service: FakeService):
    texts = {0: "speed: too far", 1: "reach: 3 tiles", 3: "hp_bounds: 9 of 8"}
    service.ticks = [tick_of(3, 1, ["moved", "denied", "moved", "invariant_broken"], texts)]
    messages = await told(Follow(service, Wish(topics=("violations",), after_seq=0), LAG))
    assert [m["type"] for m in messages] == ["violations", "live"]
    found = [(v["seq"], v["policy"], v["reason"], v["critical"]) for v in messages[0]["violations"]]
    assert found == [
        (1, "speed", "too far", False),
        (2, "reach", "3 tiles", False),
        (4, "hp_bounds", "9 of 8", True),
    ]


async def test_ticks_beats_and_faults_with_their_gaps(service: FakeService):
    service.snapshot = Snapshot("r", story=StoryView(beats=2))
    follow = Follow(service, Wish(topics=("ticks", "story", "faults")), LAG)
    assert await told(follow) == []
    service.figures = [figures_of(5), figures_of(6)]
    service.beats = [Beat(3, 1.0, 5, "death", "x", (4,))]
    service.news = [FaultNews(2, "armed", 41, FaultView("f1", "kill", "world", 1.0, 5.0))]
    messages = await told(follow)
    assert [m["type"] for m in messages] == ["ticks", "beat", "gap", "fault"]
    assert [row["tick"] for row in messages[0]["ticks"]] == [5, 6]
    assert (messages[2]["topic"], messages[2]["first"], messages[2]["last"]) == ("faults", 1, 1)
    assert (messages[3]["what"], messages[3]["tick"]) == ("armed", 41)
    service.figures = [figures_of(9)]
    gap, _ = await told(follow)
    assert (gap["topic"], gap["first"], gap["last"], gap["count"]) == ("ticks", 7, 8, 2)


async def test_who_follows_faults_begins_with_those_that_are_armed(service: FakeService):
    storm = ArmedFault(40, FaultView("f1", "disconnect-storm", "5 %", 1.0, 5.0))
    service.faults_armed = (storm,)
    follow = Follow(service, Wish(topics=("faults",)), LAG)
    service.faults_armed = ()
    # As it was when the stream began: what came after that is told, and not only shown.
    (armed,) = msgspec.json.decode(follow.hello())["armed"]
    assert (armed["tick"], armed["fault"]["id"]) == (40, "f1")
    service.faults_armed = (storm,)
    assert "armed" not in msgspec.json.decode(Follow(service, Wish(), LAG).hello())


async def test_the_end(service: FakeService):
    follow = Follow(service, Wish(), LAG)
    assert follow.ended() is None
    service.ended = Ended(1, "a threshold failed")
    last = follow.ended()
    assert last is not None
    assert msgspec.json.decode(last) == {
        "type": "ended",
        "exit_code": 1,
        "text": "a threshold failed",
    }


def test_wishes():
    assert wish_of([]) == Wish()
    wish = wish_of([("topics", "story,events"), ("after_seq", "0"), ("kinds", "died,said")])
    assert wish == Wish(("events", "story"), 0, (EVENT_CODE["died"], EVENT_CODE["said"]))


@pytest.mark.parametrize(
    ("parameters", "field", "hint"),
    [
        ([("topic", "events")], "topic", "topics"),
        ([("topics", "evnts")], "topics", "events"),
        ([("topics", "")], "topics", "allowed"),
        ([("after_seq", "-1")], "after_seq", "sequence"),
        ([("after_seq", "1" * 19)], "after_seq", "sequence"),
        ([("after_seq", "²")], "after_seq", "sequence"),
        ([("kinds", "movd")], "kinds", "moved"),
        ([("kinds", "x" * 500)], "kinds", "256"),
        ([("after_seq", "1"), ("after_seq", "2")], "after_seq", "once"),
    ],
)
def test_wrong_wishes_name_the_parameter(parameters: list[tuple[str, str]], field: str, hint: str):
    with pytest.raises(Problem) as caught:
        wish_of(parameters)
    assert caught.value.code == "bad_request"
    assert caught.value.field == field
    assert hint in caught.value.message
