"""How the world's policies stand, and what they did over all its lives. No clock of its own."""

from engine.protocol.audit import PoliciesAnswer, PolicyRow
from engine.protocol.policy import PolicyCount, PolicyView, WorldPolicies


class PolicyWatch:
    """What the world tells of its policies; a process counts from 0, without what it steps again.

    Attributes:
        views: How each stands, in the order in which they judge; empty before the first word.
    """

    def __init__(self) -> None:
        self.views: tuple[PolicyView, ...] = ()
        self._before: dict[str, PolicyCount] = {}
        self._now: dict[str, PolicyCount] = {}

    def take(self, message: WorldPolicies) -> list[str]:
        """Take in how they stand; return what is new of any that failed, a line each."""
        known = {view.name for view in self.views if view.failed}
        self.views = message.policies
        return [
            f"policy {view.name} is disabled, it failed: {view.failed}"
            for view in self.views
            if view.failed and view.name not in known
        ]

    def count(self, counts: dict[str, PolicyCount]) -> None:
        """Take in what they did, by name."""
        self._now = counts

    def world_is_new(self) -> None:
        """A process begins to count; what the one before had counted is kept."""
        self._before = {name: self._total(name) for name in {*self._before, *self._now}}
        self._now = {}

    def answer(self) -> PoliciesAnswer:
        """Return every policy with its counts."""
        return PoliciesAnswer(tuple(PolicyRow(view, self._total(view.name)) for view in self.views))

    def suspects(self) -> str:
        """Return a clause with the users' policies that judge: one that never returns stalls."""
        names = [view.name for view in self.views if view.enabled and not view.built_in]
        return f"; look for a loop without end in your policies: {', '.join(names)}" * bool(names)

    def _total(self, name: str) -> PolicyCount:
        old, new = self._before.get(name, PolicyCount()), self._now.get(name, PolicyCount())
        return PolicyCount(
            old.evaluated + new.evaluated, old.denied + new.denied, old.mutated + new.mutated
        )
