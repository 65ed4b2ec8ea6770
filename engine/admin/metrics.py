"""The run in Prometheus' text format 0.0.4."""

from collections.abc import Iterable, Mapping
from typing import Final

from engine.admin.service import Health
from engine.protocol.feed import Snapshot

_Samples = Iterable[tuple[Mapping[str, str], float]]
_PREFIX: Final = "seedstorm_"


def metrics_text(health: Health, snapshot: Snapshot) -> str:
    """Return every figure, each with its help and type."""
    page = _Page()
    _of_players(page, health, snapshot)
    _of_world(page, health, snapshot)
    _of_run(page, snapshot)
    return page.text()


class _Page:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def gauge(self, name: str, about: str, value: float) -> None:
        self._put(name, "gauge", about, [({}, value)])

    def gauges(self, name: str, about: str, samples: _Samples) -> None:
        self._put(name, "gauge", about, samples)

    def counter(self, name: str, about: str, value: float) -> None:
        self._put(name, "counter", about, [({}, value)])

    def counters(self, name: str, about: str, samples: _Samples) -> None:
        self._put(name, "counter", about, samples)

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def _put(self, name: str, kind: str, about: str, samples: _Samples) -> None:
        self._lines += [f"# HELP {_PREFIX}{name} {about}", f"# TYPE {_PREFIX}{name} {kind}"]
        for labels, value in samples:
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            shown = f"{{{inside}}}" if inside else ""
            self._lines.append(f"{_PREFIX}{name}{shown} {value:.15g}")


def _of_players(page: _Page, health: Health, snapshot: Snapshot) -> None:
    players, commands = snapshot.players, snapshot.commands
    page.gauges(
        "players",
        "Virtual players by state.",
        [
            ({"state": "wanted"}, players.target),
            ({"state": "connected"}, health.players),
            ({"state": "connecting"}, players.connecting),
        ],
    )
    page.counter("players_lost_total", "Players that lost their connection.", players.lost)
    page.counter("commands_due_total", "Commands that fell due.", commands.due)
    page.counter("commands_sent_total", "Commands that were sent.", commands.sent)
    page.counters(
        "commands_total",
        "Commands by outcome, each counted once; those still in flight have none yet.",
        [
            ({"outcome": "permitted"}, commands.acknowledged - commands.denied - commands.mutated),
            ({"outcome": "mutated"}, commands.mutated),
            ({"outcome": "denied"}, commands.denied),
            ({"outcome": "unanswered"}, commands.unanswered),
            ({"outcome": "missed"}, commands.missed),
        ],
    )
    page.counters(
        "errors_total",
        "What went wrong in players' connections, by kind.",
        [({"kind": kind}, count) for kind, count in commands.errors_by_kind.items()],
    )
    now = snapshot.latency_ms
    page.gauges(
        "latency_ms",
        "Latency of commands from their due time over the last 5 s, milliseconds.",
        [
            ({"quantile": "0.5"}, now.p50),
            ({"quantile": "0.9"}, now.p90),
            ({"quantile": "0.99"}, now.p99),
            ({"quantile": "1"}, now.max),
        ],
    )


def _of_world(page: _Page, health: Health, snapshot: Snapshot) -> None:
    tick, world = snapshot.tick, snapshot.world
    page.gauge("world_up", "1 while there is a world process.", int(health.pid > 0))
    page.gauge("tick", "Newest tick.", health.tick)
    page.gauges(
        "tick_ms",
        "Work of a tick over the last 10 s, milliseconds.",
        [
            ({"quantile": "0.5"}, tick.ms_p50),
            ({"quantile": "0.99"}, tick.ms_p99),
            ({"quantile": "1"}, tick.ms_max),
        ],
    )
    page.gauges(
        "tick_phase_ms_p95",
        "Work of a tick by phase over the last 10 s, milliseconds.",
        [({"phase": phase}, ms) for phase, ms in tick.phases_ms_p95.items()],
    )
    page.counter("tick_overruns_total", "Ticks that ended after the next was due.", tick.overruns)
    page.counter("ticks_skipped_total", "Ticks that were given up.", tick.skipped)
    page.gauge("world_cpu_pct", "The world's processor time, % of a core.", world.cpu_pct)
    page.gauge("world_rss_mb", "The world's memory, MB.", world.rss_mb)
    page.gauge("world_alive", "Players connected and NPCs alive.", world.alive)
    page.counter("deaths_total", "Deaths.", world.deaths)
    page.counter("events_total", "Events stored.", snapshot.events.stored)
    page.counters(
        "violations_total",
        "Denials, mutations and broken invariants by policy.",
        [({"policy": name}, count) for name, count in snapshot.violations.by_policy.items()],
    )
    page.counter("violations_critical_total", "Broken invariants.", snapshot.violations.critical)


def _of_run(page: _Page, snapshot: Snapshot) -> None:
    armed: dict[str, int] = {}
    for fault in snapshot.faults:
        armed[fault.name] = armed.get(fault.name, 0) + (fault.cleared_at_s is None)
    page.gauges(
        "faults_armed",
        "Faults armed now, by name.",
        [({"fault": name}, count) for name, count in armed.items()],
    )
    generator, story = snapshot.generator, snapshot.story
    page.gauge("generator_cpu_pct", "All squads' processor time, %.", generator.cpu_pct)
    page.gauge("generator_rss_mb", "All squads' memory, MB.", generator.rss_mb)
    page.gauge(
        "generator_send_lateness_ms_p99",
        "How late commands are sent, milliseconds.",
        generator.send_lateness_ms_p99,
    )
    page.gauge(
        "generator_loop_lag_ms_p99",
        "How late the squads' loops are, milliseconds.",
        generator.loop_lag_ms_p99,
    )
    page.gauge(
        "generator_saturated", "1 when the generator cannot keep up.", int(generator.saturated)
    )
    page.counter("story_beats_total", "Beats that the narrator told.", story.beats)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
