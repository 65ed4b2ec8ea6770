"""What tests ask of the machine they run on, which is busy with other tests at the same time."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NoReturn

import msgspec
import pytest

from engine.protocol.summary import Summary

MARGIN_S: Final = 15.0
"""How much later than promised a loaded machine may make anything; no test is finer than that."""
_FIRST_PORT: Final = 20_000
_PORTS: Final = 9_000
"""Below the range that Linux gives out by itself: nobody gets one of these by chance."""


def shared_memory_name() -> str:
    """Return a name for a block of shared memory that tells, like an engine's, whose it is."""
    return f"seedstorm-{os.getpid()}-test"


def go_without(what: str, reason: str) -> NoReturn:
    """Skip a test that this machine cannot run; fail it where CI says that it can.

    Args:
        what: CI sets ``SEEDSTORM_REQUIRE_<what>`` where it has what the test needs.
        reason: What is missing.
    """
    if os.environ.get(f"SEEDSTORM_REQUIRE_{what}"):
        pytest.fail(f"SEEDSTORM_REQUIRE_{what} is set, but: {reason}")
    pytest.skip(reason)


def is_good_end(summary: Summary) -> bool:
    """Return whether a run held, or only the machine was too busy for its generator.

    Whether it is cannot be chosen by a test; that it was said is right.
    """
    if summary.verdict == "invalid":
        return all("the generator was saturated" in reason for reason in summary.reasons)
    return summary.verdict == "held"


def read_summary(capsule: Path) -> Summary:
    """Return the summary of a run's folder."""
    return msgspec.json.decode((capsule / "summary.json").read_bytes(), type=Summary)


@contextmanager
def ports_of_a_base(*taken: int) -> Iterator[int]:
    """Give a ``--port-base`` whose three ports are free, apart from some that are held here.

    Args:
        taken: Which to hold: 0 admin, 1 STAT7, 2 gateway.
    """
    for step in range(0, _PORTS, 3):
        base = _FIRST_PORT + (os.getpid() * 30 + step) % _PORTS
        with ExitStack() as held:
            try:
                servers = [
                    held.enter_context(socket.create_server(("127.0.0.1", base + number)))
                    for number in range(3)
                ]
            except OSError:
                continue
            for number in {0, 1, 2} - set(taken):
                servers[number].close()
            yield base
            return
    raise AssertionError("no three free ports in a row")
