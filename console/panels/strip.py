"""The bottom row: the pages, and either a message or the keys that matter most."""

from console import layout
from console.figures import clock
from console.items import Message
from console.lines import Line, changed, clean, fit, line_width
from console.model import Model

TABS_WIDTH_LONG = 110


MOUSE_WORDS = "mouse on: shift-drag selects"
MOUSE_WORDS_SHORT = "mouse on"
WORTH = (
    "zoom", "freeze", "filter", "load", MOUSE_WORDS, MOUSE_WORDS_SHORT, "quit", "help", "fault",
)  # fmt: skip
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
        tabs: Line = tuple(span for _, tab in _tab_list(model, width) for span in tab)
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
            line = _told(model.message)
            return fit(line, min(room, line_width(line)))
        return _hints(model, room)


def _told(message: Message) -> Line:
    mark, role = ("▲ ", "bad") if message.bad else ("", "note")
    return ((f"{mark}{clean(message.text)} ", role),)


def _hints(model: Model, room: int) -> Line:
    """Return the hints that fit, the worthiest of them; they keep their order."""
    hints = list(model.view.hints)
    if model.view.mouse:
        needed = [hint for hint in hints if _worth(hint[1]) > _worth(MOUSE_WORDS)]
        wide = sum(map(_hint_width, [*needed, (model.view.mouse_key, MOUSE_WORDS)])) <= room
        hints = [(model.view.mouse_key, MOUSE_WORDS if wide else MOUSE_WORDS_SHORT), *hints]
    taken: set[int] = set()
    for at in sorted(range(len(hints)), key=lambda at: _worth(hints[at][1]), reverse=True):
        if (size := _hint_width(hints[at])) > room:
            break
        taken.add(at)
        room -= size
    shown = [hints[at] for at in sorted(taken)]
    return tuple(span for key, word in shown for span in ((key, "key"), (f" {word}  ", "dim")))


def _hint_width(hint: tuple[str, str]) -> int:
    return len(hint[0]) + len(hint[1]) + 3


def page_at(model: Model, width: int, x: int) -> int | None:
    """Return the number of the page whose tab stands at column ``x``, None for none."""
    end = 0
    for number, tab in _tab_list(model, width):
        end += line_width(tab)
        if x < end:
            return number
    return None


def _tab_list(model: Model, width: int) -> list[tuple[int, Line]]:
    """Return the pages' tabs with their numbers; they make room for a long message."""
    page = model.view.page
    needs = 0
    if model.message is not None and model.held is None:
        needs = line_width(_told(model.message)) + 1
    brief = [(number, _tab(number, name, page, False)) for number, name in _numbered()]
    if width >= TABS_WIDTH_LONG:
        full = [(number, _tab(number, name, page, True)) for number, name in _numbered()]
        if _width(full) + needs <= width:
            return full
    if _width(brief) + needs <= width:
        return brief
    return [(number, tab) for number, tab in brief if tab[0][1] == "tab"]


def _numbered() -> list[tuple[int, str]]:
    return list(enumerate(layout.PAGES, 1))


def _width(tabs: list[tuple[int, Line]]) -> int:
    return sum(line_width(tab) for _, tab in tabs)


def _tab(number: int, name: str, page: str, full: bool) -> Line:
    if name == page:
        return ((f" {number} {name.capitalize()} ", "tab"),)
    if full:
        return ((f" {number}", "key"), (f" {name.capitalize()} ", "dim"))
    return ((f" {number} ", "dim"),)


def _worth(word: str) -> int:
    return WORTH.index(word) if word in WORTH else -1


PANEL = Strip()
