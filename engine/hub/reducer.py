"""The reducer: (state, what happened, when) to (state, effects, reply). Pure."""

import math
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from engine.hub.arming import checked_fault, hold_of, scope_text, wish_of
from engine.hub.effects import Arm, Disarm, Effect, Finish, Load, Tell
from engine.hub.state import Armed, HubState, Seated
from engine.protocol.command import (
    ArmFault,
    ClearFault,
    Command,
    Detach,
    Lease,
    Mark,
    Panic,
    Reply,
    ScalePlayers,
    ScaleRate,
    SetPlayers,
    SetPolicy,
    SetRate,
    Stop,
)
from engine.protocol.durations import format_duration
from engine.protocol.errors import UserError
from engine.protocol.limits import (
    COMMANDS_PER_S_PER_PLAYER_MAX,
    FAULTS_ARMED_MAX,
    LEASE_S,
    LOAD_CHANGES_PER_S_MAX,
    MARK_CHARS_MAX,
    MARKS_SHOWN_MAX,
    SEED_MAX,
)
from engine.protocol.params import given_params
from engine.protocol.text import counted, nearest, printable

_RATE_STEP_MIN = 0.1
_T = TypeVar("_T")


class Step(NamedTuple):
    """A reducer's result."""

    state: HubState
    effects: tuple[Effect, ...] = ()
    reply: Reply = Reply(ok=True)


def reduce(state: HubState, command: Command, at_s: float, console: int = 0) -> Step:
    """Return what a command of a console does."""
    state = _heard(state, console, at_s)
    match command:
        case Lease():
            return Step(_leased(state, console, at_s))
        case Detach():
            consoles = {**state.consoles, console: Seated(at_s, detached=True)}
            state = replace(state, consoles=consoles, leases=_without(state.leases, console))
            return Step(state, (), Reply(ok=True, text="the run goes on without this console"))
        case Stop():
            if state.finishing:
                return Step(state, (), Reply(ok=True, text="already stopping"))
            return _finish(state, "stopped by the operator")
        case Mark():
            text = printable(command.text, MARK_CHARS_MAX)
            state = replace(state, marked_s=(*state.marked_s, at_s)[-MARKS_SHOWN_MAX:])
            return Step(state, (Tell("mark", text),), Reply(ok=True, text="marked"))
    if state.finishing:
        return Step(state, (), Reply(ok=False, text="the run is stopping", code="conflict"))
    match command:
        case SetPolicy():
            return _set_policy(state, command)
        case ArmFault():
            return _arm(state, command, at_s, by_console=True)
        case ClearFault():
            return _clear(state, command.fault, at_s)
        case Panic():
            if not state.armed:
                return Step(state, (), Reply(ok=True, text="no fault is armed"))
            count = len(state.armed)
            state, effects = _clear_all(state, state.armed, "panic", at_s)
            return Step(state, effects, Reply(ok=True, text=f"reverted {counted(count, 'fault')}"))
        case _:
            return _load(state, command, at_s)


def advance(state: HubState, at_s: float) -> Step:
    """Return what the passing of time does: schedule, holds, lease, unattended, duration."""
    effects: tuple[Effect, ...] = ()
    if state.finishing:
        return Step(state)
    while state.schedule and state.schedule[0].at_s <= at_s:
        due, rest = state.schedule[0], state.schedule[1:]
        step = _arm(replace(state, schedule=rest), wish_of(due), at_s, by_console=False)
        state = step.state
        effects += step.effects
        if not step.reply.ok:
            effects += (Tell("problem", f"scenario: {step.reply.text}", bad=True),)
    held = tuple(fault for fault in state.armed if at_s >= fault.armed_at_s + fault.hold_s)
    state, cleared = _clear_all(state, held, "hold over", at_s)
    effects += cleared
    if state.leases:
        living = {seat: seen_s for seat, seen_s in state.leases.items() if at_s - seen_s < LEASE_S}
        state = replace(state, leases=living)
        if not living:
            step = _lease_over(state, at_s)
            state, effects = step.state, effects + step.effects
    alive = [seen for seen in state.consoles.values() if at_s - seen.heard_s < LEASE_S]
    if alive:
        state = replace(state, attended_s=at_s)
    rules = state.rules
    if not state.finishing and rules.duration_s is not None and at_s >= rules.duration_s:
        step = _finish(state, f"ran for {format_duration(rules.duration_s)}")
    elif not state.finishing and at_s - state.attended_s >= rules.unattended_s_max:
        unattended = format_duration(rules.unattended_s_max)
        step = _finish(state, f"nobody watched for {unattended}")
    else:
        return Step(state, effects)
    return Step(step.state, effects + step.effects)


def console_came(state: HubState, console: int, at_s: float) -> HubState:
    """Return the state with one console more; it begins with a full lease."""
    return _heard(state, console, at_s)


def console_left(state: HubState, console: int, at_s: float) -> HubState:
    """Return the state after a console's link broke; its lease runs on."""
    if console not in state.consoles:
        return state
    return replace(state, consoles=_without(state.consoles, console), attended_s=at_s)


def _heard(state: HubState, console: int, at_s: float) -> HubState:
    if console == 0:
        return state
    before = state.consoles.get(console, Seated(at_s))
    consoles = {**state.consoles, console: replace(before, heard_s=at_s)}
    return replace(state, consoles=consoles, attended_s=at_s)


def _leased(state: HubState, console: int, at_s: float) -> HubState:
    if console == 0 or state.consoles[console].detached:
        return state
    return replace(state, leases={**state.leases, console: at_s})


def _without(seats: dict[int, _T], console: int) -> dict[int, _T]:
    return {seat: value for seat, value in seats.items() if seat != console}


def _lease_over(state: HubState, at_s: float) -> Step:
    rules = state.rules
    gone = f"no console for {LEASE_S:.0f} s"
    if rules.on_disconnect == "stop":
        return _finish(state, gone)
    mine = tuple(fault for fault in state.armed if fault.by_console)
    if rules.on_disconnect == "keep" or not mine:
        return Step(state, (Tell("run", f"{gone}; the run goes on"),))
    state, effects = _clear_all(state, mine, "lease over", at_s)
    return Step(state, (Tell("run", f"{gone}; faults revert"), *effects))


def _finish(state: HubState, why: str) -> Step:
    state = replace(state, finishing=True)
    effects = (Tell("run", f"stopping: {why}"), Finish(why))
    return Step(state, effects, Reply(ok=True, text="stopping"))


def _arm(state: HubState, wish: ArmFault, at_s: float, *, by_console: bool) -> Step:
    rules = state.rules
    try:
        params = checked_fault(wish, rules.faults, rules.archetypes)
    except UserError as problem:
        unknown = wish.name not in rules.faults
        code = "not_found" if unknown else "bad_request"
        return Step(state, (), Reply(ok=False, text=problem.message, code=code))
    if len(state.armed) >= FAULTS_ARMED_MAX:
        text = f"{FAULTS_ARMED_MAX} faults are armed, the most allowed; undo one first"
        return Step(state, (), Reply(ok=False, text=text, code="conflict"))
    number = state.faults_made + 1
    spec = rules.faults[wish.name]
    hold_s = hold_of(spec, params, wish.hold_s)
    fault = Armed(
        id=f"f{number}",
        name=wish.name,
        scope=wish.scope,
        params=params,
        hold_s=hold_s,
        ramp_s=min(wish.ramp_s, hold_s),
        seed=_seed(rules.seed, number) if wish.seed is None else wish.seed,
        armed_at_s=round(at_s, 3),
        by_console=by_console,
        side=spec.side,
    )
    text = f"{fault.name} on {scope_text(fault.scope, fault.side)}"
    if hold_s:
        # The hold of a kill is how long the world is left dead.
        lasting = ", back after" if spec.hold_param else " for"
        text += f"{lasting} {format_duration(hold_s)}"
    state = replace(state, armed=(*state.armed, fault), faults_made=number)
    effects = (Arm(fault), Tell("fault_armed", f"{fault.id}: {text}"))
    return Step(state, effects, Reply(ok=True, text=f"{fault.id}: {text}", id=fault.id))


def _seed(run_seed: int, number: int) -> int:
    """Return the seed of a run's n-th fault: another for each, the same in every such run."""
    return (run_seed * 1_000_003 + number) % (SEED_MAX + 1)


def _clear(state: HubState, wanted: str, at_s: float) -> Step:
    if not state.armed:
        return Step(state, (), Reply(ok=False, text="no fault is armed", code="not_found"))
    found = [fault for fault in state.armed if fault.id == wanted] or (
        [] if wanted else [state.armed[-1]]
    )
    if not found:
        armed = ", ".join(fault.id for fault in state.armed)
        text = f"no fault {printable(wanted, 20)!r} is armed; armed: {armed}"
        return Step(state, (), Reply(ok=False, text=text, code="not_found"))
    fault = found[0]
    state, effects = _clear_all(state, (fault,), "undone", at_s)
    return Step(state, effects, Reply(ok=True, text=f"{fault.id}: {fault.name} reverted"))


def _clear_all(
    state: HubState, faults: tuple[Armed, ...], why: str, at_s: float
) -> tuple[HubState, tuple[Effect, ...]]:
    if not faults:
        return state, ()
    ids = {fault.id for fault in faults}
    over = tuple(replace(fault, cleared_at_s=at_s, cleared_why=why) for fault in faults)
    effects: list[Effect] = []
    for fault in over:
        effects += [Disarm(fault), Tell("fault_cleared", f"{fault.id}: {fault.name}: {why}")]
    armed = tuple(fault for fault in state.armed if fault.id not in ids)
    return replace(state, armed=armed), tuple(effects)


def _set_policy(state: HubState, command: SetPolicy) -> Step:
    """Check what can be checked here; whether it is done, the world says."""
    change = command.change
    known = {view.name: view for view in state.policies}
    if not known:
        return Step(state, (), Reply(ok=False, text="there is no world to govern", code="gone"))
    view = known.get(change.name)
    if view is None:
        name = printable(change.name, 64)
        text = f"no policy {name!r}{nearest(name, known)}; allowed: {', '.join(known)}"
        return Step(state, (), Reply(ok=False, text=text, code="not_found"))
    try:
        given_params(view.specs, change.params or {}, "params", view.name)
    except UserError as problem:
        return Step(state, (), Reply(ok=False, text=problem.message, code="bad_request"))
    return Step(state, (), Reply(ok=True, text=f"{view.name}: asked"))


def _load(state: HubState, command: Command, at_s: float) -> Step:
    recent = tuple(changed_s for changed_s in state.load_changed_s if at_s - changed_s < 1.0)
    if len(recent) >= LOAD_CHANGES_PER_S_MAX:
        text = f"at most {LOAD_CHANGES_PER_S_MAX} load changes a second"
        return Step(state, (), Reply(ok=False, text=text, code="too_often"))
    state = replace(state, load_changed_s=(*recent, at_s))
    match command:
        case SetPlayers(players):
            return _players(state, players)
        case ScalePlayers(pct):
            return _players(state, _scaled_players(state.target, pct))
        case SetRate(commands_per_s):
            return _rate(state, commands_per_s)
        case ScaleRate(pct):
            step = state.commands_per_s * pct / 100
            if pct:
                step = math.copysign(max(abs(step), _RATE_STEP_MIN), pct)
            return _rate(state, state.commands_per_s + step)
        case _:
            text = f"not a command of this engine: {type(command).__name__}"
            return Step(state, (), Reply(ok=False, text=text, code="bad_request"))


def _scaled_players(target: int, pct: float) -> int:
    """Return the scaled number; a step is at least one player."""
    scaled = round(target * (1 + pct / 100))
    if scaled == target and pct:
        return target + (1 if pct > 0 else -1)
    return scaled


def _players(state: HubState, wanted: int) -> Step:
    players = max(0, min(wanted, state.rules.players_max))
    text = f"{players} players"
    if wanted > players:
        text += f", the most allowed here (--players-max); {wanted} were asked for"
    state = replace(state, target=players, manual=True)
    effects = (Load(players=players), Tell("load", text))
    return Step(state, effects, Reply(ok=True, text=text))


def _rate(state: HubState, wanted: float) -> Step:
    if not math.isfinite(wanted):
        text = f"found {wanted}; allowed is 0 to {COMMANDS_PER_S_PER_PLAYER_MAX:g} commands/s"
        return Step(state, (), Reply(ok=False, text=text, code="bad_request"))
    rate = round(max(0.0, min(wanted, COMMANDS_PER_S_PER_PLAYER_MAX)), 3)
    text = f"{rate:g} commands/s each"
    if wanted > rate + 0.001:
        text += ", the most allowed"
    state = replace(state, commands_per_s=rate)
    effects = (Load(commands_per_s=rate), Tell("load", text))
    return Step(state, effects, Reply(ok=True, text=text))
