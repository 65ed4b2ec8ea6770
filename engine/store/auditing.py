"""Reads the audit of a log: what was decided on each intent, by whom, and who was asked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.protocol.audit import AuditAnswer, AuditQuery, AuditRow
from engine.protocol.errors import UserError
from engine.protocol.events import correlation_of
from engine.protocol.gateway import INTENT_KINDS, ROLES
from engine.protocol.limits import (
    AUDIT_ROW_BITS,
    AUDIT_SEARCH_TICKS_MAX,
    AUDIT_TABLE_TICKS,
    AUDIT_TICKS_AT_ONCE,
)
from engine.protocol.text import nearest, printable
from engine.store.reading import LogFile
from engine.world.arrays import Array
from engine.world.audit import (
    NO_POLICY,
    PERMIT,
    RESENT,
    VERDICT_NAMES,
    WORLD_ITSELF,
    WORLD_NAME,
    AuditBlock,
    AuditTable,
    names_in,
)
from engine.world.events import EventBlock
from engine.world.inputs import TickInputs

_Picked = tuple[int, AuditBlock, AuditTable, Array]
"""A tick, its audit, the policies' table that held, and the rows that were asked for."""


def read_audit(path: Path, query: AuditQuery) -> AuditAnswer:
    """Return rows of the audit, oldest first; a bounded stretch of the log is searched.

    Args:
        path: ``events.db``; it is never written.
        query: Which rows.

    Raises:
        UserError: There is no such policy, or the file is no log.
        OSError: The log cannot be read.
        ValueError: It is damaged.
    """
    log = LogFile(path)
    try:
        last = log.last()
        if last is None:
            return AuditAnswer(0, query.after or 0, (), before=query.before or 0)
        if query.after is not None:
            return _forward(log, query, last.tick)
        return _newest(log, query, last.tick)
    finally:
        log.close()


def _forward(log: LogFile, query: AuditQuery, newest: int) -> AuditAnswer:
    after, before = query.after or 0, _before(query, newest)
    first, last = after >> AUDIT_ROW_BITS, min(newest, (before - 1) >> AUDIT_ROW_BITS)
    end = min(last, first + AUDIT_SEARCH_TICKS_MAX - 1)
    search = _Search(log, query)
    rows: list[AuditRow] = []
    for begin in range(first, end + 1, AUDIT_TICKS_AT_ONCE):
        for picked in search.ticks(begin, min(end, begin + AUDIT_TICKS_AT_ONCE - 1)):
            rows += search.rows(picked, after, before, query.limit - len(rows))
            if len(rows) == query.limit:
                return AuditAnswer(newest, rows[-1].number, tuple(rows), complete=False)
    searched = max(after, min(_end(end), before - 1))
    return AuditAnswer(newest, searched, tuple(rows), complete=end >= last)


def _newest(log: LogFile, query: AuditQuery, newest: int) -> AuditAnswer:
    search, before = _Search(log, query), _before(query, newest)
    end = min(newest, (before - 1) >> AUDIT_ROW_BITS)
    down_to = max(0, end - AUDIT_SEARCH_TICKS_MAX + 1)
    rows: list[AuditRow] = []
    for last in range(end, down_to - 1, -AUDIT_TICKS_AT_ONCE):
        first = max(down_to, last - AUDIT_TICKS_AT_ONCE + 1)
        for picked in reversed(list(search.ticks(first, last))):
            rows = search.rows(picked, 0, before, len(rows) - query.limit) + rows
            if len(rows) == query.limit:
                told = tuple(rows)
                return AuditAnswer(newest, before - 1, told, complete=False, before=told[0].number)
    searched = min(before, down_to << AUDIT_ROW_BITS)
    return AuditAnswer(newest, before - 1, tuple(rows), complete=not down_to, before=searched)


def _before(query: AuditQuery, newest: int) -> int:
    """Return the number before which rows are wanted; above the newest row at most."""
    end = _end(newest) + 1
    return end if query.before is None else max(1, min(query.before, end))


def _end(tick: int) -> int:
    """Return the number after which the rows of the next tick come."""
    return (tick + 1) << AUDIT_ROW_BITS


@dataclass(slots=True)
class _Search:
    """One walk through the log."""

    log: LogFile
    query: AuditQuery
    _table: AuditTable | None = None
    _table_of: int = -1
    _known: set[str] = field(default_factory=set)

    def ticks(self, first: int, last: int) -> Iterator[_Picked]:
        """Yield the ticks from first to last that have rows that may be asked for.

        Raises:
            UserError: No policy of that name has stood in the log so far.
        """
        # The table that holds was written down in this tick or the newest before it.
        begin = first - first % AUDIT_TABLE_TICKS
        if begin <= self._table_of <= first:
            begin = self._table_of
        for tick, data in self.log.audits(begin, last):
            audit = AuditBlock.from_log(data)
            if audit.table is not None:
                self._table, self._table_of = audit.table, tick
                self._check()
            if tick < first or self._table is None or not len(audit.verdict):
                continue
            rows = self._pick(audit, self._table)
            if len(rows):
                yield tick, audit, self._table, rows

    def _check(self) -> None:
        wanted = self.query.policy
        names = self._table.names if self._table is not None else ()
        if wanted and wanted not in names and wanted != WORLD_NAME:
            shown = printable(wanted, 64)
            raise UserError(
                f"policy: found {shown!r}; allowed: {', '.join(names)}, {WORLD_NAME}"
                f"{nearest(shown, names)}"
            )

    def _pick(self, audit: AuditBlock, table: AuditTable) -> Array:
        query, verdict = self.query, audit.verdict
        if query.verdict is not None:
            keep = verdict == VERDICT_NAMES.index(query.verdict)
        else:
            keep = (verdict != PERMIT) & (verdict != RESENT)
        if query.policy:
            place = WORLD_ITSELF if query.policy == WORLD_NAME else table.names.index(query.policy)
            keep &= audit.decided_by(place)
        return np.flatnonzero(keep)

    def rows(self, picked: _Picked, after: int, before: int, many: int) -> list[AuditRow]:
        """Return rows of a tick that are asked for, with what they were about.

        Args:
            picked: The tick.
            after: Number after which they come.
            before: Number before which they come.
            many: No more than so many: the first, or when it is below 0 the last.
        """
        tick, audit, table, found = picked
        numbers = found + (tick << AUDIT_ROW_BITS) + 1
        found = found[(numbers > after) & (numbers < before)]
        if not len(found):
            return []
        intents = TickInputs.unpack(self.log.inputs(tick)).intents
        if self.query.actor is not None:
            found = found[intents["player"][found] == self.query.actor]
            if not len(found):
                return []
        found = found[:many] if many > 0 else found[many:]
        masks = audit.evaluated(intents["kind"], table)
        roots, reasons = _told(self.log.tick(tick).block)
        made = []
        for row in found.tolist():
            player, seq, kind, *_, role = intents[row].tolist()
            correlation = correlation_of(player, seq)
            place = int(audit.policy[row])
            event = 0 if audit.verdict[row] == RESENT else roots.get(correlation, 0)
            made.append(
                AuditRow(
                    number=(tick << AUDIT_ROW_BITS) + row + 1,
                    tick=tick,
                    actor=player,
                    seq=seq,
                    kind=INTENT_KINDS[kind] if kind < len(INTENT_KINDS) else f"kind {kind}",
                    role=ROLES[role] if role < len(ROLES) else f"role {role}",
                    verdict=VERDICT_NAMES[audit.verdict[row]],
                    policy=_name(place, table),
                    reason=reasons.get(event, ""),
                    evaluated=names_in(int(masks[row]), table.names),
                    event=event,
                )
            )
        return made


def _name(place: int, table: AuditTable) -> str:
    if place == NO_POLICY:
        return ""
    return WORLD_NAME if place == WORLD_ITSELF else table.names[place]


def _told(block: EventBlock) -> tuple[dict[int, int], dict[int, str]]:
    """Return each command's root event, and by that the reasons of denials and mutations."""
    rows, first = block.rows, block.first_seq
    caused = rows["correlation"] > 0
    at = np.flatnonzero(caused & (rows["cause"] == 0))
    roots = dict(zip(rows["correlation"][at].tolist(), (first + at).tolist(), strict=True))
    return roots, block.reasons()
