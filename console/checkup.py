"""``seedstorm check``: runs every check, and says what it found with the cure."""

import contextlib
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from console import checks
from console.checks.base import AnyCheck, Asked, Finding, Status
from engine.protocol.errors import ExitCode
from engine.protocol.registry import scan
from engine.protocol.text import printable

GLYPHS: Final[dict[Status, str]] = {"ok": "✔", "warn": "▲", "fail": "✖"}
_PAINT: Final[dict[Status, str]] = {"ok": "\x1b[32m", "warn": "\x1b[33m", "fail": "\x1b[31m"}
_PLAIN: Final = "\x1b[0m"
_FOUND_CHARS_MAX: Final = 600
_AT_ONCE: Final = 8


def all_checks() -> list[AnyCheck]:
    """Return every check of the folder, in the order in which they are shown."""
    found: list[AnyCheck] = list(scan(checks, "CHECK").values())
    return sorted(found, key=lambda check: (check.place, check.name))


def examine(asked: Asked, which: Sequence[AnyCheck] | None = None) -> list[Finding]:
    """Run checks side by side and return what they found; a broken check is a warning."""
    wanted = all_checks() if which is None else which
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [
            msgspec.structs.replace(
                finding,
                found=printable(finding.found, _FOUND_CHARS_MAX),
                cure=printable(finding.cure, _FOUND_CHARS_MAX),
            )
            for findings in pool.map(lambda check: _looked(check, asked), wanted)
            for finding in findings
        ]


def report(findings: Sequence[Finding], *, colour: bool) -> str:
    """Return the findings as aligned lines, each cure below its own."""
    width = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        word = f"{GLYPHS[finding.status]} {finding.status:<4}"
        if colour:
            word = f"{_PAINT[finding.status]}{word}{_PLAIN}"
        lines.append(f"{word}  {finding.name:<{width}}  {finding.found}")
        if finding.cure:
            lines.append(f"{' ' * (width + 10)}→ {finding.cure}")
    counts = {status: sum(each.status == status for each in findings) for status in GLYPHS}
    lines.append(", ".join(f"{count} {status}" for status, count in counts.items()))
    return "\n".join(lines)


def exit_code(findings: Sequence[Finding]) -> ExitCode:
    """Return 0 when nothing fails, else 2."""
    failed = any(finding.status == "fail" for finding in findings)
    return ExitCode.USAGE if failed else ExitCode.HELD


def show(asked: Asked, *, as_json: bool) -> ExitCode:
    """Run every check, print what was found, and return the exit code."""
    findings = examine(asked)
    if as_json:
        text = msgspec.json.format(msgspec.json.encode(findings), indent=2).decode()
    else:
        text = report(findings, colour=_colour_is_welcome())
    with contextlib.suppress(AttributeError):  # not every stdout can be told
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # as said above
    print(text)  # noqa: T201 - this command's output
    return exit_code(findings)


def _looked(check: AnyCheck, asked: Asked) -> list[Finding]:
    try:
        return check.look(asked)
    except Exception as problem:
        if os.environ.get("SEEDSTORM_TRACEBACK"):
            raise
        found = f"could not be looked into: {type(problem).__name__}: {problem}"
        return [Finding(check.name, "warn", found, "SEEDSTORM_TRACEBACK=1 shows where")]


def _colour_is_welcome() -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return bool(sys.stdout and sys.stdout.isatty()) and not plain
