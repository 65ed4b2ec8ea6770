"""A prompt for one line: a filter, a number of players, a mark."""

from typing import TYPE_CHECKING

from console.lineedit import LineEdit
from console.lines import Line, clean, fit
from console.screens.overlay import Accept, Overlay
from console.widgets.frame import frame

if TYPE_CHECKING:
    from console.app import StormApp

WIDTH = 72


class PromptScreen(Overlay[None]):
    """Asks for a line and stays until it is accepted or given up.

    Args:
        storm: The app.
        title: What is asked.
        edit: The line to begin with.
        hint: An example, or what is allowed.
        accept: Takes the line; what it returns is shown as wrong.
    """

    def __init__(
        self, storm: "StormApp", title: str, edit: LineEdit, hint: str, accept: Accept
    ) -> None:
        super().__init__(storm)
        self._title = title
        self._edit = edit
        self._hint = hint
        self._accept = accept
        self._wrong = ""

    def draw(self, width: int, height: int) -> list[Line]:
        """See ``Overlay.draw``."""
        wide = min(width, WIDTH)
        inner = wide - 4
        below: list[Line] = [((self._hint, "dim"),)]
        if self._wrong:
            below = [((text, "bad"),) for text in _wrapped(f"▲ {clean(self._wrong, 300)}", inner)]
        lines = [fit((("> ", "key"), *self._edit.line(inner - 2)), inner), *below]
        note = (("enter", "key"), (" ok  ", "dim"), ("esc", "key"), (" back", "dim"))
        rows = min(height, max(4, len(lines) + 2))
        return frame(lines, wide, rows, self._title, note, focused=True)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        if key in {"escape", "ctrl+c"}:
            self.dismiss(None)
        elif key == "enter":
            self._wrong = self._accept(self._edit.text)
            if not self._wrong:
                self.dismiss(None)
        else:
            self._edit = self._edit.key(key)
            self._wrong = ""

    def typed(self, text: str) -> None:
        """See ``Overlay.typed``."""
        self._edit = self._edit.typed(text)


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line][:4]
