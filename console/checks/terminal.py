"""What the terminal can do, and what follows from it for the console."""

import os
import sys
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from console.checks._read import environment
from console.checks.base import Asked, Check, Finding
from console.terminal import ESCAPE_MS_LOCAL, ESCAPE_MS_REMOTE, size_of
from console.themes import choose_depth, choose_theme
from engine.protocol.text import printable

COMFORTABLE: Final = (80, 24)
_POOR: Final = ("", "dumb", "unknown")
_COLOURS: Final = {"true": "16 million colours", "256": "256 colours", "16": "16 colours"}
_CHARS_MAX: Final = 40


class Seen(Struct, frozen=True):
    """The terminal.

    Attributes:
        is_terminal: Whether stdin and stdout are one.
        columns: Its width; 0 without a terminal.
        rows: Its height; 0 without a terminal.
        environ: The environment.
    """

    is_terminal: bool
    columns: int = 0
    rows: int = 0
    environ: Mapping[str, str] = {}


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Ask the system; the terminal itself is not disturbed."""
    environ = environment()
    if not (os.isatty(0) and os.isatty(1) and sys.stdin and sys.stdout):
        return Seen(is_terminal=False, environ=environ)
    return Seen(True, *size_of(1), environ)


def judge(seen: Seen) -> list[Finding]:
    """Nothing here keeps a run from working: without a terminal there are progress lines."""
    if not seen.is_terminal:
        found = "none here: a run shows progress lines and a summary"
        return [Finding("terminal", "ok", found)]
    return [_kind(seen), _colours(seen.environ), _size(seen), _locale(seen.environ)]


def _kind(seen: Seen) -> Finding:
    term = printable(seen.environ.get("TERM", ""), _CHARS_MAX)
    if term in _POOR:
        cure = "export TERM=xterm-256color (or what your terminal is); or: seedstorm run --headless"
        return Finding("terminal", "warn", f"TERM is {term!r}: the console may be garbled", cure)
    remote = "SSH_CONNECTION" in seen.environ or "SSH_TTY" in seen.environ
    notes = [f"TERM={term}"]
    if remote:
        notes.append(
            f"over SSH: esc waits {ESCAPE_MS_REMOTE} ms, 256 colours, what you copy goes through "
            "the terminal (OSC 52); after a lost link: seedstorm attach"
        )
    else:
        notes.append(f"esc waits {ESCAPE_MS_LOCAL} ms")
    if "TMUX" in seen.environ:
        notes.append(
            "in tmux: 'set -sg escape-time 10' keeps esc quick, 'set -g set-clipboard on' lets "
            "copying through"
        )
    if "STY" in seen.environ:  # TERM tells nothing: tmux calls itself screen too
        notes.append("in screen: copying goes to a file alone")
    return Finding("terminal", "ok", "; ".join(notes))


def _colours(environ: Mapping[str, str]) -> Finding:
    if choose_theme("", environ) == "mono":
        why = "NO_COLOR is set" if environ.get("NO_COLOR") else "the terminal has none"
        return Finding("colours", "ok", f"none: {why}; glyphs tell the same")
    depth = _COLOURS[choose_depth(environ)]
    if environ.get("TERM") in {"linux", "ansi"}:
        return Finding("colours", "ok", f"{depth}; a terminal emulator would show more")
    return Finding("colours", "ok", depth)


def _size(seen: Seen) -> Finding:
    found = f"{seen.columns} x {seen.rows}"
    if seen.columns < COMFORTABLE[0] or seen.rows < COMFORTABLE[1]:
        least = f"{COMFORTABLE[0]} x {COMFORTABLE[1]}"
        text = f"{found}: what does not fit is left out"
        return Finding("size", "warn", text, f"make it {least} or larger")
    return Finding("size", "ok", found)


def _locale(environ: Mapping[str, str]) -> Finding:
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    name = next((name for name in names if environ.get(name)), "")
    value = printable(environ.get(name, ""), _CHARS_MAX)
    if value.upper().replace("-", "").endswith("UTF8") or "utf8" in value.lower().replace("-", ""):
        return Finding("locale", "ok", f"{name}={value}")
    found = f"{name}={value}" if name else "none is set"
    cure = f"export {name or 'LANG'}=C.UTF-8"  # the one that decides: it hides those after it
    return Finding("locale", "warn", f"{found}: lines and glyphs may show as ? or _", cure)


CHECK = Check("terminal", 80, read, judge)
