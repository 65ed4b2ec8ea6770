"""Every fault there is, found by scanning this folder."""

from collections.abc import Mapping

from engine import faults
from engine.faults.base import Fault, check_side, filled_params
from engine.protocol.command import ParamValue, Scope
from engine.protocol.registry import pick, scan


def all_faults() -> dict[str, Fault]:
    """Return every fault by its name."""
    return scan(faults, "FAULT")


def fault_named(name: str) -> Fault:
    """Return the fault called ``name``.

    Raises:
        UserError: There is none.
    """
    fault: Fault = pick(all_faults(), name, "fault")
    return fault


def check_fault(
    name: str, params: Mapping[str, ParamValue], scope: Scope, where: str
) -> dict[str, ParamValue]:
    """Return a fault's parameters, defaults filled in.

    Args:
        name: The fault.
        params: Every parameter given.
        scope: Whom it is to concern.
        where: What the fault is called in an error.

    Raises:
        UserError: No such fault, a parameter that does not fit, a scope where none is taken.
    """
    spec = fault_named(name).spec
    check_side(spec, scope, f"{where}.scope")
    return filled_params(spec, params, f"{where}.params")
