"""Starts real hubs and looks at what they leave."""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from engine.link import places
from engine.link.socket import SocketLink
from engine.protocol.command import Lease
from engine.protocol.feed import Ended, Gap, Notice, Snapshot
from engine.protocol.spec import HubFailed, HubReady, RunSpec
from tests.specs import at_once, small_run

PATIENCE_S = 45.0
"""How long anything may take on a busy machine before it counts as not happening."""

QUICK = """
format = 1
warm_up = "0s"
[population]
players = 20
npcs = 40
[[stage]]
executor = "constant-players"
"""
"""A scenario file: its players come at once."""

_decoder = msgspec.json.Decoder(HubReady | HubFailed)


def children_of(pid: int) -> dict[int, str]:
    """Return the living children of a process: pid to command line."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found[int(entry.name)] = line
    return found


def is_alive(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(holds: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> float:
    """Wait until something holds and return how long it took."""
    began_s = time.monotonic()
    while not holds():
        assert time.monotonic() - began_s < patience_s, f"not within {patience_s} s: {what}"
        await asyncio.sleep(0.02)
    return time.monotonic() - began_s


class Place:
    """A temporary folder short enough for sockets, with runs in it."""

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="ss"))
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            children = children_of(process.pid)
            if process.poll() is None:
                process.kill()
            process.wait()
            # After a failed test too: children follow their hub by themselves.
            until_s = time.monotonic() + PATIENCE_S
            while any(map(is_alive, children)) and time.monotonic() < until_s:
                time.sleep(0.02)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        shutil.rmtree(self.base)

    def spec(self, run: str = "r1", players: int = 20, **changes: Any) -> RunSpec:
        """Return a run of a few players that all come at once."""
        changes.setdefault("scenario", at_once(players))
        changes.setdefault("socket_path", places.socket_path(run, self.base))
        return small_run(self.base / "runs", run, in_process=False, **changes)

    def spawn(self, spec: RunSpec | bytes) -> subprocess.Popen[bytes]:
        """Start a hub as the launcher does."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.hub"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._processes.append(process)
        assert process.stdin is not None
        process.stdin.write(spec if isinstance(spec, bytes) else msgspec.json.encode(spec))
        process.stdin.close()
        return process

    async def first_word(self, process: subprocess.Popen[bytes]) -> HubReady | HubFailed:
        """Return the hub's first line."""
        assert process.stdout is not None
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), PATIENCE_S)
        return _decoder.decode(line)

    async def start(self, spec: RunSpec) -> "Run":
        """Start a hub and connect to it."""
        process = self.spawn(spec)
        ready = await self.first_word(process)
        assert isinstance(ready, HubReady), ready
        return Run(process, ready, await SocketLink.connect(ready.socket_path))

    def left(self) -> list[str]:
        """Return what lies in the folder for sockets."""
        return sorted(path.name for path in places.runs_folder(self.base).iterdir())


class Run:
    """A running hub with a console on it."""

    def __init__(self, process: subprocess.Popen[bytes], ready: HubReady, link: SocketLink) -> None:
        self.process = process
        self.ready = ready
        self.link = link
        self.notices: list[Notice | Gap] = []
        self.snapshots: list[Snapshot] = []

    @property
    def pid(self) -> int:
        return self.process.pid

    def child(self, module: str) -> int:
        """Return the one child that runs ``module``."""
        (pid,) = [pid for pid, line in children_of(self.pid).items() if module in line]
        return pid

    async def watch(self, holds: Callable[[Snapshot], bool], what: str) -> Snapshot:
        """Follow the feed, as a console does, until a snapshot satisfies ``holds``."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await self.link.wait()
                self.notices += self.link.take_notices()
                snapshot = self.link.take_snapshot()
                if snapshot is not None:
                    self.snapshots.append(snapshot)
                    if holds(snapshot):
                        return snapshot
                    await self.link.call(Lease())
                assert self.link.ended is None, f"the run ended before: {what}"

    async def end(self, number: int = signal.SIGTERM) -> Ended:
        """End the run with a signal and return its last word."""
        self.process.send_signal(number)
        await until(lambda: self.link.ended is not None or self.link.closed, "the end")
        assert self.link.ended is not None
        await until(lambda: self.process.poll() is not None, "the hub's exit")
        await self.link.aclose()
        return self.link.ended

    def said(self, kind: str) -> list[str]:
        """Return the notices of a kind that were seen so far."""
        return [n.text for n in self.notices if isinstance(n, Notice) and n.kind == kind]
