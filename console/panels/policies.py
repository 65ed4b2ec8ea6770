"""Violations by policy, as bars."""

from console.figures import count
from console.lines import Line, clean, left
from console.model import Model
from console.widgets.frame import frame
from console.widgets.gauge import gauge


class Policies:
    """The policy with most violations first."""

    name = "policies"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        return model.snapshot.violations.by_policy if model.snapshot else None

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        found = model.snapshot.violations.by_policy if model.snapshot else {}
        ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
        whole = sum(found.values()) or 1
        inner = width - 4
        lines: list[Line] = []
        for name, value in ranked:
            bar = max(4, inner - 27)
            lines.append(
                (
                    (left(clean(name, 40), 18), "text"),
                    (f"{count(value):>7}  ", "bright"),
                    *gauge(value / whole, bar, "warn"),
                )
            )
        if not lines:
            lines.append((("nothing denied so far", "dim"),))
        return frame(lines, width, height, "By policy", (), focused)


PANEL = Policies()
