"""The audit tells who was really asked, and everyone who changed an intent."""

from pathlib import Path

import numpy as np
import pytest

from engine.protocol.audit import AuditQuery
from engine.protocol.gateway import INTENT_KINDS
from engine.protocol.policy import PolicyChange, PolicyCount, PolicyScope
from engine.store.auditing import read_audit
from engine.store.base import TickRecord
from engine.store.sqlite import SqliteStore
from engine.world.audit import AuditBlock, Marks, names_in
from engine.world.inputs import TickInputs
from engine.world.orders import ATTACK, MOVE, REST, SAY
from engine.world.userpolicy import Asked, Look, UserPolicy, policy
from engine.world.userverdict import Verdict, deny, mutate
from engine.world.world import World, WorldConfig
from tests.unit.world.arena import TILE, Arena, player, target

ONE, TWO, THREE = player(0), player(1), player(2)
FIRST = ("role", "rate", "dead-actor", "sanity", "directive-scope")


@policy("astray", kinds=("attack",), priority=48)
def ASTRAY(intent: Asked, world: Look) -> Verdict:  # noqa: N802 - as a user's file calls it
    return mutate("at nobody", target=77)


@policy("early", kinds=("say",), priority=31)
def EARLY(intent: Asked, world: Look) -> Verdict:  # noqa: N802 - as a user's file calls it
    return mutate("louder", text=intent.text.upper())


def _asked(arena: Arena, *kinds: int) -> list[tuple[str, ...]]:
    """Who was asked about each intent, by what comes back from the log."""
    audit = AuditBlock.from_log(arena.last.audit.to_log())
    table = World.create(arena.world.config).step(TickInputs.of()).audit.table
    assert table is not None
    masks = audit.evaluated(np.array(kinds, np.uint8), table)
    return [names_in(mask, table.names) for mask in masks.tolist()]


def test_who_is_denied_for_what_was_changed_was_asked_by_all() -> None:
    arena = Arena(policies=(ASTRAY,))
    arena.step(target("attack", ONE, 1, TWO), (TWO, 1, "rest"))
    assert arena.verdicts() == [1, 0]
    asked, _ = _asked(arena, ATTACK, REST)
    assert asked == (*FIRST, "cooldown", "reach", "astray", "spawn-protection")
    counts = arena.world.governor.counts()
    assert counts["astray"] == PolicyCount(1, 0, 1)
    assert counts["sanity"] == PolicyCount(2, 1, 0)
    assert counts["spawn-protection"] == PolicyCount(1, 0, 0)


def test_who_is_denied_by_a_later_one_was_asked_by_those_before_it() -> None:
    @policy("elsewhere", kinds=("move",), priority=32)
    def elsewhere(intent: Asked, world: Look) -> Verdict:
        return mutate("on", x=intent.x + 9 * TILE)

    arena = Arena(policies=(elsewhere,))
    arena.step(arena.move(ONE, 1, TILE))
    assert arena.reason().startswith("elsewhere: on; speed: ")
    assert _asked(arena, MOVE) == [(*FIRST, "elsewhere", "speed")]


def test_a_policy_that_fails_is_asked_no_more_from_that_batch_on() -> None:
    @policy("broken", priority=1)
    def broken(intent: Asked, world: Look) -> Verdict | None:
        if intent.seq == 2:
            raise RuntimeError("no more")
        return deny("not you") if intent.actor == THREE else None

    arena = Arena(players=3, policies=(broken,))
    rests = [(who, seq, "rest") for seq in (1, 2, 3) for who in (ONE, TWO, THREE)]
    arena.step(*rests)
    assert arena.verdicts() == [0, 0, 1, 0, 0, 0, 0, 0, 0]
    asked = [("broken" in names) for names in _asked(arena, *[REST] * 9)]
    assert asked == [True] * 3 + [False] * 6
    counts = arena.world.governor.counts()
    assert counts["broken"] == PolicyCount(3, 1, 0)
    assert counts["sanity"].evaluated == 8


def test_a_failing_policy_of_a_narrow_scope_is_asked_no_more_either() -> None:
    @policy("narrow", entities=(ONE,), priority=1)
    def narrow(intent: Asked, world: Look) -> None:
        raise RuntimeError("never")

    arena = Arena(policies=(narrow,))
    arena.step((ONE, 1, "rest"), (TWO, 1, "rest"))
    assert arena.last.audit.narrow is not None
    assert all("narrow" not in names for names in _asked(arena, *[REST] * 2))
    assert arena.world.governor.counts()["narrow"] == PolicyCount()


def test_marks_come_back_and_damaged_ones_are_refused() -> None:
    rows = np.array([1, 4], np.uint32)
    marks = Marks(rows, np.array([7, 2**63], np.uint64), np.array([1, 3], np.uint64))
    verdict, place = np.zeros(5, np.uint8), np.full(5, 255, np.uint8)
    again = AuditBlock.from_log(AuditBlock(0, verdict, place, None, None, marks).to_log()).marks
    assert again is not None
    for name in ("rows", "asked", "changed"):
        assert np.array_equal(getattr(again, name), getattr(marks, name)), name
    with pytest.raises(ValueError, match="a mark on intent 4 of 4"):
        AuditBlock.from_log(AuditBlock(0, verdict[:4], place[:4], None, None, marks).to_log())
    with pytest.raises(ValueError, match="39 bytes of marks"):
        Marks.from_log(marks.to_log()[:-1], 5)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """One intent changed by two, one changed and denied, one changed by the second alone."""
    users: tuple[UserPolicy, ...] = (ASTRAY, EARLY)
    world = World.create(WorldConfig(seed=4, npcs=0, nodes=0, policies=users))
    store = SqliteStore(tmp_path / "events.db")
    players = [(who, f"player-{who}") for who in (ONE, TWO, THREE)]
    rows = [(ONE, 1, SAY, 0, 0, 0, 0), (TWO, 1, ATTACK, 0, 0, ONE, 0)]
    # Where they come into the world is no matter here.
    off = [PolicyChange(name, enabled=False) for name in ("reach", "spawn-protection")]
    only_two = PolicyChange("early", scope=PolicyScope(kinds=("say",), entities=(TWO,)))
    for inputs in (
        TickInputs.of(joins=players, policies=off),
        TickInputs.of(rows, texts={0: "what a damn day"}),
        TickInputs.of(
            [(THREE, 1, SAY, 0, 0, 0, 0)], texts={0: "WHAT A DAY IT IS"}, policies=[only_two]
        ),
    ):
        store.append(TickRecord.of(world.step(inputs), inputs))
    store.close()
    return tmp_path / "events.db"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("early", [(ONE, "mutate", "chat-filter")]),
        ("chat-filter", [(ONE, "mutate", "chat-filter"), (THREE, "mutate", "chat-filter")]),
        ("astray", [(TWO, "deny", "sanity")]),
        ("sanity", [(TWO, "deny", "sanity")]),
        ("reach", []),
    ],
)
def test_a_policy_finds_all_that_it_changed_or_denied(
    log: Path, name: str, found: list[tuple[int, str, str]]
) -> None:
    rows = read_audit(log, AuditQuery(policy=name)).rows
    assert [(row.actor, row.verdict, row.policy) for row in rows] == found


def test_the_audit_tells_every_change_before_the_denial(log: Path) -> None:
    both, denied, last = read_audit(log, AuditQuery()).rows
    assert both.reason == "early: louder; chat-filter: shouting, a listed word"
    assert denied.reason == "astray: at nobody; sanity: there is no node-76"
    assert "astray" in denied.evaluated
    assert last.reason == "chat-filter: shouting"
    assert {row.kind for row in (both, denied, last)} <= set(INTENT_KINDS)
