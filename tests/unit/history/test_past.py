"""The world at any tick: what was true then, and what cannot be said."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from engine.history.past import NoSuchTick, Past
from engine.history.serve import past_of, serve_history, told
from engine.link.channel import MemoryChannel, memory_pair
from engine.protocol.archive import (
    AskHistory,
    HistoryReady,
    HistorySpec,
    HistoryTold,
    WithdrawHistory,
)
from engine.protocol.child import ChildProblem, Quit
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.manifest import WorldShape
from engine.protocol.policy import PolicyChange, PolicyFile
from engine.store import replay
from engine.store.base import TickRecord
from engine.store.policyfiles import config_of
from engine.store.sqlite import SqliteStore
from engine.world.events import TickEvents
from engine.world.inputs import TickInputs
from engine.world.replica import Replica
from engine.world.world import World, WorldConfig
from tests.unit.store.test_policyfiles import GOOD, kept

CONFIG = WorldConfig(seed=9, npcs=20, nodes=8, capacity=60)
NAMES = ("id", "x", "y", "hp", "gold", "alive", "connected", "version")
EVERY = 15
TICKS = 60


class Then:
    """A log with checkpoints, and what was true after each tick."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[dict[str, list[int]]] = []
        self.store = SqliteStore(path)
        world = World.create(CONFIG)
        for tick in range(TICKS):
            who = PLAYER_ID_BASE + tick % 8
            joins = [(who, f"player-{who}")] if tick < 8 else []
            rows = [(who, 1 + tick, 0, 3000 + 40 * tick, 9000, 0, 0, 0)]
            width = len(TickInputs.of().intents.dtype)
            inputs = TickInputs.of([row[:width] for row in rows], joins=joins)
            self.store.append(TickRecord.of(world.step(inputs), inputs))
            if world.tick % EVERY == 0:
                self.store.checkpoint(world.tick, world.checkpoint())
            state = world.state
            self.columns.append({n: state.columns[n][: state.count].tolist() for n in NAMES})


@pytest.fixture
def then(tmp_path: Path) -> Iterator[Then]:
    made = Then(tmp_path / "events.db")
    yield made
    made.store.close()


def _at(past: Past, tick: int) -> dict[str, list[int]]:
    return {name: column.tolist() for name, column in past.after(tick, NAMES).items()}


def test_every_tick_in_any_order(then: Then):
    past = Past(then.path, CONFIG)
    order = [*range(TICKS), *np.random.default_rng(1).permutation(TICKS).tolist(), 7, 7, 8, 7]
    for tick in order:
        assert _at(past, tick) == then.columns[tick]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count the ticks that are applied and those that are stepped."""
    done = {"applied": 0, "stepped": 0}
    take, step = Replica.take, World.step

    def counted_take(self: Replica, events: TickEvents) -> None:
        done["applied"] += 1
        take(self, events)

    def counted_step(self: World, inputs: TickInputs):
        done["stepped"] += 1
        return step(self, inputs)

    monkeypatch.setattr(Replica, "take", counted_take)
    monkeypatch.setattr(World, "step", counted_step)
    return done


def test_no_more_is_done_than_needed(then: Then, work: dict[str, int]):
    past = Past(then.path, CONFIG)
    for tick, needed in ((20, 6), (22, 2), (22, 0), (21, 7), (44, 0), (40, 11), (59, 0), (0, 1)):
        before = work["applied"]
        assert _at(past, tick) == then.columns[tick]
        assert work["applied"] - before == needed, tick
    assert work["stepped"] == 0


def test_what_events_cannot_tell_is_stepped_again(
    then: Then, work: dict[str, int], monkeypatch: pytest.MonkeyPatch
):
    past = Past(then.path, CONFIG)
    whole = Replica.hash
    monkeypatch.setattr(Replica, "hash", lambda self: b"reactions are left")
    assert _at(past, 20) == then.columns[20]
    assert work["stepped"] == 6
    monkeypatch.setattr(Replica, "hash", whole)
    assert _at(past, 25) == then.columns[25]
    assert work["stepped"] == 6


def test_ticks_that_are_not_there(then: Then, tmp_path: Path):
    past = Past(then.path, CONFIG)
    for tick in (TICKS, 10**12):
        with pytest.raises(NoSuchTick, match="ticks 0 to 59"):
            past.after(tick, NAMES)
    SqliteStore(tmp_path / "empty.db").close()
    with pytest.raises(NoSuchTick, match="no tick yet"):
        Past(tmp_path / "empty.db", CONFIG).after(0, NAMES)
    with pytest.raises(OSError, match=r"none\.db"):
        Past(tmp_path / "none.db", CONFIG).after(0, NAMES)


def test_a_log_that_grows_is_followed(then: Then):
    past = Past(then.path, CONFIG)
    past.after(TICKS - 1, NAMES)
    inputs = TickInputs.of()
    world = replay.world_at(then.store, CONFIG, TICKS)
    then.store.append(TickRecord.of(world.step(inputs), inputs))
    assert _at(past, TICKS)["x"] == world.state.x[: world.state.count].tolist()


def test_a_log_of_another_world_is_said(then: Then):
    past = Past(then.path, WorldConfig(seed=10, npcs=20, nodes=8, capacity=60))
    with pytest.raises(UserError, match="another state"):
        past.after(5, NAMES)


def test_damage_is_said_and_what_is_before_it_still_there(then: Then):
    db = apsw.Connection(str(then.path))
    db.execute("UPDATE ticks SET inputs = x'00', events = x'00' WHERE tick = 20").fetchall()
    db.close()
    past = Past(then.path, CONFIG)
    with pytest.raises(ValueError, match="damaged"):
        past.after(25, NAMES)
    assert _at(past, 19) == then.columns[19]
    assert _at(past, 50) == then.columns[50]


def test_users_policies_and_changes_of_policies_are_part_of_the_past(tmp_path: Path):
    shape = WorldShape(9, 20, 8, 60, 100, (kept(tmp_path, GOOD),))
    config = config_of(shape, tmp_path)
    world, columns = World.create(config), []
    store = SqliteStore(tmp_path / "events.db")
    for tick in range(TICKS):
        change = [PolicyChange("no-dragons", enabled=False)] if tick == 20 else []
        joins = [(PLAYER_ID_BASE, "player-0")] if tick == 3 else []
        inputs = TickInputs.of(joins=joins, policies=change)
        store.append(TickRecord.of(world.step(inputs), inputs))
        if world.tick % EVERY == 0:
            store.checkpoint(world.tick, world.checkpoint())
        columns.append({n: world.state.columns[n][: world.state.count].tolist() for n in NAMES})
    past = past_of(HistorySpec(str(tmp_path / "events.db"), shape))
    for tick in range(TICKS):
        assert _at(past, tick) == columns[tick]
    (tmp_path / "policies/0-mine.py").write_text("POLICY = 7")
    with pytest.raises(UserError, match=r"mine\.py"):
        past_of(HistorySpec(str(tmp_path / "events.db"), shape))
    store.close()


def _spec(then: Then) -> HistorySpec:
    return HistorySpec(str(then.path), WorldShape(9, 20, 8, 60, 100))


def test_answers_say_why_there_is_none(then: Then, monkeypatch: pytest.MonkeyPatch):
    past = past_of(_spec(then))
    answer = told(past, AskHistory(4, 12, ("id", "hp")))
    assert (answer.id, answer.tick, answer.code) == (4, 12, "")
    assert np.frombuffer(answer.columns["hp"], "<i4").tolist() == then.columns[12]["hp"]
    assert told(past, AskHistory(4, 99, NAMES)).code == "invalid"
    monkeypatch.setattr(replay, "RULES_VERSION", 99)
    other = told(past_of(_spec(then)), AskHistory(4, 9, NAMES))
    assert (other.code, other.columns) == ("gone", {})
    assert "rules" in other.message


async def test_a_historian_answers_until_it_is_told_to_quit(then: Then):
    ours, theirs = memory_pair()
    serving = asyncio.create_task(serve_history(theirs))
    ours.post(_spec(then))
    assert isinstance(await ours.receive(), HistoryReady)
    for tick in (5, 99):
        ours.post(AskHistory(tick, tick, NAMES))
        answer = await ours.receive()
        assert isinstance(answer, HistoryTold)
        assert (answer.id, bool(answer.code)) == (tick, tick == 99)
    ours.post(Quit())
    await asyncio.wait_for(serving, 10)


async def test_a_historian_drops_questions_that_are_withdrawn(
    then: Then, monkeypatch: pytest.MonkeyPatch
):
    goes_on, begun = threading.Event(), []

    def slowly(past: Past, asked: AskHistory) -> HistoryTold:
        begun.append(asked.id)
        goes_on.wait(20)
        return told(past, asked)

    monkeypatch.setattr("engine.history.serve.told", slowly)
    ours, theirs = memory_pair()
    serving = asyncio.create_task(serve_history(theirs))
    ours.post(_spec(then))
    await ours.receive()
    for number in (1, 2, 3, 4):
        ours.post(AskHistory(number, number, NAMES))
    async with asyncio.timeout(20):
        while not begun:
            await asyncio.sleep(0.01)
    for number in (1, 2, 3, 77):
        ours.post(WithdrawHistory(number))
    await asyncio.sleep(0.05)
    goes_on.set()
    answers = [await ours.receive() for _ in range(4)]
    assert begun == [1, 4]
    # Each is answered: what is off its hands can be counted.
    said = [(a.id, a.code, bool(a.columns)) for a in answers if isinstance(a, HistoryTold)]
    assert said == [(1, "gone", False), (2, "gone", False), (3, "gone", False), (4, "", True)]
    ours.post(Quit())
    await asyncio.wait_for(serving, 10)


async def test_an_answer_that_does_not_fit_is_posted_again(
    then: Then, monkeypatch: pytest.MonkeyPatch
):
    ours, theirs = memory_pair()
    post, tried = MemoryChannel.post, []

    def refuse(channel: MemoryChannel, message: object) -> bool:
        if channel is theirs and isinstance(message, HistoryTold):
            tried.append(message)
            if len(tried) <= 3:
                return False
        return post(channel, message)  # type: ignore[arg-type]  # whatever it was

    monkeypatch.setattr(MemoryChannel, "post", refuse)
    serving = asyncio.create_task(serve_history(theirs))
    ours.post(_spec(then))
    await ours.receive()
    ours.post(AskHistory(1, 5, NAMES))
    answer = await asyncio.wait_for(ours.receive(), 10)
    assert isinstance(answer, HistoryTold)
    assert (answer.id, answer.code, len(tried)) == (1, "", 4)
    ours.post(Quit())
    await asyncio.wait_for(serving, 10)


LOST = PolicyFile("policies/0-gone.py", "00", "/my/gone.py")


async def test_a_historian_that_cannot_begin_says_why(then: Then):
    ours, theirs = memory_pair()
    shape = WorldShape(9, 20, 8, 60, 100, (LOST,))
    ours.post(HistorySpec(str(then.path), shape))
    await serve_history(theirs)
    told = await ours.receive()
    assert isinstance(told, ChildProblem)
    assert "policies/0-gone.py: cannot be read" in told.message
    assert told.exit_code == ExitCode.USAGE


async def test_a_historian_wants_its_spec_first():
    ours, theirs = memory_pair()
    ours.post(Quit())
    await serve_history(theirs)
    assert isinstance(await ours.receive(), ChildProblem)
