"""Whether the program is found from any directory, also one full of names that are ours."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

import console
from console.checks._install import Way, anew, way_here
from console.checks.base import Asked, Check, Finding

TRIAL_S_MAX: Final = 30.0
_DECOYS: Final = ("engine", "console", "narrative", "themes", "json", "asyncio", "random", "numpy")
_TRIAL: Final = """
import json
import console.cli, engine.hub.__main__, engine.server.__main__, engine.assault.__main__
import engine.indexer.__main__, engine.history.__main__, narrative.process, themes
print(json.dumps([str(module.__file__) for module in (console, engine, narrative, themes)]))
"""


class Seen(Struct, frozen=True):
    """What importing gave.

    Attributes:
        home: The folder that holds our packages.
        files: Where ``console``, ``engine``, ``narrative`` and ``themes`` were found; empty
            when importing failed.
        complaint: The last line of what was written then.
        python_path: ``PYTHONPATH`` where all is well without it; empty when it is not to blame.
        decoyed: Whether it was tried from a folder full of names that are ours.
        way: How the program was installed.
    """

    home: str
    files: tuple[str, ...] = ()
    complaint: str = ""
    python_path: str = ""
    decoyed: bool = True
    way: Way = Way()

    @property
    def strange(self) -> list[str]:
        """Files that were found somewhere else than this program."""
        return [file for file in self.files if not Path(file).is_relative_to(self.home)]

    @property
    def good(self) -> bool:
        """Whether everything was found, and where it belongs."""
        return bool(self.files) and not self.strange


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Import everything in a child, as children of a run do, from a folder made for it."""
    try:
        with tempfile.TemporaryDirectory(prefix="seedstorm-check-") as folder:
            for name in _DECOYS:
                package = Path(folder, name)
                package.mkdir()
                (package / "__init__.py").write_text(f"raise ImportError('the wrong {name}')\n")
            return _tried(folder, decoyed=True)
    except OSError:  # nothing can be written to the temporary folder
        return _tried("/", decoyed=False)


def _tried(folder: str, *, decoyed: bool) -> Seen:
    """Try, and when that fails try again without PYTHONPATH, to know whether it is to blame."""
    home = str(Path(console.__file__).parent.parent)
    environ = dict(os.environ)
    files, complaint = _trial(folder, environ)
    seen = Seen(home, files, complaint, decoyed=decoyed, way=way_here())
    path = environ.pop("PYTHONPATH", "")
    if seen.good or not path:
        return seen
    without = Seen(home, _trial(folder, environ)[0])
    return structs.replace(seen, python_path=path) if without.good else seen


def _trial(folder: str, environ: dict[str, str]) -> tuple[tuple[str, ...], str]:
    """Return where our packages were found, or what was complained of."""
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-P", "-c", _TRIAL],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TRIAL_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return (), f"importing took more than {TRIAL_S_MAX:.0f} s"
    with contextlib.suppress(ValueError):
        return tuple(map(str, json.loads(child.stdout))), ""
    said = child.stderr.decode(errors="replace").strip().splitlines()
    return (), said[-1] if said else f"exit code {child.returncode}"


def judge(seen: Seen) -> list[Finding]:
    """All four packages must come from where this program is installed."""
    where = "from any folder" if seen.decoyed else "from / (no temporary folder to try another)"
    if seen.good:
        return [Finding("imports", "ok", f"{where}, out of {seen.home}")]
    found = f"{seen.strange[0]} comes before {seen.home}" if seen.strange else seen.complaint
    cure = f"install it anew: {anew(seen.way)}"
    if seen.python_path:
        cure = f"PYTHONPATH is {seen.python_path!r}, and all is well without: unset PYTHONPATH"
    return [Finding("imports", "fail", found, cure)]


CHECK = Check("imports", 10, read, judge)
