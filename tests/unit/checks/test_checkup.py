"""Every check is run, none can break the others, and the lines are aligned."""

import json

import pytest

from console.checks.base import AnyCheck, Asked, Check, Finding
from console.checkup import all_checks, examine, exit_code, report, show

FINDINGS = (
    Finding("a", "ok", "fine"),
    Finding("longer", "warn", "so so", "do this"),
    Finding("b", "fail", "broken", "do that"),
)


def _finds(*findings: Finding) -> AnyCheck:
    return Check("made up", 1, lambda _: None, lambda _: list(findings))


def _breaks(_: Asked) -> None:
    raise PermissionError(13, "Permission denied")


def test_lines_are_aligned_and_a_cure_stands_below() -> None:
    assert report(FINDINGS, colour=False).splitlines() == [
        "✔ ok    a       fine",
        "▲ warn  longer  so so",
        "                → do this",
        "✖ fail  b       broken",
        "                → do that",
        "1 ok, 1 warn, 1 fail",
    ]


def test_colour_is_besides_the_glyph() -> None:
    coloured = report(FINDINGS, colour=True)
    assert "\x1b[31m✖ fail\x1b[0m  b" in coloured


def test_only_what_fails_counts_for_the_exit_code() -> None:
    assert exit_code(FINDINGS[:2]) == 0
    assert exit_code(FINDINGS) == 2
    assert exit_code(()) == 0


def test_a_check_that_breaks_is_a_line_of_its_own() -> None:
    broken: AnyCheck = Check("broken", 1, _breaks, lambda _: [])
    found = examine(Asked(None), [broken, _finds(FINDINGS[0])])
    assert [one.status for one in found] == ["warn", "ok"]
    assert "Permission denied" in found[0].found


def test_nothing_that_was_found_can_write_to_the_terminal() -> None:
    (found,) = examine(Asked(None), [_finds(Finding("x", "ok", "\x1b[2J\n", "\x07"))])
    assert "\x1b" not in found.found + found.cure
    assert "\n" not in found.found


def test_every_check_of_the_folder_looks_and_has_a_cure(capsys: pytest.CaptureFixture[str]) -> None:
    checks = all_checks()
    assert len(checks) >= 13
    assert [check.name for check in checks][:3] == ["imports", "python", "dependencies"]
    assert len({check.place for check in checks}) == len(checks)
    code = show(Asked(None, 0), as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert all(set(row) == {"name", "status", "found", "cure"} for row in rows)
    assert all(bool(row["cure"]) == (row["status"] != "ok") for row in rows)
    assert not any("could not be looked into" in row["found"] for row in rows)
    # No home was given, so that one line fails.
    assert [row["name"] for row in rows if row["status"] == "fail"][:1] == ["runs folder"]
    assert code == 2
