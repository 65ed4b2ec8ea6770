"""The banner below the vitals: verdict, lost link, draining."""

from console.lines import Line, changed, fit
from console.model import Model
from console.select.banner import banner


class Banner:
    """Draws what ``select.banner`` says."""

    name = "banner"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        return banner(model, model.view.quit_key)

    def draw(self, model: Model, width: int, height: int, _focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        lines = [
            changed(fit(((" ", "text"), *line), width), "sel")
            for line in banner(model, model.view.quit_key)
        ]
        blank = changed(fit((), width), "sel")
        return (lines + [blank] * height)[:height]


PANEL = Banner()
