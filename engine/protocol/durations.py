"""Durations as people write them: ``"30s"``, ``"500ms"``, ``"2m"``, ``"1h30m"``."""

import re

from engine.protocol.errors import UserError
from engine.protocol.limits import DURATION_S_MAX

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration_s(text: str | float, where: str) -> float:
    """Return the seconds that ``text`` means; a bare number is seconds.

    Args:
        text: ``"30s"``, ``"1h30m"``, ``"45"`` or a number.
        where: The option or field, named in the error.

    Raises:
        UserError: Not a duration, negative, or longer than a week.
    """
    seconds = _to_seconds(text)
    if seconds is None or not 0 <= seconds <= DURATION_S_MAX:
        raise UserError(
            f"{where}: found {text!r}; allowed is a duration from 0 to 7 days, "
            "such as 500ms, 30s, 2m or 1h30m"
        )
    return seconds


def _to_seconds(text: str | float) -> float | None:
    if isinstance(text, bool):
        return None
    if isinstance(text, int | float):
        return float(text)
    bare = text.strip().replace(" ", "")
    try:
        return float(bare)
    except ValueError:
        pass
    parts = _PART.findall(bare)
    if not parts or "".join(number + unit for number, unit in parts) != bare:
        return None
    return sum(float(number) * _UNIT_S[unit] for number, unit in parts)


def format_duration(seconds: float) -> str:
    """Return a short form for people: ``"850ms"``, ``"12s"``, ``"3m05s"``, ``"1h02m"``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"
