"""What every policy of the folder must do: the scan picks newcomers up."""

import numpy as np
import pytest

from engine.protocol.limits import PLAYER_ID_BASE
from engine.world.governance import DENY, find_policies, govern
from engine.world.inputs import INTENT_DTYPE, TickInputs
from engine.world.orders import Orders, sort_orders
from engine.world.policies.base import Hearing, Policy
from engine.world.world import World, WorldConfig

POLICIES = find_policies()


def _hearing(seed: int, count: int) -> Hearing:
    world = World.create(WorldConfig(seed=3, npcs=20, nodes=20))
    world.step(TickInputs.of(joins=[(PLAYER_ID_BASE + n, f"player-{n}") for n in range(8)]))
    dice = np.random.default_rng(seed)
    rows = np.zeros(count, INTENT_DTYPE)
    for name in INTENT_DTYPE.names or ():
        info = np.iinfo(INTENT_DTYPE[name])
        wild = dice.integers(info.min, info.max, count, dtype=INTENT_DTYPE[name], endpoint=True)
        rows[name] = wild
    tame = dice.random(count) < 0.8
    rows["player"][tame] = PLAYER_ID_BASE + dice.integers(0, 8, tame.sum())
    rows["kind"][tame] = dice.integers(0, 7, tame.sum())
    rows["target"][tame] = dice.choice(world.state.id[: world.state.count], tame.sum())
    inputs = TickInputs(rows)
    orders = sort_orders(world.state, inputs)
    return Hearing(world.state, orders, world.tick, world.tick * 100, inputs.texts)


def test_there_are_policies_and_their_names_differ() -> None:
    assert {"speed", "reach", "rate", "dead-actor"} <= {policy.name for policy in POLICIES}
    assert len({policy.name for policy in POLICIES}) == len(POLICIES)


def test_whole_tick_policies_come_first() -> None:
    """Otherwise their denials would not end the matter."""
    flags = [policy.whole_tick for policy in POLICIES]
    assert flags == sorted(flags, reverse=True)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
class TestEveryPolicy:
    def test_judges_whatever_it_is_shown(self, policy: Policy) -> None:
        hearing = _hearing(seed=1, count=400)
        judgement = policy.judge(hearing)
        count = len(hearing.orders)
        assert count > 300
        assert judgement.deny.dtype == bool
        assert judgement.deny.shape == (count,)
        denied = np.nonzero(judgement.deny)[0]
        assert len(denied) > 0
        reasons = judgement.why(denied)
        assert len(reasons) == len(denied)
        assert all(reason and reason.isprintable() and len(reason) < 120 for reason in reasons)
        if judgement.mutate is not None:
            assert judgement.x is not None
            assert judgement.y is not None
            assert judgement.mutate.shape == judgement.x.shape == judgement.y.shape == (count,)

    def test_changes_nothing(self, policy: Policy) -> None:
        hearing = _hearing(seed=2, count=100)
        columns = {name: column.copy() for name, column in hearing.state.columns.items()}
        orders = {name: getattr(hearing.orders, name).copy() for name in Orders.__slots__}
        judgement = policy.judge(hearing)
        judgement.why(np.nonzero(judgement.deny)[0])
        for name, column in columns.items():
            assert np.array_equal(hearing.state.columns[name], column), name
        for name, column in orders.items():
            assert np.array_equal(getattr(hearing.orders, name), column), name

    def test_judges_an_empty_batch(self, policy: Policy) -> None:
        assert policy.judge(_hearing(seed=3, count=0)).deny.shape == (0,)

    def test_its_name_stands_before_the_reason(self, policy: Policy) -> None:
        ruling = govern([policy], _hearing(seed=4, count=300))
        denied = np.nonzero(ruling.verdict == DENY)[0].tolist()
        assert denied
        assert all(ruling.reasons[row].startswith(f"{policy.name}: ") for row in denied)

    def test_says_what_it_is(self, policy: Policy) -> None:
        assert policy.help.isprintable()
        assert policy.name == policy.name.lower()
