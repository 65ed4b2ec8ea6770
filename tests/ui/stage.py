"""Sets the scene for tests of the console: a made-up run, a clock that stands still."""

from pathlib import Path

from textual.pilot import Pilot

from console.app import ConsoleOptions, StormApp
from console.items import Clock, Cost
from console.outcome import Outcome
from engine.link.base import EngineLink
from engine.protocol.command import ArmFault, Scope
from tests.ui.fake_engine import FakeEngine
from tests.ui.fake_link import FakeLink

STILL_HZ = 0.01
"""One frame at the start and no other: what is shown depends on the test alone."""
NOON_S = 1_000_000.0


def make(
    home: Path, theme: str = "dark", hz: float = STILL_HZ, link: FakeLink | None = None
) -> tuple[StormApp, FakeLink]:
    """Return a console on a made-up engine."""
    made = link or FakeLink(FakeEngine())

    async def connect() -> EngineLink:
        return made

    environ = {"HOME": str(home), "COLORTERM": "truecolor"}
    return StormApp(connect, ConsoleOptions(theme=theme, hz=hz, environ=environ)), made


def play(app: StormApp, link: FakeLink, until_s: int = 125) -> None:
    """Play a run up to a second of it: one storm over, another one armed."""
    engine = link.engine
    app.deliver([Clock(NOON_S)])
    for second in range(until_s + 1):
        if second in {70, 118}:
            engine.at_s = second
            engine.arm(ArmFault("disconnect-storm", Scope(players_pct=30), {}, 20.0))
        snapshot = engine.snapshot(second + 0.4)
        if second > until_s - 40:
            app.deliver([snapshot])
    app.deliver([Cost(2.1, 13.4, 0)])


async def ready(pilot: Pilot[Outcome]) -> None:
    """Wait until the link is there, the menu known and a page of entities on the board."""
    app = pilot.app
    assert isinstance(app, StormApp)
    for _ in range(200):
        if app.model.menu and app.model.live.entities is not None:
            break
        await pilot.pause(0.01)
    assert app.model.menu, "the console never asked for the menu"
    await pilot.pause()


def text_of(app: StormApp) -> str:
    """Return what the screen on top shows, as text."""
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in lines)
