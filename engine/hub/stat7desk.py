"""The hub's desk for STAT7: the run as the stream sees it."""

from itertools import islice, takewhile

from engine.hub.hub import Hub
from engine.hub.logbook import Logbook
from engine.protocol.limits import STAT7_NEAR_TICKS
from engine.stat7.service import Look, Run
from engine.world.events import TickEvents


class Stat7Desk:
    """See ``engine.stat7.service.Stat7Service``.

    Args:
        run: What stays the same.
        hub: The run's hub.
        logbook: The engine's log.
    """

    def __init__(self, run: Run, hub: Hub, logbook: Logbook) -> None:
        self.run = run
        self._hub = hub
        self._logbook = logbook

    def look(self, columns: tuple[str, ...]) -> Look | None:
        """See ``Stat7Service.look``."""
        world = self._hub.world
        field = None if world is None else world.field(columns)
        return None if field is None else Look(*field)

    def happened(self, after_seq: int) -> list[TickEvents]:
        """See ``Stat7Service.happened``; of what is older than anyone asks for, nothing."""
        newest = islice(reversed(self._hub.fold.log.ring), STAT7_NEAR_TICKS)
        newer: list[TickEvents] = list(takewhile(lambda batch: batch.last_seq > after_seq, newest))
        return newer[::-1]

    def log(self, event: str, text: str) -> None:
        """See ``Stat7Service.log``."""
        self._logbook.write(event, text=text)

    def problem(self, text: str) -> None:
        """See ``Stat7Service.problem``."""
        self._hub.problem(text)
