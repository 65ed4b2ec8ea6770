"""What every overlay shares: a sheet in the middle, keys, panic from anywhere."""

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from console.keymap import key_name
from console.lines import Line
from console.widgets.sheet import Sheet

if TYPE_CHECKING:
    from console.app import StormApp

R = TypeVar("R")
FAR: Final = 1_000_000
"""Rows down that are below the last of any sheet."""
AIRY: Final = (60, 16)
"""From this size on an overlay keeps a cell away from what lies around it."""


class Overlay(ModalScreen[R], inherit_bindings=False):
    """A sheet above the board. Subclasses say what it shows and what keys do."""

    DEFAULT_CSS = "Overlay { align: center middle; background: transparent; }"
    AUTO_FOCUS = None

    def __init__(self, storm: "StormApp") -> None:
        super().__init__()
        self.storm = storm
        self._sheet = Sheet(lambda: storm.looks)
        self._top = 0
        self._room = 1

    @abstractmethod
    def draw(self, width: int, height: int) -> list[Line]:
        """Return the sheet's lines, all of one width; at most ``width`` x ``height`` cells."""

    @abstractmethod
    def press(self, key: str) -> None:
        """Take a key, by our name of it."""

    def in_sight(self, lines: list[Line], height: int) -> list[Line]:
        """Return the lines that show in at most ``height`` rows, frame included."""
        self._room = max(1, min(len(lines), height - 2))
        self._top = max(0, min(self._top, len(lines) - self._room))
        return lines[self._top : self._top + self._room]

    def around(self, lines: list[Line], at: int, room: int) -> list[Line]:
        """Return at most ``room`` lines that show, line ``at`` among them."""
        room = max(1, min(len(lines), room))
        self._top = max(0, at - room + 1, min(self._top, at, len(lines) - room))
        return lines[self._top : self._top + room]

    def scroll(self, action: str | None) -> bool:
        """Move what shows; return whether the action is one that does."""
        steps = {
            "down": 1, "up": -1, "top": -self._top, "bottom": FAR,
            "page_down": self._room, "page_up": -self._room,
            "right": self._room, "left": -self._room,
        }  # fmt: skip
        if action not in steps:
            return False
        self._top += steps[action]
        return True

    def typed(self, text: str) -> None:
        """Take pasted text; most overlays have no use for it."""

    def compose(self) -> ComposeResult:
        """Give Textual the sheet."""
        yield self._sheet

    def on_mount(self) -> None:
        """Draw for the first time."""
        self.show()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.show()

    def show(self) -> None:
        """Draw what there is to see now."""
        if self.is_attached:
            width, height = self.app.size
            air = int(width >= AIRY[0] and height >= AIRY[1])
            room = max(8, width - 2 * air), max(3, height - 2 * air)
            self._sheet.put(self.draw(*room), air)

    def on_key(self, event: events.Key) -> None:
        """Pass keys on; panic works here as everywhere."""
        event.stop()
        event.prevent_default()
        key = key_name(event.key, event.character)
        if self.storm.keymap.action(key) == "panic" and len(key) > 1:
            self.storm.act("panic")
            return
        self._take(self.press, key)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Let the wheel be the arrow keys."""
        event.stop()
        self._take(self.press, "down")

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Let the wheel be the arrow keys."""
        event.stop()
        self._take(self.press, "up")

    def on_paste(self, event: events.Paste) -> None:
        """Pass pasted text on."""
        event.stop()
        self._take(self.typed, event.text)

    def _take(self, way: Callable[[str], None], what: str) -> None:
        # What was typed in one go with the key that closed this overlay was meant for what it
        # showed: it is dropped, for below it could start something that nobody looks at.
        if self.is_current:
            way(what)
            self.show()


Accept = Callable[[str], str]
"""Takes what was typed; returns what is wrong with it, empty when nothing is."""
