"""Opens a capsule to re-run it: its manifest says what from, its log what came in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.protocol.errors import ExitCode, UserError
from engine.protocol.manifest import MANIFEST_NAME, Manifest, WorldShape, parse_manifest
from engine.protocol.replay import EntityThen, Progress, Verification, WorldThen
from engine.protocol.text import printable
from engine.store.base import LogReader
from engine.store.policyfiles import config_of
from engine.store.reading import LogFile
from engine.store.replay import world_at
from engine.store.retold import retold
from engine.store.runend import end_gone
from engine.store.then import entity_then, world_then
from engine.store.verify import verify
from engine.world.replica import Replica
from engine.world.world import World, WorldConfig

LOG_NAME: Final = "events.db"
_RUN_CHARS_MAX: Final = 100


class Recording(Struct, frozen=True):
    """An open capsule.

    Attributes:
        path: The folder.
        manifest: What it says of itself.
        shape: What its world was made from.
        config: The same, for a world; without the users' policies where they may not run.
        log: What came in and what came of it.
        may_step: False where users' policies governed it that may not run.
    """

    path: Path
    manifest: Manifest
    shape: WorldShape
    config: WorldConfig
    log: LogReader
    may_step: bool = True

    @property
    def run(self) -> str:
        """The run's name."""
        return printable(self.manifest.run, _RUN_CHARS_MAX)

    def verify(
        self, progress: Callable[[Progress], object], *, from_checkpoint: bool
    ) -> Verification:
        """Re-run it and compare; see ``engine.store.verify`` and ``runend``.

        Raises:
            UserError: It was governed by code that may not run, or not even the end of the
                log can be read.
        """
        if not self.may_step:
            raise self._unread("a re-run runs it again")
        try:
            done = verify(
                self.log,
                self.config,
                self.run,
                from_checkpoint=from_checkpoint,
                progress=progress,
            )
            if not done.equal or done.went_on:
                return done
            gone = end_gone(self.log, self.config, self.path)
            return done if gone is None else replace(done, equal=False, difference=gone)
        except ValueError as problem:
            raise _damaged(problem) from problem
        except OSError as problem:
            raise _unreadable(problem) from problem

    def world_then(self, tick: int) -> WorldThen:
        """Return what was true after a tick.

        Raises:
            UserError: There is no such tick, the log is damaged, or the tick has to be stepped
                again with code that may not run.
        """
        return world_then(self._world(tick))

    def entity_then(self, tick: int, entity: int) -> EntityThen | None:
        """Return what was true of an entity after a tick, None when it was not there.

        Raises:
            UserError: See ``world_then``.
        """
        return entity_then(self._world(tick), entity)

    def _unread(self, why: str) -> UserError:
        files = ", ".join(each.file for each in self.shape.policies)
        return UserError(
            f"{self.path}: governed by its user's code ({files}): {why}: read it and give "
            "--allow-code"
        )

    def _world(self, tick: int) -> World | Replica:
        try:
            last = self.log.last()
            end = 0 if last is None else last.tick + 1
            if not 0 <= tick < end:
                allowed = f"allowed is 0 to {end - 1}" if end else "nothing is known of it"
                raise UserError(f"--at: found {tick}; {self.run} has {end} ticks, {allowed}")
            if self.may_step:
                return world_at(self.log, self.config, tick + 1)
            found = retold(self.log, self.path / LOG_NAME, self.config, tick + 1)
        except ValueError as problem:
            raise _damaged(problem) from problem
        except OSError as problem:
            raise _unreadable(problem) from problem
        if found is None:
            raise self._unread(
                f"its events alone do not tell what was true at tick {tick}, so that the ticks up "
                "to it have to be run again"
            )
        return found


@contextmanager
def open_recording(path: Path, *, allow_code: bool = False) -> Iterator[Recording]:
    """Open a capsule, read only; a run may go on writing to it.

    Args:
        path: Its folder.
        allow_code: Run the users' policies that it holds.

    Raises:
        UserError: It is no capsule, or one that this version cannot re-run.
    """
    manifest_file = path / MANIFEST_NAME
    try:
        manifest = parse_manifest(manifest_file.read_bytes(), str(manifest_file))
    except OSError as problem:
        raise UserError(
            f"{path} is no capsule of a run: {MANIFEST_NAME}: {problem.strerror or problem}"
        ) from problem
    shape = manifest.world
    if shape is None:
        raise UserError(
            f"{manifest_file}: recorded by an older SeedStorm, which did not write down what its "
            "world was made from: it can be looked at, not re-run"
        )
    if not (path / LOG_NAME).is_file():
        raise UserError(f"{path} has no {LOG_NAME}: its world never began")
    may_step = allow_code or not shape.policies
    config = config_of(shape if may_step else replace(shape, policies=()), path)
    try:
        log = LogFile(path / LOG_NAME)
    except OSError as problem:
        raise _unreadable(problem) from problem
    except ValueError as problem:
        raise _damaged(problem) from problem
    try:
        yield Recording(path, manifest, shape, config, log, may_step)
    finally:
        log.close()


def _unreadable(problem: OSError) -> UserError:
    return UserError(f"the log cannot be read: {problem}")


def _damaged(problem: ValueError) -> UserError:
    return UserError(f"the log is damaged: {problem}", ExitCode.VERIFY_DIFFERS)
