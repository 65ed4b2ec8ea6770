"""What every policy of the folder must do: the scan picks newcomers up."""

import msgspec
import numpy as np
import pytest

from engine.protocol.errors import UserError
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.policy import PolicyChange, PolicyScope
from engine.world.audit import DENY, MUTATE
from engine.world.governance import Docket, find_policies, govern
from engine.world.hearing import Hearing
from engine.world.inputs import INTENT_DTYPE, NARRATOR, TickInputs
from engine.world.orders import SAY, Orders, sort_orders
from engine.world.policies.base import Judgement, Policy, param_specs
from engine.world.standing import Standing
from engine.world.world import World, WorldConfig

POLICIES = find_policies()
STRICT = {
    "rate": {"burst": 3},
    "zone-capacity": {"entities_max": 1},
    "spawn-protection": {"ticks": 6000},
    "cooldown": {"attack": 600, "say": 600, "rest": 600, "trade": 600, "gather": 600},
}
"""Parameters with which each of them finds something in the hearing below."""


def _hearing(seed: int, count: int) -> Hearing:
    """Four fifths of the intents are plausible; everybody stands in one crowd."""
    world = World.create(WorldConfig(seed=3, npcs=20, nodes=20))
    world.step(TickInputs.of(joins=[(PLAYER_ID_BASE + n, f"player-{n}") for n in range(8)]))
    state = world.state
    everyone = np.arange(state.count)
    state.place(everyone, 30_000 + everyone * 40, 30_000 - everyone * 40)
    state.attacked_ms[: state.count : 3] = state.said_ms[: state.count : 3] = 1
    state.goods[: state.count : 2] = 0
    state.hp[state.count - 1] = 0
    dice = np.random.default_rng(seed)
    rows = np.zeros(count, INTENT_DTYPE)
    for name in INTENT_DTYPE.names or ():
        info = np.iinfo(INTENT_DTYPE[name])
        wild = dice.integers(info.min, info.max, count, dtype=INTENT_DTYPE[name], endpoint=True)
        rows[name] = wild
    tame = dice.random(count) < 0.8
    rows["player"][tame] = dice.choice(state.id[10 : state.count], tame.sum())
    rows["kind"][tame] = dice.integers(0, 7, tame.sum())
    rows["target"][tame] = dice.choice(state.id[: state.count], tame.sum())
    rows["role"][tame] = dice.choice([0, 0, 0, 1, NARRATOR], tame.sum())
    rows["amount"][tame] = dice.integers(-9, 10, tame.sum())
    for axis in ("x", "y"):
        rows[axis][tame] = 30_000 + dice.integers(-5000, 5000, tame.sum())
    texts = dict.fromkeys(np.flatnonzero(rows["kind"] == SAY).tolist(), "WHAT A DAMN MESS")
    orders = sort_orders(state, TickInputs(rows, texts))
    return Hearing(state, orders, world.tick, world.tick * 100, 100, texts)


def _judge(policy: Policy, hearing: Hearing) -> Judgement:
    params = msgspec.structs.replace(policy.defaults, **STRICT.get(policy.name, {}))
    judgement = policy.judge(hearing, params)
    assert judgement is not None
    return judgement


def test_there_are_policies_and_their_names_differ() -> None:
    assert {"speed", "reach", "rate", "dead-actor"} <= {policy.name for policy in POLICIES}
    assert len({policy.name for policy in POLICIES}) == len(POLICIES)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
class TestEveryPolicy:
    def test_judges_whatever_it_is_shown(self, policy: Policy) -> None:
        hearing = _hearing(seed=1, count=400)
        judgement = _judge(policy, hearing)
        count = len(hearing.orders)
        assert count > 300
        assert len(judgement.denied) + len(judgement.changed) > 0
        for rows, why in (
            (judgement.denied, judgement.why),
            (judgement.changed, judgement.why_changed),
        ):
            assert len(set(rows.tolist())) == len(rows)
            assert set(rows.tolist()) <= set(range(count))
            reasons = why(np.arange(len(rows)))
            assert len(reasons) == len(rows)
            assert all(reason and reason.isprintable() and len(reason) < 120 for reason in reasons)
        assert not set(judgement.denied.tolist()) & set(judgement.changed.tolist())
        assert all(len(values) == len(judgement.changed) for values in judgement.fields.values())

    def test_looks_at_the_kinds_it_names(self, policy: Policy) -> None:
        hearing = _hearing(seed=1, count=400)
        judgement = _judge(policy, hearing)
        rows = np.concatenate((judgement.denied, judgement.changed)).astype(int)
        if policy.kinds:
            assert set(hearing.orders.kind[rows].tolist()) <= set(policy.kinds)

    def test_changes_nothing(self, policy: Policy) -> None:
        hearing = _hearing(seed=2, count=100)
        columns = {name: column.copy() for name, column in hearing.state.columns.items()}
        orders = {name: getattr(hearing.orders, name).copy() for name in Orders.__slots__}
        texts = dict(hearing.texts)
        judgement = policy.judge(hearing, policy.defaults)
        if judgement is not None:
            judgement.why(np.arange(len(judgement.denied)))
        for name, column in columns.items():
            assert np.array_equal(hearing.state.columns[name], column), name
        for name, column in orders.items():
            assert np.array_equal(getattr(hearing.orders, name), column), name
        assert hearing.texts == texts

    def test_judges_an_empty_batch(self, policy: Policy) -> None:
        judgement = policy.judge(_hearing(seed=3, count=0), policy.defaults)
        assert judgement is None or not len(judgement.denied)

    def test_its_name_stands_before_the_reason(self, policy: Policy) -> None:
        standing = Standing([policy])
        params = STRICT.get(policy.name)
        standing.change(PolicyChange(policy.name, params=params), 0)
        docket = Docket(standing)
        for part in (docket.at_once, docket.by_round):
            ruling = govern(part, _hearing(seed=4, count=300), {})
            decided = np.flatnonzero((ruling.verdict == DENY) | (ruling.verdict == MUTATE)).tolist()
            assert bool(decided) == bool(part.benches)
            assert all(ruling.reasons[row].startswith(f"{policy.name}: ") for row in decided)
            assert set(ruling.reasons) == set(decided)

    def test_says_what_it_is(self, policy: Policy) -> None:
        assert policy.help
        assert policy.help.isprintable()
        assert policy.name == policy.name.lower()
        for spec in param_specs(policy.defaults):
            assert spec.help
            bounded = spec.at_least is not None and spec.at_most is not None
            assert bounded or isinstance(spec.default, str)

    def test_its_parameters_keep_their_bounds(self, policy: Policy) -> None:
        for spec in param_specs(policy.defaults):
            standing = Standing([policy])
            wrong = [True, 1.5, "x" * 2000] if isinstance(spec.default, int) else [5, False]
            wrong += [spec.at_most + 1, spec.at_least - 1] if spec.at_most is not None else []
            for value in wrong:
                with pytest.raises(UserError, match=rf"{policy.name}\.params\.{spec.name}: found"):
                    standing.change(PolicyChange(policy.name, params={spec.name: value}), 0)
            assert not standing.version

    def test_judges_only_what_is_in_its_scope(self, policy: Policy) -> None:
        """A scope of one zone in which nobody stands: nothing is judged, if that is allowed."""
        standing = Standing([policy])
        change = PolicyChange(policy.name, scope=PolicyScope(zones=(63,)))
        if policy.fixed:
            with pytest.raises(UserError, match="keeps the world whole"):
                standing.change(change, 0)
            return
        standing.change(change, 0)
        docket = Docket(standing)
        for part in (docket.at_once, docket.by_round):
            ruling = govern(part, _hearing(seed=4, count=300), {})
            assert not ruling.verdict.any()
