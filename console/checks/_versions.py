"""Compares versions as PEP 440 does, as far as release numbers go."""

import re
from typing import Final

_PART: Final = re.compile(r"\s*(>=|<=|==|!=|~=|>|<)\s*([0-9][0-9.]*)[^,]*\s*")


def release(version: str) -> tuple[int, ...]:
    """Return the release numbers: ``(3, 11, 7)`` for ``3.11.7rc1``; zeros at the end are cut."""
    found = re.match(r"[0-9]+(\.[0-9]+)*", version)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def satisfies(version: str, wanted: str) -> bool:
    """Return whether ``version`` is within ``wanted``, such as ``>=8.0,<9``."""
    have = release(version)
    for part in wanted.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            continue
        sign, asked = found[1], found[2]
        want = release(asked)
        holds = {
            ">=": have >= want,
            "<=": have <= want,
            ">": have > want,
            "<": have < want,
            "==": have == want,
            "!=": have != want,
            "~=": have >= want and have[: asked.count(".")] == _padded(asked)[: asked.count(".")],
        }[sign]
        if not holds:
            return False
    return True


def requirement(line: str) -> tuple[str, str] | None:
    """Return a requirement's name and versions; None when it is one of an extra."""
    wanted, _, marker = line.partition(";")
    if "extra" in marker:
        return None
    found = re.match(r"\s*([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*\(?([^)]*)\)?", wanted)
    return (found[1], found[2].strip()) if found else None


def _padded(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".") if number)
