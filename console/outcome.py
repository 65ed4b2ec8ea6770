"""How a view of a run ended."""

from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from engine.protocol.errors import ExitCode
from engine.protocol.feed import Ended

Tie = Literal["started", "attached", "in process"]
"""What a console is to its engine: it started it, it came later, or it holds it inside."""

NO_WORD: Final = "it closed the link without a word"
"""All that is known of the end of an engine that was not started here."""


class Outcome(Struct, frozen=True):
    """What the command exits with and says, once the terminal is the user's again.

    Attributes:
        exit_code: The contract's exit code.
        text: One or more lines for people.
        capsule: The run's folder, empty when there is none.
        detached: The run goes on without this console.
        summary: The run's ``summary.json``, from the engine's last word.
    """

    exit_code: int
    text: str
    capsule: str = ""
    detached: bool = False
    summary: bytes = b""


def of_ended(ended: Ended) -> Outcome:
    """Return the outcome of a run that ended while it was watched."""
    return Outcome(ended.exit_code, ended.text, ended.capsule, summary=ended.summary)


def detached(why: str, run: str, capsule: str) -> Outcome:
    """Return the outcome of leaving a run that goes on."""
    return Outcome(
        ExitCode.HELD,
        f"{why}; the run goes on: seedstorm attach {run}".rstrip(),
        capsule,
        detached=True,
    )


def lost(why: str, capsule: str) -> Outcome:
    """Return the outcome of an engine that went without its last word.

    Args:
        why: What is known of its end.
        capsule: The run's folder, empty when it was never told.
    """
    log = f"; its log is {Path(capsule) / 'engine.log'}" if capsule else ""
    return Outcome(ExitCode.OWN_FAULT, f"the engine is gone: {why}{log}", capsule)
