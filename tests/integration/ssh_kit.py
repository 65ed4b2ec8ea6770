"""A real ``sshd`` on loopback, a client for it, and a link between them that can break."""

import contextlib
import fcntl
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
from typing import Final, Self

from engine.link import places
from tests.integration.hub_process import children_of, is_alive
from tests.machine import MARGIN_S, go_without
from tests.terminal.pty_screen import PtyScreen

PATIENCE_S: Final = 45.0
_PLACES: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin"
_CHUNK: Final = 65_536
_PORTS_TRIED: Final = 5
_PRIVSEP: Final = Path("/run/sshd")
"""Where Debian's sshd confines its unprivileged half; its service makes it at start-up."""
_MADE_HERE: Final = ".seedstorm-tests"
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
    """A TCP proxy on loopback: passes all on, or is cut hard.

    Args:
        port: Where it leads.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._lock = threading.Lock()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="wire")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join()
        self.cut()
        self._server.close()

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
                for end in self._pairs:
                    ready.register(end, selectors.EVENT_READ)
                for key, _ in ready.select(0.02):
                    if key.fileobj is self._server:
                        ours, theirs = (
                            self._server.accept()[0],
                            socket.create_connection(("127.0.0.1", self._to)),
                        )
                        self._pairs |= {ours: theirs, theirs: ours}
                    elif key.fileobj in self._pairs:
                        self._pass_on(key.fileobj)

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

    def __init__(
        self, folder: Path, process: subprocess.Popen[bytes], port: int, log: Path
    ) -> None:
        self._folder = folder
        self._process = process
        self._log = log
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

    @contextlib.contextmanager
    def held_up(self) -> Iterator[None]:
        """Stop whoever reads the terminals of those that are logged in, and let them go on.

        On a link that only stalls, megabytes go into the kernel's buffers before anybody
        notices; a terminal that nobody reads takes a few kilobytes.
        """
        sessions = self._sessions()
        assert sessions, "nobody is logged in"
        try:
            for pid in sessions:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in sessions:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _sessions(self) -> list[int]:
        """Return the daemon's own processes, one or two a login, and not what runs in them."""
        found: list[int] = []
        parents = [self.pid]
        while parents:
            below = (child for parent in parents for child in children_of(parent).items())
            parents = [pid for pid, line in below if line.startswith("sshd")]
            found += parents
        return found

    def cannot_log_in(self) -> str:
        """Log in once, as soon as the daemon listens; return what is wrong."""
        end_at = time.monotonic() + MARGIN_S
        while "Server listening" not in self._log.read_text(errors="replace"):
            if self._process.poll() is not None:
                return "it ended at once:"
            if time.monotonic() > end_at:
                return "it never listened:"
            time.sleep(0.02)
        trial = subprocess.run(
            [*self.client(self.port, terminal=False), "true"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        return (trial.stderr.strip() or "ssh does not say why:") if trial.returncode else ""

    def stop(self) -> str:
        """End the daemon and return what it wrote."""
        self._process.terminate()
        try:
            self._process.wait(MARGIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self._log.read_text(errors="replace")


@contextlib.contextmanager
def own_host(folder: Path) -> Iterator[Host]:
    """Start an ``sshd`` with keys of its own; go without where that cannot be."""
    sshd, keygen = (shutil.which(name, path=_PLACES) for name in ("sshd", "ssh-keygen"))
    if sshd is None or keygen is None or shutil.which("ssh") is None:
        go_without("SSH", "no sshd or ssh (Debian: openssh-server, openssh-client)")
    for name in ("host_key", "login_key"):
        command = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
    with contextlib.ExitStack() as held:
        if os.getuid() == 0:
            held.enter_context(shared_folder(_PRIVSEP))
        host = _started(sshd, folder)
        try:
            yield host
        finally:
            _end_runs()
            host.stop()


@contextlib.contextmanager
def shared_folder(path: Path) -> Iterator[None]:
    """Have a folder that tests of other processes use too.

    Where a test made it, the last one that uses it takes it away.
    """
    held = _shared(path)
    mark = path / _MADE_HERE
    try:
        yield
    finally:
        # While anybody else uses it this is refused: the last one is not.
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if mark.exists():
                mark.unlink()
                path.rmdir()
        os.close(held)


def _shared(path: Path) -> int:
    """Return the folder, made when there is none, with a lock that any number may share."""
    while True:
        try:
            path.mkdir(mode=0o755)
            made = True
        except FileExistsError:
            made = False
        try:
            held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # just taken away
            continue
        fcntl.flock(held, fcntl.LOCK_SH)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(held), path.stat()):
                if made:
                    (path / _MADE_HERE).touch()
                return held
        os.close(held)  # taken away before it was ours, and perhaps another is there now


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _started(sshd: str, folder: Path) -> Host:
    """Return a daemon that can be logged in to; a port may be lost to somebody quicker."""
    for _ in range(_PORTS_TRIED):
        host = _daemon(sshd, folder, free_port())
        try:
            problem = host.cannot_log_in()
        except BaseException:  # an interrupted test, too, leaves no sshd
            host.stop()
            raise
        if not problem:
            return host
        said = host.stop()
        if "Cannot bind" not in said:
            break
    last = said.strip().rpartition("\n")[2]
    return go_without("SSH", f"nobody can log in to an sshd here: {problem} {last}".strip())


def _daemon(sshd: str, folder: Path, port: int) -> Host:
    (folder / "sshd_config").write_text(_CONFIG.format(port=port, folder=folder))
    log = folder / "sshd.log"
    log.write_bytes(b"")
    process = subprocess.Popen(
        [sshd, "-D", "-E", str(log), "-f", str(folder / "sshd_config")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Host(folder, process, port, log)


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
