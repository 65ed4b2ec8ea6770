"""The status page: plain HTML that fetches nothing from elsewhere."""

from html import escape
from typing import Final

from engine.admin.service import Health
from engine.protocol.feed import Snapshot

_HEAD: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif }}
body {{ max-width: 44rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse }}
th, td {{ text-align: left; padding: .2rem 1.2rem .2rem 0; vertical-align: top }}
th {{ font-weight: 600 }}
code {{ font-size: .95em }}
</style></head>
"""

_DOORS: Final = (
    "/health",
    "/entities",
    "/events",
    "/population",
    "/ticks",
    "/faults",
    "/story/beats",
    "/metrics",
    "/openapi.json",
)


def page_html(health: Health, snapshot: Snapshot) -> str:
    """Return the page; whatever a run, a fault or a player is called is escaped."""
    commands, tick, violations = snapshot.commands, snapshot.tick, snapshot.violations
    armed = [fault for fault in snapshot.faults if fault.cleared_at_s is None]
    rows = (
        ("Status", health.status),
        ("Players", f"{health.players} connected, {snapshot.players.target} wanted"),
        ("Commands", f"{commands.acknowledged} acknowledged, {commands.denied} denied"),
        ("Latency", f"p50 {snapshot.latency_ms.p50:.0f} ms, p99 {snapshot.latency_ms.p99:.0f} ms"),
        ("Tick", f"{health.tick}, p99 {tick.ms_p99:.1f} of {tick.interval_ms} ms"),
        ("Overruns", f"{tick.overruns}"),
        ("Events", f"{snapshot.events.stored} stored"),
        ("Violations", f"{violations.total}, {violations.critical} of them critical"),
        ("Faults armed", ", ".join(f"{fault.id} {fault.name}" for fault in armed) or "none"),
        ("World", f"process {health.pid}" if health.pid else "no process"),
    )
    cells = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in rows
    )
    doors = "\n".join(f'<li><a href="{door}"><code>{door}</code></a></li>' for door in _DOORS)
    title = escape(f"{health.run}: SeedStorm")
    return (
        f"{_HEAD.format(title=title)}<body>\n<h1>{escape(health.run)}</h1>\n"
        f"<table>\n{cells}\n</table>\n"
        f"<h2>What can be asked</h2>\n<ul>\n{doors}\n</ul>\n"
        "<p>What happens, live: WebSocket <code>/stream</code>. "
        "All of it is described in <code>/openapi.json</code>.</p>\n</body></html>\n"
    )
