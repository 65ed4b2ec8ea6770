"""The bottom row: the pages, and either a message or the keys that matter most."""

from console import layout
from console.figures import clock
from console.lines import Line, changed, clean, fit, line_width
from console.model import Model

TABS_WIDTH_LONG = 110


MOUSE_WORDS = "mouse on: shift-drag selects"
WORTH = ("zoom", "freeze", "filter", "load", "quit", MOUSE_WORDS, "help", "fault")
"""Hints, the one to leave out first at the front."""


class Strip:
    """Pages at the left, the rest at the right."""

    name = "strip"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        held_s = int(model.now_s - model.held_s) if model.held is not None else -1
        view = model.view
        return model.message, view.page, view.pace, held_s, model.gaps, view.mouse

    def draw(self, model: Model, width: int, height: int, _focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        tabs = _tabs(model.view.page, width)
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
        if model.view.mouse:
            hints = [(model.view.mouse_key, MOUSE_WORDS), *hints]
        while hints and sum(len(key) + len(word) + 3 for key, word in hints) > room:
            hints.pop(min(range(len(hints)), key=lambda at: _worth(hints[at][1])))
        return tuple(span for key, word in hints for span in ((key, "key"), (f" {word}  ", "dim")))


def page_at(model: Model, width: int, x: int) -> int | None:
    """Return the number of the page whose tab stands at column ``x``, None for none."""
    end = 0
    for number, tab in enumerate(_tab_list(model.view.page, width), 1):
        end += line_width(tab)
        if x < end:
            return number
    return None


def _tabs(page: str, width: int) -> Line:
    return tuple(span for tab in _tab_list(page, width) for span in tab)


def _tab_list(page: str, width: int) -> list[Line]:
    tabs: list[Line] = []
    for number, name in enumerate(layout.PAGES, 1):
        if name == page:
            tabs.append(((f" {number} {name.capitalize()} ", "tab"),))
        elif width >= TABS_WIDTH_LONG:
            tabs.append(((f" {number}", "key"), (f" {name.capitalize()} ", "dim")))
        else:
            tabs.append(((f" {number} ", "dim"),))
    return tabs


def _worth(word: str) -> int:
    return WORTH.index(word) if word in WORTH else -1


PANEL = Strip()
