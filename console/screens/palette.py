"""The palette: type a few letters of an action, enter does it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from console.lineedit import LineEdit
from console.lines import Line, changed, clean, fit, left
from console.screens.overlay import Overlay
from console.widgets.frame import frame

if TYPE_CHECKING:
    from console.app import StormApp

WIDTH = 64
ROWS = 14


class Choice(Struct, frozen=True):
    """One thing to do: what it is called, its key, what does it."""

    label: str
    key: str
    run: Callable[[], None]


def matches(label: str, typed: str) -> bool:
    """Return whether the letters of ``typed`` stand in ``label`` in that order."""
    rest = iter(label.casefold())
    return all(letter in rest for letter in typed.casefold().replace(" ", ""))


def ranked(choices: list[Choice], typed: str) -> list[Choice]:
    """Return the choices that match, those that contain the text as it stands first."""
    found = [choice for choice in choices if matches(choice.label, typed)]
    return sorted(found, key=lambda choice: typed.casefold() not in choice.label.casefold())


class PaletteScreen(Overlay[None]):
    """Every action, every fault, found by typing."""

    def __init__(self, storm: "StormApp") -> None:
        super().__init__(storm)
        self._edit = LineEdit(chars_max=40)
        self._at = 0
        self._choices = self._every()

    def draw(self, width: int, height: int) -> list[Line]:
        """See ``Overlay.draw``."""
        wide = min(width, WIDTH)
        inner = wide - 4
        found = ranked(self._choices, self._edit.text)
        room = max(1, min(ROWS, height - 4))
        self._at = max(0, min(self._at, len(found) - 1))
        top = max(0, self._at - room + 1)
        lines: list[Line] = [fit((("> ", "key"), *self._edit.line(inner - 2)), inner), ()]
        for index, choice in enumerate(found[top : top + room], top):
            line: Line = (
                ("▸ " if index == self._at else "  ", "accent"),
                (left(choice.label, inner - 12), "text"),
                (choice.key, "key"),
            )
            line = fit(line, inner)
            lines.append(changed(line, "sel") if index == self._at else line)
        if not found:
            lines.append((("nothing is called that", "dim"),))
        note = (("enter", "key"), (" does it  ", "dim"), ("esc", "key"), (" back", "dim"))
        return frame(lines, wide, min(height, room + 4), "Find an action", note, focused=True)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        found = ranked(self._choices, self._edit.text)
        if key in {"escape", "ctrl+c", "ctrl+p"}:
            self.dismiss(None)
        elif key == "enter":
            self.dismiss(None)
            if found:
                self.app.call_later(found[self._at].run)
        elif key in {"down", "tab", "ctrl+n"}:
            self._at += 1
        elif key in {"up", "shift+tab"}:
            self._at -= 1
        else:
            self._edit = self._edit.key(key)
            self._at = 0

    def typed(self, text: str) -> None:
        """See ``Overlay.typed``."""
        self._edit = self._edit.typed(text)

    def _every(self) -> list[Choice]:
        storm, keymap = self.storm, self.storm.keymap

        def does(action: str) -> Callable[[], None]:
            return lambda: storm.act(action)

        def arms(name: str) -> Callable[[], None]:
            return lambda: storm.open_faults(name)

        choices = [
            Choice(
                f"page: {binding.label}" if binding.action.startswith("page_") else binding.label,
                keymap.key(binding.action),
                does(binding.action),
            )
            for binding in keymap.bindings
            if binding.action not in {"palette", "up", "down", "left", "right", "back"}
        ]
        return choices + [
            Choice(f"fault: {clean(spec.name, 40)}", f"! {clean(spec.key, 1)}", arms(spec.name))
            for spec in storm.model.menu
            if spec.available
        ]
