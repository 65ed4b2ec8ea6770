"""Whoever follows a log gets every event once and in order, or is told which it does not get."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.protocol.events import Event
from engine.protocol.limits import LOG_TICKS_READ_MAX, PLAYER_ID_BASE
from engine.store.base import EventStore, TickRecord
from engine.store.memory import MemoryStore
from engine.store.recover import recover
from engine.store.sqlite import SqliteStore
from engine.store.subscription import FileSource, Gap, Source, StoreSource, Subscription
from engine.world.events import TickEvents, to_events
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig

CONFIG = WorldConfig(seed=5, npcs=10, nodes=5, capacity=64)
PATIENCE_S = 60.0


@dataclass
class Log:
    """A log, how it is followed, and the world that writes it."""

    store: EventStore
    source: Source
    world: World

    def write(self, ticks: int) -> None:
        for _ in range(ticks):
            write(self.store, self.world)


def write(store: EventStore, world: World) -> None:
    """Step a world of ten players, of whom nobody does anything in every third tick."""
    tick = world.tick
    joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(10)] if tick == 3 else []
    rows = [(PLAYER_ID_BASE + n, tick, 5, 0, 0, 0, 0) for n in range(10)]
    inputs = TickInputs.of(rows if tick > 3 and tick % 3 else [], joins=joins)
    store.append(TickRecord.of(world.step(inputs), inputs))


@pytest.fixture(params=["sqlite", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    path = tmp_path / "events.db"
    store: EventStore = SqliteStore(path) if request.param == "sqlite" else MemoryStore()
    source = FileSource(path) if request.param == "sqlite" else StoreSource(store)
    yield Log(store, source, World.create(CONFIG))
    store.close()


def _drain(subscription: Subscription) -> list[TickEvents | Gap]:
    found: list[TickEvents | Gap] = []
    while items := subscription.poll():
        found += items
        assert subscription.position == items[-1].last_seq
    return found


def _events(items: list[TickEvents | Gap]) -> list[Event]:
    ticks = [item for item in items if isinstance(item, TickEvents)]
    return [event for tick in ticks for event in to_events(tick.block, tick.tick)]


def test_everything_from_any_event(log: Log) -> None:
    log.write(3 * LOG_TICKS_READ_MAX)
    everything = log.store.events(0, 100_000)
    assert len(everything) > 500
    for position in (0, 1, 12, 13, len(everything) - 1, len(everything)):
        assert _events(_drain(Subscription(log.source, position))) == everything[position:]


def test_what_is_written_meanwhile_and_where_one_left_off(log: Log) -> None:
    subscription = Subscription(log.source)
    assert subscription.poll() == []
    seen: list[Event] = []
    for number in range(40):
        log.write(number % 4)
        if number % 5 == 0:  # the consumer was restarted
            subscription = Subscription(log.source, subscription.position)
        seen += _events(_drain(subscription))
    assert seen == log.store.events(0, 100_000)


@pytest.mark.parametrize("lag", [1, 7, 30, 10_000])
def test_who_lags_too_far_is_told_which_events_it_does_not_get(log: Log, lag: int) -> None:
    subscription = Subscription(log.source, lag_events_max=lag)
    expected = 1
    for ticks in (20, 1, 0, 2, 40, 1):
        log.write(ticks)
        for item in _drain(subscription):
            assert item.first_seq == expected
            if isinstance(item, TickEvents):
                assert [event.seq for event in _events([item])] == list(
                    range(item.first_seq, item.last_seq + 1)
                )
            else:
                last = log.store.last()
                assert last is not None
                assert item.last_seq == last.seq - lag
            expected = item.last_seq + 1
    last = log.store.last()
    assert last is not None
    assert expected == last.seq + 1


def test_a_position_beyond_the_end_is_no_position_in_this_log(log: Log) -> None:
    log.write(5)
    last = log.store.last()
    assert last is not None
    with pytest.raises(ValueError, match=f"event {last.seq + 1}, the log ends with {last.seq}"):
        Subscription(log.source, last.seq + 1).poll()
    for position, lag in ((-1, None), (0, 0)):
        with pytest.raises(ValueError, match="0 or more"):
            Subscription(log.source, position, lag)


def test_a_log_that_is_not_there_yet_has_no_events(tmp_path: Path) -> None:
    subscription = Subscription(FileSource(tmp_path / "events.db"))
    assert subscription.poll() == []
    assert list(tmp_path.iterdir()) == []


def _poll_beyond(subscription: Subscription, seq: int) -> list[TickEvents | Gap]:
    found: list[TickEvents | Gap] = []
    give_up_s = time.monotonic() + PATIENCE_S
    while subscription.position <= seq:
        assert time.monotonic() < give_up_s
        found += subscription.poll()
    return found


def test_another_process_writes_is_killed_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    script = (
        "from pathlib import Path\n"
        "from tests.contract.test_subscription import *\n"
        f"store = SqliteStore(Path({str(path)!r}))\n"
        "world = recover(store, CONFIG).world\n"
        "while True: write(store, world)\n"
    )
    seen: list[TickEvents | Gap] = []
    subscription = Subscription(FileSource(path))
    for _ in range(2):
        writer = subprocess.Popen([sys.executable, "-c", script])
        try:
            seen += _poll_beyond(subscription, subscription.position + 1_000)
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        subscription = Subscription(FileSource(path), subscription.position)
    seen += _drain(subscription)
    store = SqliteStore(path)
    assert _events(seen) == store.events(0, 1_000_000)
    assert recover(store, CONFIG).inspection.is_whole
    store.close()
