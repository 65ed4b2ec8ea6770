"""The end of a run that does not go as planned: no place for the summary, no engine any more."""

import json
import os
import signal
from pathlib import Path

import pytest

from engine.link.places import running
from tests.integration.cli_kit import RUN, started, the_engine
from tests.integration.hub_process import PATIENCE_S

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("words", [(), ("--json", "-")], ids=["text", "json"])
def test_a_summary_that_cannot_be_written_is_told_all_the_same(
    tmp_path: Path, words: tuple[str, ...]
):
    with started(tmp_path, *RUN, *words, until="players 10/10") as process:
        capsule = Path(the_engine().capsule)
        (capsule / "summary.json").mkdir()  # where no file can be put, not even by root
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 4, err
    reason = f"{capsule}/summary.json could not be written: Is a directory"
    if words:
        summary = json.loads(out)
        assert (summary["verdict"], summary["exit_code"]) == ("invalid", 4)
        assert reason in summary["reasons"]
        assert summary["players"]["connected_max"] == 10
    else:
        assert reason in out
        assert "players    10 connected of 10" in out
    assert not list(capsule.glob(".*.new")), "a half-written file stayed"


def test_an_engine_that_was_killed_is_told_once_with_its_log(tmp_path: Path):
    with started(tmp_path, *RUN, until="players 10/10") as process:
        entry = the_engine()
        os.kill(entry.pid, signal.SIGKILL)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 6
    told = f"the engine is gone: it was killed (SIGKILL); its log is {entry.capsule}/engine.log\n"
    assert out == told
    assert "Errno" not in err
    assert running() == []
