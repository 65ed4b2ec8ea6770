"""The one exception that carries a message for a person, and the exit codes of the contract."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes that scripts rely on."""

    HELD = 0
    THRESHOLD_FAILED = 1
    USAGE = 2
    TARGET_LOST = 3
    INVALID = 4
    VERIFY_DIFFERS = 5
    OWN_FAULT = 6


class UserError(Exception):
    """Something a person can mend: says what was found, where, what is allowed, what to do.

    Attributes:
        message: One line, without a trailing full stop, safe to print.
        exit_code: What the process exits with when nobody handles it.
    """

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
