"""kill: one SIGKILL, one start."""

import pytest

from engine.faults.kill import FAULT
from engine.faults.registry import check_fault
from engine.protocol.command import Scope
from engine.protocol.errors import UserError


class _Process:
    def __init__(self) -> None:
        self.done: list[str] = []

    def kill(self) -> None:
        self.done.append("kill")

    def start(self) -> None:
        self.done.append("start")


def test_it_kills_once_and_starts_when_it_reverts() -> None:
    process = _Process()
    half = FAULT.strike({"restart_after_s": 2.0}, 7)
    half.begin(process)
    assert process.done == ["kill"]
    half.revert(process)
    assert process.done == ["kill", "start"]


def test_the_restart_is_what_ends_it() -> None:
    assert FAULT.spec.hold_param == "restart_after_s"
    assert check_fault("kill", {}, Scope(), "f") == {"restart_after_s": 0.0}
    with pytest.raises(UserError, match=r"^f\.params\.restart_after_s: found -1; allowed: from 0"):
        check_fault("kill", {"restart_after_s": -1}, Scope(), "f")
    with pytest.raises(UserError, match=r"^f\.scope: kill concerns the whole server"):
        check_fault("kill", {}, Scope(players_pct=3), "f")
