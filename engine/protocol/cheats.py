"""What became of cheats that were known to be some, and of honest commands."""

from typing import Final

from msgspec import Struct

UNSURE: Final = "?"
"""Marks a command that may be a cheat or not, by what only the world knows: it counts neither
as a cheat nor as honest."""


class CheatCount(Struct, frozen=True):
    """Commands sent to break one policy.

    tried = caught + caught_by_other + missed + unanswered + still in flight.

    Attributes:
        tried: Sent, once: what is sent again after a lost connection is taken back, for it may
            be legal by then.
        caught: Denied or mutated by that policy, be it after others.
        caught_by_other: Denied or mutated by others alone.
        missed: Permitted.
        unanswered: No answer came in time: nobody knows.
    """

    tried: int = 0
    caught: int = 0
    caught_by_other: int = 0
    missed: int = 0
    unanswered: int = 0


class HonestCount(Struct, frozen=True):
    """Commands that were meant to keep the rules.

    Attributes:
        sent: All of them.
        denied: Denied all the same.
        mutated: Changed all the same.
        by_policy: Denied and mutated ones by policy.
    """

    sent: int = 0
    denied: int = 0
    mutated: int = 0
    by_policy: dict[str, int] = {}


class CheatsSummary(Struct, frozen=True):
    """Cheats by the policy that they were to break, and honest commands that were hit."""

    by_policy: dict[str, CheatCount] = {}
    honest: HonestCount = HonestCount()
