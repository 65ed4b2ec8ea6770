"""``Rulebook``: the rules of a world in order, and which of them could go round in circles."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.protocol.limits import RULES_MAX
from engine.protocol.registry import scan
from engine.world import rules as folder
from engine.world.arrays import Array
from engine.world.rules.base import Rule


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook:
    """Rules, and what follows from what they say of themselves.

    Attributes:
        rules: By (priority, name).
        masks: For each rule which kinds trigger it, (256,) of bools.
        triggers: Kinds that trigger any rule, (256,) of bools.
        circular: For each rule whether its events can, over others, trigger it again.
    """

    rules: tuple[Rule, ...]
    masks: tuple[Array, ...]
    triggers: Array
    circular: tuple[bool, ...]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "Rulebook":
        """Return the rulebook of some rules, given in any order.

        Raises:
            ValueError: Two share a name, or there are more than ``RULES_MAX``.
        """
        ordered = tuple(sorted(rules, key=lambda rule: (rule.priority, rule.name)))
        names = [rule.name for rule in ordered]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rules are called {name!r}")
        if len(ordered) > RULES_MAX:
            raise ValueError(f"{len(ordered)} rules; at most {RULES_MAX} are possible")
        masks = tuple(_mask(rule.triggers) for rule in ordered)
        triggers = _mask(kind for rule in ordered for kind in rule.triggers)
        return cls(ordered, masks, triggers, _circular(ordered))

    @property
    def can_loop(self) -> bool:
        """Whether any chain of these rules can come back to where it was."""
        return any(self.circular)


def find_rules() -> Rulebook:
    """Return the rules of the folder."""
    return Rulebook.of(scan(folder, "RULE").values())


def _mask(kinds: Iterable[int]) -> Array:
    mask = np.zeros(256, bool)
    mask[list(kinds)] = True
    mask.flags.writeable = False
    return mask


def _circular(rules: tuple[Rule, ...]) -> tuple[bool, ...]:
    """Return which rules lie on a cycle of the graph "makes what triggers"."""
    reach = np.array(
        [[one.makes in other.triggers for other in rules] for one in rules], bool
    ).reshape(len(rules), len(rules))
    # Warshall: what can be reached over the first k rules, for every k.
    for over in range(len(rules)):
        reach |= reach[:, over : over + 1] & reach[over : over + 1]
    return tuple(np.diagonal(reach).tolist())
