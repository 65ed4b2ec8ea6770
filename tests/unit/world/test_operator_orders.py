"""Operators' orders: governed and stored like intents, but none of the player's own."""

from engine.protocol.limits import ORDER_SEQ_BASE
from engine.world.inputs import OPERATOR, TickInputs
from engine.world.world import World, WorldConfig
from tests.unit.world.arena import TILE, Arena, node, npc, player

ONE = player(0)


def order(number: int) -> int:
    return ORDER_SEQ_BASE + number


def by_operator(who: int, number: int, kind: str) -> tuple:
    """An order of an operator: the last field is its role."""
    return (who, order(number), kind, 0, 0, 0, 0, OPERATOR)


def test_an_order_neither_advances_nor_is_held_against_the_players_own_sequence() -> None:
    arena = Arena()
    arena.step((ONE, 5, "rest"))
    arena.step((ONE, order(1), "rest"), (ONE, 6, "rest"))
    assert [event.correlation for event in arena.events("rested")] == [
        ONE << 32 | 6,
        ONE << 32 | order(1),
    ]
    assert arena.get(ONE, "last_seq") == 6
    arena.step((ONE, 7, "rest"))
    assert len(arena.events("rested")) == 1
    arena.step((ONE, order(2), "rest"))
    assert len(arena.events("rested")) == 1
    assert arena.get(ONE, "last_seq") == 7


def test_an_npc_can_be_ordered() -> None:
    arena = Arena(npcs=3)
    arena.step(by_operator(npc(1), 1, "say"), texts={0: "halt"})
    (said,) = arena.events("said")
    assert (said.actor, said.text, said.correlation) == (npc(1), "halt", npc(1) << 32 | order(1))
    assert arena.get(npc(1), "last_seq") == 0


def test_an_order_costs_and_obeys_what_every_intent_does() -> None:
    arena = Arena()
    busy = arena.get(ONE, "busy_ms")
    arena.step(arena.move(ONE, order(1), 100 * TILE))
    assert arena.reason().startswith("speed: ")
    assert arena.get(ONE, "busy_ms") > busy
    (denied,) = arena.events("denied")
    assert denied.correlation == ONE << 32 | order(1)
    many = [(ONE, order(n), "rest") for n in range(2, 42)]
    arena.step(*many)
    assert any(reason.startswith("rate: ") for reason in arena.last.verdicts.reasons.values())


def test_a_node_does_not_act() -> None:
    arena = Arena(nodes=2)
    arena.step(by_operator(node(0), 1, "rest"))
    assert arena.reason() == "dead-actor: a node does not act"


def test_who_is_nowhere_does_not_act() -> None:
    arena = Arena()
    arena.step((player(77), order(1), "rest"))
    assert arena.reason() == "dead-actor: not in the world"


def test_stored_orders_give_the_same_world_again() -> None:
    joins = TickInputs.of(joins=[(player(n), f"player-{n}") for n in range(2)])
    orders = TickInputs.of(
        [
            (ONE, 1, 5, 0, 0, 0, 0),
            (npc(1), order(1), 5, 0, 0, 0, 0, OPERATOR),
            (ONE, order(2), 5, 0, 0, 0, 0, OPERATOR),
        ]
    )
    one, other = (World.create(WorldConfig(seed=7, npcs=5, nodes=0)) for _ in range(2))
    for inputs in (joins, orders):
        first = one.step(inputs)
        second = other.step(TickInputs.unpack(inputs.pack()))
    assert first.verdicts.event.all()
    assert first.hash == second.hash
