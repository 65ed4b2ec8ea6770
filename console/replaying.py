"""A recorded run in words: the progress of a re-run, its verdict, what was true at a tick."""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec import Struct

from console.saying import put, say
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.events import entity_id
from engine.protocol.filters import ENTITY_KINDS, STAGES
from engine.protocol.limits import POSITION_UNITS_PER_TILE
from engine.protocol.replay import (
    Difference,
    EntityThen,
    FieldDifference,
    Progress,
    Verification,
    WorldThen,
)
from engine.protocol.text import printable

PROGRESS_S = 1.0
_TEXT_CHARS_MAX = 120
_PLACES = ("x", "y", "home_x", "home_y")
_NAMES = {"kind": ENTITY_KINDS, "stage": STAGES}


class Replay(Struct, frozen=True):
    """What is asked of a recording.

    Attributes:
        run: Name, beginning of a name, or path of its capsule.
        verify: Re-run it and compare.
        from_checkpoint: Begin the re-run at the newest checkpoint.
        at: Tick after which to tell what was true.
        entity: Of which entity, empty for the whole world.
        json: As JSON.
        allow_code: Run the users' policies that its capsule holds.
    """

    run: str
    verify: bool = False
    from_checkpoint: bool = False
    at: int | None = None
    entity: str = ""
    json: bool = False
    allow_code: bool = False


class Recorded(Protocol):
    """An open recording; every method raises ``UserError`` where the log is damaged."""

    @property
    def run(self) -> str:
        """The run's name."""
        ...

    def verify(
        self, progress: Callable[[Progress], object], *, from_checkpoint: bool
    ) -> Verification:
        """Re-run it and compare."""
        ...

    def world_then(self, tick: int) -> WorldThen:
        """Return what was true after a tick."""
        ...

    def entity_then(self, tick: int, entity: int) -> EntityThen | None:
        """Return what was true of an entity after a tick, None when it was not there."""
        ...


def entity_asked(asked: Replay) -> int | None:
    """Return the entity that is asked for, None for the whole world.

    Raises:
        UserError: The options contradict each other.
    """
    if asked.verify == (asked.at is not None):
        raise UserError(
            "replay: give either --verify or --at TICK (and --entity ID for one entity)"
        )
    if asked.from_checkpoint and not asked.verify:
        raise UserError("--from-checkpoint says where --verify begins; give --verify, too")
    if not asked.entity:
        return None
    if asked.at is None:
        raise UserError("--entity is told of at a tick; give --at TICK in place of --verify")
    entity = entity_id(asked.entity)
    if entity is None:
        raise UserError(
            f"--entity: found {printable(asked.entity, 64)!r}; "
            "allowed is a number or a name such as player-12, npc-7, node-3"
        )
    return entity


def answer(recording: Recorded, asked: Replay, entity: int | None) -> int:
    """Do what is asked, say what came of it, and return the exit code.

    Raises:
        UserError: There is no such tick or entity, or the log is damaged.
    """
    if asked.at is None:
        pace = ProgressLines(time.monotonic)
        done = recording.verify(pace, from_checkpoint=asked.from_checkpoint)
        return _tell_verified(done, pace, as_json=asked.json)
    if entity is None:
        return _tell_world(recording.run, recording.world_then(asked.at), as_json=asked.json)
    then = recording.entity_then(asked.at, entity)
    if then is None:
        who = printable(asked.entity, 64)
        raise UserError(f"--entity: {who} was not in {recording.run} at tick {asked.at}")
    return _tell_entity(recording.run, then, as_json=asked.json)


class ProgressLines:
    """Says on stderr how a re-run comes along, once a second.

    Args:
        now_s: A monotonic clock.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._begun_s = self._said_s = now_s()
        self._ticks = 0
        self._interval_ms = 0

    def __call__(self, progress: Progress) -> None:
        """Take how far it is."""
        self._ticks, self._interval_ms = progress.ticks, progress.interval_ms
        now_s = self._now_s()
        if now_s - self._said_s < PROGRESS_S:
            return
        self._said_s = now_s
        say(f"tick {progress.tick} of {progress.end}  {self.pace()}")

    def pace(self) -> str:
        """Return how fast it was so far."""
        return f"{self.ticks_per_s:,.0f} ticks/s  {self.times_real:,.1f} x real time"

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return max(self._now_s() - self._begun_s, 1e-9)

    @property
    def ticks_per_s(self) -> float:
        """Ticks re-run a second."""
        return self._ticks / self.seconds

    @property
    def times_real(self) -> float:
        """World time that passed in a second."""
        return self.ticks_per_s * self._interval_ms / 1000.0


def _tell_verified(done: Verification, pace: ProgressLines, *, as_json: bool) -> int:
    if as_json:
        put(_json(msgspec.to_builtins(done) | _speed(pace)))
    else:
        put("\n".join(verdict_lines(done)) + "\n")
    say(f"{done.ticks} ticks in {pace.seconds:.1f} s  {pace.pace()}")
    return ExitCode.HELD if done.equal else ExitCode.VERIFY_DIFFERS


def verdict_lines(done: Verification) -> list[str]:
    """Return the verdict in one line, and a line for each figure that differs."""
    compared = (
        f"{done.ticks:,} ticks from {done.from_tick}, {done.events:,} events, "
        f"{done.verdicts:,} verdicts, {done.checkpoints} checkpoints"
    )
    on = "; the run went on meanwhile" if done.went_on else ""
    difference = done.difference
    if difference is None:
        return [f"{done.run}: equal: {compared}; state {done.state_hash[:12] or 'of tick 0'}{on}"]
    return [
        f"{done.run}: DIFFERS at tick {difference.tick}, {difference.phase}: {difference.what}"
        f" (compared: {compared}{on})",
        *_difference_lines(difference),
    ]


def _difference_lines(difference: Difference) -> list[str]:
    lines = [f"  {_pair(each)}" for each in difference.events]
    if difference.more_events:
        lines.append(f"  and {difference.more_events} more in its verdicts or events")
    if difference.fields and difference.fields_at > difference.tick + 1:
        lines.append(f"  before tick {difference.fields_at}, where the next checkpoint is:")
    lines += [f"  {_pair(each)}" for each in difference.fields]
    if difference.more_fields:
        lines.append(f"  and {difference.more_fields} more in the state")
    return lines


def _pair(each: FieldDifference) -> str:
    found, stored = (
        "nothing" if value is None else printable(str(value), _TEXT_CHARS_MAX)
        for value in (each.found, each.stored)
    )
    return f"{each.entity} {each.field}: {found} in the re-run, {stored} stored"


def _tell_world(run: str, then: WorldThen, *, as_json: bool) -> int:
    if as_json:
        put(_json({"run": run} | msgspec.to_builtins(then)))
        return ExitCode.HELD
    lines = [
        f"{run} after tick {then.tick} ({then.time_ms / 1000:.1f} s): {then.events:,} events, "
        f"state {then.state_hash[:12]}",
        *(f"  {name:<18} {value:>14,}" for name, value in then.figures.items()),
    ]
    put("\n".join(lines) + "\n")
    return ExitCode.HELD


def _tell_entity(run: str, then: EntityThen, *, as_json: bool) -> int:
    if as_json:
        put(_json({"run": run} | msgspec.to_builtins(then)))
        return ExitCode.HELD
    called = f" ({printable(then.called, _TEXT_CHARS_MAX)})" if then.called != then.name else ""
    lines = [
        f"{run} after tick {then.tick}: {then.name}{called}",
        *(f"  {name:<10} {_shown(name, value):>14}" for name, value in then.fields.items()),
    ]
    put("\n".join(lines) + "\n")
    return ExitCode.HELD


def _shown(column: str, value: int) -> str:
    """Return a column's value as people know it: names for codes, places in tiles."""
    if column in _PLACES:
        return f"{value / POSITION_UNITS_PER_TILE:.2f}"
    names = _NAMES.get(column, ())
    return names[value] if 0 <= value < len(names) else f"{value:,}"


def _speed(pace: ProgressLines) -> dict[str, float]:
    return {
        "seconds": round(pace.seconds, 3),
        "ticks_per_s": round(pace.ticks_per_s, 1),
        "times_real": round(pace.times_real, 1),
    }


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
