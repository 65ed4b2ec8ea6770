"""How the program was installed, and what installs it again."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from console.checks import _install
from console.checks._install import Way, anew, parse_source, way_here, with_packages, with_python

PIP = Way("/v/bin/python")
SPACED = Way("/my env/bin/python")
BARE = Way("/v/bin/python", pip=False)
PIPX = Way("/p/bin/python", tool="pipx")
UV = Way("/u/bin/python", tool="uv", pip=False)
MADE = Way("/s/.venv/bin/python", source="-e /s", checkout="/s")


@pytest.mark.parametrize(
    ("way", "again", "other", "packages"),
    [
        (
            PIP,
            "/v/bin/python -m pip install --force-reinstall seedstorm",
            "python3.12 -m pip install seedstorm",
            "/v/bin/python -m pip install 'numpy>=2.2' apsw",
        ),
        (
            SPACED,
            "'/my env/bin/python' -m pip install --force-reinstall seedstorm",
            "python3.12 -m pip install seedstorm",
            "'/my env/bin/python' -m pip install 'numpy>=2.2' apsw",
        ),
        (
            BARE,
            "uv pip install --python /v/bin/python --force-reinstall seedstorm",
            "python3.12 -m pip install seedstorm",
            "uv pip install --python /v/bin/python 'numpy>=2.2' apsw",
        ),
        (
            PIPX,
            "pipx reinstall seedstorm",
            "pipx reinstall --python python3.12 seedstorm",
            "pipx reinstall seedstorm",
        ),
        (
            UV,
            "uv tool upgrade --reinstall seedstorm",
            "uv tool upgrade --python 3.12 seedstorm",
            "uv tool upgrade --reinstall seedstorm",
        ),
        (
            MADE,
            "make -C /s clean setup",
            "make -C /s PYTHON=python3.12 clean setup",
            "/s/.venv/bin/python -m pip install 'numpy>=2.2' apsw",
        ),
    ],
)
def test_each_way_has_its_own_cure(way: Way, again: str, other: str, packages: str) -> None:
    assert anew(way) == again
    assert with_python(way, "3.12") == other
    assert with_packages(way, ["numpy>=2.2", "apsw"]) == packages


@pytest.mark.parametrize(
    ("noted", "source"),
    [
        ({"url": "file:///s%20x", "dir_info": {"editable": True}}, "-e '/s x'"),
        ({"url": "file:///s", "dir_info": {}}, "/s"),
        ({"url": "https://h/s.whl", "archive_info": {}}, "https://h/s.whl"),
        (
            {"url": "https://h/s", "vcs_info": {"vcs": "git", "commit_id": "ab12"}},
            "git+https://h/s@ab12",
        ),
        ({"url": "https://h/s", "vcs_info": {}}, ""),
        ({"url": "https://h/s", "dir_info": 3}, ""),
        ({}, ""),
        ([], ""),
    ],
)
def test_where_it_came_from(noted: object, source: str) -> None:
    assert parse_source(json.dumps(noted)) == source
    assert parse_source("") == ""


@pytest.mark.parametrize(
    ("mark", "tool"), [("pipx_metadata.json", "pipx"), ("uv-receipt.toml", "uv"), ("other", "")]
)
def test_an_environment_shows_what_made_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mark: str, tool: str
) -> None:
    (tmp_path / "seedstorm-2").mkdir()
    (tmp_path / "seedstorm-2" / mark).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "seedstorm-2"))
    way = way_here()
    assert (way.tool, way.name) == (tool, "seedstorm-2" if tool else "seedstorm")
    assert (way.python, way.checkout) == (sys.executable, "")
    assert way.pip == (importlib.util.find_spec("pip") is not None)


def test_an_environment_that_make_setup_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_install.console, "__file__", str(tmp_path / "console" / "__init__.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert not way_here().checkout
    (tmp_path / "Makefile").touch()
    assert way_here().checkout == str(tmp_path)
