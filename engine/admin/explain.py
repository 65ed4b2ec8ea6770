"""What is wrong with a body: the field, what was found there, and what is allowed instead.

msgspec says the first of these; the rest is looked up in the body and in the type.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec.inspect import (
    BoolType,
    DictType,
    Field,
    FloatType,
    IntType,
    ListType,
    LiteralType,
    Metadata,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from engine.admin.errors import Problem
from engine.protocol.text import nearest, printable

_SHOWN_CHARS_MAX: Final = 40
_PLACE: Final = re.compile(r" - at `(?:key in )?\$\.?(.*?)`$")
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*?)`")
_MISSING: Final = re.compile(r"Object missing required field `(.*?)`")
_NOWHERE: Final = object()


def explained(problem: msgspec.ValidationError, body: bytes, type_: Any) -> Problem:
    """Return what a person is told of a body that is no ``type_``.

    Args:
        problem: What msgspec says.
        body: The body.
        type_: What it should be.
    """
    said = str(problem)
    place = _PLACE.search(said)
    path, said = (place.group(1) if place else ""), _PLACE.sub("", said)
    node, found = _look(path, type_info(type_), body)
    unknown, missing = _UNKNOWN.search(said), _MISSING.search(said)
    if unknown:
        name, names = unknown.group(1), list(_fields(node))
        allowed = f"allowed: {', '.join(names)}" if names else "none is allowed here"
        return _problem(_inside(path, name), f"no such field{nearest(name, names)}; {allowed}")
    if missing:
        name = missing.group(1)
        allowed = _described(_fields(node)[name].type) if name in _fields(node) else "a value"
        return _problem(_inside(path, name), f"found nothing; allowed is {allowed}")
    if node is None:
        return _problem(path, said)
    if found is _NOWHERE:
        return _problem(path, f"{said}; allowed is {_described(node)}")
    hint = nearest(found, _words(node)) if isinstance(found, str) else ""
    return _problem(path, f"found {_shown(found)}; allowed is {_described(node)}{hint}")


def _problem(field: str, text: str) -> Problem:
    return Problem("bad_request", text, printable(field, _SHOWN_CHARS_MAX))


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _look(path: str, node: Type | None, body: bytes) -> tuple[Type | None, Any]:
    """Return the type at a path and what the body has there; ``_NOWHERE`` where that is unknown."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = _NOWHERE  # more is wrong with it, further on
    for name, index in _STEP.findall(path):
        node = _below(node, name)
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and index.isdigit() and int(index) < len(found):
            found = found[int(index)]
        else:
            found = _NOWHERE
    return node, found


def _below(node: Type | None, name: str) -> Type | None:
    """Return the type of a field, or without a name of the items of a list or the values."""
    for choice in _choices(node):
        if isinstance(choice, StructType) and name in _fields(choice):
            return _fields(choice)[name].type
        if isinstance(choice, VarTupleType | ListType) and not name:
            return choice.item_type
        if isinstance(choice, DictType):
            return choice.value_type
    return None


def _choices(node: Type | None) -> Iterator[Type]:
    """Yield the types that a type is made of."""
    if isinstance(node, Metadata):
        yield from _choices(node.type)
    elif isinstance(node, UnionType):
        for one in node.types:
            yield from _choices(one)
    elif node is not None:
        yield node


def _fields(node: Type | None) -> dict[str, Field]:
    return {
        field.encode_name: field
        for choice in _choices(node)
        if isinstance(choice, StructType)
        for field in choice.fields
    }


def _words(node: Type) -> list[str]:
    literals = [choice for choice in _choices(node) if isinstance(choice, LiteralType)]
    return [str(word) for literal in literals for word in literal.values]


def _shown(found: Any) -> str:
    if isinstance(found, list):
        return f"a list of {len(found)}"
    if isinstance(found, dict):
        return "an object"
    if isinstance(found, str):
        more = f"... ({len(found)} characters)" if len(found) > _SHOWN_CHARS_MAX else ""
        return f"{printable(found, _SHOWN_CHARS_MAX)!r}{more}"
    return printable(msgspec.json.encode(found).decode(), _SHOWN_CHARS_MAX)


def _described(node: Type) -> str:
    *others, last = map(_described_one, _choices(node))
    return f"{', '.join(others)} or {last}" if others else last


def _described_one(node: Type) -> str:
    match node:
        case IntType():
            return f"a whole number{_range(node)}"
        case FloatType():
            return f"a number{_range(node)}"
        case StrType():
            return f"text{_length(node, 'characters')}"
        case BoolType():
            return "true or false"
        case NoneType():
            return "null"
        case LiteralType():
            return f"one of {', '.join(_words(node))}"
        case StructType():
            return f"an object with {', '.join(_fields(node))}"
        case VarTupleType() | ListType():
            return f"a list{_length(node, 'items')}"
        case DictType():
            return "an object"
        case _:
            return "what /openapi.json describes"


def _range(node: IntType | FloatType) -> str:
    if node.ge is not None and node.le is not None:
        return f" from {_plain(node.ge)} to {_plain(node.le)}"
    bounds = (
        ("above", node.gt),
        ("at least", node.ge),
        ("below", node.lt),
        ("at most", node.le),
    )
    told = [f"{word} {_plain(bound)}" for word, bound in bounds if bound is not None]
    return f" {', '.join(told)}" if told else ""


def _plain(bound: float) -> str:
    return str(int(bound) if bound == int(bound) else bound)


def _length(node: StrType | VarTupleType | ListType, of: str) -> str:
    least, most = node.min_length, node.max_length
    if least and most is not None:
        return f" of {least} to {most} {of}"
    if most is not None:
        return f" of at most {most} {of}"
    return f" of at least {least} {of}" if least else ""
