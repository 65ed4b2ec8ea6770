"""Finds a run's capsule by its name, the beginning of its name, or its path."""

from collections.abc import Iterable
from pathlib import Path

from engine.link.places import running
from engine.protocol.errors import UserError
from engine.protocol.manifest import MANIFEST_NAME
from engine.protocol.text import nearest, printable

_NAMED_MAX = 5


def find_capsule(run: str, runs_dir: Path) -> Path:
    """Return the folder of a run, whether it goes on or is over.

    Args:
        run: Its name, a beginning of it that no other has, or a path.
        runs_dir: Where capsules are kept.

    Raises:
        UserError: There is none, or several.
    """
    path = Path(run)
    if run and (path / MANIFEST_NAME).is_file():
        return path
    if "/" in run or run in {"", ".", ".."}:
        raise UserError(
            f"{printable(run, 200)!r} is no capsule of a run: {_lack(path)}; "
            "name a run or its folder"
        )
    folders = {path.name: path for path in _capsules(runs_dir)}
    # A run that goes on may keep its capsule elsewhere.
    folders |= {entry.run: Path(entry.capsule) for entry in running()}
    found = [run] if run in folders else sorted(name for name in folders if name.startswith(run))
    if len(found) == 1:
        return folders[found[0]]
    if found:
        raise UserError(
            f"several runs begin with {run!r}: {_listed(found)}; write more of the name"
        )
    if not folders:
        raise UserError(f"no run called {printable(run, 100)!r}: {runs_dir} holds none")
    newest = sorted(folders, reverse=True)
    raise UserError(
        f"no run called {printable(run, 100)!r} in {runs_dir}{nearest(run, newest)}; "
        f"the newest: {_listed(newest)}"
    )


def _lack(path: Path) -> str:
    if path.is_dir():
        return f"it has no {MANIFEST_NAME}"
    return "it is no folder" if path.exists() else "there is no such folder"


def _capsules(runs_dir: Path) -> Iterable[Path]:
    try:
        return [path for path in runs_dir.iterdir() if (path / MANIFEST_NAME).is_file()]
    except OSError:
        return []  # no run was ever made there, or it is no folder: there is none to be found


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED_MAX
    return ", ".join(names[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
