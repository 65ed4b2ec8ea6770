"""A real ``sshd`` on loopback, a client for it, and a link between them that can break."""

import contextlib
import os
import pwd
import selectors
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

from engine.link import places
from tests.integration.hub_process import is_alive
from tests.machine import MARGIN_S
from tests.terminal.pty_screen import PtyScreen

PATIENCE_S: Final = 45.0
_PLACES: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin"
_CHUNK: Final = 65_536
_CONFIG: Final = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/login_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PrintMotd no
PrintLastLog no
"""


class Wire:
    """A TCP proxy on loopback: passes all on, stalls, or is cut hard.

    Args:
        port: Where it leads.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._lock = threading.Lock()
        self._stalled = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="wire")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        self._thread.join()
        self.cut()
        self._server.close()

    def stall(self, stalled: bool) -> None:
        """Pass nothing on, and take nothing either, until told otherwise."""
        self._stalled = stalled

    def cut(self) -> None:
        """Reset every connection at both ends, as a link does that is gone."""
        with self._lock:
            for end in self._pairs:
                with contextlib.suppress(OSError):  # the peer was first
                    # Without lingering, close sends RST.
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()
            self._pairs.clear()

    def _run(self) -> None:
        while not self._stopping:
            with selectors.DefaultSelector() as ready, self._lock:
                ready.register(self._server, selectors.EVENT_READ)
                for end in () if self._stalled else self._pairs:
                    ready.register(end, selectors.EVENT_READ)
                for key, _ in ready.select(0.02):
                    if key.fileobj is self._server:
                        ours, theirs = (
                            self._server.accept()[0],
                            socket.create_connection(("127.0.0.1", self._to)),
                        )
                        self._pairs |= {ours: theirs, theirs: ours}
                    elif key.fileobj in self._pairs:
                        self._pass_on(key.fileobj)  # type: ignore[arg-type]  # a socket, as registered

    def _pass_on(self, end: socket.socket) -> None:
        other = self._pairs[end]
        try:
            data = end.recv(_CHUNK)
            if data:
                other.sendall(data)
                return
        except OSError:  # reset by either end: the other is told by the close below
            data = b""
        for each in (end, other):
            self._pairs.pop(each)
            each.close()


class Host:
    """A machine to log in to: this one, through an ``sshd`` of our own.

    Attributes:
        pid: The daemon's process.
        port: Where it listens.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], port: int) -> None:
        self._folder = folder
        self._process = process
        self.pid = process.pid
        self.port = port

    def client(self, port: int, *, terminal: bool = True) -> list[str]:
        """Return the client's command line, to which the remote command is added."""
        user = pwd.getpwuid(os.getuid()).pw_name
        options = (
            *("IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"),
            *("BatchMode=yes", "LogLevel=ERROR", "ServerAliveInterval=0", "ControlPath=none"),
        )
        return [
            *("ssh", "-F", "/dev/null", "-e", "none", "-tt" if terminal else "-T"),
            *("-i", str(self._folder / "login_key"), "-p", str(port)),
            *(word for option in options for word in ("-o", option)),
            f"{user}@127.0.0.1",
        ]

    def seedstorm(self, tmp_path: Path, wire: Wire, *words: str) -> PtyScreen:
        """Log in over ``wire`` and start ``seedstorm``, as a person would type it."""
        env = {
            "TMPDIR": os.environ["TMPDIR"],
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "LANG": "C.UTF-8",
        }
        remote = [
            *("env", *(f"{name}={value}" for name, value in env.items())),
            *(sys.executable, "-P", "-m", "console", *words),
        ]
        command = f"cd {shlex.quote(str(tmp_path))} && exec {shlex.join(remote)}"
        return PtyScreen([command], 120, 40, tmp_path, program=self.client(wire.port))

    def stop(self) -> str:
        """End the daemon and return what it wrote."""
        self._process.terminate()
        try:
            _, said = self._process.communicate(timeout=MARGIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, said = self._process.communicate()
        return said.decode(errors="replace")


@contextlib.contextmanager
def own_host(folder: Path) -> Iterator[Host]:
    """Start an ``sshd`` with keys of its own; skip where that cannot be."""
    sshd, keygen = (shutil.which(name, path=_PLACES) for name in ("sshd", "ssh-keygen"))
    if sshd is None or keygen is None or shutil.which("ssh") is None:
        pytest.skip("no sshd or ssh on this machine (Debian: openssh-server, openssh-client)")
    if os.getuid() == 0:
        # Where Debian's sshd confines its unprivileged half; its service makes it at start-up.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("host_key", "login_key"):
        command = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(_CONFIG.format(port=port, folder=folder))
    process = subprocess.Popen(
        [sshd, "-D", "-e", "-f", str(folder / "sshd_config")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    host = Host(folder, process, port)
    try:
        problem = _cannot_log_in(host)
    except BaseException:
        host.stop()
        raise
    if problem:
        lines = host.stop().strip().splitlines()
        pytest.skip(f"nobody can log in to an sshd here: {problem} {lines[-1] if lines else ''}")
    try:
        yield host
    finally:
        _end_runs()
        host.stop()


def _cannot_log_in(host: Host) -> str:
    """Log in once, as soon as the daemon listens; return what is wrong."""
    end_at = time.monotonic() + MARGIN_S
    while True:
        trial = subprocess.run(
            [*host.client(host.port, terminal=False), "true"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        refused = "Connection refused" in trial.stderr
        if not trial.returncode or not refused or time.monotonic() > end_at:
            return trial.stderr.strip() if trial.returncode else ""
        time.sleep(0.05)


def _end_runs() -> None:
    """End runs that a failed test left behind: nobody is logged in to them any more."""
    for entry in places.running():
        with contextlib.suppress(ProcessLookupError):
            os.kill(entry.pid, signal.SIGTERM)
        end_at = time.monotonic() + MARGIN_S
        while is_alive(entry.pid) and time.monotonic() < end_at:
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.kill(entry.pid, signal.SIGKILL)
    places.running()
