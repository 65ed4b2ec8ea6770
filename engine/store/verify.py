"""Re-runs a recording from its stored inputs and compares everything that was stored.

Pure over the log: no file, no clock; whoever wants to show progress is called.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from engine.protocol.replay import Difference, Progress, Verification
from engine.store.base import Damaged, LogReader, TickRecord
from engine.store.diagnose import checkpoint_difference, tick_difference
from engine.store.replay import start_at, walk_on
from engine.world.events import EVENT_SCHEMA
from engine.world.world import TickResult, World, WorldConfig

_WHOLE: Final = 2**62
_UNREADABLE: Final = (OSError, ValueError)
PROGRESS_TICKS: Final = 20
"""Ticks between two calls of who shows progress."""


@dataclass(slots=True)
class _Count:
    ticks: int = 0
    events: int = 0
    verdicts: int = 0
    checkpoints: int = 0


def verify(
    log: LogReader,
    config: WorldConfig,
    run: str = "",
    *,
    from_checkpoint: bool = False,
    progress: Callable[[Progress], object] = lambda _: None,
) -> Verification:
    """Re-run a log to where it ends now and compare hashes, events, verdicts and checkpoints.

    Before anything is stepped its rows are held against their checks: what damage would
    lead a world to is no answer to where the damage is.

    Args:
        log: The log; ticks that are appended meanwhile are left out.
        config: What its world was made from.
        run: Its name, for the answer.
        from_checkpoint: Begin at the newest checkpoint instead of tick 0.
        progress: Called now and then.

    Raises:
        ValueError: Not even the end of the log, or the checkpoint to begin at, can be read.
        OSError: The disk does not give it.
    """
    last = log.last()
    end = 0 if last is None else last.tick + 1
    damage = _damage(log, end, whole=False)
    if damage is not None:
        return Verification(
            run, False, 0, 0, 0, 0, 0, config.interval_ms, "", damage, log.last() != last
        )
    saved = {tick for tick in log.checkpoint_ticks() if tick <= end}
    world = start_at(log, config, end if from_checkpoint else 0).world
    start, count = world.tick, _Count()
    difference = _at_checkpoint(log, world, saved, count)
    steps = walk_on(log, world)
    while difference is None and world.tick < end:
        difference = _tick(log, config, steps, world.tick, count)
        if difference is None:
            difference = _at_checkpoint(log, world, saved, count)
        if count.ticks % PROGRESS_TICKS == 0 or world.tick == end:
            progress(Progress(world.tick, end, count.ticks, config.interval_ms))
    went_on = log.last() != last
    if difference is None:
        difference = _damage(log, end, whole=not went_on)
    return Verification(
        run=run,
        equal=difference is None,
        from_tick=start,
        ticks=count.ticks,
        events=count.events,
        verdicts=count.verdicts,
        checkpoints=count.checkpoints,
        interval_ms=config.interval_ms,
        state_hash=world.hash.hex(),
        difference=difference,
        went_on=went_on,
    )


def _tick(
    log: LogReader,
    config: WorldConfig,
    steps: Iterator[tuple[TickRecord, TickResult, World]],
    tick: int,
    count: _Count,
) -> Difference | None:
    """Step once and compare; what cannot be read is a difference like any other."""
    try:
        record, result, _ = next(steps)
        count.ticks += 1
        count.events += record.count
        count.verdicts += len(result.verdicts.verdict)
        return None if _is_equal(record, result) else tick_difference(log, config, record, result)
    except StopIteration:
        return Difference(tick, "log", "it is gone from the log")
    except _UNREADABLE as problem:
        return Difference(tick, "log", f"what is stored cannot be read: {problem}")


def _damage(log: LogReader, end: int, *, whole: bool) -> Difference | None:
    """Say what of the log is damaged although its ticks are equal: pages, checks, order.

    What a run appends meanwhile is left out.
    """
    try:
        log.inspect(_WHOLE, None if whole else end)
    except _UNREADABLE as problem:
        tick = problem.tick if isinstance(problem, Damaged) else None
        return Difference(end if tick is None else tick, "log", str(problem))
    return None


def _is_equal(record: TickRecord, result: TickResult) -> bool:
    return (
        result.hash == record.hash
        and len(result.events.rows) == record.count
        and result.events.first_seq == record.first_seq
        and result.events.to_log() == record.events
        and result.audit.to_log() == record.audit
        and record.schema == EVENT_SCHEMA
    )


def _at_checkpoint(
    log: LogReader, world: World, saved: set[int], count: _Count
) -> Difference | None:
    if world.tick not in saved:
        return None
    try:
        stored = log.checkpoint_at(world.tick)
    except _UNREADABLE as problem:
        return Difference(world.tick, "checkpoint", f"what is stored cannot be read: {problem}")
    if stored is None:
        return None  # thinned out by the world that writes, since the list was read
    count.checkpoints += 1
    return None if stored == world.checkpoint() else checkpoint_difference(world, stored)
