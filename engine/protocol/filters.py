"""The filter language: ``zone=12 hp<20 kind=npc gold>100``; terms are joined by "and".

A term is a field, an operator (``= != < <= > >=``, ``~`` for "contains") and a value;
``=`` and ``!=`` take several values with commas between them; a value with spaces
stands in double quotes.
"""

import math
import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

from engine.protocol.errors import UserError
from engine.protocol.events import EVENT_KINDS, entity_id
from engine.protocol.limits import FILTER_CHARS_MAX, FILTER_TERMS_MAX
from engine.protocol.text import nearest, printable

Op = Literal["=", "!=", "<", "<=", ">", ">=", "~"]
Value = int | float | str | bool

EntityKind = Literal["node", "npc", "player"]
ENTITY_KINDS: Final[tuple[EntityKind, ...]] = get_args(EntityKind)
"""The index is the kind's code in the world's arrays."""

STAGES: Final = ("genesis", "emergence", "peak", "decay", "crystallization")
"""The index is the stage's code in the world's arrays."""

_VALUES_MAX = 16
_NUMBER_MAX = 2**63 - 1
_TERM = re.compile(r'\s*([A-Za-z_]+)\s*(<=|>=|!=|==|=|<|>|~)\s*("[^"]*"|[^\s"]+)(?=\s|$)')
_TRUE = ("true", "yes", "1")
_FALSE = ("false", "no", "0")


class Field(Struct, frozen=True):
    """One field that a filter may name.

    Attributes:
        type: number; flag (yes, no); name (one of ``choices``); entity (``player-12`` or
            its number); text.
        choices: The allowed names.
    """

    type: Literal["number", "flag", "name", "entity", "text"]
    choices: tuple[str, ...] = ()


_NUMBER = Field("number")
_FLAG = Field("flag")
_ENTITY = Field("entity")
_TEXT = Field("text")

ENTITY_FIELDS: Final[Mapping[str, Field]] = {
    "id": _ENTITY,
    "kind": Field("name", ENTITY_KINDS),
    "alive": _FLAG,
    "connected": _FLAG,
    "zone": _NUMBER,
    "x": _NUMBER,
    "y": _NUMBER,
    "hp": _NUMBER,
    "hp_max": _NUMBER,
    "gold": _NUMBER,
    "goods": _NUMBER,
    "level": _NUMBER,
    "faction": _NUMBER,
    "stage": Field("name", STAGES),
    "lives": _NUMBER,
}
"""The fields of ``EntityRow``."""

EVENT_FIELDS: Final[Mapping[str, Field]] = {
    "seq": _NUMBER,
    "tick": _NUMBER,
    "kind": Field("name", EVENT_KINDS),
    "stream": _ENTITY,
    "version": _NUMBER,
    "actor": _ENTITY,
    "target": _ENTITY,
    "a": _NUMBER,
    "b": _NUMBER,
    "text": _TEXT,
    "cause": _NUMBER,
    "correlation": _NUMBER,
}
"""The fields of ``Event``."""

VIOLATION_FIELDS: Final[Mapping[str, Field]] = {
    "seq": _NUMBER,
    "tick": _NUMBER,
    "policy": _TEXT,
    "actor": _ENTITY,
    "reason": _TEXT,
    "critical": _FLAG,
}
"""The fields of ``ViolationRow``."""

STORY_FIELDS: Final[Mapping[str, Field]] = {
    "number": _NUMBER,
    "tick": _NUMBER,
    "kind": _TEXT,
    "text": _TEXT,
}
"""The fields of ``Beat``."""


class Term(Struct, frozen=True):
    """One condition; ``values`` has more than one with ``=`` and ``!=`` only."""

    field: str
    op: Op
    values: tuple[Value, ...]

    def holds(self, found: Value) -> bool:
        """Return whether a record's value satisfies the term."""
        if self.op == "~":
            return str(self.values[0]).casefold() in str(found).casefold()
        if self.op in {"=", "!="}:
            return (found in self.values) == (self.op == "=")
        wanted = self.values[0]
        if isinstance(found, str) or isinstance(wanted, str):
            return False
        if self.op == "<":
            return found < wanted
        if self.op == "<=":
            return found <= wanted
        if self.op == ">":
            return found > wanted
        return found >= wanted


class Filter(Struct, frozen=True):
    """A parsed filter; no terms match everything."""

    terms: tuple[Term, ...] = ()

    def matches(self, record: object) -> bool:
        """Return whether ``record``, whose attributes are the fields, satisfies every term."""
        return all(term.holds(getattr(record, term.field)) for term in self.terms)


def parse_filter(text: str, fields: Mapping[str, Field]) -> Filter:
    """Return the filter that ``text`` means.

    Args:
        text: What was typed; white space alone matches everything.
        fields: What may be named, such as ``ENTITY_FIELDS``.

    Raises:
        UserError: Names the term that is wrong and what is allowed.
    """
    if len(text) > FILTER_CHARS_MAX:
        raise UserError(f"filter: {len(text)} characters; allowed are {FILTER_CHARS_MAX}")
    terms: list[Term] = []
    position = 0
    while text[position:].strip():
        match = _TERM.match(text, position)
        if match is None:
            wrong = text[position:].split(maxsplit=1)[0]
            raise UserError(
                f"filter: term {_shown(wrong)} is not FIELD OPERATOR VALUE, "
                f"such as hp<20; fields: {', '.join(fields)}"
            )
        if len(terms) == FILTER_TERMS_MAX:
            raise UserError(f"filter: more than {FILTER_TERMS_MAX} terms")
        terms.append(_term(match, fields))
        position = match.end()
    return Filter(tuple(terms))


def _term(match: "re.Match[str]", fields: Mapping[str, Field]) -> Term:
    name, op, raw = match.group(1), match.group(2), match.group(3)
    shown = _shown(match.group(0).strip())
    field = fields.get(name)
    if field is None:
        raise UserError(
            f"filter: term {shown} names no field{nearest(name, fields)}; "
            f"fields: {', '.join(fields)}"
        )
    plain: Op = "=" if op == "==" else op  # type: ignore[assignment]  # the pattern admits operators only
    if plain == "~" and field.type != "text":
        raise UserError(f"filter: term {shown}: ~ is for text; '{name}' takes = != < <= > >=")
    if plain in {"<", "<=", ">", ">="} and field.type not in {"number", "entity"}:
        raise UserError(f"filter: term {shown}: {plain} is for numbers; '{name}' takes = and !=")
    parts = [raw[1:-1]] if raw.startswith('"') else [raw]
    if plain in {"=", "!="} and not raw.startswith('"'):
        parts = raw.split(",")
    if len(parts) > _VALUES_MAX:
        raise UserError(f"filter: term {shown} has more than {_VALUES_MAX} values")
    return Term(name, plain, tuple(_value(part, field, shown) for part in parts))


def _value(raw: str, field: Field, shown: str) -> Value:
    if field.type == "text":
        return raw
    if field.type == "name":
        if raw not in field.choices:
            raise UserError(
                f"filter: term {shown}: allowed are {', '.join(field.choices)}"
                f"{nearest(raw, field.choices)}"
            )
        return raw
    if field.type == "flag":
        if raw.lower() not in _TRUE + _FALSE:
            raise UserError(f"filter: term {shown}: allowed are yes and no")
        return raw.lower() in _TRUE
    if field.type == "entity":
        found = entity_id(raw)
        if found is None or found > _NUMBER_MAX:
            raise UserError(
                f"filter: term {shown}: allowed is a name such as player-12 or npc-7, or a number"
            )
        return found
    return _number(raw, shown)


def _number(raw: str, shown: str) -> int | float:
    try:
        number = int(raw) if raw.lstrip("+-").isdecimal() else float(raw)
    except ValueError:
        number = math.nan
    if not abs(number) <= _NUMBER_MAX:
        raise UserError(f"filter: term {shown}: allowed is a number")
    return number


def _shown(term: str) -> str:
    return repr(printable(term, 40))
