"""The health of the generator, of the world and of this run's thresholds."""

from console.figures import count, ms
from console.lines import Line, clean, left
from console.model import Model
from console.select.outage import down
from console.widgets.frame import frame
from console.widgets.gauge import gauge
from engine.protocol.feed import GeneratorView, Snapshot, WorldView
from engine.protocol.limits import SATURATED_LATENESS_MS


class Health:
    """Two lists of figures: beside each other where there is room."""

    name = "health"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        return snapshot.generator, snapshot.world, snapshot.thresholds, _verdict(model)

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        snapshot = model.snapshot or Snapshot(run="")
        inner, rows = width - 4, height - 2
        beside = inner >= 46
        each = (inner - 3) // 2 if beside else inner
        generator = _generator(snapshot.generator, each)
        world = _world(snapshot.world, each)
        if beside:
            longest = max(len(generator), len(world))
            blank: Line = ((" " * each, "text"),)
            generator += [blank] * (longest - len(generator))
            world += [blank] * (longest - len(world))
            lines = [
                (*mine, ("   ", "text"), *theirs)
                for mine, theirs in zip(generator, world, strict=True)
            ]
        else:
            lines = generator + ([()] if rows > len(generator) + len(world) else []) + world
        if snapshot.thresholds and rows > len(lines) + 1:
            lines += [(), *_thresholds(snapshot)]
        return frame(lines, width, height, "Health", _verdict(model), focused)


def _verdict(model: Model) -> Line:
    """Return the worst there is to say; what is down is told as it is now, as in the header."""
    outage, snapshot = down(model), model.snapshot
    if outage is not None and model.phase == "live":
        return ((f"✖ {clean(outage[0].child, 20)} down", "bad"),)
    if snapshot is None:
        return ()
    if model.phase == "live" and snapshot.world.store_error:
        return (("✖ cannot store", "bad"),)
    if model.phase == "live" and snapshot.world.stalled_s:
        return ((f"✖ world stalled {snapshot.world.stalled_s:.0f}s", "bad"),)
    if snapshot.generator.saturated:
        return (("✖ SATURATED", "bad"),)
    failing = sum(not held for _, held in snapshot.thresholds)
    if failing:
        return ((f"✖ {failing} threshold{'' if failing == 1 else 's'} failing", "bad"),)
    return (("● ok", "good"),)


def _generator(view: GeneratorView, width: int) -> list[Line]:
    lateness = view.send_lateness_ms_p99
    late = "bad" if lateness >= SATURATED_LATENESS_MS else "bright"
    return [
        (("generator", "accent"), (left("", width - 9), "text")),
        _percent("cpu", view.cpu_pct, width),
        _figure("lateness p99", f"{ms(lateness)} ms", width, late),
        _figure("lateness max", f"{ms(view.send_lateness_ms_max)} ms", width),
        _figure("loop lag p99", f"{ms(view.loop_lag_ms_p99)} ms", width),
        _figure("memory", f"{view.rss_mb:,.0f} MB", width),
        _figure("squads", count(view.squads), width),
    ]


def _world(view: WorldView, width: int) -> list[Line]:
    return [
        (("world", "accent"), (left("", width - 5), "text")),
        _percent("cpu", view.cpu_pct, width),
        _figure("memory", f"{view.rss_mb:,.0f} MB", width),
        _figure("event log", f"{view.log_mb:,.1f} MB", width),
        _figure("alive", count(view.alive), width),
        _figure("deaths", count(view.deaths), width),
        _figure("npcs, nodes", f"{count(view.npcs)}, {count(view.nodes)}", width),
    ]


def _thresholds(snapshot: Snapshot) -> list[Line]:
    return [
        (("✓ " if held else "✖ ", "good" if held else "bad"), (clean(text, 80), "text"))
        for text, held in snapshot.thresholds
    ]


def _figure(label: str, value: str, width: int, role: str = "bright") -> Line:
    return ((left(label, width - len(value)), "dim"), (value, role))


def _percent(label: str, value: float, width: int) -> Line:
    role = "bad" if value >= 90 else "warn" if value >= 70 else "accent"
    bar = max(4, width - 15)
    return (
        (left(label, 6), "dim"),
        *gauge(value / 100, bar, role),
        (f"{value:>7.0f} %", "bright"),
    )


PANEL = Health()
