"""Why an event happened and what came of it: its chain as a tree."""

from typing import TYPE_CHECKING, Final

from console.copying import copy_text
from console.figures import count
from console.lines import Line, changed, clean, fit
from console.screens.drill import DrillScreen
from console.screens.overlay import FAR, Overlay
from console.select.chain import (
    WIDE,
    Node,
    chain_lines,
    chain_note,
    looks_into,
    plain_chain,
    tree,
)
from console.widgets.frame import frame
from engine.link.base import LinkClosed
from engine.protocol.events import entity_name
from engine.protocol.query import ChainAnswer, ChainQuery, EventsAnswer, EventsQuery, Refused

if TYPE_CHECKING:
    from console.app import StormApp

WIDTH: Final = 92
WIDTH_MAX: Final = 140
SPARE: Final = 48
"""What a row takes beside its indentation, at least; deeper effects are not indented further."""


class ChainScreen(Overlay[None]):
    """Asks the engine for a chain once; again for another event, or the same to see news.

    Args:
        storm: The app.
        seq: The event; 0 for the newest one about ``entity``.
        entity: Whom it is about when no event is given.
    """

    def __init__(self, storm: "StormApp", seq: int, entity: int = 0) -> None:
        super().__init__(storm)
        self._seq = seq
        self._entity = entity
        self._answer: ChainAnswer | None = None
        self._problem = ""
        self._at = 0

    def on_mount(self) -> None:
        """Draw, and ask."""
        self.show()
        self._ask_for(self._seq)

    def _ask_for(self, seq: int) -> None:
        self._seq = seq
        self.run_worker(self._ask(), exit_on_error=True, exclusive=True)

    async def _ask(self) -> None:
        link = self.storm.link
        if link is None:
            self._problem = "there is no engine to ask"
        else:
            try:
                seq = self._seq
                if not seq:
                    newest = await link.ask(EventsQuery(limit=1, about=self._entity))
                    if isinstance(newest, EventsAnswer) and newest.rows:
                        seq = self._seq = newest.rows[-1].seq
                    elif isinstance(newest, EventsAnswer):
                        self._problem = f"nothing has happened to {entity_name(self._entity)} yet"
                    else:
                        self._told(newest)
                if seq:
                    self._told(await link.ask(ChainQuery(seq)))
            except LinkClosed as problem:
                self._problem = str(problem)
        self.show()

    def _told(self, answer: object) -> None:
        if isinstance(answer, Refused):
            self._problem = answer.message
        elif isinstance(answer, ChainAnswer):
            self._answer, self._problem = answer, ""
            # The event that was asked for is where the eye begins.
            nodes = tree(answer, 1)
            self._at = next(at for at, node in enumerate(nodes) if node.is_asked)

    def draw(self, width: int, height: int) -> list[Line]:
        """See ``Overlay.draw``."""
        wide = min(width, WIDTH if width < WIDTH_MAX else WIDTH_MAX)
        inner = wide - 4
        nodes = self._rows(inner)
        foot = self._foot(inner)
        room = max(1, height - 2 - len(foot))
        lines = chain_lines(nodes, inner)
        if lines:
            lines[self._at] = changed(fit(lines[self._at], inner), "sel")
        if not nodes and not self._problem:
            lines = [(("asking…", "dim"),)]
        self._room = max(1, min(len(lines), room))
        shown = [*self.around(lines, self._at, room), *foot] if lines else foot
        note: Line = (
            (self.storm.keymap.key("chain"), "key"), (" from here  ", "dim"),
            ("esc", "key"), (" back", "dim"),
        )  # fmt: skip
        if inner >= WIDE - 4:
            note = (("enter", "key"), (" looks into  ", "dim"), *note)
        if len(lines) > room:
            note = (("↑ ↓", "key"), (" more  ", "dim"), *note)
        if self._answer is None:
            note = (("esc", "key"), (" back", "dim"))
        return frame(shown, wide, len(shown) + 2, self._title(), note, focused=True)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        action = self.storm.keymap.action(key)
        nodes = self._rows(WIDTH)
        if action in _STEPS and nodes:
            step = _STEPS[action] * (self._room if action in _PAGES else 1)
            self._at = max(0, min(len(nodes) - 1, self._at + step))
        elif action == "drill" and nodes:
            event = nodes[self._at].event
            self.storm.push_screen(DrillScreen(self.storm, looks_into(event), event))
        elif action == "chain" and nodes:
            self._ask_for(nodes[self._at].event.seq)
        elif action in {"copy", "copy_list"} and self._answer is not None:
            copy_text(self.storm, plain_chain(self._answer), "the chain")
        elif key in {"escape", "enter", "q", "ctrl+c"}:
            self.dismiss(None)

    def _rows(self, inner: int) -> list[Node]:
        return [] if self._answer is None else tree(self._answer, max(1, (inner - SPARE) // 3))

    def _title(self) -> str:
        if self._answer is None:
            return "Why"
        return f"Why event {count(self._answer.event.seq)}: {chain_note(self._answer)}"

    def _foot(self, inner: int) -> list[Line]:
        lines: list[Line] = []
        if self._answer is not None and self._answer.cut:
            lines.append(fit(((f"▲ cut: {clean(self._answer.cut)}", "warn"),), inner))
        if self._problem:
            lines.append(fit(((f"▲ {clean(self._problem)}", "bad"),), inner))
        return lines


_PAGES: Final = frozenset({"page_down", "page_up", "right", "left"})
_STEPS: Final = {
    "down": 1, "up": -1, "page_down": 1, "page_up": -1, "right": 1, "left": -1,
    "top": -FAR, "bottom": FAR,
}  # fmt: skip
