"""A run's folder: made before anything else starts, so that what is wrong is said at once."""

import contextlib
import os
import platform
import re
import secrets
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3
from msgspec.structs import replace

from engine.hub.plan import policy_sources, world_shape
from engine.protocol.errors import UserError
from engine.protocol.limits import FREE_BYTES_MIN
from engine.protocol.manifest import MANIFEST_FORMAT, MANIFEST_NAME
from engine.protocol.policy import PolicyFile
from engine.protocol.scenario_text import scenario_toml
from engine.protocol.spec import PolicySource, RunSpec
from engine.protocol.summary import SUMMARY_NAME, Summary
from engine.report.summary import encode_summary
from engine.store.policyfiles import read_policy_file

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PACKAGES = ("seedstorm", "numpy", "apsw", "msgspec", "picows", "uvloop")


class Capsule:
    """The folder of one run.

    Attributes:
        path: The folder.
        epoch_ms: World time of tick 0.
        secret: Key of the resume tokens; never written.
        token: For the admin interface.
        policies: Users' policies, copied here.
    """

    def __init__(self, path: Path, epoch_ms: int) -> None:
        self.path = path
        self.epoch_ms = epoch_ms
        self.secret = secrets.token_bytes(32)
        self.token = secrets.token_urlsafe(24)
        self.policies: tuple[PolicyFile, ...] = ()

    @classmethod
    def create(cls, spec: RunSpec) -> "Capsule":
        """Make the folder and write what is known at the start.

        Raises:
            UserError: The folder cannot be made or written, the disk is full, or a run of
                this name has been there before.
        """
        if not _NAME.fullmatch(spec.run):
            raise UserError(f"run name: found {spec.run!r}; allowed are letters, digits, . _ -")
        path = Path(spec.runs_dir) / spec.run
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
        except FileExistsError as problem:
            if not path.parent.is_dir():
                raise UserError(
                    f"{path.parent} is not a folder; name a folder with --runs-dir"
                ) from problem
            raise UserError(
                f"{path} exists already; name another folder with --runs-dir"
            ) from problem
        except OSError as problem:
            raise _cannot(path, problem) from problem
        capsule = cls(path, int(datetime.now(UTC).timestamp() * 1000))
        try:
            _check_space(path)
            capsule._write_start(spec)
        except BaseException as problem:  # whatever it was, no half of a capsule stays
            capsule.remove()
            if isinstance(problem, OSError):
                raise _cannot(path, problem) from problem
            raise
        return capsule

    @property
    def database(self) -> str:
        """Path of the event log."""
        return str(self.path / "events.db")

    @property
    def log(self) -> Path:
        """Path of the log, JSON lines."""
        return self.path / "engine.log"

    def write_ports(self, ports: dict[str, int]) -> None:
        """Write ``ports.json``.

        Raises:
            OSError: It cannot be written.
        """
        self._write("ports.json", msgspec.json.encode(ports))

    def write_summary(self, summary: Summary) -> None:
        """Write ``summary.json``.

        Raises:
            OSError: It cannot be written.
        """
        self._write(SUMMARY_NAME, encode_summary(summary))

    def free_bytes(self) -> int:
        """Return the free space on the capsule's disk."""
        return shutil.disk_usage(self.path).free

    def remove(self) -> None:
        """Remove the folder of a run that never began."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _write_start(self, spec: RunSpec) -> None:
        self.policies = self._copy_policies(policy_sources(spec))
        manifest: dict[str, Any] = {
            "format": MANIFEST_FORMAT,
            "run": spec.run,
            "seed": spec.scenario.seed,
            "epoch_ms": self.epoch_ms,
            "started": datetime.fromtimestamp(self.epoch_ms / 1000, UTC).isoformat(),
            "versions": {
                "python": platform.python_version(),
                **{package: version(package) for package in _PACKAGES},
            },
            "world": msgspec.to_builtins(world_shape(spec, self.policies)),
            "spec": msgspec.to_builtins(spec),
        }
        self._write(MANIFEST_NAME, msgspec.json.format(msgspec.json.encode(manifest)))
        self._write("scenario.toml", _scenario_text(spec, self.policies).encode())
        self._write("token", self.token.encode())

    def _copy_policies(self, sources: tuple[PolicySource, ...]) -> tuple[PolicyFile, ...]:
        """Copy users' files, so that the run can be replayed with what it was governed by.

        Raises:
            UserError: One cannot be read.
            OSError: One cannot be written.
        """
        if sources:
            (self.path / "policies").mkdir(mode=0o700)
        kept = []
        for number, source in enumerate(sources):
            field = f"policy {source.name!r}: file" if source.name else "--policy"
            content = read_policy_file(Path(source.path), field)
            stem = re.sub(r"[^A-Za-z0-9_]+", "_", Path(source.path).stem)[:40]
            name = f"policies/{number}-{stem}.py"
            self._write(name, content)
            digest = blake3(content).hexdigest()
            kept.append(PolicyFile(name, digest, source.path, source.name))
        return tuple(kept)

    def _write(self, name: str, content: bytes) -> None:
        """Write a file that is there whole or not at all, readable by its owner alone."""
        fresh = (self.path / name).with_name(f".{Path(name).name}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path / name)
        except OSError:
            with contextlib.suppress(OSError):  # the first error is the one to tell
                fresh.unlink()
            raise


def _scenario_text(spec: RunSpec, kept: tuple[PolicyFile, ...]) -> str:
    """Return the scenario as the user wrote it, or with the capsule's copies of what it names."""
    scenario = spec.scenario
    if not any(step.file for step in scenario.policies):
        return spec.scenario_text or scenario_toml(scenario)
    copies = (each.file for each in kept)  # the scenario's own come first
    steps = tuple(
        replace(step, file=next(copies)) if step.file else step for step in scenario.policies
    )
    return (
        "# The policies' files are the copies in this folder: this scenario can be run from here.\n"
        + scenario_toml(replace(scenario, policies=steps))
    )


def _check_space(path: Path) -> None:
    free = shutil.disk_usage(path).free
    if free < FREE_BYTES_MIN:
        raise UserError(
            f"{path.parent}: {free // 2**20} MB are free; a run needs "
            f"{FREE_BYTES_MIN // 2**20} or more; name another folder with --runs-dir"
        )


def _cannot(path: Path, problem: OSError) -> UserError:
    return UserError(
        f"cannot make the run's folder {path}: {problem.strerror or problem}; "
        "name another place with --runs-dir"
    )
