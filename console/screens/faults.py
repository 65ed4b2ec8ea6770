"""The fault menu: one letter picks, the form has its defaults ready, enter arms."""

from typing import TYPE_CHECKING

from console import faultform
from console.faultform import FaultForm
from console.lines import Line, clean, cut, fit, left
from console.screens.overlay import Overlay
from console.widgets.frame import frame
from engine.protocol.errors import UserError
from engine.protocol.query import FaultSpec

if TYPE_CHECKING:
    from console.app import StormApp

WIDTH = 76


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
        wide = min(width, WIDTH)
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
        foot: Line = (
            (f"{len(armed)} armed   ", "fault" if armed else "dim"),
            (keymap.key("undo"), "key"),
            (" undoes the last   ", "dim"),
            (keymap.key("panic"), "key"),
            (" reverts all", "dim"),
        )
        lines += [(), ((f"▲ {clean(self._wrong)}", "bad"),) if self._wrong else foot]
        note = (("a letter or enter", "key"), (" picks", "dim"))
        rows = min(height, len(lines) + 2)
        return frame(lines, wide, rows, "Faults", note, focused=True)

    def _draw_form(self, form: FaultForm, wide: int, height: int) -> list[Line]:
        inner = wide - 4
        names = [clean(entry.name, 20) for entry in form.entries]
        label_width = max(12, 1 + max(map(len, names)))
        lines: list[Line] = [((clean(form.spec.help), "dim"),), ()]
        for index, entry in enumerate(form.entries):
            here = index == form.at
            label = left(names[index], label_width)
            if entry.choices:
                value: Line = tuple(
                    (f" {clean(choice, 12)} ", "tab" if choice == entry.edit.text else "dim")
                    for choice in entry.choices
                )
            elif here and entry.edit.fresh:
                value = ((entry.edit.text, "cursor"),)
            elif here:
                value = entry.edit.line(14)
            else:
                value = ((entry.edit.text, "bright"),)
            unit = " %" if entry.name == "scope" else ""
            shown = fit((*value, (unit, "dim")), 20)
            mark = ("▸ ", "accent") if here else ("  ", "dim")
            lines.append(
                (
                    mark,
                    (label, "text" if here else "dim"),
                    *shown,
                    (cut(clean(entry.help), inner - label_width - 22), "dim"),
                )
            )
        lines.append(())
        lines.append(self._outcome(form))
        note = (("enter", "key"), (" arms  ", "dim"), ("esc", "key"), (" back", "dim"))
        rows = min(height, len(lines) + 2)
        return frame(lines, wide, rows, f"↯ {clean(form.spec.name, 40)}", note, focused=True)

    def _outcome(self, form: FaultForm) -> Line:
        if self._wrong:
            return ((f"▲ {clean(self._wrong)}", "bad"),)
        snapshot = self.storm.model.live.snapshot
        try:
            text = faultform.sentence(form, snapshot.players.target if snapshot else 0)
        except UserError as problem:
            return ((f"▲ {clean(problem.message)}", "bad"),)
        return (("enter ", "key"), (text, "text"))


def _menu_row(spec: FaultSpec, here: bool, inner: int) -> Line:
    role = "text" if spec.available else "faint"
    tail = spec.help if spec.available else f"not available: {spec.why_not}"
    return fit(
        (
            ("▸ " if here else "  ", "accent"),
            (left(clean(spec.key, 1), 3), "key" if spec.available else "faint"),
            (left(clean(spec.name, 24), 20), role),
            (left(clean(spec.side, 10), 9), "dim"),
            (clean(tail), "dim" if spec.available else "faint"),
        ),
        inner,
    )
