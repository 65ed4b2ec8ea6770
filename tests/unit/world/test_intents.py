"""Each intent, and what happens when several want the same."""

import pytest

from engine.protocol.policy import PolicyChange
from engine.world.audit import NO_POLICY, WORLD_ITSELF, WORLD_NAME
from engine.world.constants import DAMAGE_MIN, DAMAGE_SPREAD, GOODS_CARRIED_MAX, GOODS_NODE_MAX
from engine.world.events import TickEvents
from tests.unit.world.arena import MIDDLE, TILE, Arena, node, npc, player, target

ONE, TWO, THREE = player(0), player(1), player(2)


def test_move_goes_there_and_is_one_root_event() -> None:
    arena = Arena()
    result = arena.step(arena.move(ONE, 1, TILE))
    (moved,) = arena.events("moved")
    assert (moved.a, moved.b) == (MIDDLE + TILE, MIDDLE)
    assert (arena.get(ONE, "x"), arena.get(ONE, "y")) == (MIDDLE + TILE, MIDDLE)
    assert moved.correlation == ONE << 32 | 1
    assert moved.cause == 0
    assert result.verdicts.event.tolist() == [moved.seq]
    assert arena.get(ONE, "last_seq") == 1


def test_moves_of_one_tick_are_walked_one_after_another() -> None:
    arena = Arena()
    there = (ONE, 2, "move", MIDDLE + 3 * TILE, MIDDLE)
    on_the_way = (ONE, 1, "move", MIDDLE + 2 * TILE, MIDDLE + TILE)
    arena.step(there, on_the_way)
    assert [event.correlation & 0xFFFF for event in arena.events("moved")] == [1, 2]
    assert arena.get(ONE, "x") == MIDDLE + 3 * TILE
    assert arena.get(ONE, "y") == MIDDLE


def test_move_crosses_cells_and_zones() -> None:
    arena = Arena()
    arena.put(ONE, 32 * TILE - 1, 8 * TILE - 1)
    arena.step((ONE, 1, "move", 32 * TILE, 8 * TILE))
    assert arena.get(ONE, "cell") == 1 * 32 + 4
    assert arena.get(ONE, "zone") == 1


def test_attack_takes_hit_points_and_teaches() -> None:
    arena = Arena()
    arena.step(target("attack", ONE, 1, TWO))
    (blow,) = arena.events("attacked")
    assert DAMAGE_MIN <= blow.a < DAMAGE_MIN + DAMAGE_SPREAD
    assert (blow.stream, blow.actor, blow.target) == (TWO, ONE, TWO)
    assert arena.get(TWO, "hp") == 100 - blow.a == blow.b
    assert arena.get(ONE, "xp") == 1


def test_two_attackers_never_take_more_than_there_is() -> None:
    arena = Arena(players=3)
    arena.set(THREE, hp=DAMAGE_MIN + 1)
    arena.step(target("attack", TWO, 1, THREE), target("attack", ONE, 1, THREE))
    first, second = arena.events("attacked")
    assert (first.actor, second.actor) == (ONE, TWO), "the lower id goes first"
    assert first.a + second.a == DAMAGE_MIN + 1
    assert second.b == 0
    assert len(arena.events("died")) == 1
    assert arena.get(THREE, "hp") == 0


def test_attackers_of_one_round_strike_at_the_same_time() -> None:
    arena = Arena()
    arena.set(ONE, hp=1)
    arena.set(TWO, hp=1)
    arena.step(target("attack", ONE, 1, TWO), target("attack", TWO, 1, ONE))
    assert {event.stream for event in arena.events("died")} == {ONE, TWO}


def test_gather_shares_a_node_in_order() -> None:
    arena = Arena(players=3, nodes=1)
    arena.put(node(0), MIDDLE, MIDDLE)
    arena.set(node(0), goods=2)
    arena.step(*(target("gather", who, 1, node(0)) for who in (THREE, TWO, ONE)))
    taken = {event.actor: event.a for event in arena.events("gathered")}
    assert sum(taken.values()) == 2
    assert taken[ONE] >= 1
    assert sum(arena.get(who, "goods") for who in (ONE, TWO, THREE)) == 2
    assert arena.get(node(0), "goods") == 0
    for denied in arena.events("denied"):
        assert denied.text == "world: node-0 is empty"


def test_the_world_tells_no_room_from_an_empty_node() -> None:
    arena = Arena(players=3, nodes=1)
    arena.put(node(0), MIDDLE, MIDDLE)
    arena.set(node(0), goods=1)
    arena.set(ONE, goods=GOODS_CARRIED_MAX)
    off = [PolicyChange("inventory", enabled=False)]
    gathers = [target("gather", who, 1, node(0)) for who in (ONE, TWO, THREE)]
    result = arena.step(*gathers, policies=off)
    assert arena.verdicts() == [1, 0, 1]
    assert arena.reason(0) == f"world: can carry no more than {GOODS_CARRIED_MAX} goods"
    assert arena.reason(2) == "world: node-0 is empty"
    assert result.audit.policy.tolist() == [WORLD_ITSELF, NO_POLICY, WORLD_ITSELF]
    rows = TickEvents(arena.last.tick, result.events).violations()
    assert [row.policy for row in rows] == [WORLD_NAME, WORLD_NAME]


def test_gather_denied_when_nothing_more_can_be_carried() -> None:
    arena = Arena(nodes=1)
    arena.put(node(0), MIDDLE, MIDDLE)
    arena.set(ONE, goods=GOODS_CARRIED_MAX)
    arena.step(target("gather", ONE, 1, node(0)))
    assert arena.reason() == f"inventory: can carry no more than {GOODS_CARRIED_MAX} goods"
    assert arena.get(node(0), "goods") == GOODS_NODE_MAX


@pytest.mark.parametrize(("amount", "goods", "gold"), [(5, 15, 90), (-5, 5, 110)])
def test_trade_buys_and_sells(amount: int, goods: int, gold: int) -> None:
    arena = Arena()
    arena.set(ONE, goods=10)
    arena.set(TWO, goods=10)
    arena.step(target("trade", ONE, 1, TWO, amount))
    (traded,) = arena.events("traded")
    assert (traded.a, traded.b) == (amount, 2 * amount)
    assert (arena.get(ONE, "goods"), arena.get(ONE, "gold")) == (goods, gold)
    assert (arena.get(TWO, "goods"), arena.get(TWO, "gold")) == (20 - goods, 200 - gold)


def test_trade_needs_goods_gold_and_room() -> None:
    arena = Arena()
    arena.set(TWO, goods=3)
    arena.step(target("trade", ONE, 1, TWO, 5))
    assert arena.reason() == "inventory: seller has 3 goods, 5 wanted"
    arena.set(TWO, goods=300)
    arena.step(target("trade", ONE, 2, TWO, 51))
    assert arena.reason() == "inventory: buyer has 100 gold, the price is 102"
    arena.set(ONE, goods=GOODS_CARRIED_MAX - 1)
    arena.step(target("trade", ONE, 3, TWO, 2))
    assert arena.reason() == "inventory: buyer can carry 1 more goods, not 2"
    assert (arena.get(ONE, "gold"), arena.get(TWO, "gold")) == (100, 100)


def test_trades_of_one_tick_share_what_the_seller_has() -> None:
    arena = Arena(players=3)
    arena.set(THREE, goods=5)
    arena.step(target("trade", TWO, 1, THREE, 4), target("trade", ONE, 1, THREE, 4))
    assert arena.verdicts() == [1, 0]
    assert arena.reason(0) == "trade-escrow: seller has 1 goods, 4 wanted"
    assert arena.get(THREE, "goods") == 1


def test_an_impossible_trade_blocks_no_other_one() -> None:
    arena = Arena(players=3)
    arena.set(THREE, goods=5)
    arena.step(target("trade", ONE, 1, THREE, 1_000_000), target("trade", TWO, 1, THREE, 4))
    assert arena.verdicts() == [1, 0]


def test_trade_with_an_npc() -> None:
    arena = Arena(npcs=1)
    arena.put(npc(0), MIDDLE, MIDDLE)
    arena.step(target("trade", ONE, 1, npc(0), 3))
    assert arena.get(ONE, "goods") == 3
    assert arena.get(npc(0), "gold") == 206


def test_rest_heals_up_to_the_most() -> None:
    arena = Arena()
    arena.set(ONE, hp=93)
    arena.step((ONE, 1, "rest"))
    (rested,) = arena.events("rested")
    assert (rested.a, rested.b) == (7, 100)
    assert arena.get(ONE, "hp") == 100


def test_rest_does_not_save_who_is_struck_down_in_the_same_round() -> None:
    arena = Arena()
    arena.set(TWO, hp=1)
    arena.step((TWO, 1, "rest"), target("attack", ONE, 1, TWO))
    assert len(arena.events("died")) == 1
    assert arena.get(TWO, "hp") == 0


def test_a_resent_intent_is_acknowledged_and_not_applied() -> None:
    arena = Arena()
    arena.step(arena.move(ONE, 1, TILE))
    result = arena.step((ONE, 1, "move", MIDDLE, MIDDLE))
    assert (arena.verdicts(), result.verdicts.event.tolist()) == ([0], [0])
    assert arena.events() == []
    assert arena.get(ONE, "x") == MIDDLE + TILE


def test_an_intent_twice_in_a_tick_is_applied_once() -> None:
    arena = Arena()
    arena.set(TWO, goods=10)
    buy = target("trade", ONE, 1, TWO, 2)
    result = arena.step(buy, buy)
    assert arena.get(ONE, "goods") == 2
    assert arena.verdicts() == [0, 0]
    assert min(result.verdicts.event.tolist()) == 0


def test_a_stranger_is_denied_in_the_stream_of_the_world() -> None:
    arena = Arena()
    arena.step((player(77), 1, "rest"))
    (denied,) = arena.events("denied")
    assert (denied.stream, denied.actor) == (0, player(77))
    assert denied.text == "dead-actor: not in the world"


@pytest.mark.parametrize("kind", ["move", "attack", "gather", "trade", "rest"])
def test_luck_and_order_do_not_hang_on_arrival(kind: str) -> None:
    """Ten players do the same to one target; first as they are numbered, then reversed."""
    told = []
    for turned in (1, -1):
        arena = Arena(players=12, npcs=1, nodes=1)
        aim = {"gather": node(0), "trade": npc(0)}.get(kind, player(11))
        arena.put(aim, MIDDLE, MIDDLE)
        arena.set(aim, goods=14)
        for number in range(1, 11):
            arena.set(player(number), hp=100 - number)
        intents = [
            (player(number), 1, kind, MIDDLE + number, MIDDLE, aim, number)
            for number in range(1, 11)
        ]
        arena.step(*intents[::turned])
        told.append((arena.last.hash, arena.events()))
    assert told[0] == told[1]
    assert len({event.a for event in told[0][1]}) > 1, "luck or content differs"
