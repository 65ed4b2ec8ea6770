"""``Parts``: what a hub works with."""

from collections.abc import Callable

from msgspec import Struct

from engine.hub.capsule import Capsule
from engine.hub.logbook import Logbook
from engine.hub.placement import Placement
from engine.hub.plan import WorldPlace
from engine.hub.telemetry import Telemetry
from engine.protocol.feed import Ended, Notice, Snapshot
from engine.protocol.query import FaultSpec


class Parts(Struct):
    """What a hub works with.

    Attributes:
        capsule: The run's folder.
        placement: Where children run.
        telemetry: Per-second series and notes.
        logbook: The engine's log.
        faults: The fault menu.
        place: Where the world is to be found.
        publish: Puts an item on every console's feed.
        clock: Seconds, monotonic.
    """

    capsule: Capsule
    placement: Placement
    telemetry: Telemetry
    logbook: Logbook
    faults: tuple[FaultSpec, ...]
    place: WorldPlace
    publish: Callable[[Snapshot | Notice | Ended], None]
    clock: Callable[[], float]
