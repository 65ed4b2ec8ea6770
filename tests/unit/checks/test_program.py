"""Whether the program itself is whole: imports, Python, dependencies."""

from pathlib import Path

import pytest

from console.checks import dependencies, imports, python
from console.checks._install import Way
from console.checks._versions import release, requirement, satisfies
from console.checks.base import Asked
from engine.hub.placement import MODULES

HOME = "/opt/seedstorm"
FILES = tuple(f"{HOME}/{name}/__init__.py" for name in ("console", "engine", "narrative", "themes"))

PIPX = Way(tool="pipx")


@pytest.mark.parametrize(
    ("version", "wanted", "holds"),
    [
        ("3.11.7", ">=3.11,<3.14", True),
        ("3.14.0", ">=3.11,<3.14", False),
        ("3.14.0rc1", "<3.14", False),
        ("3.10.12", ">=3.11", False),
        ("8.0", "<9,>=8.0", True),
        ("8", ">=8.0.0", True),
        ("8.2.8", "~=8.1", True),
        ("9.0", "~=8.1", False),
        ("1.4.9", "~=1.4.2", True),
        ("1.5", "~=1.4.2", False),
        ("1.5", "==1.5.0", True),
        ("1.5", "!=1.5", False),
        ("1.5", ">1.5", False),
        ("2.0+local", "<=2", True),
        ("1.5", "", True),
    ],
)
def test_versions_are_compared_by_their_release(version: str, wanted: str, holds: bool) -> None:
    assert satisfies(version, wanted) is holds


def test_what_is_no_version_has_no_numbers() -> None:
    assert release("unknown") == ()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("numpy>=2.2", ("numpy", ">=2.2")),
        ("uvicorn[standard] (>=0.35)", ("uvicorn", ">=0.35")),
        ("anyio", ("anyio", "")),
        ("tomli>=2; python_version < '3.11'", ("tomli", ">=2")),
        ("ruff>=0.11; extra == 'dev'", None),
    ],
)
def test_a_requirement_has_a_name_and_versions(line: str, found: tuple[str, str] | None) -> None:
    assert requirement(line) == found


def test_imports_from_where_they_should_be() -> None:
    (found,) = imports.judge(imports.Seen(HOME, FILES))
    assert (found.status, found.cure) == ("ok", "")


def test_imports_from_somewhere_else() -> None:
    (found,) = imports.judge(
        imports.Seen(HOME, (FILES[0], "/home/me/engine/__init__.py"), way=PIPX)
    )
    assert found.status == "fail"
    assert "/home/me/engine" in found.found
    assert found.cure == "install it anew: pipx reinstall seedstorm"


def test_imports_that_python_path_leads_astray() -> None:
    seen = imports.Seen(HOME, (), "ImportError: the wrong engine", python_path=".")
    (found,) = imports.judge(seen)
    assert (found.status, found.found) == ("fail", "ImportError: the wrong engine")
    assert "unset PYTHONPATH" in found.cure


def test_python_path_is_blamed_only_when_all_is_well_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(imports, "_TRIAL", "raise SystemExit('a file is broken')")
    (found,) = imports.judge(imports.read(Asked(None)))
    assert (found.status, found.found) == ("fail", "a file is broken")
    assert "PYTHONPATH" not in found.cure
    assert found.cure.startswith("install it anew: ")


def test_another_copy_in_python_path_is_to_blame(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (found,) = imports.judge(imports.read(Asked(None)))
    assert found.status == "fail"
    assert f"{tmp_path}/themes/__init__.py comes before" in found.found
    assert "unset PYTHONPATH" in found.cure


def test_every_module_that_a_run_starts_is_tried() -> None:
    tried = {name.strip(",").removesuffix(".__main__") for name in imports._TRIAL.split()}
    assert {*MODULES.values(), "engine.hub"} <= tried


def test_a_real_trial_says_what_python_path_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ".")
    (found,) = imports.judge(imports.read(Asked(None)))
    assert found.status == "fail"
    assert "the wrong" in found.found
    monkeypatch.delenv("PYTHONPATH")
    seen = imports.read(Asked(None))
    assert imports.judge(seen)[0].status == "ok"
    assert seen.decoyed


def test_without_a_temporary_folder_it_is_tried_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    seen = imports.read(Asked(None))
    assert not seen.decoyed
    assert imports.judge(seen)[0].status == "ok"


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (python.Seen("3.12.4", ">=3.11,<3.14", "/usr/bin/python3"), "ok"),
        (python.Seen("3.10.4", ">=3.11,<3.14", "/usr/bin/python3"), "fail"),
        (python.Seen("3.14.0", ">=3.11,<3.14", "/usr/bin/python3"), "fail"),
        (python.Seen("3.11.4", ">=3.11,<3.14", "/usr/bin/pypy3", "PyPy"), "warn"),
    ],
)
def test_python(seen: python.Seen, status: str) -> None:
    (found,) = python.judge(seen)
    assert found.status == status
    assert ("python3.12 -m pip install seedstorm" in found.cure) == (status != "ok")
    assert seen.version in found.found


def test_dependencies_that_are_there() -> None:
    seen = dependencies.Seen((("numpy", ">=2.2", "2.4.6"), ("apsw", "", "3.54")))
    (found,) = dependencies.judge(seen)
    assert (found.status, found.found) == ("ok", "2 packages, all as needed")


def test_dependencies_that_are_missing_or_too_old() -> None:
    packages = ("numpy", ">=2.2", "1.26"), ("apsw", ">=3.50", ""), ("httpx", ">=0.28", "0.28.1")
    (found,) = dependencies.judge(dependencies.Seen(packages))
    assert found.status == "fail"
    assert found.found == "numpy 1.26 (needed: >=2.2); apsw is missing (needed: >=3.50)"
    assert found.cure == "python3 -m pip install 'numpy>=2.2' 'apsw>=3.50'"
    (found,) = dependencies.judge(dependencies.Seen(packages, way=PIPX))
    assert found.cure == "pipx reinstall seedstorm"


def test_a_program_that_is_not_installed() -> None:
    (found,) = dependencies.judge(dependencies.Seen((), installed=False, way=PIPX))
    assert (found.status, found.cure) == ("warn", "pipx reinstall seedstorm")


def test_what_is_read_here_is_as_the_tests_need_it() -> None:
    assert dependencies.judge(dependencies.read(Asked(None)))[0].status == "ok"
    assert python.judge(python.read(Asked(None)))[0].status == "ok"
    assert Path(python.read(Asked(None)).where).is_absolute()
