"""What every behaviour in the folder promises, whatever it is shown."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.assault import behaviours
from engine.assault.behaviours.base import STEP_MAX, Behaviour, View
from engine.assault.drivers.seed import DRIVER
from engine.protocol.gateway import Delta, Intent, SeenCell, SeenEntity, client_decoder
from engine.protocol.limits import INTENTS_QUEUED_PER_PLAYER_MAX, POSITION_MAX
from engine.protocol.registry import scan
from engine.protocol.scenario import DEFAULT_MIX
from engine.stats.chance import Dice

FOUND = scan(behaviours, "BEHAVIOUR")
ME = 1_000_000
positions = st.integers(0, POSITION_MAX)
entities = st.builds(
    SeenEntity,
    id=st.one_of(st.just(ME), st.integers(1, 3_000_000)),
    flags=st.integers(0, 127),
    x=positions,
    y=positions,
    hp=st.integers(0, 1000),
    level=st.integers(0, 50),
    goods=st.integers(0, 1_000_000),
)
updates = st.lists(st.lists(entities, max_size=8), max_size=9)


def test_the_default_mix_names_only_what_is_there() -> None:
    assert set(DEFAULT_MIX) <= set(FOUND)


@pytest.mark.parametrize("name", FOUND)
@settings(max_examples=100)
@given(
    updates=st.lists(updates, max_size=4), step=st.integers(0, STEP_MAX), seed=st.integers(0, 99)
)
def test_whatever_it_sees_it_wishes_what_can_be_sent(
    name: str, updates: list[list[list[SeenEntity]]], step: int, seed: int
) -> None:
    behaviour: Behaviour = FOUND[name]
    view, dice, memory = View(ME, 100, 100), Dice(seed), dict[str, int]()
    for tick, cells in enumerate([[], *updates]):
        view.take(Delta(tick, tuple(SeenCell(i, tick, tuple(c)) for i, c in enumerate(cells))))
        view.step = step
        for _ in range(3):
            wishes = behaviour.decide(view, dice, memory)
            assert len(wishes) <= INTENTS_QUEUED_PER_PLAYER_MAX
            for wish in wishes:
                intent = client_decoder.decode(DRIVER.intent(1, wish))
                assert isinstance(intent, Intent)
                assert intent.kind == wish.kind


@pytest.mark.parametrize("name", FOUND)
def test_the_same_dice_decide_the_same(name: str) -> None:
    behaviour: Behaviour = FOUND[name]
    cell = SeenCell(
        0,
        1,
        (
            SeenEntity(ME, 2 | 4, 5000, 5000, 80, 1, 3),
            SeenEntity(7, 4, 5100, 5000, 1, 0, 9),
            SeenEntity(100_001, 1 | 4, 5000, 5300, 50, 2, 4),
        ),
    )

    def decisions() -> list[object]:
        view, dice, memory = View(ME, 100, 100), Dice(4), dict[str, int]()
        view.take(Delta(1, (cell,)))
        return [behaviour.decide(view, dice, memory) for _ in range(50)]

    assert decisions() == decisions()
    assert any(decisions())
    assert len(msgspec.msgpack.encode(decisions())) > 50
