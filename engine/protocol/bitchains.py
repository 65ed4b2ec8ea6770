"""Bit-chains as others write them, checked field by field. Pure.

What is refused is refused with the field's path, what was found and what is allowed.
JSON leaves open what two equal keys or ``NaN`` mean: an address must not depend on it.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, Final, get_args

from engine.protocol.address import BitChain, Coordinates, Horizon, Realm
from engine.protocol.errors import UserError
from engine.protocol.limits import CHAIN_DEPTH_MAX, CHAIN_DIGITS_MAX
from engine.protocol.text import nearest, printable

_REALMS: Final = get_args(Realm)
_HORIZONS: Final = get_args(Horizon)
_KEYS: Final = (
    "created_at",
    "entity_type",
    "id",
    "realm",
    "coordinates",
    "stat7_coordinates",
    "state",
)
_SHOWN_CHARS_MAX = 40
_PATH_CHARS_MAX = 120


def parse_chain(line: bytes) -> BitChain:
    """Return the bit-chain that a line of JSON holds.

    Its coordinates stand under ``coordinates`` or ``stat7_coordinates``; ``state`` may be
    left out.

    Raises:
        UserError: The line is no bit-chain; names the first field that is wrong.
    """
    whole = _object(_parsed(line), "", "a bit-chain")
    _check_keys(whole, "", _KEYS)
    both = [name for name in ("coordinates", "stat7_coordinates") if name in whole]
    if len(both) > 1:
        raise UserError(f"{both[1]}: found beside {both[0]}; allowed is one of them")
    where = both[0] if both else "coordinates"
    state = _object(whole.get("state", {}), "state")
    _check_value(state, "state", 1)
    return BitChain(
        id=_text(_needed(whole, "id"), "id"),
        entity_type=_text(_needed(whole, "entity_type"), "entity_type"),
        realm=_among(_needed(whole, "realm"), _REALMS, "realm"),
        coordinates=_coordinates(_object(_needed(whole, where), where), where),
        created_at=_text(_needed(whole, "created_at"), "created_at"),
        state=state,
    )


class _Object(dict[str, Any]):
    """A JSON object that remembers a key it was given twice."""

    twice: str | None = None


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line.decode(), object_pairs_hook=_pairs, parse_int=_whole_number)
    except UnicodeDecodeError as problem:
        byte = line[problem.start]
        raise UserError(
            f"found byte 0x{byte:02x} at position {problem.start + 1}; allowed is UTF-8"
        ) from problem
    except json.JSONDecodeError as problem:
        raise UserError(
            f"found what is no JSON at column {problem.colno} ({problem.msg}); "
            "allowed is one bit-chain a line, as a JSON object"
        ) from problem
    except RecursionError as problem:
        raise UserError(f"nested too deeply; allowed is {CHAIN_DEPTH_MAX} deep") from problem


def _pairs(pairs: list[tuple[str, Any]]) -> _Object:
    whole = _Object(pairs)
    if len(whole) < len(pairs):
        seen: set[str] = set()
        whole.twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add() is there for what it does
    return whole


def _whole_number(digits: str) -> int:
    if len(digits) > CHAIN_DIGITS_MAX:
        raise UserError(
            f"found a number of {len(digits)} digits; allowed are {CHAIN_DIGITS_MAX} or fewer"
        )
    return int(digits)


def _coordinates(found: dict[str, Any], where: str) -> Coordinates:
    _check_keys(found, where, Coordinates.__struct_fields__)

    def value(name: str) -> object:
        return _needed(found, name, where)

    def real(name: str, least: int) -> float:
        return _real(value(name), least, f"{where}.{name}")

    return Coordinates(
        realm=_among(value("realm"), _REALMS, f"{where}.realm"),
        lineage=_lineage(value("lineage"), f"{where}.lineage"),
        adjacency=_adjacency(value("adjacency"), f"{where}.adjacency"),
        horizon=_among(value("horizon"), _HORIZONS, f"{where}.horizon"),
        resonance=real("resonance", -1),
        velocity=real("velocity", -1),
        density=real("density", 0),
    )


def _needed(whole: dict[str, Any], name: str, where: str = "") -> object:
    if name not in whole:
        raise UserError(f"{_dotted(where, name)}: found nothing; it is needed")
    return whole[name]


def _check_keys(whole: dict[str, Any], where: str, allowed: Iterable[str]) -> None:
    names = tuple(allowed)
    for key in whole:
        if key not in names:
            raise UserError(
                f"{_dotted(where, key)}: unknown key; allowed: {', '.join(names)}"
                f"{nearest(key[:_SHOWN_CHARS_MAX], names)}"
            )


def _object(found: object, where: str, allowed: str = "an object") -> dict[str, Any]:
    if not isinstance(found, dict):
        raise _wrong(where, found, allowed)
    if isinstance(found, _Object) and found.twice is not None:
        raise UserError(f"{_dotted(where, found.twice)}: found twice; allowed is once")
    return found


def _text(found: object, where: str) -> str:
    if not isinstance(found, str):
        raise _wrong(where, found, "text")
    return found


def _among(found: object, names: tuple[Any, ...], where: str) -> Any:
    if found not in names:
        likely = nearest(found[:_SHOWN_CHARS_MAX], names) if isinstance(found, str) else ""
        raise _wrong(where, found, f"one of {', '.join(names)}{likely}")
    return found


def _lineage(found: object, where: str) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise _wrong(where, found, "a whole number, 0 or more")
    return found


def _real(found: object, least: int, where: str) -> float:
    # NaN is in no range.
    if isinstance(found, bool) or not isinstance(found, int | float) or not least <= found <= 1:
        raise _wrong(where, found, f"a number from {least} to 1")
    return float(found)


def _adjacency(found: object, where: str) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise _wrong(where, found, "a list of ids")
    return tuple(_text(neighbour, f"{where}[{at}]") for at, neighbour in enumerate(found))


def _check_value(value: object, where: str, depth: int) -> None:
    """Refuse what has no one canonical form, anywhere in the state."""
    if depth > CHAIN_DEPTH_MAX:
        raise UserError(f"{_short(where)}: nested too deeply; allowed is {CHAIN_DEPTH_MAX} deep")
    if isinstance(value, dict):
        for key, item in _object(value, where).items():
            _check_value(item, _dotted(where, key), depth + 1)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            _check_value(item, f"{where}[{at}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _wrong(where, value, "a finite number")


def _wrong(where: str, found: object, allowed: str) -> UserError:
    at = f"{_short(where)}: " if where else ""
    return UserError(f"{at}found {_shown(found)}; allowed is {allowed}")


def _dotted(where: str, name: str) -> str:
    return _short(f"{where}.{name}" if where else name)


def _short(path: str) -> str:
    shown = printable(path, _PATH_CHARS_MAX)
    return shown if len(path) <= _PATH_CHARS_MAX else f"{shown}…"


def _shown(found: object) -> str:
    if isinstance(found, dict):
        return "an object"
    if isinstance(found, list):
        return "a list"
    text = json.dumps(found, ensure_ascii=False)
    shown = printable(text, _SHOWN_CHARS_MAX)
    return shown if len(text) <= _SHOWN_CHARS_MAX else f"{shown}…"
