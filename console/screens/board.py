"""The base screen: the board, and keys."""

from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from console.items import Hint, Item
from console.keymap import key_name
from console.mouse import clicked, wheeled

if TYPE_CHECKING:
    from console.app import StormApp


class BoardScreen(Screen[None], inherit_bindings=False):
    """Holds the board; every key goes to the app by its name.

    Args:
        storm: The app.
    """

    AUTO_FOCUS = None
    BLANK = True
    DEFAULT_CSS = "BoardScreen { overflow: hidden; }"

    def __init__(self, storm: "StormApp") -> None:
        super().__init__()
        self.storm = storm

    def compose(self) -> ComposeResult:
        """Give Textual the board."""
        yield self.storm.board

    def on_key(self, event: events.Key) -> None:
        """Start what the key is bound to."""
        event.stop()
        event.prevent_default()
        if self.app.screen is not self:
            # Typed in one go with the key that opened what now lies above: it is meant for that.
            self.app.screen.post_message(events.Key(event.key, event.character))
            return
        if self.storm.model.hint_until_s:
            self.storm.deliver([Hint(0.0)])
        action = self.storm.keymap.action(key_name(event.key, event.character))
        if action is not None:
            self.storm.act(action)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go to what was clicked."""
        event.stop()
        self._reach(clicked(self.storm.model, event.screen_x, event.screen_y))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the list under the pointer."""
        event.stop()
        self._reach(wheeled(self.storm.model, event.screen_x, event.screen_y, down=True))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the list under the pointer."""
        event.stop()
        self._reach(wheeled(self.storm.model, event.screen_x, event.screen_y, down=False))

    def _reach(self, item: Item | None) -> None:
        if item is not None and self.storm.model.view.mouse:
            self.storm.deliver([item])
            self.storm.look_again()
