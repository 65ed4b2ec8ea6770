"""What a panel is: one file in this folder with a ``PANEL``."""

from typing import Protocol

from console.lines import Line
from console.model import Model


class Panel(Protocol):
    """Draws rows from the model; keeps nothing."""

    name: str

    def inputs(self, model: Model) -> object:
        """Return what the drawing depends on; equal inputs draw the same rows."""
        ...

    def draw(self, model: Model, width: int, height: int, focused: bool, /) -> list[Line]:
        """Return exactly ``height`` lines of ``width`` cells."""
        ...
