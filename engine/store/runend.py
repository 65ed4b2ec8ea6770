"""Holds a log against its run's ``summary.json``, which knows where the log once ended."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from engine.protocol.limits import SUMMARY_BYTES_MAX
from engine.protocol.replay import Difference
from engine.protocol.summary import SUMMARY_NAME
from engine.store.base import LogReader
from engine.world.world import World, WorldConfig


class _Events(Struct, frozen=True):
    stored: int = 0


class _Summary(Struct, frozen=True):
    """What of it is looked at; a run without a world of its own has neither."""

    state_hash: str = ""
    events: _Events = _Events()


_decoder: Final = msgspec.json.Decoder(_Summary)


def end_gone(log: LogReader, config: WorldConfig, folder: Path) -> Difference | None:
    """Return what the summary of a run that is over knows of its log, and the log does not.

    The log may know more: the world went on after it last told how it stands.

    Args:
        log: The log, whole as far as it goes.
        config: What its world was made from.
        folder: The capsule.

    Raises:
        OSError: The summary cannot be read.
        ValueError: The log is damaged.
    """
    last = log.last()
    end, seq = (0, 0) if last is None else (last.tick + 1, last.seq)
    try:
        summary = _read(folder / SUMMARY_NAME)
    except ValueError as problem:
        return Difference(end, "log", f"where it ended is not known: {problem}")
    if summary is None:
        return None
    known = summary.state_hash
    if summary.events.stored <= seq and (not known or _passed(log, config, known, end)):
        return None
    newest = next(log.ticks(end - 1), None) if end else None
    state = World.create(config).hash if newest is None else newest.hash
    what = (
        f"the log ends at tick {end - 1} with state {state.hex()[:12]} and {seq:,} events; the "
        f"run's summary knows state {known[:12]!r} and {summary.events.stored:,} events: "
        "its end is gone"
    )
    return Difference(end, "log", what)


def _read(path: Path) -> _Summary | None:
    """Return a summary, None where there is none: the run goes on, or was ended by force."""
    if not path.exists():
        return None
    if not path.is_file():
        raise ValueError(f"{SUMMARY_NAME} is no file")
    with path.open("rb") as file:
        data = file.read(SUMMARY_BYTES_MAX + 1)
    if len(data) > SUMMARY_BYTES_MAX:
        raise ValueError(f"{SUMMARY_NAME} is larger than {SUMMARY_BYTES_MAX} bytes")
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ValueError(f"{SUMMARY_NAME} is no summary of a run: {problem}") from problem


def _passed(log: LogReader, config: WorldConfig, known: str, end: int) -> bool:
    """Return whether the log has a state anywhere, the newest first."""
    newest = next(log.ticks(end - 1), None) if end else None
    if newest is not None and newest.hash.hex() == known:
        return True
    if World.create(config).hash.hex() == known:
        return True
    return any(record.hash.hex() == known for record in log.ticks())
