"""The busiest zones of the map."""

from console.figures import count
from console.lines import Line
from console.model import Model
from console.select.zones import busiest
from console.widgets.frame import frame
from console.widgets.gauge import gauge


class Zones:
    """One zone a row, the most crowded first."""

    name = "zones"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        return model.snapshot.heat if model.snapshot else None

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        ranked = busiest(model.snapshot.heat if model.snapshot else b"")
        inner = width - 4
        most = ranked[0].people if ranked else 1
        lines: list[Line] = [(("zone   where      there", "dim"),)]
        lines += [
            (
                (f"{zone.zone:>4}   ", "text"),
                (f"{zone.west:>3},{zone.north:<3}  ", "dim"),
                (f"{count(zone.people):>6}  ", "bright"),
                *gauge(zone.people / most, max(4, inner - 24), "accent"),
            )
            for zone in ranked[: height - 3]
        ]
        if not ranked:
            lines = [(("nobody is there yet", "dim"),)]
        return frame(lines, width, height, "Busiest zones", (), focused)


PANEL = Zones()
