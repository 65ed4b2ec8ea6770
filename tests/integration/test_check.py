"""``seedstorm check`` in odd places: it always answers, quickly, and never with a traceback."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.machine import ports_of_a_base
from tests.terminal.pty_screen import PtyScreen

pytestmark = pytest.mark.integration

PATIENCE_S = 60.0
NOBODY = 65_534
NAMELESS = 54_321
"""No machine's user database has it."""


class Answer:
    """What a self-check said."""

    def __init__(self, result: subprocess.CompletedProcess[str]) -> None:
        self.code = result.returncode
        self.out = result.stdout
        self.err = result.stderr

    @property
    def rows(self) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = json.loads(self.out)
        return rows

    def row(self, name: str) -> dict[str, str]:
        return next(row for row in self.rows if row["name"] == name)

    @property
    def failed(self) -> list[str]:
        return [row["name"] for row in self.rows if row["status"] == "fail"]


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a home that anybody may enter."""
    with tempfile.TemporaryDirectory(prefix="h") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def check(home: Path) -> Callable[..., Answer]:
    """Run ``seedstorm check``, by default as JSON and with ports that are picked."""

    def run(
        *words: str,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        before: Sequence[str] = (),
        **more: Any,
    ) -> Answer:
        known = {**os.environ, "HOME": str(home), "LANG": "C.UTF-8"}
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            known.pop(name, None)
        for name, value in (env or {}).items():
            known.pop(name, None)
            if value is not None:
                known[name] = value
        words = words or ("--json", "--port-base", "0")
        result = subprocess.run(
            [*before, sys.executable, "-P", "-m", "console", "check", *words],
            env=known,
            cwd=cwd or home,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
            **more,
        )
        answer = Answer(result)
        assert "Traceback" not in answer.err + answer.out
        return answer

    return run


def test_a_machine_that_is_well(check: Callable[..., Answer], home: Path):
    answer = check()
    assert (answer.code, answer.failed, answer.err) == (0, [], "")
    assert {row["status"] for row in answer.rows} <= {"ok", "warn"}
    assert answer.row("runs folder")["found"].startswith(str(home))
    assert list(home.iterdir()) == []


def test_lines_for_people(check: Callable[..., Answer]):
    answer = check("--port-base", "0")
    assert "✔ ok    imports" in answer.out
    assert "\x1b" not in answer.out
    assert answer.out.splitlines()[-1].endswith("0 fail")


def test_a_folder_full_of_our_names(check: Callable[..., Answer], home: Path):
    for name in ("engine", "console", "json", "msgspec"):
        (home / name).mkdir()
        (home / name / "__init__.py").write_text("raise SystemExit('imported the wrong one')")
    (home / "typing.py").write_text("raise SystemExit('imported the wrong one')")
    answer = check()
    assert (answer.code, answer.row("imports")["status"]) == (0, "ok")


def test_few_open_files(check: Callable[..., Answer]):
    answer = check(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    assert (answer.code, answer.failed) == (2, ["file limit"])
    assert "a container: --ulimit nofile=1064" in answer.row("file limit")["cure"]


def test_ports_that_are_taken(check: Callable[..., Answer]):
    with ports_of_a_base(0, 2) as base:
        answer = check("--json", "--port-base", str(base))
        shown = check("--port-base", str(base))
    assert answer.failed == [f"port {base}", f"port {base + 2}"]
    assert f"process {os.getpid()} (" in answer.row(f"port {base}")["found"]
    assert f"kill {os.getpid()}; or name others: --port-base" in answer.row(f"port {base}")["cure"]
    assert (answer.code, shown.code) == (2, 2)
    assert f"✖ fail  port {base} " in shown.out
    assert "→ kill" in shown.out


@pytest.mark.parametrize(
    ("env", "failed"),
    [
        ({"HOME": "/proc/nowhere"}, ["runs folder"]),
        ({"HOME": "", "TERM": "", "PATH": "", "LANG": ""}, []),
        ({"TMPDIR": "/nowhere"}, []),
        ({"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, []),
        ({"PYTHONPATH": "."}, ["imports"]),
    ],
    ids=["home", "nothing", "tmpdir", "ascii", "pythonpath"],
)
def test_odd_environments(check: Callable[..., Answer], env: dict[str, str], failed: list[str]):
    answer = check(env=env)
    assert answer.failed == failed
    assert check("--port-base", "0", env=env).code == (2 if failed else 0)


def test_a_read_only_folder_and_a_runs_folder_that_cannot_be(check: Callable[..., Answer]):
    answer = check("--json", "--port-base", "0", "--runs-dir", "/proc/runs", cwd=Path("/proc"))
    assert (answer.code, answer.failed) == (2, ["runs folder"])
    assert "--runs-dir" in answer.row("runs folder")["cure"]


def _as(uid: int) -> list[str]:
    """Return the words that run a program as a user who may read everything and write nothing.

    So that it is also tried where the checkout or its Python is root's own.
    """
    if os.getuid():
        pytest.skip("only root can become somebody else")
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv here")
    reads = "+dac_read_search"
    who = (f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    return ["setpriv", *who, f"--inh-caps={reads}", f"--ambient-caps={reads}"]


def test_as_somebody_else(check: Callable[..., Answer], home: Path):
    answer = check(before=_as(NOBODY))
    assert (answer.code, answer.failed) == (2, ["runs folder"])
    assert f"({home}: Permission denied)" in answer.row("runs folder")["found"]
    assert answer.row("imports")["status"] == "ok"


def test_as_somebody_without_a_home(check: Callable[..., Answer], home: Path):
    ours = home / "state"
    ours.mkdir()
    os.chown(ours, NAMELESS, NAMELESS)
    bare = {"HOME": None, "USER": None, "LOGNAME": None}
    answer = check(before=_as(NAMELESS), env=bare | {"XDG_STATE_HOME": str(ours)})
    assert (answer.code, answer.failed) == (0, [])
    told = answer.row("home")
    assert told["status"] == "warn"
    assert f"user {NAMELESS} is not in the user database; nor is XDG_CONFIG_HOME:" in told["found"]
    assert "export XDG_CONFIG_HOME=" in told["cure"]
    answer = check(before=_as(NAMELESS), env=bare)
    assert (answer.code, answer.failed) == (2, ["runs folder"])
    assert "nor is XDG_CONFIG_HOME or XDG_STATE_HOME:" in answer.row("home")["found"]
    # The cure, followed.
    answer = check(before=_as(NAMELESS), env=bare | {"HOME": str(ours)})
    assert (answer.code, answer.row("home")["status"]) == (0, "ok")


def test_the_cure_of_a_locale_is_one(tmp_path: Path):
    env = {"LC_ALL": "", "LC_CTYPE": "POSIX", "LANG": "C.UTF-8"}
    words = ["check", "--port-base", "0"]
    with PtyScreen(words, 120, 50, tmp_path, env) as pty:
        assert pty.wait_exit() == 0
        assert "LC_CTYPE=POSIX" in pty.text
        assert "export LC_CTYPE=C.UTF-8" in pty.text
    with PtyScreen(words, 120, 50, tmp_path, env | {"LC_CTYPE": "C.UTF-8"}) as pty:
        assert pty.wait_exit() == 0
        assert "LC_CTYPE=C.UTF-8" in pty.text
        assert "export LC_CTYPE" not in pty.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port-base", "80"], "--port-base: found 80"),
        (["--port-base", "many"], "--port-base"),
        (["--jsn"], "--json"),
    ],
)
def test_bad_options(check: Callable[..., Answer], words: list[str], said: str):
    answer = check(*words)
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(("no_color", "painted"), [("", True), ("1", False)])
def test_colour_is_for_terminals_that_want_it(tmp_path: Path, no_color: str, painted: bool):
    env = {"NO_COLOR": no_color, "LANG": "C.UTF-8"}
    words = ["check", "--port-base", "0"]
    with PtyScreen(words, 120, 50, tmp_path, env) as pty:
        assert pty.wait_exit() == 0
        assert "▲ warn" in pty.text or "✔ ok" in pty.text
        assert "120 x 50" in pty.text
        row = next(y for y, line in enumerate(pty.screen.display) if "✔ ok" in line)
        colour = pty.screen.buffer[row][0].fg
    assert (colour == "green") is painted
