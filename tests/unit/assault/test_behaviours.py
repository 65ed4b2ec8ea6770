"""Behaviours act on what the player sees: each does its own, within reach and allowance."""

from collections import Counter
from math import hypot

import pytest

from engine.assault.behaviours.base import (
    NODE,
    NPC,
    PLAYER,
    REACH,
    STEP_MAX,
    TILE,
    Behaviour,
    View,
    Wish,
)
from engine.assault.behaviours.cheater import BEHAVIOUR as CHEATER
from engine.assault.behaviours.raider import BEHAVIOUR as RAIDER
from engine.assault.behaviours.trader import BEHAVIOUR as TRADER
from engine.assault.behaviours.wanderer import BEHAVIOUR as WANDERER
from engine.protocol.cheats import UNSURE
from engine.protocol.gateway import SeenEntity
from engine.protocol.limits import POSITION_MAX
from engine.stats.chance import Dice
from tests.unit.assault.kit import delta, seen

ME, X, Y = 1_000_001, 100 * TILE, 100 * TILE


def _view(*others: SeenEntity, hp: int = 100, goods: int = 0, faction: int = 1) -> View:
    view = View(ME, X, Y)
    view.take(delta(seen(ME, PLAYER, X, Y, hp=100, faction=faction), *others))
    view.take(delta(seen(ME, PLAYER, X, Y, hp=hp, goods=goods, faction=faction), *others))
    return view


def _kinds(behaviour: Behaviour, view: View, times: int = 300) -> Counter[str]:
    dice, memory = Dice(5), dict[str, int]()
    return Counter(w.kind for _ in range(times) for w in behaviour.decide(view, dice, memory))


def _one(behaviour: Behaviour, view: View, memory: dict[str, int] | None = None) -> Wish:
    (wish,) = behaviour.decide(view, Dice(5), {} if memory is None else memory)
    return wish


def test_a_wanderer_moves_says_rests_and_gathers() -> None:
    node = seen(7, NODE, X + TILE, Y, goods=5)
    kinds = _kinds(WANDERER, _view(node))
    assert set(kinds) == {"move", "say", "rest", "gather"}
    assert kinds["move"] > kinds["gather"] > kinds["say"]


def test_a_wanderer_gets_somewhere() -> None:
    view, dice, memory = _view(), Dice(3), dict[str, int]()
    far = 0.0
    for _ in range(60):
        for wish in WANDERER.decide(view, dice, memory):
            if wish.kind == "move":
                view.x, view.y = wish.x, wish.y
        far = max(far, hypot(view.x - X, view.y - Y))
    assert far > 15 * TILE


def test_a_trader_gathers_walks_to_a_customer_and_sells() -> None:
    node = seen(7, NODE, X + 10 * TILE, Y, goods=5)
    npc = seen(100_002, NPC, X - 10 * TILE, Y)
    walk = _one(TRADER, _view(node, npc))
    assert (walk.kind, walk.y) == ("move", Y)
    assert X < walk.x <= X + STEP_MAX
    near = seen(7, NODE, X + TILE, Y, goods=5)
    assert _one(TRADER, _view(near, npc)) == Wish("gather", target=7)
    loaded = _one(TRADER, _view(near, npc, goods=6))
    assert (loaded.kind, loaded.x < X) == ("move", True)
    customer = seen(100_002, NPC, X - TILE, Y)
    assert _one(TRADER, _view(near, customer, goods=6)) == Wish("trade", target=100_002, amount=-5)


def test_a_trader_offers_less_to_somebody_else_after_a_refusal() -> None:
    memory: dict[str, int] = {}
    people = seen(100_002, NPC, X, Y), seen(100_003, NPC, X, Y)
    offers = [_one(TRADER, _view(*people, goods=9), memory) for _ in range(3)]
    assert [offer.amount for offer in offers] == [-5, -1, -1]
    assert offers[0].target != offers[1].target != offers[2].target
    # Sold: the next one is offered a whole lot again.
    assert _one(TRADER, _view(*people, goods=8), memory).amount == -5
    # With nobody else about it goes and looks for somebody.
    assert _one(TRADER, _view(people[0], goods=8), {"selling": 1, "poor": 100_002}).kind == "move"


def test_a_trader_sells_out_before_it_gathers_again() -> None:
    memory: dict[str, int] = {}
    node, npc = seen(7, NODE, X, Y, goods=5), seen(100_002, NPC, X, Y)
    kinds = [_one(TRADER, _view(node, npc, goods=g), memory).kind for g in (0, 3, 4, 1, 0, 1)]
    assert kinds == ["gather", "gather", "trade", "trade", "gather", "gather"]


def test_an_empty_node_is_nothing_to_gather() -> None:
    assert _kinds(TRADER, _view(seen(7, NODE, X, Y, goods=0)))["gather"] == 0


def test_a_raider_hunts_other_factions_and_npcs_but_not_its_own() -> None:
    friend = seen(1_000_002, PLAYER, X + TILE, Y, faction=1)
    enemy = seen(1_000_003, PLAYER, X + 9 * TILE, Y, faction=2)
    hunt = _one(RAIDER, _view(friend, enemy))
    assert (hunt.kind, hunt.y) == ("move", Y)
    assert hunt.x == X + STEP_MAX
    close = seen(1_000_003, PLAYER, X + TILE, Y, faction=2)
    assert _one(RAIDER, _view(friend, close)) == Wish("attack", target=1_000_003)
    npc = seen(100_004, NPC, X + TILE, Y, faction=1)
    assert _one(RAIDER, _view(npc)) == Wish("attack", target=100_004)
    assert _kinds(RAIDER, _view(friend))["attack"] == 0


def test_a_raider_takes_the_weakest_and_stays_with_it() -> None:
    weak = seen(1_000_004, PLAYER, X + TILE, Y, faction=2, hp=10)
    strong = seen(1_000_003, PLAYER, X, Y, faction=2, hp=90)
    assert _one(RAIDER, _view(weak, strong)).target == 1_000_004
    assert _one(RAIDER, _view(weak, strong), {"prey": 1_000_003}).target == 1_000_003


def test_a_raider_that_bleeds_runs_and_rests_when_it_is_safe() -> None:
    enemy = seen(1_000_003, PLAYER, X + TILE, Y, faction=2)
    flight = _one(RAIDER, _view(enemy, hp=20))
    assert flight.kind == "move"
    assert flight.x < X
    assert _one(RAIDER, _view(hp=20)) == Wish("rest")


def test_a_raider_in_a_corner_still_moves_within_the_map() -> None:
    view = _view(seen(1_000_003, PLAYER, X, Y, faction=2), hp=20)
    view.x = view.y = 0
    flight = RAIDER.decide(view, Dice(1), {})[0]
    assert 0 <= flight.x <= POSITION_MAX
    assert 0 <= flight.y <= POSITION_MAX


def _cheats(view: View, times: int = 800) -> dict[str, list[tuple[Wish, ...]]]:
    """Every decision with a mark, by the mark."""
    dice, memory = Dice(2), dict[str, int]()
    found: dict[str, list[tuple[Wish, ...]]] = {}
    for _ in range(times):
        wishes = tuple(CHEATER.decide(view, dice, memory))
        for cheat in {wish.cheat for wish in wishes} - {"", UNSURE}:
            found.setdefault(cheat, []).append(wishes)
    return found


def test_a_cheater_gives_every_policy_something_to_deny() -> None:
    far, near = seen(100_009, NPC, X + 11 * TILE, Y), seen(100_007, NPC, X + TILE, Y)
    node = seen(7, NODE, X, Y + 12 * TILE, goods=5)
    view = _view(far, near, node, goods=5)
    view.step = STEP_MAX
    found = _cheats(view)
    expected = {"speed", "reach", "rate", "cooldown", "inventory", "chat-filter", "sanity"}
    assert set(found) == expected
    assert all(len(tries) > 20 for tries in found.values())
    for (wish,) in found["reach"]:
        assert wish.target in {far.id, node.id}
        assert wish.amount in {0, 1}
    assert {wish.kind for (wish,) in found["reach"]} == {"attack", "gather", "trade"}
    for (wish,) in found["inventory"]:
        assert (wish.target, abs(wish.amount)) == (near.id, 900_000)


def test_a_cheaters_marks_leave_room_for_what_it_cannot_know() -> None:
    view = _view(seen(100_007, NPC, X + TILE, Y), seen(100_009, NPC, X + 9 * TILE, Y))
    view.step = STEP_MAX
    found = _cheats(view)
    assert "reach" not in found, "9 tiles may be 2 by the time the command arrives"
    for burst in found["rate"]:
        assert [wish.cheat for wish in burst] == [UNSURE] * 25 + ["rate"] * 5
    for burst in found["cooldown"]:
        assert [wish.cheat for wish in burst] == [UNSURE, "cooldown"]
        assert {wish.kind for wish in burst} == {"say"}
    leaps = [wishes for wishes in found["speed"] if len(wishes) == 1]
    sprints = [wishes for wishes in found["speed"] if len(wishes) == 2]
    assert all(hypot(leap.x - X, leap.y - Y) >= 20 * TILE for (leap,) in leaps)
    for first, then in sprints:
        legs = abs(first.x - X), abs(then.x - first.x)
        assert (first.y, then.y, first.cheat) == (Y, Y, UNSURE)
        assert legs[0] <= STEP_MAX
        assert legs[1] < 8 * TILE < sum(legs)
    view.step = 0
    assert all(len(wishes) == 1 for wishes in _cheats(view)["speed"]), "it has just walked"


def test_a_dead_cheater_acts_while_it_is_sure_to_be_dead() -> None:
    view, dice, memory = _view(), Dice(1), dict[str, int]()
    view.tick = 100
    view.alive = False
    assert CHEATER.decide(view, dice, memory) == (), "it never saw itself alive"
    view.alive = True
    CHEATER.decide(view, dice, memory)
    view.alive = False
    kinds = set()
    for tick in range(101, 160):
        view.tick = tick
        wishes = CHEATER.decide(view, dice, memory)
        assert bool(wishes) == (tick <= 130), "it may have come back to life"
        assert all(wish.cheat == "dead-actor" for wish in wishes)
        kinds |= {wish.kind for wish in wishes}
    assert kinds == {"rest", "move", "say"}


@pytest.mark.parametrize("behaviour", [WANDERER, TRADER, RAIDER])
def test_the_honest_mark_nothing(behaviour: Behaviour) -> None:
    people = seen(100_002, NPC, X + TILE, Y), seen(7, NODE, X, Y, goods=3)
    dice, memory = Dice(5), dict[str, int]()
    view = _view(*people, goods=5)
    wishes = [w for _ in range(300) for w in behaviour.decide(view, dice, memory)]
    assert wishes
    assert {wish.cheat for wish in wishes} == {""}


@pytest.mark.parametrize("behaviour", [WANDERER, TRADER, RAIDER])
def test_the_dead_wait(behaviour: Behaviour) -> None:
    view = _view(seen(7, NODE, X, Y, goods=5), seen(100_002, NPC, X, Y), goods=5)
    view.alive = False
    assert sum(_kinds(behaviour, view).values()) == 0


@pytest.mark.parametrize("behaviour", [WANDERER, TRADER, RAIDER])
@pytest.mark.parametrize("step", [0, 100, STEP_MAX])
def test_the_honest_keep_their_reach_and_their_pace(behaviour: Behaviour, step: int) -> None:
    dice, memory = Dice(9), dict[str, int]()
    for round_ in range(400):
        others = [
            seen(
                (1, 100_000, 1_000_010)[kind] + n,
                kind,
                X + dice.between(-24, 24) * TILE,
                Y + dice.between(-24, 24) * TILE,
                faction=n % 4,
                goods=n % 3,
            )
            for n, kind in enumerate([NODE, NPC, PLAYER] * 4)
        ]
        view = _view(*others, hp=dice.between(1, 100), goods=round_ % 7)
        view.step = step
        for wish in behaviour.decide(view, dice, memory):
            if wish.kind == "move":
                assert hypot(wish.x - X, wish.y - Y) <= max(step, 1) + 1.5
                assert 0 <= wish.x <= POSITION_MAX
                assert 0 <= wish.y <= POSITION_MAX
            elif wish.target:
                target = next(e for e in others if e.id == wish.target)
                assert view.distance(target) <= REACH
                assert wish.kind != "trade" or wish.amount in range(-view.goods, 2)


def test_an_entity_that_is_shown_twice_is_no_problem() -> None:
    twin = seen(7, NODE, X + TILE, Y, goods=4)
    assert _view(twin, seen(7, NODE, X + TILE, Y, goods=9)).nearest([twin, twin]) == twin
