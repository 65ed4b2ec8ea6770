"""Progress lines: what stands still is the state, and nothing that follows from it is blamed."""

import pytest

from console.headless import notice_line, progress_line
from engine.protocol.feed import GeneratorView, Notice, RunState, Snapshot, WorldView

STUCK = WorldView(stalled_s=7.2)
FULL = WorldView(stalled_s=7.2, store_error="disk is full")


@pytest.mark.parametrize(
    ("state", "world", "says"),
    [
        ("running", WorldView(), "running"),
        ("running", STUCK, "the world lives but has not ticked for 7 s"),
        ("ramping", FULL, "cannot store"),
        ("draining", STUCK, "draining, the world stalled"),
        ("draining", FULL, "draining, cannot store"),
    ],
)
def test_the_state_is_what_the_world_does(state: RunState, world: WorldView, says: str) -> None:
    late = GeneratorView(saturated=True)
    line = progress_line(Snapshot("r", state, 12.0, generator=late, world=world))
    assert line.split("  ")[2] == says
    assert ("SATURATED" in line) == (world == WorldView())


def test_a_policy_that_failed_is_a_line_that_cannot_be_missed() -> None:
    text = "policy mine is disabled, it failed: raised: ZeroDivisionError in line 4"
    assert notice_line(Notice(0.5, "problem", text, True)).endswith(f"! {text}")
