"""``MemoryLink`` and ``SocketLink`` keep the same contract: the feed's lanes."""

import asyncio

from engine.protocol.command import Mark
from engine.protocol.events import Event
from engine.protocol.feed import Ended, EventsView, Gap, Notice, Snapshot
from engine.protocol.limits import (
    EVENTS_PER_SNAPSHOT_MAX,
    NOTICES_FOR_NEWCOMERS_MAX,
    NOTICES_QUEUED_MAX,
)
from tests.contract.link_kit import Engine, until


async def test_the_newest_snapshot_wins(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    for at_s in range(50):
        engine.exchange.publish(Snapshot(run="r", at_s=float(at_s)))
    seen = []
    while not seen or seen[-1].at_s < 49:
        await asyncio.wait_for(link.wait(), 10)
        if (snapshot := link.take_snapshot()) is not None:
            seen.append(snapshot)
    assert len(seen) <= 3
    assert link.take_snapshot() is None


async def test_events_of_a_snapshot_nobody_took_are_kept_or_counted(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    sent = 3 * EVENTS_PER_SNAPSHOT_MAX
    for seq in range(1, sent + 1):
        event = Event(seq=seq, tick=1, kind="died", stream=1, version=seq)
        engine.exchange.publish(Snapshot(run="r", events=EventsView(tail=(event,))))
    shown: list[int] = []
    left_out = 0
    while not shown or shown[-1] < sent:
        await asyncio.wait_for(link.wait(), 10)
        if (snapshot := link.take_snapshot()) is not None:
            shown += [event.seq for event in snapshot.events.tail]
            left_out += snapshot.events.left_out
            assert len(snapshot.events.tail) <= EVENTS_PER_SNAPSHOT_MAX
    assert len(shown) + left_out == sent
    assert shown == sorted(shown)


async def test_notices_come_in_order(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    notices = [Notice(float(at_s), "mark", str(at_s)) for at_s in range(20)]
    for notice in notices:
        engine.exchange.publish(notice)
    taken: list[Notice | Gap] = []
    while len(taken) < len(notices):
        await asyncio.wait_for(link.wait(), 10)
        taken += link.take_notices()
    assert taken == notices


async def test_notices_that_did_not_fit_are_told_as_a_gap(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    sent = NOTICES_QUEUED_MAX + 100
    for at_s in range(sent):
        engine.exchange.publish(Notice(float(at_s), "mark", "x" * 500))
    kept, dropped = 0, 0
    while kept + dropped < sent:
        await asyncio.wait_for(link.wait(), 10)
        for item in link.take_notices():
            if isinstance(item, Gap):
                dropped += item.dropped
            else:
                kept += 1
    assert kept + dropped == sent
    assert dropped >= 100


async def test_a_reader_that_leaves_a_lane_alone_does_not_starve_the_others(
    engine: Engine,
) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    engine.exchange.publish(Notice(1.0, "mark", "untaken"))
    await asyncio.wait_for(link.wait(), 10)
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    for _ in range(3):
        await link.wait()
    assert ran.is_set()


async def test_a_newcomer_gets_the_present_snapshot(engine: Engine) -> None:
    engine.exchange.publish(Snapshot(run="r", at_s=3.0))
    link = await engine.link()
    await asyncio.wait_for(link.wait(), 10)
    snapshot = link.take_snapshot()
    assert snapshot is not None
    assert snapshot.at_s == 3.0


async def test_a_newcomer_gets_the_newest_notices_each_once(engine: Engine) -> None:
    early = await engine.link()
    await early.call(Mark("seated"))
    told = NOTICES_FOR_NEWCOMERS_MAX + 5
    for at_s in range(told):
        engine.exchange.publish(Notice(float(at_s), "mark", str(at_s)))
    late = await engine.link()
    await late.call(Mark("seated"))
    engine.exchange.publish(Notice(999.0, "mark", "after"))
    found: list[Notice | Gap] = []
    while not found or found[-1] != Notice(999.0, "mark", "after"):
        await asyncio.wait_for(late.wait(), 10)
        found += late.take_notices()
    times = [item.at_s for item in found if isinstance(item, Notice)]
    assert times == [*range(5, told), 999.0]
    seen: list[Notice | Gap] = []
    while len(seen) < told + 1:
        await asyncio.wait_for(early.wait(), 10)
        seen += early.take_notices()
    assert len(seen) == told + 1


async def test_overruns_do_not_crowd_out_what_a_newcomer_should_know(engine: Engine) -> None:
    engine.exchange.publish(Notice(1.0, "child_lost", "the world is gone"))
    for at_s in range(2 * NOTICES_FOR_NEWCOMERS_MAX):
        engine.exchange.publish(Notice(float(at_s), "overrun", "tick"))
    late = await engine.link()
    await asyncio.wait_for(late.wait(), 10)
    found = late.take_notices()
    assert len(found) == NOTICES_FOR_NEWCOMERS_MAX
    assert found[0] == Notice(1.0, "child_lost", "the world is gone")


async def test_the_end_is_the_last_item(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    engine.exchange.publish(Notice(1.0, "run", "stops"))
    engine.exchange.publish(Ended(1, "failed", "/capsule"))
    await until(lambda: link.ended is not None)
    assert link.ended == Ended(1, "failed", "/capsule")
    assert link.take_notices() == [Notice(1.0, "run", "stops")]
