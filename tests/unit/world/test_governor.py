"""Policies that stand, are changed while the world runs, and are audited."""

import msgspec
import numpy as np
import pytest

from engine.protocol.limits import AUDIT_TABLE_TICKS
from engine.protocol.policy import PolicyChange, PolicyScope
from engine.world.audit import AuditBlock, AuditTable, names_in
from engine.world.inputs import TickInputs
from engine.world.orders import ATTACK, MOVE
from engine.world.userpolicy import policy
from engine.world.world import World, WorldConfig
from tests.unit.world.arena import MIDDLE, TILE, Arena, player, target

ONE, TWO, THREE = player(0), player(1), player(2)


def change(arena: Arena, name: str, **fields: object) -> str:
    """Change a policy in a tick of its own; return what was told."""
    (done,) = arena.step(policies=[PolicyChange(name, **fields)]).changes
    return done.text if done.ok else f"refused: {done.text}"


class TestChanges:
    def test_a_parameter_holds_from_the_tick_that_takes_it_in(self) -> None:
        arena = Arena()
        arena.put(TWO, MIDDLE + 4 * TILE, MIDDLE)
        wider = [PolicyChange("reach", params={"tiles_max": 4})]
        arena.step(target("attack", ONE, 1, TWO), policies=wider)
        assert arena.verdicts() == [0]
        (changed,) = arena.events("policy_changed")
        assert (changed.text, changed.actor, changed.stream) == ("reach: tiles_max 2 to 4", 0, 0)
        assert len(arena.last.events.violations()) == 0

    def test_disabled_and_enabled_again(self) -> None:
        arena = Arena()
        arena.put(TWO, MIDDLE + 9 * TILE, MIDDLE)
        assert change(arena, "reach", enabled=False) == "reach: disabled"
        arena.step(target("attack", ONE, 1, TWO))
        assert arena.verdicts() == [0]
        assert change(arena, "reach", enabled=True) == "reach: enabled"
        arena.step(target("attack", ONE, 2, TWO))
        assert arena.verdicts() == [1]

    def test_priority_says_whose_reason_is_told(self) -> None:
        arena = Arena()
        arena.put(TWO, MIDDLE + 9 * TILE, MIDDLE)
        arena.set(TWO, spawned_ms=100_000)
        arena.step(target("attack", ONE, 1, TWO))
        assert arena.reason().startswith("reach: ")
        assert change(arena, "spawn-protection", priority=31) == (
            "spawn-protection: priority 50 to 31"
        )
        arena.step(target("attack", ONE, 2, TWO))
        assert arena.reason().startswith("spawn-protection: ")

    @pytest.mark.parametrize(
        ("scope", "verdicts"),
        [
            (PolicyScope(kinds=("gather", "trade")), [0, 0]),
            (PolicyScope(kinds=("attack",)), [1, 1]),
            (PolicyScope(entities=(ONE,)), [1, 0]),
            (PolicyScope(zones=(36,)), [1, 1]),
            (PolicyScope(zones=(1, 2)), [0, 0]),
            (PolicyScope(roles=("operator",)), [0, 0]),
            (PolicyScope(roles=("player",), entities=(TWO,), zones=(36,)), [0, 1]),
        ],
    )
    def test_a_scope_is_a_mask(self, scope: PolicyScope, verdicts: list[int]) -> None:
        arena = Arena(players=3)
        assert arena.get(ONE, "zone") == 36
        arena.put(THREE, MIDDLE + 9 * TILE, MIDDLE)
        change(arena, "reach", scope=scope)
        result = arena.step(target("attack", ONE, 1, THREE), target("attack", TWO, 1, THREE))
        assert arena.verdicts() == verdicts
        table = arena.world.governor._docket.table
        asked = result.audit.evaluated(np.full(2, ATTACK, np.uint8), table).tolist()
        inside = [
            scope.kinds != ("gather", "trade")
            and (not scope.entities or who in scope.entities)
            and scope.zones != (1, 2)
            and scope.roles != ("operator",)
            for who in (ONE, TWO)
        ]
        assert ["reach" in names_in(mask, table.names) for mask in asked] == inside

    @pytest.mark.parametrize(
        ("name", "fields", "words"),
        [
            ("reech", {"enabled": False}, "no policy 'reech'; did you mean 'reach'?; allowed: "),
            ("reach", {"params": {"tiles": 3}}, "reach.params.tiles: unknown parameter of reach"),
            ("reach", {"params": {"tiles_max": 0}}, "tiles_max: found 0; allowed: from 1 to 512"),
            ("reach", {"params": {"tiles_max": "3"}}, "allowed: a whole number"),
            ("sanity", {"enabled": False}, "sanity keeps the world whole"),
            ("dead-actor", {"priority": 50}, "dead-actor keeps the world whole"),
            ("dead-actor", {"priority": 0}, "dead-actor keeps the world whole"),
            ("dead-actor", {"scope": PolicyScope()}, "dead-actor keeps the world whole"),
            (
                "speed",
                {"scope": PolicyScope(kinds=("say", "trade"))},
                "speed.scope.kinds: found say, trade, but speed is about move only",
            ),
            ("directive-scope", {"params": {"kinds": "mve"}}, "did you mean 'move'?"),
            ("directive-scope", {"params": {"zones": "1, 64"}}, "'64'; allowed: 0 to 63"),
            ("speed", {"priority": 1001}, "priority: found 1001; allowed: 0 to 1000"),
        ],
    )
    def test_what_is_not_allowed_changes_nothing(self, name: str, fields: dict, words: str) -> None:
        arena = Arena()
        before = arena.world.governor.standing.pack()
        told = change(arena, name, **fields)
        assert told.startswith("refused: ")
        assert words in told
        assert arena.events() == []
        assert arena.world.governor.standing.pack() == before

    def test_nothing_to_change_is_no_event(self) -> None:
        arena = Arena()
        assert change(arena, "speed", enabled=True) == "speed: nothing changed"
        assert arena.events() == []

    def test_the_standing_is_hashed_and_goes_into_checkpoints(self) -> None:
        one, other = Arena(), Arena()
        change(one, "speed", params={"step_tiles_max": 3})
        other.step()
        assert one.last.hash != other.last.hash
        again = World.restore(one.world.config, one.world.checkpoint())
        assert again.hash == one.world.hash
        move = one.move(ONE, 1, 5 * TILE)
        stored = TickInputs.unpack(TickInputs.of([(ONE, 1, MOVE, *move[3:], 0, 0)]).pack())
        assert again.step(stored).hash == one.step(move).hash
        assert one.verdicts() == [2]

    def test_stored_inputs_change_it_again(self) -> None:
        inputs = TickInputs.of(
            policies=[
                PolicyChange("speed", priority=45, scope=PolicyScope(zones=(3,))),
                PolicyChange("chat-filter", params={"words": "orc", "run_max": 2}),
            ]
        )
        one, other = (World.create(WorldConfig(seed=7)) for _ in range(2))
        assert one.step(inputs).hash == other.step(TickInputs.unpack(inputs.pack())).hash

    def test_a_checkpoint_of_other_policies_is_refused(self) -> None:
        saved = World.create(
            WorldConfig(seed=7, policies=(policy("friends")(lambda *_: None),))
        ).checkpoint()
        with pytest.raises(ValueError, match="other policies; those that differ: friends"):
            World.restore(WorldConfig(seed=7), saved)


class TestAudit:
    def test_every_intent_is_written_down(self) -> None:
        arena = Arena()
        arena.put(TWO, MIDDLE + 9 * TILE, MIDDLE)
        arena.step((ONE, 1, "rest"))
        result = arena.step(
            (ONE, 1, "rest"),
            (ONE, 2, "rest"),
            target("attack", ONE, 3, TWO),
            arena.move(TWO, 1, 9 * TILE),
            (player(9), 1, "rest"),
        )
        table = arena.world.governor._docket.table
        audit = AuditBlock.from_log(result.audit.to_log())
        assert audit.verdict.tolist() == [3, 0, 1, 1, 1]
        names = [table.names[place] if place < 64 else "" for place in audit.policy.tolist()]
        assert names == ["", "", "reach", "speed", "dead-actor"]
        kinds = np.array([5, 5, 1, 0, 5], np.uint8)
        asked = [names_in(mask, table.names) for mask in audit.evaluated(kinds, table).tolist()]
        first = ("role", "rate", "dead-actor", "sanity", "directive-scope")
        assert asked == [
            (),
            (*first, "cooldown"),
            (*first, "cooldown", "reach"),
            (*first, "speed"),
            ("role", "rate", "dead-actor"),
        ]

    def test_the_table_is_written_down_now_and_then_and_when_it_changed(self) -> None:
        arena = Arena()
        told = []
        for tick in range(1, 2 * AUDIT_TABLE_TICKS + 2):
            wish = [PolicyChange("rate", params={"burst": 5})] if tick == 7 else []
            result = arena.step(policies=wish)
            if result.audit.to_log():
                told.append((tick, result.audit.table.version))
        assert told == [(7, 1), (AUDIT_TABLE_TICKS, 1), (2 * AUDIT_TABLE_TICKS, 1)]

    def test_a_block_comes_back_as_it_was(self) -> None:
        dice = np.random.default_rng(3)
        verdict = dice.integers(0, 4, 500).astype(np.uint8)
        place = np.where(np.isin(verdict, (1, 2)), dice.integers(0, 64, 500), 255).astype(np.uint8)
        place[(verdict == 1) & (place > 60)] = 254
        narrow = dice.integers(0, 2**64, 500, dtype=np.uint64)
        table = AuditTable(4, ("a", "b"), (1, 2, 3))
        block = AuditBlock(4, verdict, place, narrow, table)
        again = AuditBlock.from_log(block.to_log())
        for name in ("verdict", "policy", "narrow"):
            assert np.array_equal(getattr(again, name), getattr(block, name)), name
        assert (again.version, again.table) == (4, table)

    def test_another_table_or_damaged_bytes_are_refused(self) -> None:
        block = AuditBlock(4, np.zeros(1, np.uint8), np.full(1, 255, np.uint8))
        with pytest.raises(ValueError, match="table 3 of policies; this tick has 4"):
            block.evaluated(np.zeros(1, np.uint8), AuditTable(3, (), (0,) * 7))
        for cut in range(1, len(block.to_log())):
            with pytest.raises(ValueError, match=r"."):
                AuditBlock.from_log(block.to_log()[:cut])

    def test_counts_are_what_the_audit_says(self) -> None:
        arena = Arena()
        arena.step(arena.move(ONE, 1, 9 * TILE), (TWO, 1, "say"), texts={1: "WHAT A DAY IT IS"})
        counts = arena.world.governor.counts()
        assert msgspec.structs.astuple(counts["speed"]) == (1, 1, 0)
        assert msgspec.structs.astuple(counts["chat-filter"]) == (1, 0, 1)
        assert msgspec.structs.astuple(counts["role"]) == (2, 0, 0)
        assert msgspec.structs.astuple(counts["reach"]) == (0, 0, 0)
