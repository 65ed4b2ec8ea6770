"""What goes over the wire besides the picture: the mouse, and what was copied."""

import base64
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.machine import go_without
from tests.terminal.pty_screen import PATIENCE_S

pytestmark = pytest.mark.terminal

MODULE = [sys.executable, "-P", "-m", "tests.terminal.breaking"]
COPY = re.compile(rb"\x1b\]52;c?;([A-Za-z0-9+/=]+)\x07")


class Wire:
    """A program in a pty, and every byte it wrote."""

    def __init__(self, command: list[str], folder: Path, **env: str) -> None:
        self.bytes = io.BytesIO()
        environment = {key: value for key, value in os.environ.items() if key != "TMUX"}
        environment |= {
            "TERM": "xterm-256color",
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            **env,
        }
        self.process = pexpect.spawn(
            command[0], command[1:], dimensions=(40, 120), env=environment, timeout=PATIENCE_S
        )
        self.process.delaybeforesend = None
        self.process.logfile_read = self.bytes

    @property
    def raw(self) -> bytes:
        return self.bytes.getvalue()

    def until(self, holds: Callable[[bytes], object], what: str) -> None:
        """Read until what was written satisfies ``holds``."""
        end_at = time.monotonic() + PATIENCE_S
        while not holds(self.raw):
            assert time.monotonic() < end_at, f"never: {what}\n{self.raw[-2000:]!r}"
            try:
                self.process.read_nonblocking(65536, timeout=0.1)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                assert holds(self.raw), f"ended before: {what}\n{self.raw[-2000:]!r}"
                return

    def end(self) -> int:
        """Read to the end and return the exit code."""
        self.process.expect(pexpect.EOF)
        self.process.close()
        return self.process.exitstatus if self.process.exitstatus is not None else -1


@contextmanager
def wire(command: list[str], folder: Path, **env: str) -> Iterator[Wire]:
    made = Wire(command, folder, **env)
    try:
        yield made
    finally:
        made.process.close(force=True)


def shows_list(raw: bytes) -> bool:
    return b"npc-" in raw and b"Entities" in raw


def is_off(raw: bytes) -> bool:
    """Whether the terminal was told last to keep the mouse to itself."""
    last_on = max(raw.rfind(b"\x1b[?%dh" % mode) for mode in (1000, 1002, 1003))
    last_off = min(raw.rfind(b"\x1b[?%dl" % mode) for mode in (1000, 1006))
    return last_off > last_on


def test_the_mouse_is_never_asked_for_unless_wanted(tmp_path: Path):
    with wire(MODULE, tmp_path) as it:
        it.until(shows_list, "the list")
        it.process.send("\x03")
        it.until(lambda raw: b"Quit?" in raw, "the question")
        it.process.send("D")
        it.end()
    for mode in (1000, 1002, 1003, 1006, 1015):
        assert b"\x1b[?%dh" % mode not in it.raw


@pytest.mark.parametrize("how", ["detach", "crash", "sigterm twice", "off by hand"])
def test_the_mouse_is_the_terminals_again_however_it_ends(tmp_path: Path, how: str):
    with wire(MODULE, tmp_path) as it:
        it.until(shows_list, "the list")
        it.process.send("M")
        it.until(lambda raw: b"\x1b[?1000h\x1b[?1006h" in raw, "the mouse is on")
        it.until(lambda raw: b"shift-drag selects" in raw, "the note on selecting")
        assert b"\x1b[?1003h" not in it.raw
        if how == "detach":
            it.process.send("D")
        elif how == "crash":
            it.process.send("m")
            it.until(lambda raw: b"Mark this moment" in raw, "the prompt")
            it.process.send("x\r")
        elif how == "sigterm twice":
            it.process.kill(signal.SIGTERM)
            it.until(lambda raw: b"Stopping" in raw, "it stops")
            it.process.kill(signal.SIGTERM)
        else:
            it.process.send("M")
            it.until(is_off, "the mouse is off")
            it.process.send("D")
        it.end()
        assert (b"broke its promise" in it.raw) == (how == "crash")
    assert is_off(it.raw)


def test_a_console_that_breaks_leaves_the_run_to_itself(tmp_path: Path):
    with wire(MODULE, tmp_path) as it:
        it.until(shows_list, "the list")
        it.process.send("mx\r")
        it.end()
        said = it.raw[it.raw.rfind(b"\x1b[?1049l") :]
    assert b"a fault of our own: RuntimeError: the link broke its promise" in said
    assert b"seedstorm attach market-day" in said
    assert b"Traceback" not in said


@pytest.mark.parametrize("data", [b"\xff", b"\xc3(", b"\xf0\x9f", b"\xed\xa0\x80"])
def test_bytes_that_are_no_text_leave_the_keyboard_alive(tmp_path: Path, data: bytes):
    with wire(MODULE, tmp_path) as it:
        it.until(shows_list, "the list")
        it.process.send(data)
        it.process.send("\x07")
        it.until(lambda raw: b"panic:" in raw, "the panic")
        it.process.send("D")
        assert it.end() == 0


def test_a_keyboard_that_breaks_ends_the_console_and_not_the_run(tmp_path: Path):
    with wire(MODULE, tmp_path, BREAK_KEYS="1") as it:
        it.until(shows_list, "the list")
        it.process.send("j")
        assert it.end() == 1
    assert b"a fault of our own: ValueError: no such key" in it.raw
    assert b"seedstorm attach market-day" in it.raw


def test_a_stop_from_outside_and_a_shell_in_between_are_painted_over(tmp_path: Path):
    with wire(MODULE, tmp_path) as it:
        it.until(shows_list, "the list")
        it.process.send("?")
        it.until(lambda raw: b"esc closes" in raw, "the help")
        for shown, key, then in ((b"esc closes", "\x1b", b"npc-"), (b"npc-", "5", b"Timing")):
            it.process.kill(signal.SIGSTOP)
            seen = len(it.raw)
            it.process.kill(signal.SIGCONT)
            it.until(lambda raw, at=seen: b"\x1b[?1049h" in raw[at:], "the screen is ours")
            it.until(lambda raw, at=seen, word=shown: word in raw[at:], "it is painted again")
            seen = len(it.raw)
            it.process.send(key)
            # Before the next stop: taking the terminal back drops what was typed and not read.
            it.until(lambda raw, at=seen, word=then: word in raw[at:], "keys are heard once more")
        it.process.send("D")
        assert it.end() == 0


def test_a_click_in_a_real_terminal_picks_a_row(tmp_path: Path):
    with wire(MODULE, tmp_path) as it:
        it.until(shows_list, "the list")
        it.process.send("2M")
        it.until(lambda raw: b"\x1b[?1006h" in raw, "the mouse is on")
        it.until(lambda raw: b"shift-drag selects" in raw, "the note on selecting")
        seen = len(it.raw)
        it.process.send("\x1b[<0;10;8M\x1b[<0;10;8m")
        it.until(lambda raw: "▸".encode() in raw[seen:], "another row is picked")
        it.process.send("y")
        it.until(COPY.search, "the copy")
        first = base64.b64decode(COPY.findall(it.raw)[0])
        it.process.send("gy")
        it.until(lambda raw: len(COPY.findall(raw)) == 2, "another copy")
        it.process.send("Y")
        it.until(lambda raw: len(COPY.findall(raw)) == 3, "the list's copy")
        _, top, every = (base64.b64decode(data) for data in COPY.findall(it.raw))
        it.process.send("D")
        it.end()
    rows = every.splitlines()
    # Rows of the screen: two of the status line, the border, the heading, then the list.
    assert rows[0] == top
    assert rows[8 - 5] == first
    copied = (tmp_path / "state/seedstorm/copied.txt").read_bytes()
    assert copied == every + b"\n"


def test_without_tmux_the_copy_is_a_bare_osc_52(tmp_path: Path):
    with wire(MODULE, tmp_path) as it:
        it.until(shows_list, "the list")
        it.process.send("y")
        it.until(COPY.search, "the copy")
        it.process.send("D")
        it.end()
    assert b"\x1bPtmux" not in it.raw
    assert re.match(rb"(npc|player)-\d+ ", base64.b64decode(COPY.findall(it.raw)[0]))


@pytest.mark.parametrize("passthrough", ["on", "off"])
def test_a_copy_inside_tmux_reaches_its_buffer_and_the_terminal_around_it(
    tmp_path: Path, passthrough: str
):
    if shutil.which("tmux") is None:
        go_without("TMUX", "there is no tmux here")
    (tmp_path / "tmux.conf").write_text(
        f"set -g set-clipboard on\nset -g allow-passthrough {passthrough}\nset -g escape-time 10\n"
        "set -as terminal-features ',xterm*:clipboard'\n"
    )
    server = ["tmux", "-S", str(tmp_path / "t"), "-f", str(tmp_path / "tmux.conf")]
    try:
        with wire([*server, "new-session", *MODULE], tmp_path, PYTHONPATH=str(Path.cwd())) as it:
            it.until(shows_list, "the list")
            it.process.send("y")
            it.until(COPY.search, "the copy comes through")
            buffer = subprocess.run(
                [*server, "show-buffer"], capture_output=True, check=True, timeout=PATIENCE_S
            ).stdout
            assert re.match(rb"(npc|player)-\d+ ", buffer)
            assert base64.b64decode(COPY.findall(it.raw)[-1]) == buffer
            it.process.send("D")
            it.until(lambda raw: b"[exited]" in raw, "the end")
    finally:
        subprocess.run([*server, "kill-server"], capture_output=True, check=False)
