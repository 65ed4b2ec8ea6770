"""The fault menu: one letter picks, the form has its defaults ready, enter arms."""

from typing import TYPE_CHECKING, Final

from console import faultform
from console.faultform import Entry, FaultForm
from console.lines import Line, cell_width, clean, cut, fit, left, line_width
from console.screens.overlay import Overlay
from console.tale import wrapped
from console.widgets.frame import frame
from engine.protocol.errors import UserError
from engine.protocol.query import FaultSpec

if TYPE_CHECKING:
    from console.app import StormApp

WIDTH_MAX: Final = 112
VALUE_WIDTH_MIN: Final = 20


class FaultScreen(Overlay[None]):
    """First the list, then the form of the fault that was picked.

    Args:
        storm: The app.
        name: Open the form of this fault at once.
    """

    def __init__(self, storm: "StormApp", name: str = "") -> None:
        super().__init__(storm)
        self._at = 0
        self._wrong = ""
        self._form: FaultForm | None = None
        for spec in storm.model.menu:
            if spec.name == name and spec.available:
                self._form = faultform.open_form(spec)

    def draw(self, width: int, height: int) -> list[Line]:
        """See ``Overlay.draw``."""
        wide = min(width, WIDTH_MAX)
        if self._form is None:
            return self._draw_list(wide, height)
        return self._draw_form(self._form, wide, height)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        if self._form is None:
            self._press_list(key)
            return
        self._wrong = ""
        if key in {"escape", "ctrl+c"}:
            self._form = None
        elif key == "enter":
            try:
                command = faultform.command(self._form)
            except UserError as problem:
                self._wrong = problem.message
                return
            self.storm.send(command)
            self.dismiss(None)
        else:
            self._form = faultform.press(self._form, key)

    def _press_list(self, key: str) -> None:
        menu = self.storm.model.menu
        if key in {"down", "up"} and menu:
            self._at = (self._at + (1 if key == "down" else -1)) % len(menu)
            return
        picked = next((spec for spec in menu if clean(spec.key) == key), None)
        if key == "enter" and menu:
            picked = menu[self._at]
        if picked is not None:
            if picked.available:
                self._form = faultform.open_form(picked)
            else:
                self._wrong = f"{picked.name}: {picked.why_not or 'not available'}"
            return
        if key in {"escape", "q", "ctrl+c", "!"}:
            self.dismiss(None)

    def _draw_list(self, wide: int, height: int) -> list[Line]:
        menu = self.storm.model.menu
        inner = wide - 4
        lines: list[Line] = [
            _menu_row(spec, index == self._at, inner) for index, spec in enumerate(menu)
        ]
        if not menu:
            lines = [(("the engine has not told which faults there are", "dim"),)]
        armed = [
            fault
            for fault in (
                self.storm.model.live.snapshot.faults if self.storm.model.live.snapshot else ()
            )
            if fault.cleared_at_s is None
        ]
        keymap = self.storm.keymap
        counts: Line = (
            (f"{len(armed)} armed   ", "fault" if armed else "dim"),
            (keymap.key("undo"), "key"),
            (" undoes the last   ", "dim"),
            (keymap.key("panic"), "key"),
            (" reverts all", "dim"),
        )
        foot: list[Line] = [counts]
        if self._wrong:
            foot = _told(f"▲ {clean(self._wrong)}", "bad", inner)
        elif menu:
            foot = [*_told(_about(menu[self._at]), "text", inner), counts]
        note = (("a letter or enter", "key"), (" picks", "dim"))
        return self._framed(lines, self._at, foot, wide, height, "Faults", note)

    def _draw_form(self, form: FaultForm, wide: int, height: int) -> list[Line]:
        inner = wide - 4
        label_width = max(12, 1 + max(len(clean(entry.name, 20)) for entry in form.entries))
        values = [_value(entry, index == form.at) for index, entry in enumerate(form.entries)]
        value_width = max(VALUE_WIDTH_MIN, *(line_width(value) + 1 for value in values))
        lines: list[Line] = []
        for index, (entry, value) in enumerate(zip(form.entries, values, strict=True)):
            here = index == form.at
            lines.append(
                (
                    ("▸ ", "accent") if here else ("  ", "dim"),
                    (left(clean(entry.name, 20), label_width), "text" if here else "dim"),
                    *fit(value, value_width),
                    (cut(clean(entry.help), inner - label_width - value_width - 2), "dim"),
                )
            )
        head: list[Line] = [*_told(clean(form.spec.help), "dim", inner), ()]
        foot = self._outcome(form, inner)
        at = form.entries[form.at]
        if cell_width(clean(at.help)) > inner - label_width - value_width - 2:
            foot = [*_told(f"{clean(at.name, 20)}: {clean(at.help)}", "dim", inner), *foot]
        if height - 2 < len(head) + len(lines) + len(foot) + 1:
            head = []  # what is typed and what comes of it matter more
        lines = [*head, *lines]
        note = (("enter", "key"), (" arms  ", "dim"), ("esc", "key"), (" back", "dim"))
        title = f"↯ {clean(form.spec.name, 40)}"
        return self._framed(lines, len(head) + form.at, foot, wide, height, title, note)

    def _framed(
        self,
        lines: list[Line],
        at: int,
        foot: list[Line],
        wide: int,
        height: int,
        title: str,
        note: Line,
    ) -> list[Line]:
        """Return the sheet: line ``at`` always shows, the foot where a few lines still fit."""
        room = height - 2
        below: list[Line] = [(), *foot]
        if room < len(below) + min(3, len(lines)):
            below = foot if room > len(foot) else []
        shown = self.around(lines, at, room - len(below))
        body = [*shown, *below]
        if len(shown) < len(lines):
            note = (("↑ ↓ more  ", "dim"), *note)
        return frame(body, wide, len(body) + 2, title, note, focused=True)

    def _outcome(self, form: FaultForm, inner: int) -> list[Line]:
        snapshot = self.storm.model.live.snapshot
        wrong = self._wrong
        if not wrong:
            try:
                text = faultform.sentence(form, snapshot.players.target if snapshot else 0)
            except UserError as problem:
                wrong = problem.message
            else:
                return [(("enter ", "key"), (text, "text"))]
        return _told(f"▲ {clean(wrong)}", "bad", inner)


def _told(text: str, role: str, width: int) -> list[Line]:
    return [((row, role),) for row in wrapped(text, max(8, width))]


def _about(spec: FaultSpec) -> str:
    """Return what a fault does, or why it is not to be had."""
    return clean(spec.help if spec.available else f"not available: {spec.why_not}")


def _value(entry: Entry, here: bool) -> Line:
    unit = " %" if entry.name == "scope" else ""
    if entry.choices:
        return tuple(
            (f" {clean(choice, 16)} ", "tab" if choice == entry.edit.text else "dim")
            for choice in entry.choices
        )
    if here and entry.edit.fresh:
        value: Line = ((entry.edit.text, "cursor"),)
    elif here:
        value = entry.edit.line(14)
    else:
        value = ((entry.edit.text, "bright"),)
    return (*value, (unit, "dim"))


def _menu_row(spec: FaultSpec, here: bool, inner: int) -> Line:
    role = "text" if spec.available else "faint"
    return fit(
        (
            ("▸ " if here else "  ", "accent"),
            (left(clean(spec.key, 1), 3), "key" if spec.available else "faint"),
            (left(clean(spec.name, 24), 20), role),
            (left(clean(spec.side, 10), 9), "dim"),
            (_about(spec), "dim" if spec.available else "faint"),
        ),
        inner,
    )
