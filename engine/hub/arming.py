"""Checks a fault before it is armed: its name, parameters and scope. Pure."""

import math
from collections.abc import Mapping

import msgspec

from engine.faults.base import check_side, filled_params
from engine.hub.state import Armed
from engine.protocol.child import SquadFault
from engine.protocol.command import ArmFault, ParamValue, Scope
from engine.protocol.errors import UserError
from engine.protocol.query import FaultSpec
from engine.protocol.scenario import FaultStep
from engine.protocol.text import counted, nearest, printable


def checked_fault(
    wish: ArmFault, faults: Mapping[str, FaultSpec], archetypes: tuple[str, ...]
) -> dict[str, ParamValue]:
    """Return the fault's parameters, defaults filled in.

    Raises:
        UserError: The name, a parameter or the scope is wrong; names what is allowed.
    """
    spec = faults.get(wish.name)
    if spec is None:
        raise UserError(
            f"unknown fault {_shown(wish.name)}; allowed: {', '.join(faults)}"
            f"{nearest(wish.name, faults)}"
        )
    if not spec.available:
        raise UserError(f"{spec.name} is not available: {spec.why_not}")
    check_side(spec, wish.scope, "scope")
    _check_scope(wish.scope, archetypes)
    return filled_params(spec, wish.params, spec.name)


def wish_of(step: FaultStep) -> ArmFault:
    """Return the command that a step of the scenario's schedule stands for.

    Raises:
        UserError: Its scope or times are none.
    """
    try:
        return msgspec.convert(
            {
                "type": "arm_fault",
                "name": step.name,
                "scope": step.scope,
                "params": step.params,
                "hold_s": step.hold_s,
                "ramp_s": step.ramp_s,
            },
            ArmFault,
        )
    except msgspec.ValidationError as problem:
        raise UserError(f"fault {step.name!r}: {problem}") from problem


def hold_of(spec: FaultSpec, params: Mapping[str, ParamValue], hold_s: float) -> float:
    """Return how long a fault lasts: at most its hold, less when a parameter says so."""
    return min(hold_s, float(params[spec.hold_param])) if spec.hold_param else hold_s


def scope_text(scope: Scope, side: str = "players") -> str:
    """Return a scope for people: ``30 % of players``, ``zone 12``, ``all players``."""
    if side == "server":
        return "the world"
    if scope.players_pct is not None:
        return f"{scope.players_pct:g} % of players"
    if scope.count is not None:
        return counted(scope.count, "player")
    if scope.zone is not None:
        return f"zone {scope.zone}"
    if scope.archetype is not None:
        return f"archetype {scope.archetype}"
    if scope.ids is not None:
        return f"{counted(len(scope.ids), 'player')} by id"
    return "all players"


def _check_scope(scope: Scope, archetypes: tuple[str, ...]) -> None:
    given = [name for name in scope.__struct_fields__ if getattr(scope, name) is not None]
    if len(given) > 1:
        raise UserError(f"scope: found {' and '.join(given)}; allowed is one of them")
    if scope.players_pct is not None and not math.isfinite(scope.players_pct):
        raise UserError("scope.players_pct: allowed is 0 to 100")
    if scope.archetype is not None and scope.archetype not in archetypes:
        raise UserError(
            f"scope.archetype: found {_shown(scope.archetype)}; allowed: "
            f"{', '.join(archetypes)}{nearest(scope.archetype, archetypes)}"
        )


def _shown(text: str) -> str:
    return repr(printable(text, 40))


def squad_fault(fault: Armed, hold_s: float) -> SquadFault:
    """Return what a squad is told of a fault that holds for another ``hold_s``."""
    return SquadFault(
        fault.id, fault.name, fault.scope, fault.params, fault.ramp_s, fault.seed, hold_s
    )
