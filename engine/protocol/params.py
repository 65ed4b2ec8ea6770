"""Parameters that people give to faults and policies: checked against what is declared."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.protocol.command import ParamValue
from engine.protocol.errors import UserError
from engine.protocol.paramspec import ParamSpec
from engine.protocol.text import nearest, printable


def given_params(
    specs: Iterable[ParamSpec], params: Mapping[str, ParamValue], where: str, of: str
) -> dict[str, ParamValue]:
    """Return the parameters that are given, checked.

    Args:
        specs: Every parameter there is.
        params: Those given.
        where: What they are called in an error.
        of: Whose they are.

    Raises:
        UserError: An unknown name, a wrong type, a value that is not allowed.
    """
    known = {spec.name: spec for spec in specs}
    for name in params:
        if name not in known:
            shown = printable(name, 64)
            raise UserError(
                f"{where}.{shown}: unknown parameter of {of}; allowed: "
                f"{', '.join(known) or 'none'}{nearest(shown, known)}"
            )
    return {
        name: _checked(spec, params[name], f"{where}.{name}")
        for name, spec in known.items()
        if name in params
    }


def _bounds(low: float | None, high: float | None, whole: bool) -> str:
    """Return what is allowed; bounds of whole numbers without the point that they may have."""
    least, most = (int(n) if whole and n is not None else n for n in (low, high))
    if least is None:
        return f"at most {most}"
    return f"at least {least}" if most is None else f"from {least} to {most}"


def _checked(param: ParamSpec, value: Any, where: str) -> ParamValue:
    found = f"{where}: found {printable(repr(value), 64)}"
    if isinstance(param.default, str):
        if not isinstance(value, str) or (param.allowed and value not in param.allowed):
            allowed = ", ".join(param.allowed) or "text"
            hint = nearest(value, param.allowed) if isinstance(value, str) else ""
            raise UserError(f"{found}; allowed: {allowed}{hint}")
        return value
    if isinstance(param.default, bool):
        if not isinstance(value, bool):
            raise UserError(f"{found}; allowed: true or false")
        return value
    whole = isinstance(param.default, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise UserError(f"{found}; allowed: a {'whole ' if whole else ''}number")
    low, high = param.at_least, param.at_most
    if not (low is None or value >= low) or not (high is None or value <= high):
        raise UserError(f"{found}; allowed: {_bounds(low, high, whole)}")
    return value
