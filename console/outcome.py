"""How a view of a run ended."""

from msgspec import Struct


class Outcome(Struct, frozen=True):
    """What the command exits with and says, once the terminal is the user's again.

    Attributes:
        exit_code: The contract's exit code.
        text: One or more lines for people.
        capsule: The run's folder, empty when there is none.
        detached: The run goes on without this console.
    """

    exit_code: int
    text: str
    capsule: str = ""
    detached: bool = False
