"""Violations by policy, as bars, and what became of cheats that were known to be some."""

from collections.abc import Mapping
from typing import Final

from console.figures import ceiling, count, short
from console.lines import Line, clean, left
from console.model import Model
from console.widgets.frame import frame
from console.widgets.gauge import bar
from console.widgets.spark import Chart, with_axis
from engine.protocol.cheats import CheatCount, CheatsSummary

_WIDE: Final = 56
"""Cells from which on bars and cheats share their lines."""
_NAME: Final = 16
_HEADS: Final = (" tried", " caught", " others", " missed")
"""``others``: caught by another policy than the one that was to be broken."""


class Policies:
    """The policy with most violations first."""

    name = "policies"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        return snapshot.violations.by_policy, snapshot.series.violations_per_s, snapshot.cheats

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        found = model.snapshot.violations.by_policy if model.snapshot else {}
        cheats = model.snapshot.cheats if model.snapshot else CheatsSummary()
        inner = width - 4
        beside = bool(cheats.by_policy) and inner >= _WIDE
        lines = _bars(found, cheats.by_policy if beside else {}, inner)
        if not lines:
            lines.append((("nothing denied so far", "dim"),))
        if cheats.by_policy and not beside:
            lines += [(), *_table(cheats.by_policy, inner)]
        if cheats.by_policy and inner < _WIDE:
            lines += [_honest(cheats)]
        room = height - 2 - len(lines) - 2
        if model.snapshot is not None and room >= 3:
            series = model.snapshot.series.violations_per_s
            top = ceiling(max((*series[-inner:], 1.0)))
            chart = Chart(series, top, lambda _: "area_warn", mono=model.view.mono)
            lines += [(), (("a second", "dim"),), *with_axis(chart, inner, min(room, 12))]
        note = _honest(cheats) if beside else ()
        return frame(lines, width, height, "By policy", note, focused)


PANEL = Policies()


def _bars(found: Mapping[str, int], cheats: Mapping[str, CheatCount], inner: int) -> list[Line]:
    """Return a line a policy; with ``cheats`` beside it what it caught, and what it missed.

    A policy that let cheats pass comes before all that did not.
    """
    names = {*found, *cheats}
    missed = {name: cheats[name].missed if name in cheats else 0 for name in names}
    ranked = sorted(names, key=lambda name: (missed[name] == 0, -found.get(name, 0), name))
    whole = sum(found.values()) or 1
    room = max(4, inner - _NAME - 9 - (len("".join(_HEADS)) if cheats else 0))
    lines: list[Line] = []
    if cheats:
        heads = "".join(_HEADS)
        lines.append(((" " * (inner - len(heads)) + heads, "dim"),))
    for name in ranked:
        value = found.get(name, 0)
        line: Line = (
            (left(clean(name, 40), _NAME), "text"),
            (f"{count(value):>7}  ", "bright"),
            *bar(value / whole, room, "warn"),
        )
        lines.append((*line, *_figures(cheats[name])) if name in cheats else line)
    return lines


def _table(cheats: Mapping[str, CheatCount], inner: int) -> list[Line]:
    """Return cheats below one another, those that were missed first."""
    heads = "".join(_HEADS[1:])
    name_width = min(_NAME, inner - len(heads))
    lines: list[Line] = [((left("cheats", name_width) + heads, "dim"),)]
    for name, tries in sorted(cheats.items(), key=lambda pair: (-pair[1].missed, pair[0])):
        lines.append(((left(clean(name, 40), name_width), "text"), *_figures(tries)[1:]))
    return lines


def _figures(tries: CheatCount) -> tuple[tuple[str, str], ...]:
    values = (tries.tried, tries.caught, tries.caught_by_other, tries.missed)
    roles = ("dim", "text", "dim", "bad" if tries.missed else "dim")
    return tuple(
        (f"{short(value):>{len(head)}}", role)
        for head, value, role in zip(_HEADS, values, roles, strict=True)
    )


def _honest(cheats: CheatsSummary) -> Line:
    """Return how many honest commands were denied or changed."""
    honest = cheats.honest
    hits = honest.denied + honest.mutated
    return ((f"honest hit {short(hits)} of {short(honest.sent)}", "dim"),)
