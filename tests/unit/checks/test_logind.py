"""Whether a run outlives its login."""

from pathlib import Path

import pytest

from console.checks import logind

SESSION = "0::/user.slice/user-1000.slice/session-3.scope\n"
SERVICE = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n"
YES = {"KillUserProcesses": "yes"}
NO = {"KillUserProcesses": "no"}


@pytest.mark.parametrize(
    ("seen", "status", "said"),
    [
        (logind.Seen(systemd=False), "ok", "no systemd"),
        (logind.Seen(True, NO, "ann", False, SESSION), "ok", "outlives its login"),
        (logind.Seen(True, {}, "ann", True, SERVICE), "ok", "lingers"),
        (logind.Seen(True, YES, "ann", False, SESSION), "warn", "killed when the login ends"),
        (logind.Seen(True, YES, "ann", True, SESSION), "warn", "killed when the login ends"),
        (logind.Seen(True, YES, "root", False, SESSION), "ok", "outlives"),
        (
            logind.Seen(True, {**YES, "KillExcludeUsers": "bob"}, "root", False, SESSION),
            "warn",
            "killed",
        ),
        (logind.Seen(True, {**YES, "KillOnlyUsers": "bob"}, "ann", False, SESSION), "ok", ""),
        (logind.Seen(True, YES, "ann", True, SERVICE), "ok", "lingers"),
        (logind.Seen(True, {}, "ann", False, SERVICE), "warn", "last login ends"),
        (logind.Seen(True, YES, "ann", False, "0::/system.slice/ssh.service"), "ok", ""),
        (logind.Seen(True, {}, "ann", False, "0::/system.slice/ssh.service"), "ok", ""),
        (logind.Seen(True, {}, "ann", False, SESSION), "warn", "cannot be told"),
        (logind.Seen(True, {}, "root", False, SESSION), "ok", "outlives"),
        (logind.Seen(True, {"KillUserProcesses": "true"}, "ann", False, SESSION), "warn", "killed"),
    ],
)
def test_logind(seen: logind.Seen, status: str, said: str) -> None:
    (found,) = logind.judge(seen)
    assert found.status == status
    assert said in found.found
    assert bool(found.cure) == (status != "ok")


def test_the_cure_says_to_linger_only_where_nobody_does() -> None:
    (alone,) = logind.judge(logind.Seen(True, YES, "ann", False, SESSION))
    (already,) = logind.judge(logind.Seen(True, YES, "ann", True, SESSION))
    assert alone.cure.startswith("loginctl enable-linger")
    assert "loginctl" not in already.cure
    assert "systemd-run --user --scope" in already.cure


def test_a_login_that_cannot_be_told_of_is_made_safe() -> None:
    (found,) = logind.judge(logind.Seen(True, {}, "ann", False, SESSION))
    assert found.cure.startswith("to be safe: loginctl enable-linger, then start with: systemd-run")


def test_logind_files_override_one_another() -> None:
    main = "[Login]\nKillUserProcesses = no\nNAutoVTs=6\n"
    drop_in = "[Login]\nKillUserProcesses=yes\n[Other]\nKillOnlyUsers=bob\n"
    assert logind.parse([main, drop_in]) == {"KillUserProcesses": "yes"}
    assert logind.parse([drop_in, main]) == {"KillUserProcesses": "no"}
    assert logind.parse(["", "nonsense", "[Login]\n=\nKillUserProcesses"]) == {}


def test_a_comment_of_loginds_file_tells_what_was_built_in() -> None:
    shipped = "[Login]\n#KillUserProcesses=no\n#KillOnlyUsers=\n# KillExcludeUsers=root\n"
    built_in = {"KillUserProcesses": "no", "KillOnlyUsers": "", "KillExcludeUsers": "root"}
    assert logind.parse([shipped]) == built_in
    drop_in = "[Login]\nKillUserProcesses=yes\n"
    assert logind.parse([drop_in, shipped])["KillUserProcesses"] == "yes"
    (found,) = logind.judge(logind.Seen(True, built_in, "ann", False, SESSION))
    assert found.status == "ok"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            'b true\nas 0\nas 2 "root" "ann"\n',
            {"KillUserProcesses": "true", "KillOnlyUsers": "", "KillExcludeUsers": "root ann"},
        ),
        (
            'b false\nas 1 "bob"\nas 0\n',
            {"KillUserProcesses": "false", "KillOnlyUsers": "bob", "KillExcludeUsers": ""},
        ),
        ("", {}),
        ("b\nas 0\nas 0", {}),
        ("b true", {}),
        ('s "yes"\nas 0\nas 0', {}),
        ('b true\nas 1 "\nas 0', {}),
    ],
)
def test_loginds_own_answer(text: str, found: dict[str, str]) -> None:
    assert logind.parse_answer(text) == found


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo b false; echo as 0; echo as 0", "false"),
        ("echo 'Failed to connect to bus' >&2; exit 1", None),
        (None, None),
    ],
)
def test_busctl_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str | None, found: str | None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if script is not None:
        (tmp_path / "busctl").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "busctl").chmod(0o755)
    assert logind.ask().get("KillUserProcesses") == found
