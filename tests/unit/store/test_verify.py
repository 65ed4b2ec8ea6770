"""A re-run says what differs: which tick, where in it, whose and what."""

from dataclasses import replace

import numpy as np
import pytest

from engine.protocol.limits import NPC_ID_BASE, PLAYER_ID_BASE, REPLAY_DIFFERENCES_SHOWN_MAX
from engine.protocol.policy import PolicyChange
from engine.protocol.replay import Difference, FieldDifference, Progress
from engine.store.base import TickRecord
from engine.store.memory import MemoryStore
from engine.store.then import entity_then, world_then
from engine.store.verify import verify
from engine.world.audit import DENY, AuditBlock, AuditTable
from engine.world.events import Code, EventBlock
from engine.world.inputs import TickInputs
from engine.world.state import NPC
from engine.world.userpolicy import policy
from engine.world.userverdict import deny
from engine.world.world import World, WorldConfig
from tests.sim.tampered import Log

CONFIG = WorldConfig(seed=5, npcs=40, nodes=10, capacity=100)
TICKS = 60
NAMES = tuple(view.name for view in World.create(CONFIG).governor.views())
CHECKPOINTS = (20, 40)


def _inputs(tick: int) -> TickInputs:
    if tick == 0:
        return TickInputs.of(joins=[(PLAYER_ID_BASE + n, f"player-{n}") for n in range(8)])
    rows = [(PLAYER_ID_BASE + n, tick, 4 + n % 2, 0, 0, 0, 0) for n in range(8)]
    # Out of reach: a denial in every tick.
    rows.append((PLAYER_ID_BASE, 1000 + tick, 1, 0, 0, NPC_ID_BASE, 0))
    return TickInputs.of(rows, texts=dict.fromkeys(range(8), f"tick {tick}"))


def _recorded() -> Log:
    store, world = MemoryStore(), World.create(CONFIG)
    for tick in range(TICKS):
        inputs = _inputs(tick)
        result = world.step(inputs)
        store.append(TickRecord.of(result, inputs))
        if world.tick in CHECKPOINTS:
            store.checkpoint(world.tick, world.checkpoint())
    return Log(store)


@pytest.fixture
def log() -> Log:
    return _recorded()


def _difference(log: Log) -> Difference:
    done = verify(log, CONFIG)
    assert not done.equal
    assert done.difference is not None
    return done.difference


def _change_event(log: Log, tick: int, kind: int, **values: int) -> None:
    """Change the first event of a kind in a tick."""
    block = log.records[tick].block()
    rows = block.rows.copy()
    row = int(np.nonzero(rows["kind"] == kind)[0][0])
    for name, value in values.items():
        rows[name][row] = value
    told = EventBlock(block.first_seq, rows, block.texts).to_log()
    log.records[tick] = replace(log.records[tick], events=told)


def test_a_recording_that_is_equal(log: Log) -> None:
    seen: list[Progress] = []
    done = verify(log, CONFIG, "r1", progress=seen.append)
    assert done.equal
    assert done.difference is None
    assert (done.run, done.from_tick, done.ticks, done.checkpoints) == ("r1", 0, TICKS, 2)
    assert done.verdicts == 9 * (TICKS - 1)
    assert done.events == log.last().seq
    assert done.state_hash == log.records[-1].hash.hex()
    assert not done.went_on
    assert seen[-1] == Progress(TICKS, TICKS, TICKS, CONFIG.interval_ms)


def test_from_the_newest_checkpoint(log: Log) -> None:
    done = verify(log, CONFIG, from_checkpoint=True)
    assert done.equal
    assert (done.from_tick, done.ticks, done.checkpoints) == (40, 20, 1)


def test_an_empty_log_is_equal() -> None:
    done = verify(MemoryStore(), CONFIG)
    assert done.equal
    assert done.ticks == 0


def test_a_root_event_that_was_changed(log: Log) -> None:
    _change_event(log, 31, Code.MOVED, a=77)
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (31, "step")
    (event,) = difference.events
    assert event.field.startswith("a of event ")
    assert event.stored == 77
    assert FieldDifference(event.entity, "x", event.found, 77) in difference.fields
    assert difference.fields_at == 32


def test_a_denial_that_was_changed(log: Log) -> None:
    _change_event(log, 12, Code.DENIED, target=NPC_ID_BASE + 1)
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (12, "govern")
    assert (
        FieldDifference("player-0", difference.events[0].field, NPC_ID_BASE, NPC_ID_BASE + 1)
        in difference.events
    )


def test_the_reason_of_a_denial_that_was_changed(log: Log) -> None:
    block = log.records[12].block()
    row = int(np.nonzero(block.rows["kind"] == Code.DENIED)[0][0])
    told = EventBlock(block.first_seq, block.rows, {**block.texts, row: "reach: otherwise"})
    log.records[12] = replace(log.records[12], events=told.to_log())
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (12, "govern")
    assert difference.events[0].stored == "reach: otherwise"


def test_verdicts_that_were_written_down_otherwise(log: Log) -> None:
    audit = AuditBlock.from_log(log.records[12].audit)
    verdict, policy = audit.verdict.copy(), audit.policy.copy()
    verdict[3], policy[3] = DENY, 2
    told = AuditBlock(audit.version, verdict, policy, audit.narrow, audit.table)
    log.records[12] = replace(log.records[12], audit=told.to_log())
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (12, "govern")
    assert difference.events == (
        FieldDifference("player-3", "verdict on command 12", "permit", f"deny by {NAMES[2]}"),
    )


def test_a_log_that_other_policies_governed(log: Log) -> None:
    @policy("luck")
    def luck(intent: object, world: object) -> None:
        del intent, world

    done = verify(log, replace(CONFIG, policies=(luck,)))
    assert done.difference is not None
    what = done.difference.what
    assert what == "this log was governed by other policies: the re-run has luck besides"
    (table,) = (each for each in done.difference.events if each.field == "policies")
    assert table.stored == ", ".join(NAMES)

    audit = AuditBlock.from_log(log.records[0].audit)
    assert audit.table is not None
    names = ("mine", *audit.table.names[1:])
    told = replace(audit, table=AuditTable(audit.version, names, audit.table.by_kind))
    log.records[0] = replace(log.records[0], audit=told.to_log())
    assert _difference(log).what == (
        "this log was governed by other policies: "
        f"stored has mine besides, the re-run has {NAMES[0]}"
    )


def test_what_an_unsteady_policy_does_is_told_of_it() -> None:
    """Its first re-run denies; recording, and the second re-run of the tick, do not."""
    runs: list[int] = []

    @policy("luck", kinds=("rest",))
    def luck(intent: object, world: object) -> object:
        del intent, world
        runs.append(1)
        return deny("out of luck") if len(runs) == 2 else None

    config, store = replace(CONFIG, policies=(luck,)), MemoryStore()
    world = World.create(config)
    for inputs in (
        TickInputs.of(joins=[(PLAYER_ID_BASE, "player-0")]),
        TickInputs.of([(PLAYER_ID_BASE, 1, 5, 0, 0, 0, 0)]),
    ):
        store.append(TickRecord.of(world.step(inputs), inputs))
    assert len(runs) == 1
    done = verify(store, config)
    assert done.difference is not None
    assert done.difference.tick == 1
    assert done.difference.what == (
        "a second re-run gives what is stored: something in it is not deterministic "
        "(policies from files: luck)"
    )


def test_verdicts_that_are_none(log: Log) -> None:
    log.records[12] = replace(log.records[12], audit=b"otherwise")
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (12, "log")


def _struck_back() -> Log:
    """Have a player walk to the nearest NPC and strike it, which strikes back in the last tick."""
    world, store = World.create(CONFIG), MemoryStore()
    state, inputs = world.state, TickInputs.of(joins=[(PLAYER_ID_BASE, "player-0")])
    while True:
        result = world.step(inputs)
        store.append(TickRecord.of(result, inputs))
        if Code.RETALIATED in result.events.rows["kind"]:
            return Log(store)
        me = state.row_of(PLAYER_ID_BASE)
        assert me is not None
        here = np.array([state.x[me], state.y[me]], np.int64)
        npcs = np.nonzero(state.kind[: state.count] == NPC)[0]
        ways = np.stack([state.x[npcs], state.y[npcs]], axis=1) - here
        nearest = int(np.argmin((ways**2).sum(axis=1)))
        x, y = (here + ways[nearest].clip(-85, 85)).tolist()
        near = abs(ways[nearest]).max() < 300
        target = int(state.id[npcs[nearest]])
        row = (1, 0, 0, target, 0) if near else (0, x, y, 0, 0)
        inputs = TickInputs.of([(PLAYER_ID_BASE, world.tick, *row)])
        assert world.tick < 1000, "nobody was met"


def test_a_caused_event_that_was_changed() -> None:
    log = _struck_back()
    tick = log.records[-1].tick
    _change_event(log, tick, Code.RETALIATED, a=1)
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (tick, "react")
    assert ("player-0", "hp") in {(each.entity, each.field) for each in difference.fields}


def test_a_hash_that_was_changed_and_a_checkpoint_that_says_it_is_the_hash(log: Log) -> None:
    log.records[30] = replace(log.records[30], hash=bytes(32))
    difference = _difference(log)
    assert (difference.tick, difference.phase, difference.fields) == (30, "hash", ())
    assert "000000000000 stored" not in difference.what
    assert "before tick 40: the hash is damaged" in difference.what


def test_a_hash_that_was_changed_after_the_last_checkpoint(log: Log) -> None:
    log.records[50] = replace(log.records[50], hash=bytes(32))
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (50, "hash")
    assert "no checkpoint comes after it" in difference.what


def test_another_rule_is_shown_by_the_next_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that leaves the events as they were: what a command costs its player."""
    with monkeypatch.context() as on:
        on.setattr("engine.world.apply.RATE_COST_MS", 101)
        log = _recorded()
    difference = _difference(log)
    assert (difference.tick, difference.phase, difference.fields_at) == (1, "hash", 20)
    assert {each.field for each in difference.fields} == {"busy_ms"}
    assert {each.entity for each in difference.fields} == {f"player-{n}" for n in range(8)}


def test_a_checkpoint_that_holds_another_state(log: Log) -> None:
    world = World.restore(CONFIG, log.checkpoints[20] or b"")
    world.state.gold[world.state.row_of(PLAYER_ID_BASE + 2)] += 5
    log.checkpoints[20] = world.checkpoint()
    difference = _difference(log)
    assert (difference.tick, difference.phase, difference.fields_at) == (20, "checkpoint", 20)
    assert difference.fields == (FieldDifference("player-2", "gold", 100, 105),)


def test_a_checkpoint_in_which_a_policy_stands_otherwise(log: Log) -> None:
    world = World.restore(CONFIG, log.checkpoints[20] or b"")
    world.governor.standing.change(PolicyChange("rate", params={"burst": 3}), 20)
    log.checkpoints[20] = world.checkpoint()
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (20, "checkpoint")
    (field,) = difference.fields
    assert (field.entity, field.field) == ("world", "params of policy rate")
    assert (field.found, field.stored) == ("{'burst': 20}", "{'burst': 3}")


def test_a_checkpoint_that_is_none(log: Log) -> None:
    log.checkpoints[20] = b"none"
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (20, "checkpoint")
    assert "cannot be read" in difference.what


def test_what_differs_is_bounded(log: Log) -> None:
    world = World.restore(CONFIG, log.checkpoints[20] or b"")
    state = world.state
    state.gold[: state.count] += 1
    log.checkpoints[20] = world.checkpoint()
    difference = _difference(log)
    assert len(difference.fields) == REPLAY_DIFFERENCES_SHOWN_MAX
    assert difference.more_fields == state.count - REPLAY_DIFFERENCES_SHOWN_MAX


def test_inputs_that_are_none(log: Log) -> None:
    log.records[33] = replace(log.records[33], inputs=b"\xff")
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (33, "log")
    assert "cannot be read" in difference.what


def test_a_tick_that_is_missing(log: Log) -> None:
    del log.records[33]
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (33, "log")


def test_a_sequence_that_was_changed(log: Log) -> None:
    log.records[33] = replace(log.records[33], first_seq=log.records[33].first_seq + 1)
    difference = _difference(log)
    assert (difference.tick, difference.phase) == (33, "step")
    assert "first event" in difference.what


def test_ticks_that_come_meanwhile_are_left_out(log: Log) -> None:
    kept = log.records[40:]
    del log.records[40:]

    def go_on(_: Progress) -> None:
        log.records += kept
        kept.clear()

    done = verify(log, CONFIG, progress=go_on)
    assert done.equal
    assert done.went_on
    assert done.ticks == 40


def test_what_was_true_then(log: Log) -> None:
    world = World.create(CONFIG)
    for tick in range(10):
        world.step(_inputs(tick))
    then = world_then(world)
    assert (then.tick, then.time_ms, then.state_hash) == (9, 900, log.records[9].hash.hex())
    assert then.events == log.records[9].last_seq
    figures = then.figures
    assert (figures["players"], figures["npcs"], figures["nodes"], figures["deaths"]) == (
        8,
        40,
        10,
        0,
    )
    gold = figures["gold_players"] + figures["gold_npcs"] + figures["gold_treasury"]
    assert gold == world.state.supply
    one = entity_then(world, PLAYER_ID_BASE + 3)
    assert one is not None
    assert (one.name, one.fields["gold"], one.fields["last_seq"]) == ("player-3", 100, 9)
    assert entity_then(world, PLAYER_ID_BASE + 99) is None
