"""What every rule of the folder must do: the scan picks newcomers up."""

import numpy as np
import pytest

from engine.protocol.events import EVENT_KINDS
from engine.protocol.limits import PLAYER_ID_BASE
from engine.world.events import EVENT_DTYPE
from engine.world.inputs import TickInputs
from engine.world.rulebook import find_rules
from engine.world.rules.base import Draft, Rule, Trigger
from engine.world.world import World, WorldConfig

RULES = find_rules().rules


def _trigger(rule: Rule, seed: int, count: int) -> Trigger:
    """Events that trigger a rule, between entities there are, in a world past its best."""
    world = World.create(WorldConfig(seed=3, npcs=20, nodes=20))
    world.step(TickInputs.of(joins=[(PLAYER_ID_BASE + n, f"player-{n}") for n in range(8)]))
    dice, state = np.random.default_rng(seed), world.state
    rows = slice(0, state.count)
    state.hp[rows] = dice.integers(0, 30, state.count) * (state.hp_max[rows] > 0)
    state.xp[rows] = dice.integers(0, 500, state.count)
    state.lives[rows] = dice.integers(1, 15, state.count)
    state.goods[rows] = dice.integers(0, 3, state.count)
    state.place(rows, dice.integers(0, 3000, state.count), dice.integers(0, 3000, state.count))
    events = np.zeros(count, EVENT_DTYPE)
    events["kind"] = dice.choice(rule.triggers, count)
    for who in ("stream", "actor", "target"):
        events[who] = dice.choice(state.id[rows], count)
    events["a"] = dice.integers(1, 20, count)
    events["b"] = dice.integers(0, 2, count) * dice.integers(0, 60, count)
    events["correlation"] = dice.integers(1, 2**40, count)
    seqs = np.arange(900, 900 + count, dtype=np.uint64)
    return Trigger(state, world.tick, 3, events, seqs)


def test_names_differ() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert len({rule.priority for rule in RULES}) == len(RULES), "their order is no accident"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
class TestEveryRule:
    def test_what_it_makes_has_a_cause_and_a_place(self, rule: Rule) -> None:
        made = 0
        for seed in range(10):
            trigger = _trigger(rule, seed, 60)
            draft = rule.react(trigger)
            if draft is None:
                continue
            made += len(draft)
            for name in Draft.__slots__:
                assert getattr(draft, name).shape == (len(draft),), name
            assert np.isin(draft.cause, trigger.seqs).all()
            causes = (draft.cause - trigger.seqs[0]).astype(np.int64)
            assert np.array_equal(draft.correlation, trigger.events["correlation"][causes])
            assert (trigger.state.rows_of(draft.stream) >= 0).all()
        assert made, "a rule that never reacts is not tested"

    def test_it_changes_nothing_and_says_the_same_again(self, rule: Rule) -> None:
        trigger = _trigger(rule, 1, 40)
        columns = {name: column.copy() for name, column in trigger.state.columns.items()}
        events = trigger.events.copy()
        one, other = rule.react(trigger), rule.react(trigger)
        for name, column in columns.items():
            assert np.array_equal(trigger.state.columns[name], column), name
        assert np.array_equal(trigger.events, events)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            for name in Draft.__slots__:
                assert np.array_equal(getattr(one, name), getattr(other, name)), name

    def test_it_reacts_to_nothing_with_nothing(self, rule: Rule) -> None:
        draft = rule.react(_trigger(rule, 2, 0))
        assert draft is None or not len(draft)

    def test_says_what_it_is(self, rule: Rule) -> None:
        assert rule.help.isprintable()
        assert rule.name == rule.name.lower()
        assert all(0 <= kind < len(EVENT_KINDS) for kind in (*rule.triggers, rule.makes))
