"""Policies from users' files: what they see, may say, and what comes of those that fail."""

import os
import subprocess
import sys

import pytest

from engine.protocol.policy import PolicyChange, PolicyScope
from engine.world.userpolicy import policy
from engine.world.userverdict import Verdict, deny, mutate, permit
from engine.world.world import World, WorldConfig
from tests.unit.world.arena import MIDDLE, TILE, Arena, npc, player, target

ONE, TWO = player(0), player(1)

FAILING = """
from engine.world.userpolicy import policy
from tests.unit.world.arena import Arena, player

class Odd:
    def __repr__(self):
        return f"{set('abcdefgh')}"

def main(how):
    def judge(intent, world):
        if how == "raised":
            raise KeyError(set("abcdefgh"))
        return Odd()

    arena = Arena(policies=(policy("broken")(judge),))
    arena.step((player(0), 1, "rest"))
    (view,) = (view for view in arena.world.governor.views() if view.failed)
    (event,) = arena.events("policy_changed")
    print(f"{arena.last.hash.hex()}{event.text!r}".replace(" ", "_"), view.failed)
"""


def endless() -> object:
    """Never come back."""
    return endless()


def unsayable() -> object:
    """Raise what cannot be told."""

    class Unsayable(Exception):
        def __str__(self) -> str:
            raise ValueError("no")

    raise Unsayable


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
        ("returned", "how", "words"),
        [
            (lambda: 1 // 0, "raised", "ZeroDivisionError in line "),
            (lambda: sys.exit(3), "raised", "SystemExit in line "),
            (lambda: endless(), "raised", "RecursionError in line "),
            (lambda: bytes(2**62), "raised", "MemoryError in line "),
            (lambda: unsayable(), "raised", "its words cannot be had"),
            (lambda: "no", "returned", "it returned 'no'; allowed: None, permit(), deny(reason)"),
            (lambda: object(), "returned", "it returned <object object at 0x...>"),
            (lambda: deny(""), "raised", "reason: found ''"),
            (lambda: mutate("x"), "raised", "mutate needs one of x, y, target, amount, text"),
            (lambda: mutate("x", y=-1), "raised", "y: found -1; allowed: 0 to 65535"),
            (lambda: mutate("x", seq=1), "raised", "no field 'seq'"),
            (lambda: mutate("x", text=""), "raised", "text: allowed is a text"),
            (lambda: Verdict(False, "x", {"x": 10**9}), "returned", "x: found 1000000000"),
            (lambda: Verdict(False, "x", {"foo": 1}), "returned", "no field 'foo'"),
            (lambda: Verdict(False, "x", {"kind": 3}), "returned", "no field 'kind'"),
            (lambda: Verdict(False, "x", {"player": ONE}), "returned", "no field 'player'"),
            (lambda: Verdict(False, "x", {"amount": "a"}), "returned", "amount: found 'a'"),
            (lambda: Verdict(False, "x", {"amount": True}), "returned", "amount: found True"),
            (lambda: Verdict(False, "x", {"text": 1}), "returned", "text: allowed is a text"),
            (lambda: Verdict(False, "x", {}), "returned", "mutate needs one of"),
            (lambda: Verdict(False, "x", None), "returned", "mutate needs one of"),
            (lambda: Verdict(True, 7, {}), "returned", "reason: found 7"),
            (lambda: Verdict("no", "x", {}), "returned", "denies: found 'no'"),
            (lambda: Verdict.__new__(Verdict), "returned", "denies"),
        ],
    )
    def test_one_that_fails_is_disabled_and_the_world_goes_on(
        self, returned, how: str, words: str
    ) -> None:
        @policy("broken")
        def broken(intent, world):
            return deny("not you") if intent.actor == ONE else returned()

        results = []
        for _ in range(2):
            arena = _arena(broken)
            arena.step((ONE, 1, "rest"), (TWO, 1, "rest"), (ONE, 2, "rest"))
            assert arena.verdicts() == [0, 0, 0], "what it had judged before does not count"
            (told,) = arena.events("policy_changed")
            assert told.text == f"policy-failed: broken: {how}; it is disabled"
            assert len(arena.last.events.violations()) == 1
            (view,) = (v for v in arena.world.governor.views() if v.name == "broken")
            assert (view.enabled, view.built_in) == (False, False)
            assert view.failed.startswith(f"{how}: ")
            assert words in view.failed
            (seat,) = (s for s in arena.world.governor.standing.seats.values() if s.failed)
            assert seat.failed == how
            table = arena.step((ONE, 3, "rest")).audit.table
            assert table is not None
            assert table.version == 1
            assert arena.verdicts() == [0]
            results.append((arena.last.hash, told.text))
        assert results[0] == results[1]
        (done,) = arena.step(policies=[PolicyChange("broken", enabled=True)]).changes
        assert done.text == "broken: enabled"

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"name": "No Dragons"}, "policy name: found 'No Dragons'"),
            ({"name": "world"}, "policy name: found 'world', which stands for the world's own"),
            ({"kinds": ("atack",)}, r"kinds: found \('atack',\); allowed: a list or tuple of move"),
            ({"kinds": "attack"}, "kinds: found 'attack'"),
            ({"kinds": {"attack", "say"}}, "kinds: found {"),
            ({"kinds": ("attack",) * 17}, "kinds: found "),
            ({"zones": (64,)}, r"zones: found \(64,\); allowed: a list or tuple of 0 to 63"),
            ({"zones": ("1",)}, r"zones: found \('1',\)"),
            ({"zones": 3}, "zones: found 3"),
            ({"zones": (True,)}, "zones: found "),
            ({"entities": ("npc-1",)}, r"entities: found \('npc-1',\); allowed: .*ids from 0"),
            ({"entities": (-1,)}, r"entities: found \(-1,\)"),
            ({"entities": (1.0,)}, r"entities: found \(1.0,\)"),
            ({"entities": range(1001)}, r"entities: found range\(0, 1001\)"),
            ({"roles": ("god",)}, r"roles: found \('god',\)"),
            ({"priority": -1}, "priority: found -1"),
        ],
    )
    def test_what_it_is_made_with_is_checked(self, arguments: dict, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            policy(**({"name": "x"} | arguments))

    def test_what_it_is_made_with_is_its_scope(self) -> None:
        made = policy("x", kinds=["say"], zones=range(2), entities=(7,), roles=["player"])(print)
        assert made.scope == PolicyScope((0, 1), ("say",), (7,), ("player",))

    @pytest.mark.parametrize("how", ["raised", "returned"])
    def test_how_one_failed_is_the_same_in_every_process(self, how: str) -> None:
        """The order of a set and an address are others in each."""
        told = [
            subprocess.run(
                [sys.executable, "-c", f"{FAILING}\nmain({how!r})"],
                env=os.environ | {"PYTHONHASHSEED": seed},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split(" ", 1)
            for seed in ("1", "2")
        ]
        assert told[0][0] == told[1][0]
        assert told[0][1] != told[1][1], "their words differ"

    def test_its_words_are_those_of_the_process_it_failed_in(self) -> None:
        @policy("broken")
        def broken(intent, world):
            return 1 // 0

        arena = _arena(broken)
        arena.step((ONE, 1, "rest"))
        again = World.restore(arena.world.config, arena.world.checkpoint())
        assert again.hash == arena.last.hash
        assert [view.failed for view in again.governor.views() if view.failed] == ["raised"]

    def test_two_of_one_name_are_refused(self) -> None:
        with pytest.raises(ValueError, match="two policies are called friends"):
            World.create(WorldConfig(seed=1, policies=(FRIENDS, FRIENDS)))
