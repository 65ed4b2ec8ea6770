"""The processor time that cgroups leave a process."""

import pytest

from console.checks._cgroup import quota_cores

V2 = "30 24 0:26 {root} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "25 1 0:22 / / rw - ext4 /dev/sda1 rw\n"
    "31 24 0:27 {root} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 24 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
)
CPU = "/sys/fs/cgroup/cpu,cpuacct"


def of(files: dict[str, str], mountinfo: str, membership: str, root: str = "/") -> float | None:
    return quota_cores(
        mountinfo.replace("{root}", root), membership, lambda path: files.get(path, "")
    )


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("200000 100000\n", 2.0),
        ("50000 100000", 0.5),
        ("max 100000", None),
        ("", None),
        ("1 0", None),
        ("a b", None),
        ("-1 100000", None),
    ],
)
def test_the_group_at_the_top(text: str, cores: float | None) -> None:
    assert of({"/sys/fs/cgroup/cpu.max": text}, V2, "0::/\n") == cores


@pytest.mark.parametrize(
    ("own", "above", "cores"),
    [
        ("150000 100000", "max 100000", 1.5),
        ("max 100000", "150000 100000", 1.5),
        ("300000 100000", "100000 100000", 1.0),
        ("max 100000", "max 100000", None),
    ],
)
def test_the_tightest_on_the_way_up_counts(own: str, above: str, cores: float | None) -> None:
    files = {
        "/sys/fs/cgroup/user.slice/run.scope/cpu.max": own,
        "/sys/fs/cgroup/user.slice/cpu.max": above,
        "/sys/fs/cgroup/other.slice/cpu.max": "1000 100000",
    }
    assert of(files, V2, "0::/user.slice/run.scope\n") == cores


def test_a_container_that_sees_its_hosts_names() -> None:
    files = {"/sys/fs/cgroup/cpu.max": "150000 100000"}
    assert of(files, V2, "0::/docker/ab12\n", root="/docker/ab12") == 1.5
    # A name that is not below the mount, or leads out of the namespace, is none to follow.
    assert of(files, V2, "0::/elsewhere\n", root="/docker/ab12") == 1.5
    assert of(files, V2, "0::/../other\n") == 1.5


@pytest.mark.parametrize(
    ("group", "amount", "cores"),
    [("/", "250000", 2.5), ("/docker/ab", "250000", 2.5), ("/docker/ab", "-1", None)],
)
def test_the_first_version(group: str, amount: str, cores: float | None) -> None:
    below = "" if group == "/" else group
    files = {
        f"{CPU}{below}/cpu.cfs_quota_us": amount,
        f"{CPU}{below}/cpu.cfs_period_us": "100000",
    }
    membership = f"7:memory:/m\n4:cpu,cpuacct:{group}\n0::/unified\n"
    assert of(files, V1, membership) == cores


def test_both_versions_side_by_side() -> None:
    files = {
        f"{CPU}/cpu.cfs_quota_us": "150000",
        f"{CPU}/cpu.cfs_period_us": "100000",
        "/sys/fs/cgroup/unified/cpu.max": "",
    }
    both = V1 + "41 24 0:9 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    assert of(files, both, "4:cpu,cpuacct:/\n0::/\n") == 1.5


def test_blanks_in_a_mounts_name_and_lines_that_are_none() -> None:
    odd = "30 24 0:26 / /c\\040g rw - cgroup2 cgroup2 rw\n\nnonsense\n- \n1 - cgroup2\n"
    assert of({"/c g/cpu.max": "100000 100000"}, odd, "nonsense\n0::/\n") == 1.0
    assert of({}, "", "") is None
