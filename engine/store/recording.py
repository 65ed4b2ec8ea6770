"""Opens a capsule to re-run it: its manifest says what from, its log what came in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.protocol.errors import ExitCode, UserError
from engine.protocol.manifest import MANIFEST_NAME, Manifest, parse_manifest
from engine.protocol.replay import EntityThen, Progress, Verification, WorldThen
from engine.store.base import LogReader
from engine.store.policyfiles import config_of
from engine.store.reading import LogFile
from engine.store.replay import world_at
from engine.store.runend import end_gone
from engine.store.then import entity_then, world_then
from engine.store.verify import verify
from engine.world.world import World, WorldConfig

LOG_NAME: Final = "events.db"


class Recording(Struct, frozen=True):
    """An open capsule.

    Attributes:
        path: The folder.
        manifest: What it was made from.
        config: The same, for a world.
        log: What came in and what came of it.
    """

    path: Path
    manifest: Manifest
    config: WorldConfig
    log: LogReader

    @property
    def run(self) -> str:
        """The run's name."""
        return self.manifest.run

    def verify(
        self, progress: Callable[[Progress], object], *, from_checkpoint: bool
    ) -> Verification:
        """Re-run it and compare; see ``engine.store.verify`` and ``runend``.

        Raises:
            UserError: Not even the end of the log can be read.
        """
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
            UserError: There is no such tick, or the log is damaged.
        """
        return world_then(self._world(tick))

    def entity_then(self, tick: int, entity: int) -> EntityThen | None:
        """Return what was true of an entity after a tick, None when it was not there.

        Raises:
            UserError: There is no such tick, or the log is damaged.
        """
        return entity_then(self._world(tick), entity)

    def _world(self, tick: int) -> World:
        try:
            last = self.log.last()
            end = 0 if last is None else last.tick + 1
            if not 0 <= tick < end:
                allowed = f"allowed is 0 to {end - 1}" if end else "nothing is known of it"
                raise UserError(f"--at: found {tick}; {self.run} has {end} ticks, {allowed}")
            return world_at(self.log, self.config, tick + 1)
        except ValueError as problem:
            raise _damaged(problem) from problem
        except OSError as problem:
            raise _unreadable(problem) from problem


@contextmanager
def open_recording(path: Path, *, allow_code: bool = False) -> Iterator[Recording]:
    """Open a capsule, read only; a run may go on writing to it.

    Args:
        path: Its folder.
        allow_code: Run the users' policies that it holds.

    Raises:
        UserError: It is no capsule, holds code that may not run, or is one that this version
            cannot re-run.
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
    if shape.policies and not allow_code:
        files = ", ".join(each.file for each in shape.policies)
        raise UserError(
            f"{path}: governed by its user's code ({files}), which a re-run runs "
            "again: read it and give --allow-code"
        )
    config = config_of(shape, path)
    try:
        log = LogFile(path / LOG_NAME)
    except OSError as problem:
        raise _unreadable(problem) from problem
    except ValueError as problem:
        raise _damaged(problem) from problem
    try:
        yield Recording(path, manifest, config, log)
    finally:
        log.close()


def _damaged(problem: ValueError) -> UserError:
    return UserError(f"the log is damaged: {problem}", ExitCode.VERIFY_DIFFERS)


def _unreadable(problem: OSError) -> UserError:
    return UserError(f"the log cannot be read: {problem}")
