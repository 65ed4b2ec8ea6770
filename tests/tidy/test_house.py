"""The house rules that no linter knows."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
PACKAGES = ("console", "engine", "narrative", "themes", "tests")


def _sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", _sources(), ids=_name)
def test_files_and_functions_stay_short(path: Path):
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= FILE_LINES_MAX, f"{lines} lines; split it by what it does"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name}: {length} lines"


def test_package_files_are_empty():
    full = [
        _name(path) for path in _sources() if path.name == "__init__.py" and path.stat().st_size
    ]
    assert full == []


def test_every_suppression_carries_its_reason():
    bare = re.compile(r"#\s*(noqa|type:\s*ignore)(:\s*[A-Z0-9, ]+|\[[a-z-, ]+\])?\s*$")
    found = [
        f"{_name(path)}:{number}"
        for path in _sources()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []


def test_no_module_level_mutable_state():
    found = []
    for path in _sources():
        if path.parts[len(ROOT.parts)] == "tests":
            continue
        for node in ast.parse(path.read_text()).body:
            value = getattr(node, "value", None)
            if isinstance(node, ast.Assign) and isinstance(value, ast.List | ast.Set):
                found.append(f"{_name(path)}:{node.lineno}")
    assert found == []


def test_pins_cover_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {
        re.split(r"[=; ]", line, maxsplit=1)[0].lower()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    asked = {
        re.split(r"[<>=\[; ]", line, maxsplit=1)[0].lower()
        for group in (project["dependencies"], *project["optional-dependencies"].values())
        for line in group
    }
    assert asked <= pinned


def test_make_help_lists_every_target():
    text = (ROOT / "Makefile").read_text()
    helped = set(re.findall(r"^([a-z0-9.-]+):.*## ", text, re.MULTILINE))
    assert {"setup", "run", "test", "check", "bench", "snap", "help"} <= helped
    shown = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in helped:
        assert f"make {target} " in shown


def test_no_registry_host_stands_in_a_file():
    names = ("py", "pi"), ("python", "hosted"), ("npm", "js")
    hosts = re.compile("(" + "|".join(map("".join, names)) + r")\.(org|com|net)")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    for name in listed:
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".md", ".txt", ".json", ".yml", ""} and path.is_file():
            assert not hosts.search(path.read_text(errors="replace")), name
