"""From strips to cells: the unit that is compared and sent."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from rich.cells import get_character_cell_size
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style

from console.lines import NARROW, Line

STYLES_MAX: Final = 4096
GLYPHS_PER_STYLE_MAX: Final = 4096
"""Strangers choose characters; past these bounds the tables start anew (cells are resent)."""


class Pen(NamedTuple):
    """Terminal attributes as SGR parameters; empty means the terminal's default."""

    fg: str
    bg: str
    attrs: str

    def sgr(self, before: "Pen | None") -> str:
        """Return the shortest sequence that goes from ``before`` (None: unknown) to this."""
        if self == before:
            return ""
        if before is None or before.attrs != self.attrs:
            parts = ["0", self.attrs, self.fg, self.bg]
            return f"\x1b[{';'.join(part for part in parts if part)}m"
        parts = []
        if before.fg != self.fg:
            parts.append(self.fg or "39")
        if before.bg != self.bg:
            parts.append(self.bg or "49")
        return f"\x1b[{';'.join(parts)}m"


class Cell(NamedTuple):
    """What stands in one place of the screen.

    Attributes:
        glyph: A character with what combines with it; empty in the second half of a wide one.
        pen: How it looks.
        width: 1 or 2; 0 for the second half of a wide character.
    """

    glyph: str
    pen: Pen
    width: int


class _Glyphs(dict[str, Cell]):
    """Cells of one pen by glyph, each made once, so that equal cells are the same object."""

    def __init__(self, pen: Pen) -> None:
        super().__init__()
        self.pen = pen
        self.tail = Cell("", pen, 0)

    def __missing__(self, glyph: str) -> Cell:
        shown = glyph if glyph.isprintable() else "\N{REPLACEMENT CHARACTER}"
        width = 1 if NARROW.fullmatch(shown) else max(1, get_character_cell_size(shown[0]))
        cell = self[glyph] = Cell(shown, self.pen, width)
        return cell


class CellMaker:
    """Makes cells; equal ones are the same object, so they compare by identity.

    Args:
        colours: What the terminal shows; None for none at all.
    """

    def __init__(self, colours: ColorSystem | None) -> None:
        self._colours = colours
        self._by_style: dict[Style | None, _Glyphs] = {}
        self._by_pen: dict[Pen, _Glyphs] = {}

    def cells(self, segments: Iterable[Segment]) -> list[Cell]:
        """Return the cells of a strip."""
        made: list[Cell] = []
        for text, style, control in segments:
            if control:
                continue
            glyphs = self._by_style.get(style) or self._glyphs(style)
            if NARROW.fullmatch(text):
                made.extend(map(glyphs.__getitem__, text))
            else:
                self._slowly(text, glyphs, made)
        return made

    def line(self, line: Line, styles: Mapping[str, Style]) -> list[Cell]:
        """Return the cells of a line in the looks that ``styles`` gives its roles."""
        made: list[Cell] = []
        for text, role in line:
            style = styles[role]
            glyphs = self._by_style.get(style) or self._glyphs(style)
            if text.isascii() or NARROW.fullmatch(text):
                made.extend(map(glyphs.__getitem__, text))
            else:
                self._slowly(text, glyphs, made)
        return made

    def blank(self, like: Cell) -> Cell:
        """Return a space that looks like ``like``."""
        return self._by_pen.setdefault(like.pen, _Glyphs(like.pen))[" "]

    def _slowly(self, text: str, glyphs: _Glyphs, made: list[Cell]) -> None:
        if len(glyphs) > GLYPHS_PER_STYLE_MAX:
            glyphs.clear()
        for char in text:
            size = get_character_cell_size(char)
            if size == 0 and char.isprintable():
                continue  # combining marks: terminals disagree on them, so none is sent
            cell = glyphs[char]
            made.append(cell)
            if cell.width == 2:
                made.append(glyphs.tail)

    def _glyphs(self, style: Style | None) -> _Glyphs:
        if len(self._by_style) > STYLES_MAX:
            self._by_style.clear()
            self._by_pen.clear()
        pen = self._pen(style)
        glyphs = self._by_pen.setdefault(pen, _Glyphs(pen))
        self._by_style[style] = glyphs
        return glyphs

    def _pen(self, style: Style | None) -> Pen:
        if style is None:
            return Pen("", "", "")
        flags = (
            (style.bold, "1"),
            (style.dim, "2"),
            (style.italic, "3"),
            (style.underline, "4"),
            (style.reverse, "7"),
            (style.strike, "9"),
        )
        attrs = ";".join(code for on, code in flags if on)
        return Pen(self._codes(style.color, True), self._codes(style.bgcolor, False), attrs)

    def _codes(self, colour: Color | None, foreground: bool) -> str:
        if colour is None or colour.is_default or self._colours is None:
            return ""
        return ";".join(colour.downgrade(self._colours).get_ansi_codes(foreground))
