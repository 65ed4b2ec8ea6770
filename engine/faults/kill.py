"""kill: the server's process ends at once, with no chance to say good-bye or to tidy up."""

from collections.abc import Mapping
from typing import Final

from engine.faults.base import ServerProcess
from engine.protocol.command import ParamValue
from engine.protocol.limits import FAULT_HOLD_S_MAX
from engine.protocol.paramspec import ParamSpec
from engine.protocol.query import FaultSpec


class _Kill:
    """One SIGKILL, and the start after it."""

    def begin(self, process: ServerProcess) -> None:
        """See ``ServerHalf.begin``."""
        process.kill()

    def revert(self, process: ServerProcess) -> None:
        """See ``ServerHalf.revert``."""
        process.start()


class Kill:
    """Kills the server; it starts again from its log when the fault is over."""

    name = "kill"
    spec = FaultSpec(
        name="kill",
        key="k",
        side="server",
        help="the world gets SIGKILL and starts again from its log; players come back",
        params=(
            ParamSpec(
                "restart_after_s",
                0.0,
                "seconds until it is started again",
                at_least=0.0,
                at_most=FAULT_HOLD_S_MAX,
            ),
        ),
        hold_param="restart_after_s",
    )

    def strike(self, params: Mapping[str, ParamValue], seed: int) -> _Kill:  # noqa: ARG002 - nothing here is drawn
        """See ``ServerFault.strike``."""
        return _Kill()


FAULT: Final = Kill()
