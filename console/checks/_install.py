"""How this program was installed, and the commands that install it anew in the same way."""

import importlib.util
import json
import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

import console

_TOOLS = {"pipx_metadata.json": "pipx", "uv-receipt.toml": "uv"}
"""Each keeps a file at the top of an environment that it made."""


class Way(Struct, frozen=True):
    """How the program came to where it runs.

    Attributes:
        python: The interpreter that runs this.
        tool: ``pipx`` or ``uv`` when that made the environment, else empty.
        name: What that tool calls the environment.
        pip: Whether the interpreter has pip; environments of uv have none.
        source: Words for pip that name what it was installed from.
        checkout: The folder of sources whose ``make setup`` made the environment, else empty.
    """

    python: str = "python3"
    tool: str = ""
    name: str = "seedstorm"
    pip: bool = True
    source: str = "seedstorm"
    checkout: str = ""


def way_here() -> Way:
    """Return how this program was installed."""
    prefix = Path(sys.prefix)
    tool = next((tool for mark, tool in _TOOLS.items() if (prefix / mark).is_file()), "")
    home = Path(console.__file__).parent.parent
    made_here = prefix == home / ".venv" and (home / "Makefile").is_file()
    return Way(
        python=sys.executable or "python3",
        tool=tool,
        name=prefix.name if tool else "seedstorm",
        pip=importlib.util.find_spec("pip") is not None,
        source=_source(home),
        checkout=str(home) if made_here else "",
    )


def anew(way: Way) -> str:
    """Return the command that installs the program and all it needs again."""
    if way.tool == "pipx":
        return f"pipx reinstall {shlex.quote(way.name)}"
    if way.tool == "uv":
        # Not "uv tool install": that forgets where the program came from.
        return f"uv tool upgrade --reinstall {shlex.quote(way.name)}"
    if way.checkout:
        return f"make -C {shlex.quote(way.checkout)} clean setup"
    return f"{_pip(way)} --force-reinstall {way.source}"


def with_python(way: Way, version: str) -> str:
    """Return the command that installs the program for another Python, such as ``3.12``."""
    if way.tool == "pipx":
        return f"pipx reinstall --python python{version} {shlex.quote(way.name)}"
    if way.tool == "uv":
        return f"uv tool upgrade --python {version} {shlex.quote(way.name)}"
    if way.checkout:
        return f"make -C {shlex.quote(way.checkout)} PYTHON=python{version} clean setup"
    return f"python{version} -m pip install {way.source}"


def with_packages(way: Way, wanted: list[str]) -> str:
    """Return the command that gives the program packages, such as ``numpy>=2.2``."""
    if way.tool:
        return anew(way)
    return f"{_pip(way)} {shlex.join(wanted)}"


def parse_source(text: str) -> str:
    """Return words for pip out of a ``direct_url.json`` (PEP 610); empty for the index."""
    try:
        noted = json.loads(text)
        url = str(noted["url"])
        if "vcs_info" in noted:
            vcs = noted["vcs_info"]
            return shlex.quote(f"{vcs['vcs']}+{url}@{vcs['commit_id']}")
        if "dir_info" in noted:
            path = shlex.quote(unquote(urlsplit(url).path))
            return f"-e {path}" if noted["dir_info"].get("editable") else path
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
    return shlex.quote(url)


def _source(home: Path) -> str:
    try:
        text = distribution("seedstorm").read_text("direct_url.json")
    except PackageNotFoundError:
        return (
            f"-e {shlex.quote(str(home))}" if (home / "pyproject.toml").is_file() else "seedstorm"
        )
    return parse_source(text or "") or "seedstorm"


def _pip(way: Way) -> str:
    python = shlex.quote(way.python)
    return f"{python} -m pip install" if way.pip else f"uv pip install --python {python}"
