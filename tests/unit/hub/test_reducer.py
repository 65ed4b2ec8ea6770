from typing import Any

import msgspec
import pytest

from engine.faults.registry import all_faults
from engine.hub.effects import Arm, Disarm, Finish, Load, Tell
from engine.hub.plan import first_state
from engine.hub.reducer import advance, console_came, console_left, reduce
from engine.hub.state import HubState
from engine.protocol.command import (
    ArmFault,
    ClearFault,
    Command,
    Detach,
    Lease,
    Mark,
    Panic,
    ScalePlayers,
    ScaleRate,
    Scope,
    SetPlayers,
    SetPolicy,
    SetRate,
    Stop,
)
from engine.protocol.limits import (
    COMMANDS_PER_S_PER_PLAYER_MAX,
    FAULTS_ARMED_MAX,
    LEASE_S,
    MARKS_SHOWN_MAX,
    PLAYERS_MAX,
    SEED_MAX,
)
from engine.protocol.paramspec import ParamSpec
from engine.protocol.policy import PolicyChange, PolicyScope, PolicyView
from tests.unit.hub.fakes import run_spec, storm_step

STORM = ArmFault("disconnect-storm", Scope(players_pct=30), hold_s=20.0)


@pytest.fixture
def state(tmp_path: Any) -> HubState:
    faults = tuple(fault.spec for fault in all_faults().values())
    return msgspec.structs.replace(first_state(run_spec(tmp_path), faults), target=40)


def _rules(state: HubState, **changes: Any) -> HubState:
    return msgspec.structs.replace(state, rules=msgspec.structs.replace(state.rules, **changes))


def _kinds(effects: tuple[Any, ...]) -> list[type]:
    return [type(effect) for effect in effects]


def test_players_are_set(state: HubState) -> None:
    step = reduce(state, SetPlayers(70), 1.0)
    assert Load(players=70) in step.effects
    assert (step.state.target, step.state.manual) == (70, True)
    assert step.reply.text == "70 players"


def test_players_never_exceed_the_maximum_and_the_reply_says_so(state: HubState) -> None:
    step = reduce(state, SetPlayers(5000), 1.0)
    assert Load(players=100) in step.effects
    assert "100 players" in step.reply.text
    assert "--players-max" in step.reply.text
    assert "5000" in step.reply.text


@pytest.mark.parametrize(
    ("target", "pct", "players"),
    [(40, 10, 44), (40, -10, 36), (4, 10, 5), (4, -10, 3), (0, 10, 1), (0, -10, 0), (40, -100, 0)],
)
def test_a_percentage_is_of_the_present_target(
    state: HubState, target: int, pct: float, players: int
) -> None:
    step = reduce(msgspec.structs.replace(state, target=target), ScalePlayers(pct), 1.0)
    assert Load(players=players) in step.effects


def test_the_rate_is_set_scaled_and_bounded(state: HubState) -> None:
    step = reduce(state, SetRate(3.0), 1.0)
    assert Load(commands_per_s=3.0) in step.effects
    step = reduce(step.state, ScaleRate(50), 2.5)
    assert Load(commands_per_s=4.5) in step.effects
    step = reduce(step.state, ScaleRate(1000), 5.0)
    assert Load(commands_per_s=49.5) in step.effects
    step = reduce(step.state, ScaleRate(1000), 7.0)
    assert Load(commands_per_s=COMMANDS_PER_S_PER_PLAYER_MAX) in step.effects
    assert "the most allowed" in step.reply.text
    step = reduce(msgspec.structs.replace(state, commands_per_s=0.0), ScaleRate(10), 9.0)
    assert Load(commands_per_s=0.1) in step.effects


def test_the_load_changes_at_most_twice_a_second(state: HubState) -> None:
    for at_s in (1.0, 1.1):
        step = reduce(state, ScalePlayers(10), at_s)
        assert step.reply.ok
        state = step.state
    refused = reduce(state, ScalePlayers(10), 1.9)
    assert (refused.reply.ok, refused.reply.code) == (False, "too_often")
    assert refused.effects == ()
    assert reduce(refused.state, ScalePlayers(10), 2.05).reply.ok


def test_a_fault_is_armed_held_and_reverted(state: HubState) -> None:
    step = reduce(state, STORM, 10.0)
    assert _kinds(step.effects) == [Arm, Tell]
    fault = step.state.armed[0]
    assert fault.params == {"how": "rst", "spread": 0.0}
    assert advance(step.state, 29.9).effects == ()
    over = advance(step.state, 30.0)
    assert _kinds(over.effects) == [Disarm, Tell]
    assert over.state.armed == ()
    (disarmed,) = [effect.fault for effect in over.effects if isinstance(effect, Disarm)]
    assert (disarmed.cleared_at_s, disarmed.cleared_why) == (30.0, "hold over")


@pytest.mark.parametrize(
    ("wish", "code", "words"),
    [
        (ArmFault("disconect-storm"), "not_found", ["did you mean 'disconnect-storm'"]),
        (ArmFault(STORM.name, params={"hwo": "rst"}), "bad_request", ["hwo", "did you mean 'how'"]),
        (ArmFault(STORM.name, params={"how": "fni"}), "bad_request", ["fni", "rst, fin, silent"]),
        (ArmFault(STORM.name, params={"how": 3}), "bad_request", ["how"]),
        (ArmFault(STORM.name, params={"spread": "long"}), "bad_request", ["spread"]),
        (ArmFault(STORM.name, params={"spread": float("nan")}), "bad_request", ["spread"]),
        (ArmFault(STORM.name, params={"spread": -1.0}), "bad_request", ["spread"]),
        (ArmFault(STORM.name, Scope(count=1, zone=1)), "bad_request", ["count and zone"]),
        (
            ArmFault(STORM.name, Scope(archetype="wandrer")),
            "bad_request",
            ["did you mean 'wanderer'"],
        ),
        (ArmFault(STORM.name, Scope(players_pct=float("nan"))), "bad_request", ["players_pct"]),
        (ArmFault("kill", Scope(players_pct=30)), "bad_request", ["kill", "takes no scope"]),
    ],
)
def test_a_wrong_fault_is_refused_with_what_is_allowed(
    state: HubState, wish: ArmFault, code: str, words: list[str]
) -> None:
    step = reduce(state, wish, 1.0)
    assert (step.reply.ok, step.reply.code) == (False, code)
    assert step.effects == ()
    assert all(word in step.reply.text for word in words), step.reply.text


def test_a_fault_at_the_server_lasts_as_long_as_its_parameter_says(state: HubState) -> None:
    at_once = reduce(state, ArmFault("kill"), 10.0)
    assert (at_once.state.armed[0].hold_s, at_once.state.armed[0].side) == (0.0, "server")
    assert at_once.reply.text == "f1: kill on the world"
    assert _kinds(advance(at_once.state, 10.0).effects) == [Disarm, Tell]
    later = reduce(state, ArmFault("kill", params={"restart_after_s": 7.0}, hold_s=60.0), 10.0)
    assert later.state.armed[0].hold_s == 7.0
    assert later.reply.text == "f1: kill on the world, back after 7s"
    bounded = reduce(state, ArmFault("kill", params={"restart_after_s": 90.0}, hold_s=60.0), 10.0)
    assert bounded.state.armed[0].hold_s == 60.0


def test_a_fault_that_is_not_available_says_why(state: HubState) -> None:
    spec = msgspec.structs.replace(
        state.rules.faults[STORM.name], available=False, why_not="no target"
    )
    step = reduce(_rules(state, faults={STORM.name: spec}), STORM, 1.0)
    assert "no target" in step.reply.text


def test_faults_are_bounded(state: HubState) -> None:
    for _ in range(FAULTS_ARMED_MAX):
        state = reduce(state, STORM, 1.0).state
    step = reduce(state, STORM, 1.0)
    assert (step.reply.ok, step.reply.code) == (False, "conflict")


def test_undo_reverts_the_last_fault_and_a_name_that_one(state: HubState) -> None:
    for _ in range(3):
        state = reduce(state, STORM, 1.0).state
    step = reduce(state, ClearFault(), 2.0)
    assert [fault.id for fault in step.state.armed] == ["f1", "f2"]
    step = reduce(step.state, ClearFault("f1"), 2.0)
    assert [fault.id for fault in step.state.armed] == ["f2"]
    step = reduce(step.state, ClearFault("f9"), 2.0)
    assert (step.reply.ok, step.reply.code) == (False, "not_found")
    assert "f2" in step.reply.text


def test_panic_reverts_everything(state: HubState) -> None:
    state = reduce(state, STORM, 1.0).state
    assert reduce(state, Panic(), 2.0).reply.text == "reverted 1 fault"
    for _ in range(2):
        state = reduce(state, STORM, 1.0).state
    step = reduce(state, Panic(), 2.0)
    assert step.reply.text == "reverted 3 faults"
    assert _kinds(step.effects).count(Disarm) == 3
    assert step.state.armed == ()
    assert reduce(step.state, Panic(), 2.0).reply.ok


def test_a_large_seed_leaves_faults_a_seed_that_can_be_sent(state: HubState) -> None:
    rules = msgspec.structs.replace(state.rules, seed=SEED_MAX)
    step = reduce(msgspec.structs.replace(state, rules=rules), STORM, 1.0)
    assert 0 <= step.state.armed[0].seed <= SEED_MAX


@pytest.mark.parametrize(
    "wish",
    [
        {"type": "arm_fault", "name": "kill", "seed": -1},
        {"type": "arm_fault", "name": "kill", "seed": 2**63},
        {"type": "arm_fault", "name": "kill", "scope": {"ids": [10**24]}},
        {"type": "arm_fault", "name": "kill", "scope": {"ids": [-1]}},
        {"type": "arm_fault", "name": "kill", "scope": {"ids": [1] * (PLAYERS_MAX + 1)}},
    ],
    ids=["negative-seed", "large-seed", "large-id", "negative-id", "many-ids"],
)
def test_numbers_that_no_squad_could_be_sent_are_refused(wish: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wish, Command)  # type: ignore[call-overload]  # a union is a type to msgspec


def test_seeds_differ_between_faults_and_repeat_between_runs(state: HubState) -> None:
    once = reduce(reduce(state, STORM, 1.0).state, STORM, 2.0).state
    again = reduce(reduce(state, STORM, 1.0).state, STORM, 2.0).state
    assert [fault.seed for fault in once.armed] == [fault.seed for fault in again.armed]
    assert once.armed[0].seed != once.armed[1].seed
    assert reduce(state, msgspec.structs.replace(STORM, seed=5), 1.0).state.armed[0].seed == 5


def test_the_schedule_of_the_scenario(state: HubState) -> None:
    state = msgspec.structs.replace(state, schedule=(storm_step(3.0), storm_step(4.0)))
    assert advance(state, 2.9).effects == ()
    step = advance(state, 3.0)
    assert _kinds(step.effects) == [Arm, Tell]
    assert not step.state.armed[0].by_console
    assert len(step.state.schedule) == 1
    assert _kinds(advance(step.state, 4.2).effects) == [Arm, Tell]


def _with_console(state: HubState, at_s: float) -> HubState:
    return reduce(console_came(state, 1, at_s), Lease(), at_s, 1).state


def test_a_vanished_console_takes_its_faults_with_it(state: HubState) -> None:
    state = reduce(_with_console(state, 1.0), STORM, 2.0, 1).state
    state = msgspec.structs.replace(state, schedule=(storm_step(2.0, hold_s=500.0),))
    state = advance(state, 2.0).state
    state = console_left(reduce(state, Lease(), 3.0, 1).state, 1, 4.0)
    assert advance(state, 3.0 + LEASE_S - 0.1).effects == ()
    step = advance(state, 3.0 + LEASE_S)
    assert _kinds(step.effects) == [Tell, Disarm, Tell]
    assert [fault.by_console for fault in step.state.armed] == [False]
    assert advance(step.state, 4.0 + LEASE_S).effects == ()


def test_a_console_that_fell_silent_counts_as_vanished(state: HubState) -> None:
    state = reduce(_with_console(state, 1.0), STORM, 1.0, 1).state
    assert advance(state, 1.0 + LEASE_S).state.armed == ()


def test_another_living_console_keeps_the_faults(state: HubState) -> None:
    state = reduce(_with_console(state, 1.0), msgspec.structs.replace(STORM, hold_s=99), 1.0, 1)
    state = reduce(console_came(state.state, 2, 1.0), Lease(), 10.0, 2).state
    state = console_left(state, 1, 2.0)
    step = advance(state, 1.0 + LEASE_S)
    assert len(step.state.armed) == 1
    assert advance(step.state, 10.0 + LEASE_S).state.armed == ()


def test_on_disconnect_keep_and_stop(state: HubState) -> None:
    armed = reduce(_with_console(state, 1.0), STORM, 1.0, 1).state
    kept = advance(_rules(armed, on_disconnect="keep"), 1.0 + LEASE_S)
    assert len(kept.state.armed) == 1
    stopped = advance(_rules(armed, on_disconnect="stop"), 1.0 + LEASE_S)
    assert Finish in _kinds(stopped.effects)


def test_detaching_keeps_the_faults_until_their_hold_ends(state: HubState) -> None:
    state = reduce(_with_console(state, 1.0), STORM, 1.0, 1).state
    state = reduce(state, Detach(), 2.0, 1).state
    state = reduce(state, Lease(), 2.1, 1).state
    state = console_left(state, 1, 2.2)
    state = advance(state, 2.2 + LEASE_S).state
    assert len(state.armed) == 1
    assert advance(state, 21.0).state.armed == ()


def test_a_run_nobody_watches_ends(state: HubState) -> None:
    state = _rules(state, unattended_s_max=100.0)
    assert advance(state, 99.0).effects == ()
    assert Finish in _kinds(advance(state, 100.0).effects)
    watched = _with_console(state, 90.0)
    watched = advance(watched, 100.0).state
    assert not watched.finishing
    left = console_left(watched, 1, 101.0)
    assert not advance(left, 200.0).state.finishing
    assert advance(left, 201.0).state.finishing


def test_the_duration_ends_the_run_once(state: HubState) -> None:
    step = advance(_rules(state, duration_s=5.0), 5.0)
    assert _kinds(step.effects) == [Tell, Finish]
    assert advance(step.state, 6.0).effects == ()


def test_stop_and_nothing_after_it(state: HubState) -> None:
    step = reduce(state, Stop(), 1.0)
    assert Finish in _kinds(step.effects)
    assert reduce(step.state, Stop(), 1.1).effects == ()
    late = reduce(step.state, SetPlayers(3), 1.2)
    assert (late.reply.ok, late.reply.code) == (False, "conflict")


def test_a_mark_is_made_safe_to_show(state: HubState) -> None:
    step = reduce(state, Mark("hot \x1b[2J now"), 1.0)
    assert step.effects == (Tell("mark", "hot \N{REPLACEMENT CHARACTER}[2J now"),)


def test_the_newest_marked_moments_are_kept(state: HubState) -> None:
    for second in range(MARKS_SHOWN_MAX + 5):
        state = reduce(state, Mark("now"), float(second)).state
    assert state.marked_s == tuple(float(second) for second in range(5, MARKS_SHOWN_MAX + 5))


SPEED = PolicyView(
    "speed", "", 40, True, PolicyScope(), {"n": 8}, (ParamSpec("n", 8, "", (), 1, 9),)
)


def test_a_policy_is_changed_when_there_is_one(state: HubState) -> None:
    wish = SetPolicy(PolicyChange("speed", params={"n": 3}))
    assert reduce(state, wish, 1.0).reply.code == "gone"
    state = msgspec.structs.replace(state, policies=(SPEED,))
    step = reduce(state, wish, 1.0)
    assert (step.reply.ok, step.state, step.effects) == (True, state, ())
    for change, code, words in (
        (PolicyChange("sped", enabled=True), "not_found", "did you mean 'speed'?"),
        (PolicyChange("speed", params={"m": 1}), "bad_request", "params.m: unknown parameter"),
        (PolicyChange("speed", params={"n": 10}), "bad_request", "allowed: from 1 to 9"),
    ):
        reply = reduce(state, SetPolicy(change), 1.0).reply
        assert (reply.ok, reply.code) == (False, code)
        assert words in reply.text
