"""Takes the README's picture from a real run: ``make picture``."""

import asyncio
import sys
import tempfile
from pathlib import Path

from console.app import ConsoleOptions, StormApp
from console.launch import spawn_hub
from console.options import RunOptions, make_spec
from engine.link.places import socket_path
from engine.protocol.command import ArmFault, Scope
from engine.protocol.scenario import Scenario
from engine.protocol.scenario_file import default_stages

PLAYERS = 1000
SETTLED_S = 25.0
FAULT_S = 8.0


async def take(target: Path, columns: int = 160, rows: int = 45) -> None:
    """Run 1,000 players, drop a third of them, and write what the console shows as SVG."""
    with tempfile.TemporaryDirectory(prefix="seedstorm-picture-") as folder:
        scenario = Scenario(name="storm", players=PLAYERS, stages=default_stages(PLAYERS))
        options = RunOptions(runs_dir=Path(folder), port_base=0)
        hub = spawn_hub(make_spec(options, scenario, "", "storm", socket_path("picture")))
        try:
            app = StormApp(hub.connect, ConsoleOptions(environ={"COLORTERM": "truecolor"}))
            async with app.run_test(size=(columns, rows)) as pilot:
                await pilot.pause(SETTLED_S)
                link = app.link
                if link is None:
                    sys.exit("the engine did not start")
                await link.call(ArmFault("disconnect-storm", Scope(players_pct=30), hold_s=20))
                await pilot.pause(FAULT_S)
                app.refresh()
                await pilot.pause(0.5)
                target.write_text(app.export_screenshot(title="seedstorm"))
        finally:
            hub.release(None)


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
