"""The machine: clocks, processors, kernel."""

import pytest

from console.checks import clock, cpu, kernel
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


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"systemd": True}, "as root: timedatectl set-ntp true"),
        ({"container": True}, "a container's clock is its host's"),
        ({"systemd": True, "container": True}, "a container's clock is its host's"),
        ({}, "chronyd"),
    ],
)
def test_whoever_sets_the_clock_here_is_named(where: dict[str, bool], said: str) -> None:
    for seen in (clock.Seen(1e-7, "tsc", False, **where), clock.Seen(1e-7, behind_s=99.0, **where)):
        (_, wall) = clock.judge(seen)
        assert wall.cure.startswith(said) or said == "chronyd"
        assert said in wall.cure
        assert ("timedatectl" in wall.cure) == ("timedatectl" in said)


def test_the_clock_here_has_a_step() -> None:
    assert 0 < clock.read(Asked(None)).resolution_s < 1


@pytest.mark.parametrize(
    ("seen", "status", "said"),
    [
        (cpu.Seen(8, 8, None, 0.0, 0.5), "ok", "8 cores, 0 % stolen by the host, load 0.5"),
        (cpu.Seen(8, 8, None, None, 0.5), "ok", "8 cores, load 0.5"),
        (cpu.Seen(1, 1, None, 0.0, 0.1), "warn", "1 cores"),
        (cpu.Seen(8, 8, 1.5, 0.0, 0.1), "warn", "limited to 1.5 by a cgroup"),
        (cpu.Seen(4, 4, None, 12.0, 0.1), "warn", "12 % stolen"),
        (cpu.Seen(4, 4, None, 0.0, 9.0), "warn", "load 9.0"),
        (cpu.Seen(4, 64, None, 0.0, 9.0), "ok", "4 of 64 cores"),
        (cpu.Seen(4, 64, None, 0.0, 65.0), "warn", "load 65.0"),
        (cpu.Seen(8, 8, 2.0, 0.0, 3.0), "ok", "limited to 2 by a cgroup"),
    ],
)
def test_processors(seen: cpu.Seen, status: str, said: str) -> None:
    (found,) = cpu.judge(seen)
    assert found.status == status
    assert said in found.found
    assert bool(found.cure) == (status != "ok")


def test_all_cores_are_counted() -> None:
    assert cpu.cores_in("cpu  1 2\ncpu0 1\ncpu1 1\nintr 5\n") == 2
    seen = cpu.read(Asked(None))
    assert 0 < seen.cores <= seen.cores_all
    assert seen.steal_pct is None or 0 <= seen.steal_pct <= 100


def test_steal_is_a_share_of_all_time() -> None:
    before = "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 …"
    after = "cpu  150 0 150 870 0 0 0 30 0 0\n"
    assert cpu.steal_pct(before, after) == pytest.approx(15.0)  # 30 of 200
    assert cpu.steal_pct(before, before) is None
    assert cpu.steal_pct("", after) is None
    assert cpu.steal_pct(before, "cpu x y") is None


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
