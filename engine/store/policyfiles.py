"""Policies from users' files, as a capsule keeps them: copied, hashed, and loaded from there."""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

from blake3 import blake3

from engine.protocol.errors import UserError
from engine.protocol.files import read_file
from engine.protocol.limits import PATH_CHARS_MAX, POLICIES_PER_WORLD_MAX, POLICY_FILE_BYTES_MAX
from engine.protocol.manifest import WorldShape
from engine.protocol.policy import PolicyFile
from engine.protocol.text import printable
from engine.world.governance import find_policies
from engine.world.userpolicy import UserPolicy
from engine.world.world import WorldConfig


def read_policy_file(path: Path, where: str = "") -> bytes:
    """Return what is in a user's file.

    Args:
        path: The file.
        where: In which field it was named; empty for a capsule's own.

    Raises:
        UserError: It cannot be read, is no file, or is too large.
    """
    named = f"{where}: {path}" if where else str(path)
    return read_file(path, POLICY_FILE_BYTES_MAX, named, "a Python file with a POLICY")


def check_policy_files(files: Sequence[str]) -> list[str]:
    """See whether users' files can be read and are Python; nothing of them is run.

    Returns:
        Their names, without folders.

    Raises:
        UserError: One cannot be read, or has a syntax error.
    """
    paths = [Path(each) for each in files]
    for path in paths:
        _compiled(read_policy_file(path), path, str(path))
    return [path.name for path in paths]


def config_of(shape: WorldShape, folder: Path) -> WorldConfig:
    """Return what a recorded world is made from; runs the users' policies in its capsule.

    Raises:
        UserError: See ``load_policies``.
    """
    return WorldConfig(
        seed=shape.seed,
        npcs=shape.npcs,
        nodes=shape.nodes,
        capacity=shape.capacity,
        interval_ms=shape.interval_ms,
        policies=load_policies(folder, shape.policies),
    )


def load_policies(folder: Path, files: Sequence[PolicyFile]) -> tuple[UserPolicy, ...]:
    """Run a capsule's copies and return the policies in them. This is a user's code.

    Args:
        folder: The capsule.
        files: As its manifest lists them.

    Raises:
        UserError: A file is not what was copied, cannot be run, or defines no policy; two
            policies have one name, or there are too many.
    """
    taken = {policy.name: "built in" for policy in find_policies()}
    if len(taken) + len(files) > POLICIES_PER_WORLD_MAX:
        room = POLICIES_PER_WORLD_MAX - len(taken)
        raise UserError(f"{len(files)} files with policies; allowed are {room}")
    made = []
    for each in files:
        origin = _origin(each)
        policy = _load(folder / each.file, each, origin)
        if policy.name in taken:
            raise UserError(
                f"{origin}: there is another policy called {policy.name!r} "
                f"({taken[policy.name]}); give it another name"
            )
        taken[policy.name] = origin
        made.append(policy)
    return tuple(made)


def _origin(listed: PolicyFile) -> str:
    """Return where a file came from; a manifest may say anything."""
    return printable(listed.origin, PATH_CHARS_MAX)


def _load(path: Path, listed: PolicyFile, origin: str) -> UserPolicy:
    content = read_policy_file(path)
    if blake3(content).hexdigest() != listed.blake3:
        raise UserError(f"{path}: it was changed since the run began; its hash differs")
    made = _run(content, path, origin).get("POLICY")
    if not isinstance(made, UserPolicy):
        found = "no POLICY" if made is None else f"POLICY = {printable(repr(made), 60)}"
        raise UserError(
            f'{origin}: found {found}; it must define POLICY = policy("name", ...)(function)'
        )
    if listed.name and made.name != listed.name:
        raise UserError(
            f"{origin}: its policy is called {made.name!r}, the scenario calls it "
            f"{listed.name!r}; give both one name"
        )
    return made


def _run(content: bytes, path: Path, origin: str) -> dict[str, object]:
    module = ModuleType(f"seedstorm_policy_{path.stem.replace('-', '_')}")
    module.__file__ = str(path)
    # What the file defines may look its own module up, as dataclasses do.
    sys.modules[module.__name__] = module
    code = _compiled(content, path, origin)
    try:
        # Not by the import system, which would write what it compiled into the capsule.
        exec(code, vars(module))  # noqa: S102 - a user's own file, with the user's consent
    except (Exception, SystemExit) as problem:
        raise _wrong(problem, path, origin) from problem
    return vars(module)


def _compiled(content: bytes, path: Path, origin: str) -> CodeType:
    try:
        return compile(content, str(path), "exec")
    except Exception as problem:
        raise _wrong(problem, path, origin) from problem


def _wrong(problem: BaseException, path: Path, origin: str) -> UserError:
    frames = [f for f in traceback.extract_tb(problem.__traceback__) if f.filename == str(path)]
    line = getattr(problem, "lineno", None) or (frames[-1].lineno if frames else None)
    where = f", line {line}" if line else ""
    said = printable(f"{type(problem).__name__}: {problem}", 200)
    return UserError(f"{origin}{where}: {said}")
