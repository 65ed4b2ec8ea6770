"""``Verdict``: what a user's policy says of an intent; checked when made, and when used."""

import re
from typing import Any, Final

from engine.protocol.limits import POSITION_MAX, REASON_CHARS_MAX, SAY_CHARS_MAX
from engine.protocol.text import printable

ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]+")
"""Of an object, which is another one in every process."""
_AMOUNT_MAX: Final = 1_000_000
_ID_MAX: Final = 2**31 - 1
_FIELDS: Final = {
    "x": (0, POSITION_MAX),
    "y": (0, POSITION_MAX),
    "target": (0, _ID_MAX),
    "amount": (-_AMOUNT_MAX, _AMOUNT_MAX),
}


class Verdict:
    """What ``permit``, ``deny`` and ``mutate`` return.

    Attributes:
        reason: Why, for people.
        fields: New values, of a mutation.
    """

    __slots__ = ("denies", "fields", "reason")

    def __init__(self, denies: bool, reason: str, fields: dict[str, int | str]) -> None:
        self.denies = denies
        self.reason = reason
        self.fields = fields


def permit() -> None:
    """Let it pass; returning nothing does the same."""


def deny(reason: str) -> Verdict:
    """Refuse the intent; the player is told why."""
    return Verdict(True, _checked_reason(reason), {})


def mutate(reason: str, **fields: int | str) -> Verdict:
    """Have the intent carried out otherwise; later policies judge what it has become.

    Args:
        reason: Why; the player is told.
        fields: New values of ``x``, ``y``, ``target``, ``amount`` or ``text``.

    Raises:
        ValueError: Another field, another type, or a value out of bounds.
    """
    return Verdict(False, _checked_reason(reason), _checked_fields(fields))


def checked_verdict(verdict: object) -> Verdict:
    """Return a verdict whose fields are what they are to be.

    Raises:
        ValueError: It is none, or has one that is not allowed.
    """
    if type(verdict) is not Verdict:
        shown = printable(ADDRESS.sub("0x...", repr(verdict)), 40)
        raise ValueError(
            f"it returned {shown}; allowed: None, permit(), deny(reason), "
            "mutate(reason, field=value)"
        )
    if type(verdict.denies) is not bool:
        raise ValueError(f"denies: found {verdict.denies!r}; allowed: True or False")
    fields = {} if verdict.denies else _checked_fields(verdict.fields)
    return Verdict(verdict.denies, _checked_reason(verdict.reason), fields)


def _checked_fields(fields: dict[str, Any]) -> dict[str, int | str]:
    if type(fields) is not dict or not fields:
        raise ValueError(f"mutate needs one of {', '.join(_FIELDS)}, text")
    checked: dict[str, int | str] = {}
    for name, value in fields.items():
        if name == "text":
            if type(value) is not str or not 0 < len(value) <= SAY_CHARS_MAX:
                raise ValueError(f"text: allowed is a text of 1 to {SAY_CHARS_MAX} characters")
            checked[name] = printable(value, SAY_CHARS_MAX)
        elif type(name) is not str or name not in _FIELDS:
            raise ValueError(f"no field {name!r}; allowed: {', '.join(_FIELDS)}, text")
        else:
            low, high = _FIELDS[name]
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{name}: found {value!r}; allowed: {low} to {high}")
            checked[name] = value
    return checked


def _checked_reason(reason: str) -> str:
    if type(reason) is not str or not reason:
        raise ValueError(f"reason: found {reason!r}; allowed: a text")
    return printable(reason, REASON_CHARS_MAX)
