"""Violations by policy, as bars."""

from console.figures import ceiling, count
from console.lines import Line, clean, left
from console.model import Model
from console.widgets.frame import frame
from console.widgets.gauge import gauge
from console.widgets.spark import Chart, with_axis


class Policies:
    """The policy with most violations first."""

    name = "policies"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        return snapshot.violations.by_policy, snapshot.series.violations_per_s

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
        room = height - 2 - len(lines) - 2
        if model.snapshot is not None and room >= 3:
            series = model.snapshot.series.violations_per_s
            top = ceiling(max((*series[-inner:], 1.0)))
            chart = Chart(series, top, lambda _: "area_warn", mono=model.view.mono)
            lines += [(), (("a second", "dim"),), *with_axis(chart, inner, min(room, 12))]
        return frame(lines, width, height, "By policy", (), focused)


PANEL = Policies()
