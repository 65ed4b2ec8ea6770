"""A policy from a user's own file: a plain function that judges one intent at a time.

It sees integers, texts and names, nothing that it could change, and must give the same
answer to the same question: a run is replayed by asking again.
"""

import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct

from engine.protocol.gateway import INTENT_KINDS, ROLES, IntentKind, Role
from engine.protocol.limits import (
    NAME_IN_PATH_CHARS_MAX,
    POLICY_PRIORITY_MAX,
    POSITION_MAX,
    REASON_CHARS_MAX,
    SAY_CHARS_MAX,
    SCOPE_ENTITIES_MAX,
    ZONES,
)
from engine.protocol.policy import PolicyScope
from engine.protocol.text import printable
from engine.world.arrays import Array
from engine.world.audit import WORLD_NAME
from engine.world.hearing import Hearing
from engine.world.policies.base import Judgement, NoParams
from engine.world.state import FACTIONS, NODE, NPC, PLAYER, STAGES

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]+")
_WHAT: Final = {NODE: "node", NPC: "npc", PLAYER: "player"}
_AMOUNT_MAX: Final = 1_000_000
_ID_MAX: Final = 2**31 - 1
_FIELDS: Final = {
    "x": (0, POSITION_MAX),
    "y": (0, POSITION_MAX),
    "target": (0, _ID_MAX),
    "amount": (-_AMOUNT_MAX, _AMOUNT_MAX),
}
_COLUMNS: Final = (
    "id",
    "kind",
    "alive",
    "x",
    "y",
    "zone",
    "hp",
    "hp_max",
    "gold",
    "goods",
    "level",
    "faction",
    "stage",
    "lives",
)


class PolicyFailed(Exception):
    """A user's policy raised, or returned what is no verdict; says so in a line."""


class Asked(Struct, frozen=True, gc=False):
    """What an entity is asked to do, as a user's policy sees it.

    ``kind`` and ``role`` are names; positions are in 1/256 of a tile; ``seq`` is the
    sender's own number.
    """

    actor: int
    seq: int
    kind: str
    x: int
    y: int
    target: int
    amount: int
    role: str
    text: str


class Being(NamedTuple):
    """An entity, as a user's policy sees it: plain numbers and names."""

    id: int
    kind: str
    alive: bool
    x: int
    y: int
    zone: int
    hp: int
    hp_max: int
    gold: int
    goods: int
    level: int
    faction: str
    stage: str
    lives: int


class Look:
    """The world around one intent.

    Attributes:
        tick: The tick.
    """

    __slots__ = ("_actors", "_at", "_hearing", "_rows", "_targets", "tick")

    def __init__(self, hearing: Hearing, rows: Array) -> None:
        self.tick = hearing.tick
        self._hearing = hearing
        self._rows = rows
        self._at = 0
        self._actors: list[Being | None] | None = None
        self._targets: list[Being | None] | None = None

    @property
    def actor(self) -> Being | None:
        """Who acts; None for one that is not in the world."""
        if self._actors is None:
            self._actors = _beings(self._hearing, self._hearing.orders.actor_row[self._rows])
        return self._actors[self._at]

    @property
    def target(self) -> Being | None:
        """Whom it is done to; None where there is no such entity, or none is named."""
        if self._targets is None:
            self._targets = _beings(self._hearing, self._hearing.orders.target_row[self._rows])
        return self._targets[self._at]

    def each(self) -> Iterator[int]:
        """Go from intent to intent."""
        for at in range(len(self._rows)):
            self._at = at
            yield at


class Verdict:
    """What ``permit``, ``deny`` and ``mutate`` return.

    Attributes:
        reason: Why, for people.
        fields: New values, of a mutation.
    """

    __slots__ = ("denies", "fields", "reason")

    def __init__(self, denies: bool, reason: str, fields: dict[str, int | str]) -> None:
        self.denies = denies
        self.reason = reason
        self.fields = fields


def permit() -> None:
    """Let it pass; returning nothing does the same."""


def deny(reason: str) -> Verdict:
    """Refuse the intent; the player is told why."""
    return Verdict(True, _checked_reason(reason), {})


def mutate(reason: str, **fields: int | str) -> Verdict:
    """Have the intent carried out otherwise; later policies judge what it has become.

    Args:
        reason: Why; the player is told.
        fields: New values of ``x``, ``y``, ``target``, ``amount`` or ``text``.

    Raises:
        ValueError: Another field, another type, or a value out of bounds.
    """
    if not fields:
        raise ValueError(f"mutate needs one of {', '.join(_FIELDS)}, text")
    for name, value in fields.items():
        if name == "text":
            if not isinstance(value, str) or not 0 < len(value) <= SAY_CHARS_MAX:
                raise ValueError(f"text: allowed is a text of 1 to {SAY_CHARS_MAX} characters")
        elif name not in _FIELDS:
            raise ValueError(f"no field {name!r}; allowed: {', '.join(_FIELDS)}, text")
        else:
            low, high = _FIELDS[name]
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{name}: found {value!r}; allowed: {low} to {high}")
    text = fields.get("text")
    if isinstance(text, str):
        fields["text"] = printable(text, SAY_CHARS_MAX)
    return Verdict(False, _checked_reason(reason), fields)


Function = Callable[[Asked, Look], Verdict | None]


@dataclass(frozen=True, slots=True, eq=False)
class UserPolicy:
    """A user's policy, as ``policy`` makes it.

    Attributes:
        function: The user's.
        scope: Which intents it is called for, until an operator changes that.
    """

    name: str
    help: str
    priority: int
    scope: PolicyScope
    function: Function
    kinds: tuple[int, ...] = ()
    steady: bool = False
    fixed: bool = False
    defaults: NoParams = NoParams()

    def judge(self, hearing: Hearing, params: Struct) -> Judgement | None:
        """See ``Policy``.

        Raises:
            PolicyFailed: The function raised, or returned no verdict; nothing is judged then.
        """
        del params
        rows = _own(hearing)
        if not len(rows):
            return None
        found: list[tuple[int, Verdict]] = []
        function, look = self.function, Look(hearing, rows)
        intents = _asked(hearing, rows)
        try:
            for at in look.each():
                verdict = function(intents[at], look)
                if verdict is not None:
                    found.append((at, verdict))
        except Exception as problem:
            raise PolicyFailed(_told(problem)) from problem
        wrong = [verdict for _, verdict in found if type(verdict) is not Verdict]
        if wrong:
            shown = printable(_ADDRESS.sub("0x...", repr(wrong[0])), 40)
            raise PolicyFailed(
                f"it returned {shown}; allowed: None, permit(), deny(reason), "
                "mutate(reason, field=value)"
            )
        return _judgement(hearing, rows, found) if found else None


def policy(
    name: str,
    *,
    kinds: Sequence[IntentKind] = (),
    zones: Sequence[int] = (),
    entities: Sequence[int] = (),
    roles: Sequence[Role] = (),
    priority: int = 50,
    help: str = "",  # noqa: A002 - as it is called everywhere else
) -> Callable[[Function], UserPolicy]:
    """Make a policy of a function that takes an ``Asked`` and a ``Look``.

    Args:
        name: Lower-case letters, digits and ``-``; no other policy's.
        kinds: Kinds of intents it is called for; all by default.
        zones: Zones in which the actor stands; all by default.
        entities: Ids of actors; all by default.
        roles: ``player``, ``operator`` or ``narrator``; all by default.
        priority: Lower ones judge first; the built-in ones have 5 to 70.
        help: What it forbids, in one line.

    Raises:
        ValueError: An argument is not allowed.
    """
    if not _NAME.fullmatch(name) or len(name) > NAME_IN_PATH_CHARS_MAX:
        raise ValueError(f"policy name: found {name!r}; allowed: a-z, 0-9 and -")
    if name == WORLD_NAME:
        raise ValueError(f"policy name: found {name!r}, which stands for the world's own denials")
    if type(priority) is not int or not 0 <= priority <= POLICY_PRIORITY_MAX:
        raise ValueError(f"priority: found {priority!r}; allowed: 0 to {POLICY_PRIORITY_MAX}")
    _among("kinds", kinds, INTENT_KINDS)
    _among("zones", zones, range(ZONES))
    _among("roles", roles, ROLES)
    if len(entities) > SCOPE_ENTITIES_MAX:
        raise ValueError(f"entities: found {len(entities)}; allowed are {SCOPE_ENTITIES_MAX}")
    scope = PolicyScope(tuple(zones), tuple(kinds), tuple(entities), tuple(roles))

    def made(function: Function) -> UserPolicy:
        words = help or (function.__doc__ or "").strip().partition("\n")[0]
        return UserPolicy(name, printable(words, 200), priority, scope, function)

    return made


def _among(what: str, given: Sequence[object], allowed: Sequence[object]) -> None:
    wrong = [value for value in given if value not in allowed]
    if isinstance(given, str) or wrong:
        found = wrong[0] if wrong and not isinstance(given, str) else given
        words = f"{allowed[0]} to {allowed[-1]}" if isinstance(allowed, range) else allowed
        raise ValueError(f"{what}: found {found!r}; allowed: {words}")


def _checked_reason(reason: str) -> str:
    if not isinstance(reason, str) or not reason:
        raise ValueError(f"reason: found {reason!r}; allowed: a text")
    return printable(reason, REASON_CHARS_MAX)


def _own(hearing: Hearing) -> Array:
    mask = hearing.open if hearing.within is None else hearing.open & hearing.within
    return np.flatnonzero(mask)


def _asked(hearing: Hearing, rows: Array) -> list[Asked]:
    orders, texts = hearing.orders, hearing.texts
    columns = (orders.player, orders.seq, orders.kind, orders.x, orders.y, orders.target)
    lists = [column[rows].tolist() for column in (*columns, orders.amount, orders.role)]
    given = orders.given[rows].tolist()
    return [
        Asked(
            who,
            seq,
            INTENT_KINDS[kind] if kind < len(INTENT_KINDS) else "unknown",
            x,
            y,
            target,
            amount,
            ROLES[role] if role < len(ROLES) else "unknown",
            texts.get(row, ""),
        )
        for who, seq, kind, x, y, target, amount, role, row in zip(*lists, given, strict=True)
    ]


def _beings(hearing: Hearing, rows: Array) -> list[Being | None]:
    state = hearing.state
    lists = [state.columns[name][rows].tolist() for name in _COLUMNS]
    rest = zip(*lists, strict=True)
    return [
        None if row < 0 else _being(*values)
        for row, values in zip(rows.tolist(), rest, strict=True)
    ]


def _being(who: int, kind: int, alive: int, *rest: int) -> Being:
    x, y, zone, hp, hp_max, gold, goods, level, faction, stage, lives = rest
    return Being(
        who,
        _WHAT[kind],
        alive > 0,
        x,
        y,
        zone,
        hp,
        hp_max,
        gold,
        goods,
        level,
        FACTIONS[faction],
        STAGES[stage],
        lives,
    )


def _judgement(hearing: Hearing, rows: Array, found: list[tuple[int, Verdict]]) -> Judgement:
    denied = [(at, verdict.reason) for at, verdict in found if verdict.denies]
    changed = [(at, verdict) for at, verdict in found if not verdict.denies]
    fields: dict[str, Array | list[str]] = {}
    changed_rows = rows[[at for at, _ in changed]] if changed else rows[:0]
    for name in dict.fromkeys(name for _, verdict in changed for name in verdict.fields):
        if name == "text":
            given = hearing.orders.given[changed_rows].tolist()
            fields[name] = [
                str(verdict.fields.get(name, hearing.texts.get(row, "")))
                for row, (_, verdict) in zip(given, changed, strict=True)
            ]
        else:
            values = getattr(hearing.orders, name)[changed_rows]
            for place, (_, verdict) in enumerate(changed):
                values[place] = verdict.fields.get(name, values[place])
            fields[name] = values
    return Judgement(
        denied=rows[[at for at, _ in denied]] if denied else rows[:0],
        why=lambda at: [denied[i][1] for i in at.tolist()],
        changed=changed_rows,
        fields=fields,
        why_changed=lambda at: [changed[i][1].reason for i in at.tolist()],
    )


def _told(problem: Exception) -> str:
    """Return an error in a line, the same in every process."""
    own = [frame for frame in traceback.extract_tb(problem.__traceback__)[1:] if frame.lineno]
    where = f" in line {own[0].lineno}" if own else ""
    said = _ADDRESS.sub("0x...", str(problem))
    return printable(f"{type(problem).__name__}{where}: {said}", 200)
