"""A policy from a user's own file: a plain function that judges one intent at a time.

It sees integers, texts and names, nothing that it could change, and must give the same
answer to the same question: a run is replayed by asking again.
"""

import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from engine.protocol.gateway import INTENT_KINDS, ROLES, IntentKind, Role
from engine.protocol.limits import (
    ENTITY_ID_MAX,
    NAME_IN_PATH_CHARS_MAX,
    POLICY_PRIORITY_MAX,
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
from engine.world.userverdict import ADDRESS, Verdict, checked_verdict

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_WHAT: Final = {NODE: "node", NPC: "npc", PLAYER: "player"}
_SCOPES: Final = {
    "kinds": ", ".join(INTENT_KINDS),
    "zones": f"0 to {ZONES - 1}",
    "entities": f"ids from 0 to {ENTITY_ID_MAX}, at most {SCOPE_ENTITIES_MAX}",
    "roles": ", ".join(ROLES),
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
    """A user's policy raised, or returned what is no verdict; says so in a line.

    Attributes:
        how: ``raised`` or ``returned``: all of it that is the same in every process, and so all
            that enters events and the state. The line may hold addresses, the order of a set, or
            the words of one version of Python.
    """

    def __init__(self, how: Literal["raised", "returned"], line: str) -> None:
        super().__init__(line)
        self.how = how


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
            PolicyFailed: The function raised, ended the process, or returned no verdict;
                nothing is judged then.
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
        except (Exception, SystemExit) as problem:
            raise PolicyFailed("raised", _told(problem)) from problem
        try:
            # Its maker may have made, or changed, a verdict by hand.
            checked = [(at, checked_verdict(verdict)) for at, verdict in found]
            return _judgement(hearing, rows, checked) if checked else None
        except (Exception, SystemExit) as problem:
            raise PolicyFailed("returned", printable(_said(problem), 200)) from problem


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
    scope = _scope(zones=zones, kinds=kinds, entities=entities, roles=roles)

    def made(function: Function) -> UserPolicy:
        words = help or (function.__doc__ or "").strip().partition("\n")[0]
        return UserPolicy(name, printable(words, 200), priority, scope, function)

    return made


def _scope(**fields: Sequence[object]) -> PolicyScope:
    """Return a scope of what the user gave for it.

    Raises:
        ValueError: One is no sequence, too long, or holds what is not allowed.
    """
    for name, given in fields.items():
        wrong = (
            f"{name}: found {printable(repr(given), 80)}; allowed: a list or tuple of "
            f"{_SCOPES[name]}"
        )
        # The order enters the state: that of a set is another one in every process.
        if not isinstance(given, list | tuple | range):
            raise ValueError(wrong)  # noqa: TRY004 - all that is wrong with a policy is one
        try:
            msgspec.convert({name: list(given)}, PolicyScope, strict=True)
        except msgspec.ValidationError as problem:
            raise ValueError(wrong) from problem
    return PolicyScope(**{name: tuple(given) for name, given in fields.items()})  # type: ignore[arg-type]  # just checked


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


def _told(problem: BaseException) -> str:
    """Return an error in a line, for people."""
    own = [frame for frame in traceback.extract_tb(problem.__traceback__)[1:] if frame.lineno]
    where = f" in line {own[0].lineno}" if own else ""
    return printable(f"{type(problem).__name__}{where}: {_said(problem)}", 200)


def _said(problem: BaseException) -> str:
    try:
        return ADDRESS.sub("0x...", str(problem))
    except (Exception, SystemExit):  # noqa: BLE001 - the words, too, are the user's code
        return "its words cannot be had"
