"""Where running engines are found: ``<tmp>/seedstorm-UID/`` with a socket and a note each."""

import contextlib
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.protocol.errors import UserError
from engine.protocol.text import nearest

SOCKET_PATH_BYTES_MAX = 100
_NOTE_BYTES_MAX = 64 * 1024
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps shared memory, not a file of ours


class RunEntry(Struct, frozen=True):
    """One running engine, as ``RUN.json`` says.

    Attributes:
        run: Name.
        pid: The hub's process.
        capsule: The run's folder.
        started: When, as ISO 8601 UTC.
        socket_path: Where consoles connect.
        events_path: Socket of the event batches, empty for none.
        shared_memory: Name of the block with the state arrays, empty for none.
    """

    run: str
    pid: int
    capsule: str
    started: str
    socket_path: str
    events_path: str = ""
    shared_memory: str = ""


def runs_folder(base: Path | None = None) -> Path:
    """Return the folder of this user's running engines, made when there is none.

    Args:
        base: Temporary folder, the system's when None.

    Raises:
        UserError: It belongs to somebody else, others may look inside, or it cannot be made.
    """
    folder = (base or Path(tempfile.gettempdir())) / f"seedstorm-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as problem:
        raise UserError(
            f"cannot make the folder for sockets {folder}: {problem.strerror}; "
            "name another place with TMPDIR"
        ) from problem
    if not stat.S_ISDIR(found.st_mode):
        raise UserError(f"{folder} is not a folder; remove it or name another place with TMPDIR")
    if found.st_uid != os.getuid():
        raise UserError(
            f"{folder} belongs to user {found.st_uid}, not to you; name another place with TMPDIR"
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise UserError(
            f"{folder} is open to others (mode {stat.S_IMODE(found.st_mode):04o}); "
            f"look at what is in it, then: chmod 700 {folder}"
        )
    return folder


def socket_path(run: str, base: Path | None = None, ending: str = "sock") -> str:
    """Return the path of a run's socket, short enough for the system.

    Args:
        run: The run's name; long ones are replaced by a hash.
        base: Temporary folder, the system's when None.
        ending: ``sock`` for consoles, ``events`` for event batches.

    Raises:
        UserError: The temporary folder's own path is too long, or see ``runs_folder``.
    """
    folder = runs_folder(base)
    short = hashlib.blake2b(run.encode(), digest_size=6).hexdigest()
    for name in (run, short):
        path = str(folder / f"{name}.{ending}")
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
            return path
    raise UserError(
        f"the path {folder} is too long for a socket ({SOCKET_PATH_BYTES_MAX} bytes at most); "
        "name a shorter place with TMPDIR"
    )


@contextlib.contextmanager
def claimed(choose: Callable[[frozenset[str]], str], base: Path | None = None) -> Iterator[str]:
    """Hold the name of a run that is about to start; two that begin at once get two names.

    Args:
        choose: Gets the names of running engines and of those about to start; returns another.
        base: Temporary folder, the system's when None.

    Yields:
        The name, nobody else's until the block ends, or as long as an engine is registered by it.

    Raises:
        UserError: See ``runs_folder``.
        OSError: The claim cannot be written.
    """
    folder = runs_folder(base)
    with _alone(folder):
        name = choose(frozenset(_engines(folder) | _claims(folder)))
        claim = folder / f"{name}.claim"
        claim.write_text(str(os.getpid()), "ascii")
    try:
        yield name
    finally:
        claim.unlink(missing_ok=True)


def register(entry: RunEntry, base: Path | None = None) -> None:
    """Write a run's note; a dead engine's is replaced, with what that one left.

    Raises:
        UserError: A living engine has the name or a socket; see ``runs_folder`` too.
        OSError: The note cannot be written.
    """
    folder = runs_folder(base)
    note = folder / f"{entry.run}.json"
    mine = {path for path in (entry.socket_path, entry.events_path) if path}
    with _alone(folder):
        for other in map(_read, folder.glob("*.json")):
            if other is None or other.pid == entry.pid:
                continue
            shared = mine & {other.socket_path, other.events_path}
            if other.run != entry.run and not shared:
                continue
            if _is_alive(other.pid):
                raise UserError(
                    f"the engine {other.run} (pid {other.pid}, {other.capsule}) is running and "
                    f"has {min(shared, default='this name')}; start this run by another name"
                )
            unregister(other, base)
        fresh = note.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(entry))
        fresh.replace(note)


def unregister(entry: RunEntry, base: Path | None = None) -> None:
    """Remove everything a run left outside of its capsule; safe to call again."""
    folder = runs_folder(base)
    for path in (entry.socket_path, entry.events_path):
        if path and Path(path).parent == folder:
            Path(path).unlink(missing_ok=True)
    remove_shared_memory(entry.shared_memory)
    (folder / f"{entry.run}.json").unlink(missing_ok=True)


def remove_shared_memory(name: str) -> None:
    """Remove a block of shared memory that its maker may have left; safe to call again."""
    if name and "/" not in name:
        (_SHARED_MEMORY / name).unlink(missing_ok=True)


def running(base: Path | None = None) -> list[RunEntry]:
    """Return this user's running engines, oldest first; clears away what dead ones left.

    Raises:
        UserError: See ``runs_folder``.
    """
    alive: list[RunEntry] = []
    folder = runs_folder(base)
    with _alone(folder):  # an engine that registers now must not lose what it has just made
        _claims(folder)
        for note in folder.glob("*.json"):
            entry = _read(note)
            if entry is None:
                continue
            if _is_alive(entry.pid):
                alive.append(entry)
            else:
                unregister(entry, base)
    return sorted(alive, key=lambda entry: entry.started)


def noted(base: Path | None = None) -> tuple[list[RunEntry], list[RunEntry]]:
    """Return the engines that run and those that died without a word; changes nothing.

    An engine that died has its note, socket and shared memory cleared away by ``running``.

    Args:
        base: Temporary folder, the system's when None.
    """
    folder = (base or Path(tempfile.gettempdir())) / f"seedstorm-{os.getuid()}"
    entries = [entry for note in folder.glob("*.json") if (entry := _read(note)) is not None]
    entries.sort(key=lambda entry: entry.started)
    alive = [entry for entry in entries if _is_alive(entry.pid)]
    return alive, [entry for entry in entries if entry not in alive]


def find_run(run: str, base: Path | None = None) -> RunEntry:
    """Return the running engine called ``run``; the only one when ``run`` is empty.

    Raises:
        UserError: There is none, or several and no name; names those there are.
    """
    entries = running(base)
    names = [entry.run for entry in entries]
    if not entries:
        raise UserError("no engine is running; start one with: seedstorm run")
    if not run:
        if len(entries) > 1:
            raise UserError(f"several engines are running, name one: {', '.join(names)}")
        return entries[0]
    for entry in entries:
        if entry.run == run:
            return entry
    raise UserError(
        f"no engine called {run!r} is running; running: {', '.join(names)}{nearest(run, names)}"
    )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; held for moments only, and let go when its holder dies."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _engines(folder: Path) -> set[str]:
    """Return the names of the engines that are noted and live."""
    entries = map(_read, folder.glob("*.json"))
    return {entry.run for entry in entries if entry is not None and _is_alive(entry.pid)}


def _claims(folder: Path) -> set[str]:
    """Return the names of runs about to start; clears away claims whose maker is dead."""
    names = set()
    for claim in folder.glob("*.claim"):
        try:
            pid = int(claim.read_text("ascii"))
        except FileNotFoundError:
            continue  # let go of meanwhile
        except (OSError, ValueError):
            pid = 0  # nobody's: written by no run of ours
        if pid > 0 and _is_alive(pid):
            names.add(claim.stem)
        else:
            claim.unlink(missing_ok=True)
    return names


def _read(note: Path) -> RunEntry | None:
    """Return the note's entry; None when it vanished meanwhile or is no note of ours."""
    try:
        if note.stat().st_size > _NOTE_BYTES_MAX:
            return None
        entry = msgspec.json.decode(note.read_bytes(), type=RunEntry)
    except (OSError, msgspec.DecodeError):
        return None
    return entry if entry.run == note.stem else None


def _is_alive(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[:1] != ["Z"]
