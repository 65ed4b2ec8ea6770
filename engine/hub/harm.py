"""Server halves of faults: begun and reverted at the world's process."""

from collections.abc import Callable

from engine.faults.base import ServerFault, ServerHalf
from engine.faults.registry import fault_named
from engine.hub.state import Armed
from engine.hub.worldpost import WorldPost


class _Process:
    """The world's process as one fault touches it."""

    def __init__(self, world: WorldPost, fault: str) -> None:
        self._world = world
        self._fault = fault

    def kill(self) -> None:
        """See ``ServerProcess.kill``."""
        self._world.kill(self._fault)

    def start(self) -> None:
        """See ``ServerProcess.start``."""
        self._world.start(self._fault)


class Harm:
    """What is being done to the server.

    Args:
        world: The world's post, None for a target that is not ours.
    """

    def __init__(self, world: WorldPost | None) -> None:
        self._world = world
        self._reverts: dict[str, Callable[[], None]] = {}

    def begin(self, fault: Armed) -> None:
        """Begin a fault's server half; a fault without one is none of its business."""
        made = fault_named(fault.name)
        if self._world is None or not isinstance(made, ServerFault):
            return
        half: ServerHalf = made.strike(fault.params, fault.seed)
        process = _Process(self._world, fault.id)
        self._reverts[fault.id] = lambda: half.revert(process)
        half.begin(process)

    def revert(self, fault: Armed) -> None:
        """Revert a fault's server half; safe to call again."""
        revert = self._reverts.pop(fault.id, None)
        if revert is not None:
            revert()
