"""What is wrong with what was read: the field, what was found there, what is allowed instead.

msgspec says the first of these; the rest is looked up in the document and in the type. For
bodies, query parameters, scenarios and manifests alike.
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

from engine.protocol.text import nearest, printable

_SHOWN_CHARS_MAX: Final = 40
_PLACE: Final = re.compile(r" - at `(?:key in )?\$\.?(.*?)`$")
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_NO_FIELD: Final = re.compile(r"Object contains unknown field `(.*?)`")
_MISSING: Final = re.compile(r"Object missing required field `(.*?)`")
UNKNOWN: Final = object()
"""Stands for a document that cannot be looked at."""
_INTEGER_MAX: Final = 2**64


def explain(
    problem: msgspec.ValidationError, document: Any, type_: Any, *, null: bool = True
) -> tuple[str, str]:
    """Return which field of a document that is no ``type_`` is wrong, and how, in words.

    Args:
        problem: What msgspec says.
        document: As decoded without a type, or ``UNKNOWN``.
        type_: What it should be.
        null: Whether whoever wrote it can write a null.
    """
    said = str(problem)
    place = _PLACE.search(said)
    path, said = (place.group(1) if place else ""), _PLACE.sub("", said)
    path, node, found = _look(path, type_info(type_), document)
    unknown, missing = _NO_FIELD.search(said), _MISSING.search(said)
    if unknown:
        name, names = unknown.group(1), list(_fields(node))
        some = f"allowed: {', '.join(names)}" if names else "none is allowed here"
        return _inside(path, printable(name, 64)), f"no such field{nearest(name, names)}; {some}"
    if missing:
        name = missing.group(1)
        needed = _described(_fields(node)[name].type, null) if name in _fields(node) else "a value"
        return _inside(path, name), f"found nothing; allowed is {needed}"
    if node is None:
        return path, printable(said, 200)
    allowed = _described(node, null)
    if found is UNKNOWN:
        return path, f"{printable(said, 200)}; allowed is {allowed}"
    hint = nearest(found, _words(node)) if isinstance(found, str) else ""
    if isinstance(found, list) and _takes_text_alone(node):
        hint = "; several are one text, with commas between"
    return path, f"found {_shown(found)}; allowed is {allowed}{hint}"


def allowed_in(struct: Any, field: str) -> str:
    """Return what a field of a struct may hold, in words; empty where it has no such field."""
    node = _fields(type_info(struct)).get(field)
    return "" if node is None else _described(node.type, null=False)


def plain_json(data: bytes) -> Any:
    """Return what JSON holds, for ``explain``; ``UNKNOWN`` where that cannot be looked at."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return UNKNOWN  # more is wrong with it, further on


def malformed(problem: Exception) -> str:
    """Return why something is no JSON at all."""
    if isinstance(problem, RecursionError):
        return "it is nested too deeply"
    said = printable(str(problem), 200)
    return "it is cut off in the middle" if "truncated" in said else f"it is no JSON: {said}"


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _look(path: str, node: Type | None, found: Any) -> tuple[str, Type | None, Any]:
    """Return a path, the type there and what the document has there, or ``UNKNOWN``.

    msgspec does not name the entry of a map that is wrong: here it is looked for.
    """
    walked = ""
    for name, index in _STEP.findall(path):
        above, node = node, _below(node, name)
        step = f"[{index}]" if index else f".{name}"
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and index.isdigit() and int(index) < len(found):
            found = found[int(index)]
        elif isinstance(found, dict) and index == "..." and _has(above, DictType):
            wrong = next((each for each in found if not _fits(found[each], node)), None)
            if wrong is not None:
                step = f".{printable(str(wrong), 64)}"
            found = UNKNOWN if wrong is None else found[wrong]
        else:
            found = UNKNOWN
        walked += step
    return walked.removeprefix("."), node, found


def _has(node: Type | None, kind: type[Type]) -> bool:
    return any(isinstance(choice, kind) for choice in _choices(node))


def _fits(found: Any, node: Type | None) -> bool:
    """Return whether a value may be of a type, as far as its kind and its bounds tell."""
    for choice in _choices(node):
        match choice:
            case BoolType() if isinstance(found, bool):
                return True
            case IntType() | FloatType() if isinstance(found, int | float):
                whole = isinstance(found, int) or isinstance(choice, FloatType)
                if whole and not isinstance(found, bool) and _in_bounds(found, choice):
                    return True
            case StrType() if isinstance(found, str):
                if choice.max_length is None or len(found) <= choice.max_length:
                    return True
            case StructType() | DictType() if isinstance(found, dict):
                return True
            case VarTupleType() | ListType() if isinstance(found, list):
                return True
    return False


def _in_bounds(found: float, node: IntType | FloatType) -> bool:
    return (
        (node.ge is None or found >= node.ge)
        and (node.gt is None or found > node.gt)
        and (node.le is None or found <= node.le)
        and (node.lt is None or found < node.lt)
    )


def _takes_text_alone(node: Type) -> bool:
    return _has(node, StrType) and not (_has(node, ListType) or _has(node, VarTupleType))


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
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return str(found) if abs(found) < _INTEGER_MAX else "a number of more than 64 bits"
    if isinstance(found, str):
        more = f"... ({len(found)} characters)" if len(found) > _SHOWN_CHARS_MAX else ""
        return f"{printable(found, _SHOWN_CHARS_MAX)!r}{more}"
    return "null" if found is None else printable(str(found), _SHOWN_CHARS_MAX)


def _described(node: Type, null: bool) -> str:
    choices = [each for each in _choices(node) if null or not isinstance(each, NoneType)]
    *others, last = map(_described_one, choices)
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
