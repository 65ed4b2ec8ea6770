"""Each rule, and the chains they make."""

import numpy as np

from engine.protocol.events import Event
from engine.world.apply import seal
from engine.world.cascade import Bounds, cascade, no_frontier
from engine.world.constants import (
    GOLD_PLAYER_START,
    GOODS_NODE_MAX,
    REGROW_TICKS,
    RESPAWN_TICKS,
    STAGE_LIVES_CRYSTALLIZATION,
    STAGE_LIVES_DECAY,
)
from engine.world.events import Code, EventBlock, to_events
from engine.world.inputs import TickInputs
from engine.world.rulebook import find_rules
from engine.world.state import HOME_ZONES, STAGES
from engine.world.turn import Turn
from tests.unit.world.arena import MIDDLE, TILE, Arena, node, npc, player, target

ONE, TWO = player(0), player(1)
BOOK = find_rules()


def _cause(events: list[Event], event: Event) -> Event:
    return next(other for other in events if other.seq == event.cause)


def test_death_loot_level_and_stage_follow_from_one_blow() -> None:
    arena = Arena()
    arena.set(ONE, xp=79)
    arena.set(TWO, hp=1, goods=7)
    arena.step(target("attack", ONE, 5, TWO))
    events = arena.events()
    chain = {event.kind: event for event in events}
    assert _cause(events, chain["died"]).kind == "attacked"
    assert _cause(events, chain["looted"]).kind == "died"
    assert _cause(events, chain["levelled_up"]).kind == "attacked"
    assert _cause(events, chain["stage_changed"]).kind == "levelled_up"
    assert {event.correlation for event in events} == {ONE << 32 | 5}
    assert (chain["died"].a, chain["died"].b) == (arena.last.tick + RESPAWN_TICKS, 1)
    assert (chain["looted"].a, chain["looted"].b) == (GOLD_PLAYER_START // 2, 3)
    assert (arena.get(ONE, "gold"), arena.get(TWO, "gold")) == (150, 50)
    assert (arena.get(ONE, "goods"), arena.get(TWO, "goods")) == (3, 4)
    assert arena.get(ONE, "level") == 3
    assert arena.get(ONE, "hp_max") == 120
    assert STAGES[arena.get(ONE, "stage")] == "emergence"
    assert arena.last.depth == 2


def test_the_dead_return_at_their_factions_home_with_a_full_purse() -> None:
    arena = Arena()
    arena.set(TWO, hp=1)
    arena.step(target("attack", ONE, 1, TWO))
    arena.wait(RESPAWN_TICKS - 1)
    assert arena.get(TWO, "alive") == 0
    arena.step()
    (back,) = arena.events("respawned")
    assert back.stream == TWO
    assert back.b == GOLD_PLAYER_START // 2
    assert arena.get(TWO, "zone") == HOME_ZONES[arena.get(TWO, "faction")]
    for column, value in {"alive": 1, "hp": 100, "gold": 100, "lives": 2, "due_tick": 0}.items():
        assert arena.get(TWO, column) == value, column


def test_many_lives_end_in_decay_and_crystallization() -> None:
    for lives, stage in ((STAGE_LIVES_DECAY, "decay"), (STAGE_LIVES_CRYSTALLIZATION, None)):
        arena = Arena(players=1)
        arena.set(ONE, alive=0, hp=0, due_tick=arena.world.tick, lives=lives - 1)
        arena.step()
        (changed,) = arena.events("stage_changed")
        assert STAGES[changed.a] == (stage or "crystallization")


def test_an_npc_strikes_back() -> None:
    arena = Arena(players=1, npcs=1)
    arena.put(npc(0), MIDDLE, MIDDLE)
    arena.step(target("attack", ONE, 1, npc(0)))
    (back,) = arena.events("retaliated")
    assert (back.stream, back.actor) == (ONE, npc(0))
    assert arena.get(ONE, "hp") == 100 - back.a == back.b


def test_a_beaten_npc_calls_kin_and_flees() -> None:
    arena = Arena(players=1, npcs=4)
    for number in range(4):
        arena.put(npc(number), MIDDLE + TILE, MIDDLE)
        arena.set(npc(number), faction=1, home_x=MIDDLE, home_y=MIDDLE)
    arena.set(npc(3), faction=2)
    arena.wait(1)
    arena.put(npc(1), MIDDLE + TILE, MIDDLE)
    arena.set(npc(1), hp=51)
    arena.put(ONE, MIDDLE, MIDDLE)
    arena.step(target("attack", ONE, 1, npc(1)))
    events = arena.events()
    (call,) = arena.events("called_for_help")
    assert (call.stream, call.target) == (npc(1), ONE)
    assert _cause(events, call).kind == "attacked"
    helpers = [event for event in arena.events("retaliated") if event.cause == call.seq]
    assert {event.actor for event in helpers} == {npc(0), npc(2)}, "kin of faction and zone"
    assert arena.events("fled") == []
    arena.set(npc(1), hp=26)
    arena.put(npc(1), MIDDLE + TILE, MIDDLE)
    arena.step(target("attack", ONE, 2, npc(1)))
    (fled,) = arena.events("fled")
    assert (fled.a, fled.b) == (MIDDLE + 5 * TILE, MIDDLE), "straight away from the attacker"
    assert arena.events("called_for_help") == [], "it called already"


def test_blows_of_several_rules_in_one_level_never_exceed_what_is_left() -> None:
    arena = Arena(players=2, npcs=2)
    arena.set(ONE, hp=4)
    turn = _turn(arena)
    ids = np.array([npc(0), npc(1)])
    for number, kind in enumerate((Code.ATTACKED, Code.CALLED_FOR_HELP)):
        arena.put(npc(number), MIDDLE, MIDDLE)
        stream, actor = ids[number : number + 1], ONE if kind == Code.ATTACKED else npc(1)
        arena.set(npc(number), faction=0)
        turn.emit(kind, stream, actor=actor, target=ONE, a=1, b=99)
    cascade(turn, no_frontier(), BOOK)
    blows = [event for event in _sealed(arena, turn) if event.kind == "retaliated"]
    assert len(blows) == 2
    assert sum(blow.a for blow in blows) == 4
    assert arena.get(ONE, "hp") == 0


def test_an_emptied_node_grows_again() -> None:
    arena = Arena(nodes=1)
    arena.put(node(0), MIDDLE, MIDDLE)
    arena.set(node(0), goods=1)
    arena.step(target("gather", ONE, 1, node(0)))
    (emptied,) = arena.events("node_emptied")
    assert emptied.stream == node(0)
    assert arena.get(node(0), "alive") == 0
    arena.wait(REGROW_TICKS)
    assert [event.stream for event in arena.events("node_regrown")] == [node(0)]
    assert (arena.get(node(0), "alive"), arena.get(node(0), "goods")) == (1, GOODS_NODE_MAX)


def test_npcs_roam_about_home_and_the_hurt_rest() -> None:
    arena = Arena(players=0, npcs=20)
    arena.set(npc(3), hp=40)
    moved, rested = set(), set()
    for _ in range(10):
        arena.step()
        moved |= {event.stream for event in arena.events("moved")}
        rested |= {event.stream for event in arena.events("rested")}
    assert rested == {npc(3)}
    assert moved == {npc(number) for number in range(20)} - rested
    arena.wait(200)
    for number in range(20):
        far = abs(arena.get(npc(number), "x") - arena.get(npc(number), "home_x"))
        assert far <= 6 * TILE


def _turn(arena: Arena) -> Turn:
    world = arena.world
    return Turn(world.state, world.tick, world.tick * 100, 7, world.next_seq)


def _sealed(arena: Arena, turn: Turn) -> list[Event]:
    events = turn.events()
    seal(turn.state, events, turn.texts, turn.state.cell.copy(), turn.tick, turn.now_ms)
    return to_events(EventBlock(turn.first_seq, events, turn.texts), turn.tick)


def _massacre(arena: Arena, victims: int) -> Turn:
    turn = _turn(arena)
    ids = np.array([player(number) for number in range(1, victims + 1)])
    for victim in ids.tolist():
        arena.set(victim, hp=5)
    turn.emit(Code.ATTACKED, ids, actor=ONE, target=ids, a=5, b=0, correlation=ONE << 32 | 1)
    return turn


def test_reactions_are_breadth_first() -> None:
    arena = Arena(players=4)
    turn = _massacre(arena, 3)
    left, depth = cascade(turn, no_frontier(), BOOK)
    kinds = [event.kind for event in _sealed(arena, turn)]
    assert kinds == ["attacked"] * 3 + ["died"] * 3 + ["looted"] * 3 + ["levelled_up"]
    assert (len(left), depth) == (0, 2)


def test_what_exceeds_the_bounds_happens_in_the_next_tick() -> None:
    arena = Arena(players=6)
    turn = _massacre(arena, 5)
    left, depth = cascade(turn, no_frontier(), BOOK, Bounds(events_max=3))
    first = _sealed(arena, turn)
    assert [event.kind for event in first[:-1]] == ["attacked"] * 5 + ["died"] * 3
    assert first[-1].kind == "cascade_cut"
    assert depth == 1
    assert len(left) == 5, "two blows and three deaths"
    arena.world.next_seq += len(first)
    turn = _turn(arena)
    left, _ = cascade(turn, left, BOOK)
    second = _sealed(arena, turn)
    assert [event.kind for event in second].count("died") == 2
    assert [event.kind for event in second].count("looted") == 5
    assert len(left) == 0
    everything = {event.seq: event for event in first + second}
    assert all(event.cause < event.seq for event in everything.values())
    assert {everything[event.cause].kind for event in second if event.kind == "died"} == {
        "attacked"
    }


def test_depth_is_bounded_too() -> None:
    arena = Arena(players=3)
    turn = _massacre(arena, 2)
    left, depth = cascade(turn, no_frontier(), BOOK, Bounds(depth_max=1))
    assert depth == 1
    *events, cut = _sealed(arena, turn)
    assert [event.kind for event in events] == ["attacked"] * 2 + ["died"] * 2
    assert cut.text.startswith("cascade-depth: reactions (loot, level-up) go on beyond 1 levels")
    assert left.rows["kind"].tolist() == [Code.DIED] * 2


def test_pending_reactions_survive_a_checkpoint() -> None:
    arena = Arena(cascade=Bounds(depth_max=1))
    arena.set(TWO, hp=1)
    result = arena.step(target("attack", ONE, 1, TWO))
    assert result.pending == 1
    saved = arena.world.checkpoint()
    other = type(arena.world).restore(arena.world.config, saved)
    assert other.hash == arena.world.hash
    arena.step()
    assert [event.kind for event in arena.events()] == ["looted"]
    other.step(TickInputs.of())
    assert other.hash == arena.world.hash
