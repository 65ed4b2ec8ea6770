"""Starts a hub in a process of its own and connects to it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from typing import IO

import msgspec
from msgspec import Struct

from console.outcome import NO_WORD, Outcome
from engine.link.base import EngineLink
from engine.link.socket import SocketLink
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import CHILD_GRACE_S
from engine.protocol.spec import HubFailed, HubReady, RunSpec
from engine.protocol.text import printable

HUB_START_S_MAX = 60.0
"""How long a hub may take to say that it is ready; a world that recovers a long log is slow."""

LAST_MOMENT_S = 0.5
"""How long a process may take to be gone after its socket has closed."""

_decoder: msgspec.json.Decoder[HubReady | HubFailed] = msgspec.json.Decoder(HubReady | HubFailed)


class StartedHub(Struct):
    """A hub that was started here.

    Attributes:
        process: The hub.
        complaints: What it wrote to stderr before its log was open.
    """

    process: subprocess.Popen[bytes]
    complaints: IO[bytes]

    async def connect(self) -> EngineLink:
        """Wait until the hub is ready and return a link to it.

        Raises:
            UserError: It could not start; carries its message and exit code.
        """
        ready = await _wait_ready(self)
        return await SocketLink.connect(ready.socket_path)

    def end_now(self) -> None:
        """End the hub by force; its children follow when their sockets close."""
        self.process.kill()

    def fate(self) -> str:
        """Return what is known of a hub that went without a word.

        Its socket closes a moment before it can be waited for, hence the short wait.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(LAST_MOMENT_S)
            return f"it was killed ({_signal_name(-code)})" if code < 0 else f"exit code {code}"
        return NO_WORD

    def release(self, outcome: Outcome | None) -> None:
        """Let go of the hub.

        Args:
            outcome: How its view ended: detached leaves it running, one with a capsule means
                that it is ending by itself; anything else (None: an exception) ends it here.
        """
        if outcome is not None and outcome.detached:
            # Ours no longer, and no child to wait for.
            self.process.returncode = 0
        else:
            self._await_end(told=outcome is not None and bool(outcome.capsule))
        if self.process.stdout:
            self.process.stdout.close()
        self.complaints.close()

    def _await_end(self, *, told: bool) -> None:
        for ask in (self.process.terminate, self.process.kill):
            if not told:
                ask()
            told = False
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2 * CHILD_GRACE_S)
                return
        self.process.kill()
        self.process.wait()


def spawn_hub(spec: RunSpec) -> StartedHub:
    """Start the hub in a session of its own, so that it outlives this terminal."""
    complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the StartedHub
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "engine.hub"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):  # it died: its complaints are read below
            process.stdin.write(msgspec.json.encode(spec))
            process.stdin.close()
    return StartedHub(process, complaints)


async def _wait_ready(hub: StartedHub) -> HubReady:
    try:
        line = await asyncio.wait_for(asyncio.to_thread(_first_line, hub), HUB_START_S_MAX)
        if not line:
            raise UserError(f"the engine ended at once: {_last_words(hub)}", ExitCode.OWN_FAULT)
        first = _decoder.decode(line)
    except TimeoutError:
        hub.end_now()
        raise UserError(
            f"the engine did not start within {HUB_START_S_MAX:.0f} s", ExitCode.OWN_FAULT
        ) from None
    except msgspec.DecodeError as problem:
        hub.end_now()
        raise UserError(f"the engine's answer is none: {problem}", ExitCode.OWN_FAULT) from None
    if isinstance(first, HubFailed):
        raise UserError(first.message, ExitCode(first.exit_code))
    return first


def _first_line(hub: StartedHub) -> bytes:
    return hub.process.stdout.readline() if hub.process.stdout else b""


def _last_words(hub: StartedHub) -> str:
    code = hub.process.wait()
    hub.complaints.seek(0)
    lines = hub.complaints.read().decode(errors="replace").strip().splitlines()
    return printable(lines[-1], 300) if lines else f"exit code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
