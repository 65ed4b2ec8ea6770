"""What a governance policy is: one file, one ``POLICY``, judging a whole batch at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from engine.protocol.paramspec import ParamSpec
from engine.world.arrays import Array
from engine.world.hearing import NO_ROWS, Hearing

Why = Callable[[Array], list[str]]
"""Says for some of a judgement's rows what was found; takes positions in that list of rows."""


class NoParams(Struct, frozen=True):
    """Of a policy without parameters."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What a policy finds wrong; what it does not name, it permits.

    Rows that are denied already, or lie outside the policy's scope, may be named: they are
    passed over.

    Attributes:
        denied: Rows to deny.
        why: Says what was found, for positions in ``denied``; called for those that count.
        changed: Rows to carry out otherwise, none of them denied.
        fields: Their new values: ``x``, ``y``, ``target``, ``amount``, or ``text`` as a list.
        why_changed: As ``why``, for positions in ``changed``.
    """

    denied: Array = field(default_factory=lambda: NO_ROWS)
    why: Why = lambda at: [""] * len(at)
    changed: Array = field(default_factory=lambda: NO_ROWS)
    fields: Mapping[str, Array | list[str]] = field(default_factory=dict)
    why_changed: Why = lambda at: [""] * len(at)


class Policy(Protocol):
    """A rule of governance. An instance is without state and judges any number of worlds."""

    @property
    def name(self) -> str:
        """Unique, as people see it."""
        ...

    @property
    def help(self) -> str:
        """What it forbids or changes, in one line."""
        ...

    @property
    def priority(self) -> int:
        """Lower ones judge first, and a denial ends the matter; an operator may change it."""
        ...

    @property
    def kinds(self) -> tuple[int, ...]:
        """The kinds of intents that it looks at; empty for all."""
        ...

    @property
    def steady(self) -> bool:
        """Whether no command of the tick changes what it looks at.

        Such policies judge all the tick's intents at once where they come first; the others
        judge each round on the state that the earlier rounds left.
        """
        ...

    @property
    def fixed(self) -> bool:
        """Whether it keeps the world whole: it is always on, for everybody, in its place."""
        ...

    @property
    def defaults(self) -> Struct:
        """Its parameters: a frozen struct of bounded integers and texts, all with defaults."""
        ...

    def judge(self, hearing: Hearing, params: Any) -> Judgement | None:
        """Return what is denied or changed, None for nothing.

        Args:
            hearing: The intents, and the world.
            params: As they stand; of the type of ``defaults``.
        """
        ...


def param_specs(defaults: Struct) -> tuple[ParamSpec, ...]:
    """Return what a policy's parameters are, from its struct's annotations."""
    info = msgspec.inspect.type_info(type(defaults))
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{type(defaults).__name__} is no struct")
    return tuple(_spec(each, getattr(defaults, each.name)) for each in info.fields)


def _spec(info: msgspec.inspect.Field, default: int | str) -> ParamSpec:
    kind, words = info.type, ""
    if isinstance(kind, msgspec.inspect.Metadata):
        words = (kind.extra_json_schema or {}).get("description", "")
        kind = kind.type
    low, high = getattr(kind, "ge", None), getattr(kind, "le", None)
    return ParamSpec(info.name, default, words, at_least=low, at_most=high)
