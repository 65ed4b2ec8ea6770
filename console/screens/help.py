"""The help overlay, made from the keymap."""

from console.keymap import Binding
from console.lines import Line, fit, left
from console.screens.overlay import Overlay
from console.widgets.frame import frame

KEYS_WIDTH = 11
LABEL_WIDTH = 26


class HelpScreen(Overlay[None]):
    """Every key there is, in as many columns as fit; scrolls where they do not."""

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
        shown = self.in_sight(lines, height)
        note = (("↑ ↓ more   esc closes" if rows > len(shown) else "esc closes", "dim"),)
        inner = min(width, each * columns + 4)
        return frame(shown, inner, len(shown) + 2, "Keys", note, focused=True)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        if not self.scroll(self.storm.keymap.action(key)):
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
