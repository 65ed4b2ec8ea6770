"""Operators' orders between the doors and the world."""

import asyncio

import msgspec

from engine.hub.bell import Bell
from engine.hub.orders import WorldOrders, governed
from engine.hub.policywatch import PolicyWatch
from engine.protocol.audit import PolicyRow
from engine.protocol.child import WorldOrder, WorldOrderDone
from engine.protocol.command import Reply
from engine.protocol.gateway import Intent
from engine.protocol.limits import ORDERS_IN_FLIGHT_MAX
from engine.protocol.policy import (
    PolicyChange,
    PolicyCount,
    PolicyScope,
    PolicyView,
    WorldPolicies,
    WorldPolicy,
    WorldPolicyDone,
)
from engine.protocol.query import Refused

REST = Intent(seq=1, kind="rest")


class World:
    def __init__(self) -> None:
        self.got: list[WorldOrder] = []
        self.lives = True

    def post(self, order: WorldOrder) -> bool:
        if self.lives:
            self.got.append(order)
        return self.lives


async def test_answers_find_who_asked() -> None:
    world = World()
    orders = WorldOrders(world.post)
    asked = [asyncio.create_task(orders.place(entity, REST)) for entity in (7, 8)]
    await asyncio.sleep(0)
    assert [(order.id, order.entity) for order in world.got] == [(1, 7), (2, 8)]
    orders.done(WorldOrderDone(99, 1, "permit"))
    for number in (2, 1):
        orders.done(WorldOrderDone(number, 5, "permit", "", 100 + number))
    orders.done(WorldOrderDone(1, 6, "deny"))
    answers = await asyncio.gather(*asked)
    assert [answer.event for answer in answers if isinstance(answer, WorldOrderDone)] == [101, 102]


async def test_no_world_to_command() -> None:
    world = World()
    world.lives = False
    answer = await WorldOrders(world.post).place(7, REST)
    assert isinstance(answer, Refused)
    assert answer.code == "gone"


async def test_the_world_dies_with_orders_in_flight() -> None:
    world = World()
    orders = WorldOrders(world.post)
    asked = asyncio.create_task(orders.place(7, REST))
    await asyncio.sleep(0)
    orders.world_gone()
    orders.world_gone()
    answer = await asked
    assert isinstance(answer, Refused)
    assert answer.code == "gone"
    assert answer.message == "the world died; it may still be carried out: the events tell"


async def test_a_world_that_does_not_answer() -> None:
    world = World()
    orders = WorldOrders(world.post, timeout_s=0.01)
    answer = await orders.place(7, REST)
    assert isinstance(answer, Refused)
    assert answer.code == "deadline"
    fate = "it may still be carried out: the events tell"
    assert answer.message == f"no answer within 0.01 s; {fate}"
    full = "the world cannot store its ticks: disk is full"
    answer = await WorldOrders(world.post, 0.01, lambda: full).place(7, REST)
    assert isinstance(answer, Refused)
    assert answer.message == f"no answer within 0.01 s: {full}; {fate}"
    orders.done(WorldOrderDone(1, 5, "permit"))  # too late, and let go


async def test_orders_in_flight_are_bounded() -> None:
    world = World()
    orders = WorldOrders(world.post)
    asked = [asyncio.create_task(orders.place(7, REST)) for _ in range(ORDERS_IN_FLIGHT_MAX)]
    await asyncio.sleep(0)
    answer = await orders.place(7, REST)
    assert isinstance(answer, Refused)
    assert answer.code == "busy"
    asked[0].cancel()
    await asyncio.wait({asked[0]})
    assert len(world.got) == ORDERS_IN_FLIGHT_MAX
    asked.append(asyncio.create_task(orders.place(7, REST)))
    await asyncio.sleep(0)
    assert len(world.got) == ORDERS_IN_FLIGHT_MAX + 1
    orders.world_gone()
    await asyncio.gather(*asked, return_exceptions=True)


async def test_a_bell_wakes_who_took_its_ring_before_it_rang() -> None:
    bell = Bell()
    bell.ring()
    ring = bell.next_ring()
    assert not ring.is_set()
    bell.ring()
    await ring.wait()
    assert bell.next_ring() is not ring


async def test_changes_of_policies_are_numbered_with_the_orders() -> None:
    world = World()
    orders = WorldOrders(world.post)
    change = PolicyChange("speed", enabled=False)
    asked = [asyncio.create_task(governed(orders, change)) for _ in range(2)]
    order = asyncio.create_task(orders.place(7, REST, "narrator"))
    await asyncio.sleep(0)
    assert world.got[:2] == [WorldPolicy(1, change), WorldPolicy(2, change)]
    assert world.got[2].role == "narrator"
    orders.done(WorldPolicyDone(2, 9, ok=False, text="not so"))
    orders.done(WorldPolicyDone(1, 9, ok=True, text="speed: disabled"))
    assert [await each for each in asked] == [
        Reply(ok=True, text="speed: disabled (tick 9)"),
        Reply(ok=False, text="not so", code="bad_request"),
    ]
    orders.world_gone()
    assert isinstance(await order, Refused)
    world.lives = False
    assert (await governed(orders, change)).code == "gone"


def test_a_policy_that_failed_is_told_once() -> None:
    watch = PolicyWatch()
    well = PolicyView("mine", "", 40, True, PolicyScope(), {})
    failed = msgspec.structs.replace(well, enabled=False, failed="raised: ValueError in line 3: no")
    told = "policy mine is disabled, it failed: raised: ValueError in line 3: no"
    assert watch.take(WorldPolicies((well,))) == []
    assert watch.take(WorldPolicies((failed,))) == [told]
    assert watch.take(WorldPolicies((failed,))) == []
    assert watch.take(WorldPolicies((well,))) == []
    assert watch.take(WorldPolicies((failed,))) == [told]


def test_counts_go_on_when_the_world_is_new() -> None:
    watch = PolicyWatch()
    view = PolicyView("speed", "", 40, True, PolicyScope(), {})
    watch.take(WorldPolicies((view,)))
    watch.count({"speed": PolicyCount(5, 2, 1)})
    watch.world_is_new()
    watch.count({"speed": PolicyCount(3, 1, 0)})
    watch.count({"speed": PolicyCount(4, 1, 0)})
    assert watch.answer().rows == (PolicyRow(view, PolicyCount(9, 3, 1)),)


def test_policies_that_could_hold_up_the_world_are_users_own_that_judge() -> None:
    watch = PolicyWatch()
    mine = PolicyView("mine", "", 40, True, PolicyScope(), {}, built_in=False)
    off = msgspec.structs.replace(mine, name="off", enabled=False)
    watch.take(WorldPolicies((PolicyView("speed", "", 1, True, PolicyScope(), {}), off)))
    assert watch.suspects() == ""
    watch.take(WorldPolicies((mine, off)))
    assert watch.suspects() == "; look for a loop without end in your policies: mine"
