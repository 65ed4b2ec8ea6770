"""Checks a fault before it is armed: its name, parameters and scope. Pure."""

import math
from collections.abc import Mapping

import msgspec

from engine.protocol.command import ArmFault, ParamValue, Scope
from engine.protocol.errors import UserError
from engine.protocol.query import FaultSpec, ParamSpec
from engine.protocol.scenario import FaultStep
from engine.protocol.text import nearest, printable


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
    _check_scope(wish.scope, archetypes)
    return _checked_params(spec, wish.params)


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


def scope_text(scope: Scope) -> str:
    """Return a scope for people: ``30 % of players``, ``zone 12``, ``all players``."""
    if scope.players_pct is not None:
        return f"{scope.players_pct:g} % of players"
    if scope.count is not None:
        return f"{scope.count} players"
    if scope.zone is not None:
        return f"zone {scope.zone}"
    if scope.archetype is not None:
        return f"archetype {scope.archetype}"
    if scope.ids is not None:
        return f"{len(scope.ids)} players by id"
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


def _checked_params(spec: FaultSpec, given: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
    known = {param.name: param for param in spec.params}
    checked: dict[str, ParamValue] = {param.name: param.default for param in spec.params}
    for name, found in given.items():
        param = known.get(name)
        if param is None:
            raise UserError(
                f"{spec.name}: unknown parameter {_shown(name)}; allowed: "
                f"{', '.join(known) or 'none'}{nearest(name, known)}"
            )
        checked[name] = _checked_value(spec.name, param, found)
    return checked


def _checked_value(fault: str, param: ParamSpec, found: ParamValue) -> ParamValue:
    where = f"{fault}: {param.name}: found {_shown(str(found))}"
    if isinstance(param.default, bool) or isinstance(found, bool):
        if not (isinstance(param.default, bool) and isinstance(found, bool)):
            raise UserError(f"{where}; allowed is {_type_text(param)}")
        return found
    if isinstance(param.default, str):
        if not isinstance(found, str):
            raise UserError(f"{where}; allowed is {_type_text(param)}")
        if param.allowed and found not in param.allowed:
            raise UserError(f"{where}; {_type_text(param)}{nearest(found, param.allowed)}")
        return found
    if isinstance(found, str) or not math.isfinite(found):
        raise UserError(f"{where}; allowed is {_type_text(param)}")
    if isinstance(param.default, int) and isinstance(found, float):
        if not found.is_integer():
            raise UserError(f"{where}; allowed is {_type_text(param)}")
        found = int(found)
    too_small = param.at_least is not None and found < param.at_least
    too_large = param.at_most is not None and found > param.at_most
    if too_small or too_large:
        raise UserError(f"{where}; allowed is {_type_text(param)}")
    return found


def _type_text(param: ParamSpec) -> str:
    if param.allowed:
        return f"allowed: {', '.join(param.allowed)}"
    if isinstance(param.default, bool):
        return "true or false"
    if isinstance(param.default, str):
        return "text"
    whole = "a whole number" if isinstance(param.default, int) else "a number"
    bounds = ""
    if param.at_least is not None:
        bounds += f" from {param.at_least:g}"
    if param.at_most is not None:
        bounds += f" up to {param.at_most:g}"
    return whole + bounds


def _shown(text: str) -> str:
    return repr(printable(text, 40))
