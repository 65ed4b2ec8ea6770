"""Starts the program as scripts do, away from the user's own folders."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.link.places import RunEntry, running
from tests.integration.hub_process import PATIENCE_S

QUICK = """
format = 1
warm_up = "0s"
[population]
players = 10
npcs = 20
[[stage]]
executor = "constant-players"
to = 10
"""
RUN = ("run", "quick.toml", "--headless", "--port-base", "0")


def command_of(folder: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    """Return a command line and its environment."""
    env = {**os.environ, "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return [sys.executable, "-P", "-m", "console", *words], env


def in_shell(folder: Path, line: str) -> "subprocess.CompletedProcess[str]":
    """Run a shell's line to its end; ``$S`` in it is the program."""
    (folder / "quick.toml").write_text(QUICK)
    command, env = command_of(folder)
    return subprocess.run(
        ["bash", "-c", line],
        env={**env, "S": " ".join(command)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@contextmanager
def started(
    folder: Path, *words: str, until: str = "", **more: Any
) -> "Iterator[subprocess.Popen[str]]":
    """Start the program; with ``until``, wait for a progress line that has it."""
    (folder / "quick.toml").write_text(QUICK)
    command, env = command_of(folder, *words)
    with subprocess.Popen(
        command,
        env=env,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        **more,
    ) as process:
        try:
            assert process.stderr
            if until:
                assert any(until in line for line in process.stderr), f"never said {until}"
            yield process
        except BaseException:  # an interrupted test, too
            # A test that failed must not leave the engine that it was about.
            process.kill()
            for entry in running():
                os.kill(entry.pid, signal.SIGKILL)
            raise


def the_engine() -> RunEntry:
    """Return the one engine that runs."""
    (entry,) = running()
    return entry
