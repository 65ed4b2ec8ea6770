"""The help overlay, made from the keymap."""

from console.keymap import Binding
from console.lines import Line, fit, left
from console.screens.overlay import Overlay
from console.widgets.frame import frame

KEYS_WIDTH = 11
LABEL_WIDTH = 26


class HelpScreen(Overlay[None]):
    """Every key there is, in as many columns as fit; scrolls where they do not."""

    _top = 0

    def draw(self, width: int, height: int) -> list[Line]:
        """See ``Overlay.draw``."""
        blocks = [self._block(name, rows) for name, rows in self.storm.keymap.groups()]
        each = KEYS_WIDTH + LABEL_WIDTH + 2
        columns = max(1, min(len(blocks), (width - 4) // each))
        stacks: list[list[Line]] = [[] for _ in range(columns)]
        for block in blocks:
            shortest = min(stacks, key=len)
            shortest += [*([()] if shortest else []), *block]
        rows = max(map(len, stacks))
        lines = [
            tuple(
                span
                for stack in stacks
                for span in fit(stack[row] if row < len(stack) else (), each)
            )
            for row in range(rows)
        ]
        room = max(1, min(rows, height - 2))
        self._top = max(0, min(self._top, rows - room))
        note = (("↑ ↓ more   esc closes" if rows > room else "esc closes", "dim"),)
        inner = min(width, each * columns + 4)
        return frame(
            lines[self._top : self._top + room], inner, room + 2, "Keys", note, focused=True
        )

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        action = self.storm.keymap.action(key)
        if action in {"down", "page_down"}:
            self._top += 1
        elif action in {"up", "page_up"}:
            self._top -= 1
        else:
            self.dismiss(None)

    def _block(self, name: str, rows: tuple[Binding, ...]) -> list[Line]:
        keymap = self.storm.keymap
        return [
            ((name, "accent"),),
            *(
                (
                    (left(keymap.keys(binding.action), KEYS_WIDTH), "key"),
                    (left(binding.label, LABEL_WIDTH), "text"),
                )
                for binding in rows
            ),
        ]
