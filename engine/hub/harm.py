"""Server halves of faults: begun and reverted at the world's process."""

from collections.abc import Callable

from msgspec.structs import replace

from engine.faults.base import ServerFault, ServerHalf
from engine.faults.registry import all_faults, fault_named
from engine.hub.state import Armed
from engine.hub.worldpost import WorldPost
from engine.protocol.query import FaultSpec
from engine.protocol.spec import RunSpec


def menu(spec: RunSpec) -> tuple[FaultSpec, ...]:
    """Return the faults of a run, with why those that cannot be are not available."""
    why_not = ""
    if spec.scenario.target.url:
        why_not = "the target is not ours to kill"
    elif spec.in_process:
        why_not = "with --in-process the world has no process of its own"
    specs = [fault.spec for fault in all_faults().values()]
    return tuple(
        replace(each, available=False, why_not=why_not)
        if why_not and each.side == "server"
        else each
        for each in specs
    )


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
