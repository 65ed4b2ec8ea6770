"""The hub's story: what is taken, what is turned away, what is kept."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from engine.hub.embedded import Embedded
from engine.hub.eventlog import EventLog
from engine.hub.placement import LocalPlacement
from engine.hub.story import Story
from engine.protocol.limits import (
    BEAT_TAIL_MAX,
    BEATS_KEPT_MAX,
    BEATS_PER_POST_MAX,
    EVENTS_RING_MAX,
)
from engine.protocol.query import Refused, StoryAnswer, StoryQuery
from engine.protocol.story import Beat, Judged, NewBeat, StoryView, TurnedAway
from engine.protocol.summary import StorySummary, Summary
from tests.unit.hub.fakes import Stage, event_batch, run_spec

NPC, PLAYER = 100_007, 1_000_012
TICKS = 2000


def log(ticks: int = TICKS) -> EventLog:
    """Return a log in which an NPC kills a player in every tick, in event 2 * tick + 1."""
    made = EventLog()
    for tick in range(ticks):
        blow = {"kind": "attacked", "stream": PLAYER, "actor": NPC, "a": 9}
        died = {"kind": "died", "stream": PLAYER, "actor": NPC, "a": tick + 50, "b": 3}
        made.take(event_batch(tick, 2 * tick + 1, [blow, died]))
    return made


def beat(tick: int = 5, text: str = "npc-7 killed player-12", **changes: object) -> NewBeat:
    plain = NewBeat(tick, "death", text, (2 * tick + 2,), (NPC, PLAYER))
    return msgspec.structs.replace(plain, **changes)


def take(story: Story, *beats: NewBeat, at_s: float = 1.0) -> Judged:
    judged = story.take(beats, at_s)
    assert isinstance(judged, Judged)
    return judged


def test_beats_are_numbered_kept_and_shown():
    kept: list[Beat] = []
    story = Story(log(), kept.append)
    assert story.view() == StoryView()
    assert story.summary() is None
    assert take(story, beat(5), beat(6), at_s=12.3456) == Judged("beats taken: 2", 2, 0, ())
    assert [b.number for b in kept] == [1, 2]
    assert kept[0] == Beat(1, 12.346, 5, "death", "npc-7 killed player-12", (12,), (NPC, PLAYER))
    assert story.view() == StoryView(2, 0, "off", tuple(kept))
    assert story.summary() == StorySummary(2, 100.0)


def test_the_ring_and_the_tail_are_bounded():
    story = Story(log())
    count = BEATS_KEPT_MAX + 20
    for tick in range(count):
        assert take(story, beat(tick), at_s=float(tick)).taken == 1
    view = story.view()
    assert (view.beats, len(view.tail)) == (count, BEAT_TAIL_MAX)
    answer = story.answer(StoryQuery(after=1, limit=3))
    assert isinstance(answer, StoryAnswer)
    assert [b.number for b in answer.rows] == [21, 22, 23], "what is gone is gone"


def test_questions():
    story = Story(log())
    assert story.answer(StoryQuery()) == StoryAnswer(0, ())
    story.take([beat(tick) for tick in range(10)], 1.0)

    def numbers(query: StoryQuery) -> list[int]:
        return [b.number for b in story.answer(query).rows]

    assert numbers(StoryQuery(limit=1)) == [10]
    assert numbers(StoryQuery(limit=3)) == [8, 9, 10]
    assert numbers(StoryQuery(after=4, limit=2)) == [5, 6]
    assert numbers(StoryQuery(after=10)) == []
    assert story.answer(StoryQuery(limit=1)).beats == 10


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (beat(text="npc-8 killed player-12"), "'npc-8' stands in none"),
        (beat(text="npc-7 killed player-12 for 40 gold"), "'40' stands in none"),
        (beat(cast=(NPC, 1_000_013)), "player-13 stands in none"),
        (beat(events=(12, 11)), "ascending"),
        (beat(events=(12, 12)), "ascending"),
        (beat(events=(99_999,)), "event 99999 is not among those"),
        (beat(tick=6, events=(12,)), "it says tick 6; its newest event is of tick 5"),
        (beat(text="\x1b[2Jnpc-7", tick=7), "'2' stands in none"),
    ],
)
def test_what_is_turned_away_says_why_and_is_counted(bad: NewBeat, why: str):
    story = Story(log())
    judged = take(story, bad)
    assert judged.taken == 0
    assert [one.beat for one in judged.turned_away] == [0]
    assert why in judged.turned_away[0].why
    assert why in judged.text
    assert story.view() == StoryView(0, 1, "off", ())
    assert story.summary() == StorySummary(0, 0.0)


def test_a_bad_beat_does_not_take_the_others_with_it():
    story = Story(log())
    judged = take(story, beat(1), beat(2, "npc-9 did it"), beat(3))
    why = "'npc-9' stands in none of its events"
    text = f"beats taken: 2; turned away: 1 ({why})"
    assert judged == Judged(text, 2, 0, (TurnedAway(1, why),))
    assert story.summary() == StorySummary(2, 66.667)


def test_what_is_told_again_is_taken_once():
    story = Story(log())
    assert take(story, beat(1), beat(2)).taken == 2
    assert take(story, beat(1), beat(2)) == Judged("beats taken: 0", 0, 2, ())
    assert story.view().beats == 2
    assert story.view().ungrounded == 0


def test_what_is_told_again_is_turned_away_once():
    story = Story(log())
    bad = beat(2, "npc-9 did it")
    first = take(story, beat(1), bad)
    again = take(story, bad)
    assert [one.why for one in again.turned_away] == [one.why for one in first.turned_away]
    assert (again.taken, again.known) == (0, 1)
    assert story.view().ungrounded == 1
    assert story.summary() == StorySummary(1, 50.0)
    assert take(story, beat(3, "npc-9 did it")).known == 0, "another one"
    assert story.view().ungrounded == 2


def test_events_that_have_left_the_ring_cannot_be_checked():
    known = log(3)
    first = 7
    while first < EVENTS_RING_MAX + 60_000:
        moves = [{"kind": "moved", "stream": NPC, "actor": NPC}] * 20_000
        known.take(event_batch(first, first, moves))
        first += 20_000
    judged = take(Story(known), beat(1))
    assert judged.taken == 0
    assert "event 4 is not among those that can be checked" in judged.text


def test_too_many_at_once():
    story = Story(log())
    refused = story.take([beat(n) for n in range(BEATS_PER_POST_MAX + 1)], 1.0)
    assert isinstance(refused, Refused)
    assert f"allowed are {BEATS_PER_POST_MAX}" in refused.message
    assert story.view() == StoryView(), "none of it was looked at"


def test_control_characters_never_come_through():
    story = Story(log())
    story.take((beat(text="npc-7\n\x1b killed\u202e player-12", kind="de\x07ath"),), 1.0)
    (told,) = story.view().tail
    assert told.text.isprintable()
    assert told.kind.isprintable()


def test_a_narrator_that_told_nothing_is_in_the_summary():
    story = Story(log())
    story.narrator = "gone"
    assert story.summary() == StorySummary(0, 100.0)


def test_events_by_number():
    known = log(4)
    found = known.event(4)
    assert found is not None
    assert (found.seq, found.tick, found.kind) == (4, 1, "died")
    assert known.event(0) is None
    assert known.event(9) is None
    assert EventLog().event(1) is None
    # A hole: events that never came.
    known.take(event_batch(9, 20, [{"kind": "died", "stream": 5}]))
    assert known.event(15) is None
    assert known.event(20) is not None


async def test_a_beat_goes_to_the_snapshot_the_query_the_summary_and_the_capsule(tmp_path: Path):
    engine = Embedded(run_spec(tmp_path), LocalPlacement(Stage().serve()))
    link = await engine.start()
    story = engine.engine.hub.fold.story
    async with asyncio.timeout(20):
        while engine.engine.hub.fold.log.last_seq < 5:
            await asyncio.sleep(0.01)
        told = NewBeat(3, "death", "node-1 died at tick 3", (3,), (2,))
        assert take(story, told, at_s=1.25).taken == 1
        answer = await link.ask(StoryQuery())
        assert isinstance(answer, StoryAnswer)
        assert [b.text for b in answer.rows] == ["node-1 died at tick 3"]
        while (snapshot := link.take_snapshot()) is None or not snapshot.story.beats:
            await link.wait()
        assert snapshot.story.tail == answer.rows
    await engine.aclose()
    folder = tmp_path / "runs" / "r1"
    summary = msgspec.json.decode((folder / "summary.json").read_bytes(), type=Summary)
    assert summary.story == StorySummary(1, 100.0)
    with closing(sqlite3.connect(folder / "telemetry.db")) as database:
        rows = database.execute("SELECT * FROM beats").fetchall()
    assert rows == [(1, 1.25, 3, "death", "node-1 died at tick 3", "[3]", "[2]")]
