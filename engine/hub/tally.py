"""Squads' reports added up. A squad that is started again counts from 0: its past is kept."""

from collections import Counter
from collections.abc import Collection, Iterable

from msgspec.structs import asdict

from engine.protocol.cheats import CheatCount, CheatsSummary, HonestCount
from engine.protocol.child import SquadReport
from engine.protocol.limits import ERROR_KINDS_MAX

_COUNTERS = (
    "lost",
    "due",
    "sent",
    "acknowledged",
    "denied",
    "mutated",
    "unanswered",
    "missed",
    "acknowledged_lost",
    "updates_dropped",
    "frames_received",
    "bytes_received",
)


class Tally:
    """Totals over squads that never go back.

    Attributes:
        counts: Counters of squads that are gone.
        errors: Errors by kind, of squads that are gone; at most ``ERROR_KINDS_MAX`` kinds,
            those that came first, and ``other``.
        squads_lost: How often a squad died in the middle of the run.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.squads_lost = 0
        self._kinds: set[str] = set()
        self._gone_cpu_s = 0.0
        self._gone_cheats = CheatsSummary()
        self._last: dict[int, SquadReport] = {}
        self._planned: dict[tuple[str, int], int] = {}
        self._affected: dict[tuple[str, int], int] = {}

    @property
    def squads(self) -> tuple[SquadReport, ...]:
        """The latest report of every squad that lives."""
        return tuple(self._last.values())

    def take(self, report: SquadReport) -> None:
        """Take in a squad's report."""
        before = self._last.get(report.squad)
        if before is not None and before.pid != report.pid:
            self.gone(report.squad)
        self._last[report.squad] = report
        for kind in report.errors:
            if len(self._kinds) < ERROR_KINDS_MAX:
                self._kinds.add(kind)
        for kept, fresh in ((self._planned, report.planned), (self._affected, report.affected)):
            for fault, count in fresh.items():
                key = (fault, report.squad)
                kept[key] = max(kept.get(key, 0), count)

    def gone(self, squad: int) -> None:
        """Keep the counters of a squad that died; its connected players are lost.

        What it had in flight is unanswered: nobody is left to take an answer.
        """
        last = self._last.pop(squad, None)
        if last is None:
            return
        for name in _COUNTERS:
            self.counts[name] += getattr(last, name)
        self.squads_lost += 1
        self.counts["lost"] += last.connected
        self.counts["unanswered"] += max(0, last.sent - last.acknowledged - last.unanswered)
        self._add_errors(self.errors, last)
        self._gone_cpu_s += last.cpu_s
        self._gone_cheats = added((self._gone_cheats, last.cheats))

    def total(self, name: str) -> int:
        """Return a counter over all squads, since the start."""
        living = sum(getattr(report, name) for report in self._last.values())
        return self.counts[name] + int(living)

    def all_errors(self) -> dict[str, int]:
        """Return errors by kind over all squads, since the start."""
        errors = Counter(self.errors)
        for report in self._last.values():
            self._add_errors(errors, report)
        return dict(sorted(errors.items()))

    def _add_errors(self, errors: Counter[str], report: SquadReport) -> None:
        # What came first keeps its name for the whole run: no kind's count ever goes back.
        for kind, count in report.errors.items():
            errors[kind if kind in self._kinds else "other"] += count

    def cheats(self) -> CheatsSummary:
        """Return what became of cheats and honest commands, over all squads since the start."""
        return added((self._gone_cheats, *(report.cheats for report in self._last.values())))

    def now(self, name: str) -> int:
        """Return a present value (``target``, ``connected``, ``connecting``) over all squads."""
        return sum(getattr(report, name) for report in self._last.values())

    def cpu_s(self) -> float:
        """Return the processor time of all squads, since the start."""
        return self._gone_cpu_s + sum(report.cpu_s for report in self._last.values())

    def rss_mb(self) -> float:
        """Return the memory of all squads now."""
        return sum(report.rss_mb for report in self._last.values())

    def keep_faults(self, faults: Collection[str]) -> None:
        """Forget the counts of every other fault."""
        for kept in (self._planned, self._affected):
            for key in [key for key in kept if key[0] not in faults]:
                del kept[key]

    def planned(self, fault: str) -> int:
        """Return how many players a fault chose."""
        return sum(count for (name, _), count in self._planned.items() if name == fault)

    def affected(self, fault: str) -> int:
        """Return how many players a fault really touched."""
        return sum(count for (name, _), count in self._affected.items() if name == fault)


def added(parts: Iterable[CheatsSummary]) -> CheatsSummary:
    """Return the sum of what several squads count of cheats and honest commands."""
    counts: dict[str, Counter[str]] = {}
    honest: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for part in parts:
        for name, count in part.by_policy.items():
            counts.setdefault(name, Counter()).update(asdict(count))
        for name in ("sent", "denied", "mutated"):
            honest[name] += getattr(part.honest, name)
        hits.update(part.honest.by_policy)
    return CheatsSummary(
        {name: CheatCount(**count) for name, count in sorted(counts.items())},
        HonestCount(**honest, by_policy=dict(sorted(hits.items()))),
    )
