"""Asks before quitting, and says what stops."""

from typing import Literal

from console.lines import Line, clean
from console.screens.overlay import Overlay
from console.widgets.frame import frame

WIDTH = 62


class QuitScreen(Overlay[Literal["stop", "detach"] | None]):
    """Stop, detach or stay."""

    def draw(self, width: int, height: int) -> list[Line]:
        """See ``Overlay.draw``."""
        snapshot = self.storm.model.live.snapshot
        players = snapshot.players.connected if snapshot else 0
        squads = snapshot.generator.squads if snapshot else 0
        capsule = clean(snapshot.capsule) if snapshot else ""
        lines: list[Line] = [
            (
                ("Stops ", "text"),
                (f"{players:,} players", "bright"),
                (f", {squads} squad{'' if squads == 1 else 's'} and the world.", "text"),
            ),
            (("The summary and the event log stay:", "dim"),),
            ((capsule or "in the run's capsule", "accent"),),
            (),
            (("enter ", "key"), ("stop the run and quit", "text")),
            ((f"{self.storm.keymap.key('detach'):<6}", "key"), ("detach: the run goes on", "text")),
            (("esc   ", "key"), ("stay", "text")),
        ]
        rows = min(height, len(lines) + 2)
        return frame(lines, min(width, WIDTH), rows, "Quit?", (), focused=True)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        action = self.storm.keymap.action(key)
        if key in {"enter", "y"} or action == "quit":
            self.dismiss("stop")
        elif action == "detach":
            self.dismiss("detach")
        elif key in {"escape", "n"}:
            self.dismiss(None)
