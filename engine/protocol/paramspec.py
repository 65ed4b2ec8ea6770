"""What a parameter of a fault or a policy is."""

from msgspec import Struct


class ParamSpec(Struct, frozen=True):
    """One parameter of a fault or a policy.

    ``default`` shows its type; ``allowed`` lists the choices where there are some.
    """

    name: str
    default: str | int | float | bool
    help: str
    allowed: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
