"""The bottom row: the pages, and either a message or the keys that matter most."""

from console import layout
from console.figures import clock
from console.lines import Line, changed, clean, fit, line_width
from console.model import Model

TABS_WIDTH_LONG = 110


WORTH = ("zoom", "freeze", "filter", "load", "quit", "help", "fault")
"""Hints, the one to leave out first at the front."""


class Strip:
    """Pages at the left, the rest at the right."""

    name = "strip"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        held_s = int(model.now_s - model.held_s) if model.held is not None else -1
        return model.message, model.view.page, model.view.pace, held_s, model.gaps

    def draw(self, model: Model, width: int, height: int, _focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        tabs = self._tabs(model.view.page, width >= TABS_WIDTH_LONG)
        room = width - line_width(tabs) - 1
        right = self._right(model, room)
        gap = width - line_width(tabs) - line_width(right)
        line = fit((*tabs, (" " * max(1, gap), "dim"), *right), width, "dim")
        return [changed(line, "band")][:height]

    def _right(self, model: Model, room: int) -> Line:
        if model.held is not None:
            age = clock(model.now_s - model.held_s)
            return fit(((f" ‖ FROZEN {age} ", "alarm"), (" space resumes ", "dim")), room)
        if model.message is not None:
            mark, role = ("▲ ", "bad") if model.message.bad else ("", "note")
            text = f"{mark}{clean(model.message.text)} "
            line: Line = ((text, role),)
            return fit(line, min(room, line_width(line)))
        hints = list(model.view.hints)
        while hints and sum(len(key) + len(word) + 3 for key, word in hints) > room:
            hints.pop(min(range(len(hints)), key=lambda at: _worth(hints[at][1])))
        return tuple(span for key, word in hints for span in ((key, "key"), (f" {word}  ", "dim")))

    def _tabs(self, page: str, long: bool) -> Line:
        spans: list[tuple[str, str]] = []
        for number, name in enumerate(layout.PAGES, 1):
            if name == page:
                spans.append((f" {number} {name.capitalize()} ", "tab"))
            elif long:
                spans += [(f" {number}", "key"), (f" {name.capitalize()} ", "dim")]
            else:
                spans.append((f" {number} ", "dim"))
        return tuple(spans)


def _worth(word: str) -> int:
    return WORTH.index(word) if word in WORTH else -1


PANEL = Strip()
