"""Makes hostile text safe to show, and finds the nearest valid name."""

from collections.abc import Iterable
from difflib import get_close_matches

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str, chars_max: int) -> str:
    """Return ``text`` cut to ``chars_max`` with control and format characters replaced.

    Terminal escapes, newlines, bidirectional overrides and lone surrogates never
    reach a terminal, a log line or a stored event.
    """
    cut = text[:chars_max]
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(char if char.isprintable() else _REPLACEMENT for char in cut)


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest allowed name, or an empty string."""
    found = get_close_matches(name, list(allowed), n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else ""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``"1 fault"``, ``"3 faults"``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
