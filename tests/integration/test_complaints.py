"""What the console complains of: one look more at what came from files, and at names of files."""

from pathlib import Path

import pytest

from console.cli import main
from engine.protocol.errors import UserError


def test_what_is_complained_of_is_never_raw(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> int:
        raise UserError("found \x1b[2J\nin a file")

    monkeypatch.setattr("console.commands.dispatch", fails)
    assert main(["run"]) == 2
    told = capsys.readouterr().err
    assert told == "seedstorm: found \N{REPLACEMENT CHARACTER}[2J\nin a file\n"


@pytest.mark.parametrize("name", ["a\x1b[2J.py", "a\n.py", "a\udcff.py"])
def test_a_policy_whose_name_cannot_be_shown_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    runs = tmp_path / "runs"
    assert main(["run", "--headless", "--policy", name, "--runs-dir", str(runs)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("seedstorm: --policy: found ")
    assert line.isprintable()
    assert not runs.exists()
