"""Whether the program is found from any directory, also one full of names that are ours."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from msgspec import Struct

import console
from console.checks.base import Asked, Check, Finding

TRIAL_S_MAX: Final = 30.0
_DECOYS: Final = ("engine", "console", "narrative", "themes", "json", "asyncio", "random", "numpy")
_TRIAL: Final = """
import json
import console.cli, engine.hub.__main__, engine.server.__main__, engine.assault.__main__
import narrative, themes
print(json.dumps([str(module.__file__) for module in (console, engine, narrative, themes)]))
"""


class Seen(Struct, frozen=True):
    """What importing gave.

    Attributes:
        home: The folder that holds our packages.
        files: Where ``console``, ``engine``, ``narrative`` and ``themes`` were found; empty
            when importing failed.
        complaint: The last line of what was written then.
        python_path: ``PYTHONPATH``.
        decoyed: Whether it was tried from a folder full of names that are ours.
    """

    home: str
    files: tuple[str, ...] = ()
    complaint: str = ""
    python_path: str = ""
    decoyed: bool = True


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Import everything in a child, as children of a run do, from a folder made for it."""
    home = str(Path(console.__file__).parent.parent)
    path = os.environ.get("PYTHONPATH", "")
    try:
        with tempfile.TemporaryDirectory(prefix="seedstorm-check-") as folder:
            for name in _DECOYS:
                package = Path(folder, name)
                package.mkdir()
                (package / "__init__.py").write_text(f"raise ImportError('the wrong {name}')\n")
            return _trial(home, path, folder, decoyed=True)
    except OSError:  # nothing can be written to the temporary folder
        return _trial(home, path, "/", decoyed=False)


def _trial(home: str, path: str, folder: str, *, decoyed: bool) -> Seen:
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-P", "-c", _TRIAL],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TRIAL_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        slow = f"importing took more than {TRIAL_S_MAX:.0f} s"
        return Seen(home, (), slow, path, decoyed)
    try:
        files = tuple(json.loads(child.stdout))
    except ValueError:
        files = ()
    said = child.stderr.decode(errors="replace").strip().splitlines()
    complaint = said[-1] if said else f"exit code {child.returncode}"
    return Seen(home, files, "" if files else complaint, path, decoyed)


def judge(seen: Seen) -> list[Finding]:
    """All four packages must come from where this program is installed."""
    where = "from any folder" if seen.decoyed else "from / (no temporary folder to try another)"
    strange = [file for file in seen.files if not Path(file).is_relative_to(seen.home)]
    if seen.files and not strange:
        return [Finding("imports", "ok", f"{where}, out of {seen.home}")]
    found = f"{strange[0]} comes before {seen.home}" if strange else seen.complaint
    cure = "install it anew: pip install --force-reinstall seedstorm (from its sources: make setup)"
    if seen.python_path:
        cure = f"PYTHONPATH is {seen.python_path!r}; without it: unset PYTHONPATH"
    return [Finding("imports", "fail", found, cure)]


CHECK = Check("imports", 10, read, judge)
