"""One line of typed text and the keys that change it. Pure."""

from msgspec import Struct
from msgspec.structs import replace

from console.lines import Line, clean


class LineEdit(Struct, frozen=True):
    """A text and the place of the caret.

    ``fresh`` text is replaced by the first character typed, as if it were selected.
    """

    text: str = ""
    at: int = 0
    chars_max: int = 200
    fresh: bool = False

    def typed(self, text: str) -> "LineEdit":
        """Return the line with ``text`` put in at the caret; what does not print is left out."""
        good = clean(text.replace("\n", " ").replace("\t", " "))
        if self.fresh:
            kept = good[: self.chars_max]
            return replace(self, text=kept, at=len(kept), fresh=False)
        good = good[: max(0, self.chars_max - len(self.text))]
        joined = self.text[: self.at] + good + self.text[self.at :]
        return replace(self, text=joined, at=self.at + len(good))

    def key(self, key: str) -> "LineEdit":
        """Return the line after a key; an unknown key changes nothing."""
        text, at = self.text, self.at
        match key:
            case "space":
                return self.typed(" ")
            case "backspace" | "ctrl+h":
                if self.fresh:
                    return replace(self, text="", at=0, fresh=False)
                text, at = text[: max(0, at - 1)] + text[at:], max(0, at - 1)
            case "delete":
                text = text[:at] + text[at + 1 :]
            case "left":
                at = max(0, at - 1)
            case "right":
                at = min(len(text), at + 1)
            case "home" | "ctrl+a":
                at = 0
            case "end" | "ctrl+e":
                at = len(text)
            case "ctrl+u":
                text, at = text[at:], 0
            case "ctrl+k":
                text = text[:at]
            case "ctrl+w":
                kept = text[:at].rstrip().rpartition(" ")
                head = kept[0] + kept[1]
                text, at = head + text[self.at :], len(head)
            case _:
                return self.typed(key) if len(key) == 1 else self
        return replace(self, text=text, at=at, fresh=False)

    def line(self, width: int, role: str = "bright") -> Line:
        """Return the text around the caret in at most ``width`` cells, the caret in reverse."""
        start = max(0, self.at - width + 2)
        shown = self.text[start : start + width - 1]
        caret = self.at - start
        before, under, after = shown[:caret], shown[caret : caret + 1], shown[caret + 1 :]
        return ((before, role), (under or " ", "cursor"), (after, role))
