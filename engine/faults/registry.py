"""Every fault there is, found by scanning this folder."""

from collections.abc import Mapping

from engine import faults
from engine.faults.base import Fault, filled_params
from engine.protocol.command import ParamValue
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


def check_params(name: str, params: Mapping[str, ParamValue], where: str) -> dict[str, ParamValue]:
    """Return a fault's parameters, defaults filled in.

    Args:
        name: The fault.
        params: Every parameter given.
        where: What the parameters are called in an error.

    Raises:
        UserError: No such fault, or a parameter does not fit.
    """
    return filled_params(fault_named(name).spec, params, where)
