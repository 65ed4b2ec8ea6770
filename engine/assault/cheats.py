"""What became of a squad's cheats, and of its honest commands.

Whoever decides for a player knows whether a command is a cheat, and which policy it is to
break: it marks its wish. A cheat that is permitted is *missed*. A mark is a promise: the
command breaks the rules given what the player was told, with room for what it was not told
yet. Should a server's news be later than that room, a legal command counts as missed.
"""

from collections import Counter
from typing import Final

from engine.protocol.cheats import UNSURE, CheatCount, CheatsSummary, HonestCount
from engine.protocol.gateway import VerdictKind
from engine.protocol.limits import CHEAT_KINDS_MAX, POLICIES_MAX
from engine.protocol.text import printable

_NAME_CHARS_MAX: Final = 48
_NO_POLICY: Final = "no policy"
"""What denies without naming a policy: the gateway itself."""


class Cheats:
    """Counts since the start; kinds beyond a bound count as ``other``."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}
        self._honest: Counter[str] = Counter()
        self._hits: Counter[str] = Counter()

    def sent(self, cheat: str) -> None:
        """A command left, marked with the policy it is to break; empty for none."""
        if not cheat:
            self._honest["sent"] += 1
        elif cheat != UNSURE:
            self._of(cheat)["tried"] += 1

    def answered(self, cheat: str, verdict: VerdictKind, reason: str | None) -> None:
        """The verdict on a command has come; the reason names the policies.

        What several have changed or denied is caught by each of them; an honest command
        counts for the first.
        """
        if cheat == UNSURE or (not cheat and verdict == "permit"):
            return
        names = _names(reason or "")
        policy = names[0] if names else _NO_POLICY
        if cheat and verdict == "permit":
            self._of(cheat)["missed"] += 1
        elif cheat:
            self._of(cheat)["caught" if cheat in names else "caught_by_other"] += 1
        else:
            self._honest["denied" if verdict == "deny" else "mutated"] += 1
            policy = printable(policy, _NAME_CHARS_MAX)
            if policy not in self._hits and len(self._hits) >= POLICIES_MAX:
                policy = "other"
            self._hits[policy] += 1

    def withdrawn(self, cheat: str) -> None:
        """A command that was marked is sent again: nobody knows what it breaks by then."""
        if cheat and cheat != UNSURE:
            self._of(cheat)["tried"] -= 1

    def unanswered(self, cheat: str) -> None:
        """No answer to a command came in time."""
        if cheat and cheat != UNSURE:
            self._of(cheat)["unanswered"] += 1

    def summary(self) -> CheatsSummary:
        """Return the counts."""
        return CheatsSummary(
            {name: CheatCount(**counts) for name, counts in sorted(self._counts.items())},
            HonestCount(**self._honest, by_policy=dict(sorted(self._hits.items()))),
        )

    def _of(self, cheat: str) -> Counter[str]:
        name = printable(cheat, _NAME_CHARS_MAX)
        if name not in self._counts and len(self._counts) >= CHEAT_KINDS_MAX:
            name = "other"
        return self._counts.setdefault(name, Counter())


def _names(reason: str) -> list[str]:
    """Return the policies of ``one: why; other: why``."""
    return [part.partition(": ")[0] for part in reason.split("; ") if ": " in part]
