"""The machine: clocks, processors, logind, kernel."""

import pytest

from console.checks import clock, cpu, kernel, logind
from console.checks.base import Asked


@pytest.mark.parametrize(
    ("seen", "statuses", "said"),
    [
        (clock.Seen(1e-7, "tsc", True, zone="CET +0100"), ["ok", "ok"], "time zone CET +0100"),
        (clock.Seen(1e-7, "", None, zone="UTC +0000"), ["ok", "ok"], "cannot be told"),
        (clock.Seen(1e-7, "hpet", True), ["warn", "ok"], "slow to read"),
        (clock.Seen(0.015, "", True), ["fail", "ok"], "steps of 1.5e+04 µs"),
        (clock.Seen(1e-7, "tsc", False), ["ok", "warn"], "not synchronised"),
        (clock.Seen(1e-7, "tsc", False, behind_s=9e8), ["ok", "warn"], "before this program"),
    ],
)
def test_clocks(seen: clock.Seen, statuses: list[str], said: str) -> None:
    found = clock.judge(seen)
    assert [one.status for one in found] == statuses
    assert said in " ".join(one.found for one in found)
    assert [bool(one.cure) for one in found] == [status != "ok" for status in statuses]


def test_the_clock_here_has_a_step() -> None:
    assert 0 < clock.read(Asked(None)).resolution_s < 1


@pytest.mark.parametrize(
    ("seen", "status", "said"),
    [
        (cpu.Seen(8, None, 0.0, 0.5), "ok", "8 cores, 0 % stolen by the host, load 0.5"),
        (cpu.Seen(8, None, None, 0.5), "ok", "8 cores, load 0.5"),
        (cpu.Seen(1, None, 0.0, 0.1), "warn", "1 cores"),
        (cpu.Seen(8, 1.5, 0.0, 0.1), "warn", "limited to 1.5 by a cgroup"),
        (cpu.Seen(4, None, 12.0, 0.1), "warn", "12 % stolen"),
        (cpu.Seen(4, None, 0.0, 9.0), "warn", "load 9.0"),
    ],
)
def test_processors(seen: cpu.Seen, status: str, said: str) -> None:
    (found,) = cpu.judge(seen)
    assert found.status == status
    assert said in found.found
    assert bool(found.cure) == (status != "ok")


@pytest.mark.parametrize(
    ("text", "quota"),
    [("200000 100000\n", 2.0), ("max 100000", None), ("", None), ("1 0", None), ("a b", None)],
)
def test_a_containers_limit(text: str, quota: float | None) -> None:
    assert cpu.quota_of(text) == quota


def test_steal_is_a_share_of_all_time() -> None:
    before = "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 …"
    after = "cpu  150 0 150 870 0 0 0 30 0 0\n"
    assert cpu.steal_pct(before, after) == pytest.approx(15.0)  # 30 of 200
    assert cpu.steal_pct(before, before) is None
    assert cpu.steal_pct("", after) is None
    assert cpu.steal_pct(before, "cpu x y") is None


SESSION = "0::/user.slice/user-1000.slice/session-3.scope\n"
SERVICE = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n"
YES = {"KillUserProcesses": "yes"}


@pytest.mark.parametrize(
    ("seen", "status", "said"),
    [
        (logind.Seen(systemd=False), "ok", "no systemd"),
        (logind.Seen(True, {}, "ann", False, SESSION), "ok", "outlives its login"),
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


def test_logind_files_override_one_another() -> None:
    main = "# KillUserProcesses=no\n[Login]\nKillUserProcesses = no\nNAutoVTs=6\n"
    drop_in = "[Login]\nKillUserProcesses=yes\n[Other]\nKillOnlyUsers=bob\n"
    assert logind.parse([main, drop_in]) == {"KillUserProcesses": "yes"}
    assert logind.parse([drop_in, main]) == {"KillUserProcesses": "no"}
    assert logind.parse(["", "nonsense", "[Login]\n=\nKillUserProcesses"]) == {}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (kernel.Seen(4096, (32768, 60999), 2), ["somaxconn 4096, ports 32768-60999"]),
        (kernel.Seen(), ["not shown here"]),
        (kernel.Seen(128, (32768, 60999), 2), ["somaxconn is 128"]),
        (kernel.Seen(128, (50000, 60999), 0), ["somaxconn", "gives 11,000 ports", "is 0"]),
    ],
)
def test_kernel(seen: kernel.Seen, said: list[str]) -> None:
    found = kernel.judge(seen)
    assert all(text in one.found for text, one in zip(said, found, strict=True))
    assert {one.status for one in found} <= {"ok", "warn"}
    for one in found:
        assert one.cure.startswith("as root: sysctl -w") == (one.status == "warn")
