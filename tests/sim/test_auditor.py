"""Every check of the auditor bites: on evidence that was tampered with, and on planted bugs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.protocol.child import WorldOrderDone
from engine.protocol.policy import WorldPolicyDone
from engine.server.answered import Answer, Answered
from engine.server.shell import WorldShell
from engine.world import apply as apply_module
from engine.world import orders as orders_module
from engine.world.apply import _EFFECTS
from engine.world.audit import DENY, AuditBlock
from engine.world.events import Code
from engine.world.inputs import TickInputs
from tests.sim.auditor import CHECKS, Broken, audit, read
from tests.sim.evidence import Evidence, Start, UpdateSeen
from tests.sim.plan import Plan
from tests.sim.simulation import Simulation
from tests.sim.tampered import Log

PLAN = Plan(
    seed=3, ticks=250, players=8, hecklers=1, npcs=120, nodes=120, rate=4.0, trouble_s=2.0,
    on_files=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def seen() -> Evidence:
    simulation = Simulation(PLAN)
    evidence = simulation.run()
    evidence.log = Log(evidence.log)  # type: ignore[assignment]  # as much of a log as is read
    simulation.close()
    return evidence


def _copy(seen: Evidence) -> tuple[Evidence, Log]:
    log = Log(seen.log)
    lists = {
        name: list(value)
        for name in Evidence.__dataclass_fields__
        if isinstance(value := getattr(seen, name), list)
    }
    return replace(seen, log=log, hashes=dict(seen.hashes), **lists), log  # type: ignore[arg-type]  # see seen


def _cut_off(seen: Evidence, log: Log) -> None:
    del log.records[len(log.records) // 2 :]


def _lose_a_tick(seen: Evidence, log: Log) -> None:
    del log.records[50]


def _version(seen: Evidence, log: Log) -> None:
    log.change(lambda rows: rows["version"] > 1, version=1)


def _effect_before_cause(seen: Evidence, log: Log) -> None:
    log.change(lambda rows: rows["cause"] > 0, cause=2**40)


def _cause_of_another(seen: Evidence, log: Log) -> None:
    log.change(lambda rows: rows["cause"] > 0, correlation=7)


def _root(rows: np.ndarray) -> np.ndarray:
    return (rows["cause"] == 0) & (rows["correlation"] > 0) & (rows["stream"] > 0)


def _twice(seen: Evidence, log: Log) -> None:
    first = next(
        int(rows["correlation"][_root(rows)][0])
        for record in log.records
        if _root(rows := record.block().rows).any()
    )
    log.change(lambda rows: _root(rows) & (rows["correlation"] != first), correlation=first)


def _unjudged(seen: Evidence, log: Log) -> None:
    log.change(_root, correlation=5)


def _audited_otherwise(**changes: np.ndarray) -> Callable[[Evidence, Log], None]:
    def change(seen: Evidence, log: Log) -> None:
        for at, record in enumerate(log.records):
            audit = AuditBlock.from_log(record.audit)
            if (audit.verdict == DENY).any():
                told = replace(audit, **changes).to_log() if changes else b""
                log.records[at] = replace(record, audit=told)
                return

    return change


_NOBODY = np.zeros(0, np.uint8)


def _forged(**changes: Any) -> Callable[[Evidence, Log], None]:
    def forge(seen: Evidence, log: Log) -> None:
        at = next(i for i, ack in enumerate(seen.acks) if ack.ack.event and ack.ack.tick)
        old = seen.acks[at]
        seen.acks.append(old._replace(ack=msgspec.structs.replace(old.ack, **changes)))

    return forge


def _never_stored(seen: Evidence, log: Log) -> None:
    old = next(ack for ack in seen.acks if ack.entity in seen.honest and ack.ack.event)
    ack = msgspec.structs.replace(old.ack, seq=2**20, event=None)
    seen.acks.append(old._replace(ack=ack))


def _too_early(seen: Evidence, log: Log) -> None:
    seen.acks[-1] = seen.acks[-1]._replace(durable=seen.acks[-1].ack.tick - 1)


def _out_of_order(seen: Evidence, log: Log) -> None:
    who = min(seen.honest)
    log.change(lambda rows: _root(rows) & (rows["actor"] == who), correlation=who << 32 | 10**6)


def _turned_around(seen: Evidence, log: Log) -> None:
    seen.acks.reverse()


def _forgotten(seen: Evidence, log: Log) -> None:
    at = next(i for i, one in enumerate(seen.welcomes) if one.welcome.seq)
    one = seen.welcomes[at]
    fewer = msgspec.structs.replace(one.welcome, seq=one.welcome.seq - 1)
    seen.welcomes[at] = one._replace(welcome=fewer)


def _welcomed_early(seen: Evidence, log: Log) -> None:
    seen.welcomes[0] = seen.welcomes[0]._replace(durable=-1)


def _missed(seen: Evidence, log: Log) -> None:
    seen.acknowledged_lost = 1


def _shown_early(seen: Evidence, log: Log) -> None:
    seen.updates.append(UpdateSeen(9, 8))


def _published_otherwise(seen: Evidence, log: Log) -> None:
    at = next(i for i, one in enumerate(seen.batches) if one.batch.count > 1)
    old = seen.batches[at]
    turned = msgspec.structs.replace(old.batch, columns=old.batch.columns[::-1])
    seen.batches[at] = old._replace(batch=turned)


def _published_early(seen: Evidence, log: Log) -> None:
    seen.batches[3] = seen.batches[3]._replace(durable=seen.batches[3].batch.tick - 1)


def _order_of_nothing(seen: Evidence, log: Log) -> None:
    seen.orders_done.append(WorldOrderDone(1, 1, "permit", event=2**40))


def _change_of_nothing(seen: Evidence, log: Log) -> None:
    seen.changes_done.append(WorldPolicyDone(1, 1, True, "rate: disabled"))


def _change_by_nobody(seen: Evidence, log: Log) -> None:
    log.change(_root, kind=Code.POLICY_CHANGED)


def _came_back_otherwise(seen: Evidence, log: Log) -> None:
    seen.starts.append(Start(5, b"this", b"that"))


def _durable_otherwise(seen: Evidence, log: Log) -> None:
    seen.hashes[7] = b"other"


def _an_invariant(seen: Evidence, log: Log) -> None:
    log.change(_root, kind=Code.INVARIANT_BROKEN)


def _more_gold(seen: Evidence, log: Log) -> None:
    log.change(lambda rows: rows["kind"] == Code.TRADED, b=1_000_000)


def _more_goods(seen: Evidence, log: Log) -> None:
    log.change(lambda rows: rows["kind"] == Code.GATHERED, a=19)


def _other_hash(seen: Evidence, log: Log) -> None:
    log.records[40] = replace(log.records[40], hash=bytes(32))


def _other_inputs(seen: Evidence, log: Log) -> None:
    at = next(i for i, one in enumerate(log.records) if len(TickInputs.unpack(one.inputs).intents))
    log.records[at] = replace(log.records[at], inputs=TickInputs.of().pack())


def _other_checkpoint(seen: Evidence, log: Log) -> None:
    log.checkpoints[max(log.checkpoints)] = log.checkpoints[min(log.checkpoints)]


TAMPERED = [
    ("gapless", _lose_a_tick),
    ("gapless", _version),
    ("causes", _effect_before_cause),
    ("causes", _cause_of_another),
    ("applied_once", _twice),
    ("every_intent_judged", _unjudged),
    ("every_intent_judged", _other_inputs),
    ("audited", _audited_otherwise()),
    ("audited", _audited_otherwise(verdict=_NOBODY, policy=_NOBODY)),
    ("audited", _audited_otherwise(version=9)),
    ("acknowledged_is_stored", _cut_off),
    ("acknowledged_is_stored", _too_early),
    ("acknowledged_is_stored", _never_stored),
    ("acknowledged_is_stored", _forged(event=2**30)),
    ("acknowledged_is_stored", _forged(tick=10**6)),
    ("one_answer", _forged(event=1)),
    ("one_answer", _forged(reason="otherwise")),
    ("answers_in_order", _turned_around),
    ("answers_in_order", _out_of_order),
    ("welcomes", _forgotten),
    ("welcomes", _welcomed_early),
    ("welcomes", _missed),
    ("shown_is_durable", _shown_early),
    ("published_is_stored", _published_otherwise),
    ("published_is_stored", _published_early),
    ("published_is_stored", _cut_off),
    ("orders_stored", _order_of_nothing),
    ("changes_stored", _change_of_nothing),
    ("changes_stored", _change_by_nobody),
    ("restarts", _came_back_otherwise),
    ("restarts", _durable_otherwise),
    ("restarts", _cut_off),
    ("invariants", _an_invariant),
    ("conserved", _more_gold),
    ("conserved", _more_goods),
    ("replays", _other_hash),
    ("replays", _other_inputs),
    ("replays", _other_checkpoint),
]


@pytest.mark.parametrize(("check", "tamper"), TAMPERED)
def test_tampered_evidence_is_noticed(
    seen: Evidence, check: str, tamper: Callable[[Evidence, Log], None]
) -> None:
    evidence, log = _copy(seen)
    tamper(evidence, log)
    assert list(dict(CHECKS)[check](evidence, read(evidence))), f"{check} did not notice"


def test_every_check_is_tampered_with(seen: Evidence) -> None:
    audit(seen)
    assert {check for check, _ in TAMPERED} == {name for name, _ in CHECKS}


# --- bugs planted in the engine: the whole chain from the bug to the auditor's word ---


def _answer_first(on: pytest.MonkeyPatch) -> None:
    append = WorldShell._append

    async def answer_then_append(shell: WorldShell, inputs: Any, result: Any) -> None:
        for session, ack in shell._answers(result):
            session.send(ack)
        await append(shell, inputs, result)

    on.setattr(WorldShell, "_append", answer_then_append)


def _apply_again(on: pytest.MonkeyPatch) -> None:
    sort = orders_module.sort_orders

    def forgetful(state: Any, inputs: Any) -> Any:
        newest = state.last_seq.copy()
        state.last_seq[:] = 0
        orders = sort(state, inputs)
        state.last_seq[:] = newest
        return orders

    on.setattr("engine.world.governor.sort_orders", forgetful)


def _mint(on: pytest.MonkeyPatch) -> None:
    def traded(state: Any, events: Any, now_ms: int) -> None:
        before(state, events, now_ms)
        np.add.at(state.gold, state.rows_of(events["stream"]), 1)

    before = _EFFECTS[Code.TRADED]
    on.setitem(apply_module._EFFECTS, Code.TRADED, traded)


def _forget_a_leave(on: pytest.MonkeyPatch) -> None:
    pack = TickInputs.pack
    on.setattr(TickInputs, "pack", lambda inputs: pack(replace(inputs, leaves=[])))


def _roll_real_dice(on: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng()
    on.setattr("engine.world.clock.below", lambda bound, *_: chance.integers(0, bound, len(_[-1])))


def _misremember(on: pytest.MonkeyPatch) -> None:
    recall = Answered.recall

    def wrong(answered: Answered, correlations: list[int]) -> dict[int, Answer]:
        return {
            key: Answer("permit", None, answer.event)
            for key, answer in recall(answered, correlations).items()
        }

    on.setattr(Answered, "recall", wrong)


def _lose_flights(on: pytest.MonkeyPatch) -> None:
    """The world forgets, after a restart, how far a player was."""
    welcome = WorldShell._welcome

    def wrong(shell: WorldShell, inputs: Any, tick: int) -> None:
        newest = shell._parts.world.state.last_seq
        kept = newest.copy()
        newest[:] = 0
        welcome(shell, inputs, tick)
        newest[:] = kept

    on.setattr(WorldShell, "_welcome", wrong)


@pytest.mark.parametrize(
    ("plant", "checks"),
    [
        (_answer_first, {"acknowledged_is_stored"}),
        (_apply_again, {"applied_once", "every_intent_judged"}),
        (_mint, {"invariants", "conserved"}),
        (_forget_a_leave, {"recovery", "replays"}),
        (_roll_real_dice, {"recovery", "replays"}),
        (_misremember, {"one_answer", "acknowledged_is_stored"}),
        (_lose_flights, {"welcomes"}),
    ],
)
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    checks: set[str],
) -> None:
    plant(monkeypatch)
    simulation = Simulation(replace(PLAN, seed=8))
    try:
        with pytest.raises(Broken) as found:
            audit(simulation.run())
    finally:
        simulation.close()
    assert found.value.check in checks, found.value
