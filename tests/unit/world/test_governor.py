"""Policies that stand, are changed while the world runs, and are audited."""

import msgspec
import numpy as np
import pytest

from engine.protocol.limits import AUDIT_TABLE_TICKS
from engine.protocol.policy import PolicyChange, PolicyScope
from engine.world.audit import AuditBlock, AuditTable, names_in
from engine.world.inputs import TickInputs
from engine.world.orders import ATTACK, MOVE
from engine.world.userpolicy import deny, mutate, permit, policy
from engine.world.world import World, WorldConfig
from tests.unit.world.arena import MIDDLE, TILE, Arena, npc, player, target

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
            (PolicyScope(kinds=("gather",)), [0, 0]),
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
            scope.kinds != ("gather",)
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
        saved = World.create(WorldConfig(seed=7, policies=(FRIENDS,))).checkpoint()
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


@policy("friends", kinds=("attack",), help="attacking npcs")
def FRIENDS(intent, world):  # noqa: N802 - as a user's file calls it
    if world.target is not None and world.target.kind == "npc":
        return deny("npcs are friends")
    return permit()


def _arena(*policies, **config) -> Arena:
    return Arena(policies=policies, **config)


class TestUserPolicies:
    def test_is_called_for_what_its_scope_matches(self) -> None:
        seen = []

        @policy("looks", kinds=("trade",), zones=(36,))
        def looks(intent, world):
            seen.append((intent, world.tick, world.actor, world.target))

        arena = _arena(looks, npcs=1)
        arena.put(npc(0), MIDDLE, MIDDLE)
        arena.step(target("trade", ONE, 1, npc(0), 3), (TWO, 1, "rest"))
        ((intent, tick, actor, whom),) = seen
        assert (intent.actor, intent.kind, intent.amount, intent.role) == (
            ONE,
            "trade",
            3,
            "player",
        )
        assert (tick, actor.id, actor.gold, actor.kind, actor.alive) == (
            1,
            ONE,
            100,
            "player",
            True,
        )
        assert (whom.id, whom.kind, whom.goods, whom.zone) == (npc(0), "npc", 20, 36)
        with pytest.raises(AttributeError):
            intent.amount = 4
        arena.put(ONE, TILE, TILE)
        arena.put(npc(0), TILE, TILE)
        arena.step(target("trade", ONE, 2, npc(0), 3))
        assert len(seen) == 1

    def test_denies(self) -> None:
        arena = _arena(FRIENDS, npcs=1)
        arena.put(npc(0), MIDDLE, MIDDLE)
        arena.step(target("attack", ONE, 1, npc(0)), target("attack", TWO, 1, ONE))
        assert arena.verdicts() == [1, 0]
        assert arena.reason() == "friends: npcs are friends"

    def test_mutates_and_later_policies_judge_what_it_has_become(self) -> None:
        @policy("half", kinds=("move", "trade", "say"), priority=32)
        def half(intent, world):
            if intent.kind == "trade":
                return mutate("no more than one", amount=1)
            if intent.kind == "say":
                return mutate("louder", text=intent.text.upper())
            return mutate("elsewhere", x=intent.x + 9 * TILE)

        arena = _arena(half)
        arena.set(TWO, goods=1)
        arena.step(
            target("trade", ONE, 1, TWO, 1000),
            arena.move(ONE, 2, TILE),
            (TWO, 1, "say"),
            texts={2: "what an idiot, my friends"},
        )
        assert arena.verdicts() == [2, 1, 2]
        assert arena.reason(0) == "half: no more than one"
        assert arena.reason(1).startswith("half: elsewhere; speed: a step of 10.0 tiles")
        assert arena.reason(2) == "half: louder; chat-filter: shouting, a listed word"
        (said,) = arena.events("said")
        assert said.text == "what an *****, my friends"
        (traded,), (denied,) = arena.events("traded"), arena.events("denied")
        assert denied.text.startswith("speed: a step of 10.0 tiles")
        assert {(event.cause, event.text) for event in arena.events("mutated")} == {
            (traded.seq, "half: no more than one"),
            (denied.seq, "half: elsewhere"),
            (said.seq, "half: louder"),
            (said.seq, "chat-filter: shouting, a listed word"),
        }

    def test_a_target_that_makes_no_sense_is_denied_after_all(self) -> None:
        @policy("astray", kinds=("attack",))
        def astray(intent, world):
            return mutate("at nobody", target=77)

        arena = _arena(astray)
        arena.step(target("attack", ONE, 1, TWO))
        assert arena.reason() == "astray: at nobody; sanity: there is no node-76"
        (denied,), (mutated,) = arena.events("denied"), arena.events("mutated")
        assert denied.text == "sanity: there is no node-76"
        assert (mutated.text, mutated.cause) == ("astray: at nobody", denied.seq)

    @pytest.mark.parametrize(
        ("returned", "words"),
        [
            (lambda: 1 // 0, "ZeroDivisionError in line "),
            (lambda: "no", "it returned 'no'; allowed: None, permit(), deny(reason)"),
            (lambda: object(), "it returned <object object at 0x...>"),
            (lambda: deny(""), "reason: found ''"),
            (lambda: mutate("x"), "mutate needs one of x, y, target, amount, text"),
            (lambda: mutate("x", y=-1), "y: found -1; allowed: 0 to 65535"),
            (lambda: mutate("x", seq=1), "no field 'seq'"),
            (lambda: mutate("x", text=""), "text: allowed is a text"),
        ],
    )
    def test_one_that_fails_is_disabled_and_the_world_goes_on(self, returned, words: str) -> None:
        @policy("broken")
        def broken(intent, world):
            return deny("not you") if intent.actor == ONE else returned()

        results = []
        for _ in range(2):
            arena = _arena(broken)
            arena.step((ONE, 1, "rest"), (TWO, 1, "rest"), (ONE, 2, "rest"))
            assert arena.verdicts() == [0, 0, 0], "what it had judged before does not count"
            (told,) = arena.events("policy_changed")
            assert told.text.startswith("policy-failed: broken: ")
            assert words in told.text
            assert told.text.endswith("; it is disabled")
            assert len(arena.last.events.violations()) == 1
            (view,) = (v for v in arena.world.governor.views() if v.name == "broken")
            assert (view.enabled, view.built_in) == (False, False)
            assert words in view.failed
            table = arena.step((ONE, 3, "rest")).audit.table
            assert table is not None
            assert table.version == 1
            assert arena.verdicts() == [0]
            results.append((arena.last.hash, told.text))
        assert results[0] == results[1]
        assert change(arena, "broken", enabled=True) == "broken: enabled"

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"name": "No Dragons"}, "policy name: found 'No Dragons'"),
            ({"name": "world"}, "policy name: found 'world', which stands for the world's own"),
            ({"kinds": ("atack",)}, "kinds: found 'atack'"),
            ({"kinds": "attack"}, "kinds: found 'attack'"),
            ({"zones": (64,)}, "zones: found 64; allowed: 0 to 63"),
            ({"roles": ("god",)}, "roles: found 'god'"),
            ({"priority": -1}, "priority: found -1"),
        ],
    )
    def test_what_it_is_made_with_is_checked(self, arguments: dict, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            policy(**({"name": "x"} | arguments))

    def test_two_of_one_name_are_refused(self) -> None:
        with pytest.raises(ValueError, match="two policies are called friends"):
            World.create(WorldConfig(seed=1, policies=(FRIENDS, FRIENDS)))
