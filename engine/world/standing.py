"""``Standing``: how every policy stands. Part of the world's state: hashed, in checkpoints."""

from collections import Counter
from collections.abc import Iterable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.protocol.errors import UserError
from engine.protocol.gateway import INTENT_KINDS
from engine.protocol.limits import POLICIES_PER_WORLD_MAX, POLICY_PRIORITY_MAX
from engine.protocol.params import given_params
from engine.protocol.policy import PolicyChange, PolicyScope, PolicyView, scope_words
from engine.protocol.text import nearest, printable
from engine.world.policies.base import Policy, param_specs
from engine.world.userpolicy import UserPolicy


class Seat(Struct, frozen=True):
    """A policy as it stands.

    ``failed``: how it failed when the world disabled it, see ``PolicyFailed``; else empty.
    """

    policy: Policy
    enabled: bool
    priority: int
    scope: PolicyScope
    params: Struct
    failed: str = ""


class _Stored(Struct, frozen=True, array_like=True):
    name: str
    enabled: bool
    priority: int
    scope: PolicyScope
    params: dict[str, str | int]
    failed: str


class _Standing(Struct, frozen=True, array_like=True):
    version: int
    since_tick: int
    seats: list[_Stored]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Standing)


class Standing:
    """How every policy stands.

    Args:
        policies: Every policy there is.

    Attributes:
        seats: By name, in the order in which they judge.
        version: Changes so far.
        since_tick: The first tick that it holds for.

    Raises:
        ValueError: There are too many, or two of one name.
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        found = list(policies)
        names = Counter(policy.name for policy in found)
        if len(found) > POLICIES_PER_WORLD_MAX:
            raise ValueError(f"{len(found)} policies; allowed are {POLICIES_PER_WORLD_MAX}")
        if len(names) != len(found):
            twice = ", ".join(sorted(name for name, count in names.items() if count > 1))
            raise ValueError(f"two policies are called {twice}")
        self.version = 0
        self.since_tick = 0
        self.seats: dict[str, Seat] = {}
        self._packed = b""
        self._seat([first_seat(policy) for policy in found])

    def change(self, change: PolicyChange, tick: int, where: str = "") -> str:
        """Change how a policy stands from a tick on; return what changed, empty for nothing.

        Args:
            change: What is to be changed.
            tick: The first tick that it holds for.
            where: What it is called in an error; the policy's name when empty.

        Raises:
            UserError: There is no such policy, or a value is not allowed; nothing changed.
        """
        seat = self.seats.get(change.name)
        if seat is None:
            name = printable(change.name, 64)
            raise UserError(
                f"no policy {name!r}{nearest(name, self.seats)}; allowed: {', '.join(self.seats)}"
            )
        moved = change.scope is not None or change.priority is not None
        if seat.policy.fixed and (moved or change.enabled is False):
            raise UserError(
                f"{change.name} keeps the world whole: it is always on, for everybody, in its place"
            )
        if change.scope is not None:
            _check_kinds(seat.policy, change.scope, where)
        fresh = replace(
            seat,
            enabled=seat.enabled if change.enabled is None else change.enabled,
            priority=seat.priority if change.priority is None else _priority(change.priority),
            params=seat.params if change.params is None else changed_params(seat, change, where),
            scope=seat.scope if change.scope is None else change.scope,
            failed="" if change.enabled else seat.failed,
        )
        words = _difference(seat, fresh)
        if words:
            self._put(fresh, tick)
        return words

    def fail(self, name: str, how: str, tick: int) -> None:
        """Disable a policy that could not judge, from a tick on."""
        self._put(replace(self.seats[name], enabled=False, failed=how), tick)

    def views(self) -> tuple[PolicyView, ...]:
        """Return how every policy stands, in the order in which they judge."""
        return tuple(
            PolicyView(
                name=name,
                help=seat.policy.help,
                priority=seat.priority,
                enabled=seat.enabled,
                scope=seat.scope,
                params=msgspec.structs.asdict(seat.params),
                specs=param_specs(seat.policy.defaults),
                built_in=not isinstance(seat.policy, UserPolicy),
                failed=seat.failed,
            )
            for name, seat in self.seats.items()
        )

    def pack(self) -> bytes:
        """Return the stored form; the same standing gives the same bytes."""
        if not self._packed:
            rows = [
                _Stored(
                    name,
                    seat.enabled,
                    seat.priority,
                    seat.scope,
                    msgspec.structs.asdict(seat.params),
                    seat.failed,
                )
                for name, seat in sorted(self.seats.items())
            ]
            self._packed = _encoder.encode(_Standing(self.version, self.since_tick, rows))
        return self._packed

    def load(self, data: bytes) -> None:
        """Take the standing from a stored form.

        Raises:
            ValueError: The bytes are no standing of these policies.
        """
        stored = _decoder.decode(data)
        here, there = set(self.seats), {row.name for row in stored.seats}
        if here != there:
            differ = ", ".join(sorted(here ^ there))
            raise ValueError(f"it was governed by other policies; those that differ: {differ}")
        seats = []
        for row in stored.seats:
            policy = self.seats[row.name].policy
            params = msgspec.convert(row.params, type(policy.defaults))
            seats.append(Seat(policy, row.enabled, row.priority, row.scope, params, row.failed))
        self.version, self.since_tick = stored.version, stored.since_tick
        self._seat(seats)

    @staticmethod
    def names(data: bytes) -> tuple[str, ...]:
        """Return the names of the policies in a stored form.

        Raises:
            ValueError: The bytes are no standing.
        """
        return tuple(row.name for row in _decoder.decode(data).seats)

    def _put(self, seat: Seat, tick: int) -> None:
        self.version += 1
        self.since_tick = tick
        self._seat([*(self.seats | {seat.policy.name: seat}).values()])

    def _seat(self, seats: list[Seat]) -> None:
        ranked = sorted(seats, key=lambda seat: (seat.priority, seat.policy.name))
        self.seats = {seat.policy.name: seat for seat in ranked}
        self._packed = b""


def first_seat(policy: Policy) -> Seat:
    """Return how a policy stands before anybody changed it."""
    scope = policy.scope if isinstance(policy, UserPolicy) else PolicyScope()
    return Seat(policy, True, policy.priority, scope, policy.defaults)


def changed_params(seat: Seat, change: PolicyChange, where: str = "") -> Struct:
    """Return a policy's parameters with those of a change.

    Raises:
        UserError: A name, a type or a value is wrong.
    """
    name = seat.policy.name
    where = f"{where or name}.params"
    given = given_params(param_specs(seat.policy.defaults), change.params or {}, where, name)
    whole = msgspec.structs.asdict(seat.params) | given
    try:
        return msgspec.convert(whole, type(seat.params))
    except msgspec.ValidationError as problem:
        raise UserError(f"{where}: {problem}") from problem


def _check_kinds(policy: Policy, scope: PolicyScope, where: str) -> None:
    """Refuse a scope in which a policy would never judge."""
    own = [INTENT_KINDS[kind] for kind in policy.kinds]
    if own and scope.kinds and not set(own) & set(scope.kinds):
        raise UserError(
            f"{where or policy.name}.scope.kinds: found {', '.join(scope.kinds)}, but "
            f"{policy.name} is about {', '.join(own)} only; allowed: some of these, or none for "
            "all of them"
        )


def _priority(priority: int) -> int:
    if not 0 <= priority <= POLICY_PRIORITY_MAX:
        raise UserError(f"priority: found {priority}; allowed: 0 to {POLICY_PRIORITY_MAX}")
    return priority


def _difference(old: Seat, new: Seat) -> str:
    """Return what differs, in words."""
    parts = []
    if old.enabled != new.enabled:
        parts.append("enabled" if new.enabled else "disabled")
    if old.priority != new.priority:
        parts.append(f"priority {old.priority} to {new.priority}")
    before, after = msgspec.structs.asdict(old.params), msgspec.structs.asdict(new.params)
    parts += [
        f"{name} {_shown(before[name])} to {_shown(value)}"
        for name, value in after.items()
        if value != before[name]
    ]
    if old.scope != new.scope:
        parts.append(f"scope {scope_words(new.scope)}")
    return ", ".join(parts)


def _shown(value: object) -> str:
    return printable(repr(value) if isinstance(value, str) else str(value), 48)
