"""Finds what differs between two states, or between two ticks' events: pure, for people."""

from collections.abc import Iterator
from itertools import chain, islice

import numpy as np

from engine.protocol.events import EVENT_KINDS, entity_name
from engine.protocol.gateway import INTENT_KINDS
from engine.protocol.limits import REPLAY_DIFFERENCES_SHOWN_MAX
from engine.protocol.replay import FieldDifference
from engine.world.arrays import Array
from engine.world.audit import (
    NO_POLICY,
    VERDICT_NAMES,
    WORLD_ITSELF,
    AuditBlock,
    AuditTable,
    names_in,
)
from engine.world.events import EVENT_DTYPE, EventBlock
from engine.world.state import COLUMNS, State
from engine.world.world import World

Differences = tuple[tuple[FieldDifference, ...], int]
"""The first of them, and how many more there are."""

_SCALARS = ("count", "supply", "treasury", "goods_supply", "world_version")


def states(found: State, stored: State) -> Differences:
    """Return what differs between the state of a re-run and a recorded one."""
    return _first(_state_differences(found, stored))


def worlds(found: World, stored: World) -> Differences:
    """Return what differs between the world of a re-run and a recorded one, policies too."""
    differences = chain(
        _state_differences(found.state, stored.state), _policy_differences(found, stored)
    )
    return _first(differences)


def blocks(found: EventBlock, stored: EventBlock) -> Differences:
    """Return what differs between the events of a re-run and the recorded ones.

    An event is named by its ``seq``; a field of it by the column.
    """
    return _first(_event_differences(found, stored))


def audits(
    found: AuditBlock, stored: AuditBlock, intents: Array, names: tuple[str, ...] = ()
) -> Differences:
    """Return what differs between the verdicts of a re-run and the recorded ones.

    Args:
        found: Of the re-run.
        stored: The recorded ones.
        intents: ``INTENT_DTYPE``, which they are about, row by row.
        names: Policies of the re-run, in the order in which they judge.
    """
    return _first(_audit_differences(found, stored, intents, names))


def other_policies(found: AuditBlock, stored: AuditBlock) -> str:
    """Return in words which policies judged in only one of the two; empty when the same did."""
    ours, theirs = _only_there(found, stored), _only_there(stored, found)
    told = [f"stored has {theirs} besides"] if theirs else []
    told += [f"the re-run has {ours}{' besides' * (not theirs)}"] if ours else []
    return f"this log was governed by other policies: {', '.join(told)}" if told else ""


def differing(found: Array, stored: Array) -> Array:
    """Return where two arrays of one dtype differ, or where only one of them has something."""
    least = min(len(found), len(stored))
    rows = np.nonzero(found[:least] != stored[:least])[0]
    beyond = np.arange(least, max(len(found), len(stored)))
    return np.concatenate((rows, beyond))


def _first(differences: Iterator[FieldDifference]) -> Differences:
    shown = tuple(islice(differences, REPLAY_DIFFERENCES_SHOWN_MAX))
    return shown, sum(1 for _ in differences)


def _state_differences(found: State, stored: State) -> Iterator[FieldDifference]:
    for name in _SCALARS:
        ours, theirs = getattr(found, name), getattr(stored, name)
        if ours != theirs:
            yield FieldDifference("world", name, ours, theirs)
    ours, theirs = found.columns, stored.columns
    every = [differing(ours[c][: found.count], theirs[c][: stored.count]) for c, _ in COLUMNS]
    # Entity by entity: what a person looks for is one entity's fields, side by side.
    for row in np.unique(np.concatenate(every)).tolist():
        entity = (found if row < found.count else stored).id[row]
        for name, _ in COLUMNS:
            here = int(ours[name][row]) if row < found.count else None
            there = int(theirs[name][row]) if row < stored.count else None
            if here != there:
                yield FieldDifference(entity_name(int(entity)), name, here, there)
    for entity in sorted(found.names.keys() | stored.names.keys()):
        pair = found.names.get(entity), stored.names.get(entity)
        if pair[0] != pair[1]:
            yield FieldDifference(entity_name(entity), "name", *pair)
    for cell in differing(found.cell_versions, stored.cell_versions).tolist():
        changed = int(found.cell_versions[cell]), int(stored.cell_versions[cell])
        yield FieldDifference("world", f"version of cell {cell}", *changed)


def _policy_differences(found: World, stored: World) -> Iterator[FieldDifference]:
    ours, theirs = ({view.name: view for view in each.governor.views()} for each in (found, stored))
    for name in ours:
        for what in ("enabled", "priority", "scope", "params", "failed"):
            pair = [str(getattr(views[name], what)) for views in (ours, theirs)]
            if pair[0] != pair[1]:
                yield FieldDifference("world", f"{what} of policy {name}", *pair)


def _event_differences(found: EventBlock, stored: EventBlock) -> Iterator[FieldDifference]:
    for row in differing(found.rows, stored.rows).tolist():
        seq = found.first_seq + row
        if row >= len(found.rows) or row >= len(stored.rows):
            pair = [_told(block, row) for block in (found, stored)]
            yield FieldDifference(_whose(found, stored, row), f"event {seq}", *pair)
            continue
        for name in EVENT_DTYPE.names or ():
            ours, theirs = int(found.rows[name][row]), int(stored.rows[name][row])
            if ours != theirs:
                who = _whose(found, stored, row)
                yield FieldDifference(who, f"{name} of event {seq}", ours, theirs)
    for row in sorted(found.texts.keys() | stored.texts.keys()):
        pair = [found.texts.get(row), stored.texts.get(row)]
        if pair[0] != pair[1]:
            who = _whose(found, stored, row)
            yield FieldDifference(who, f"text of event {found.first_seq + row}", *pair)


def _audit_differences(
    found: AuditBlock, stored: AuditBlock, intents: Array, names: tuple[str, ...]
) -> Iterator[FieldDifference]:
    names_stored = names if stored.version == found.version else ()
    if stored.table is not None:
        names_stored = stored.table.names
    for row in range(max(len(found.verdict), len(stored.verdict))):
        ours, theirs = _verdict(found, row, names), _verdict(stored, row, names_stored)
        if ours == theirs:
            continue
        who, what = "world", f"verdict {row}"
        if row < len(intents):
            who = entity_name(int(intents["player"][row]))
            what = f"verdict on command {intents['seq'][row]}"
        yield FieldDifference(who, what, ours, theirs)
    if found.version != stored.version:
        yield FieldDifference("world", "changes of policies", found.version, stored.version)
    if found.table != stored.table:
        yield from _table_differences(found.table, stored.table)


def _table_differences(
    found: AuditTable | None, stored: AuditTable | None
) -> Iterator[FieldDifference]:
    if found is None or stored is None or found.names != stored.names:
        ours, theirs = (None if each is None else ", ".join(each.names) for each in (found, stored))
        yield FieldDifference("world", "policies", ours, theirs)
        return
    kinds = (*INTENT_KINDS, "unknown intent")
    for kind, *masks in zip(kinds, found.by_kind, stored.by_kind, strict=False):
        pair = [", ".join(names_in(mask, found.names)) for mask in masks]
        if masks[0] != masks[1]:
            yield FieldDifference("world", f"policies that judge every {kind}", *pair)


def _only_there(here: AuditBlock, other: AuditBlock) -> str:
    if here.table is None or other.table is None:
        return ""
    return ", ".join(name for name in here.table.names if name not in other.table.names)


def _verdict(audit: AuditBlock, row: int, names: tuple[str, ...]) -> str | None:
    if row >= len(audit.verdict):
        return None
    place, asked = int(audit.policy[row]), ""
    policy = names[place] if place < len(names) else f"policy {place}"
    by = {NO_POLICY: "", WORLD_ITSELF: " by the world"}.get(place, f" by {policy}")
    if audit.narrow is not None:
        asked = f", asked {_named(int(audit.narrow[row]), names)}"
    if audit.marks is not None:
        marks = audit.marks
        for mark in np.flatnonzero(marks.rows == row).tolist():
            each, changed = int(marks.asked[mark]), int(marks.changed[mark])
            asked = f", asked {_named(each, names)}, changed by {_named(changed, names)}"
    return f"{VERDICT_NAMES[audit.verdict[row]]}{by}{asked}"


def _named(mask: int, names: tuple[str, ...]) -> str:
    return ", ".join(names_in(mask, names)) or f"{mask:#x}"


def _whose(found: EventBlock, stored: EventBlock, row: int) -> str:
    block = found if row < len(found.rows) else stored
    # A text may be stored for a row that there is not: these may be anybody's bytes.
    return entity_name(int(block.rows["stream"][row])) if row < len(block.rows) else "world"


def _told(block: EventBlock, row: int) -> str | None:
    if row >= len(block.rows):
        return None
    kind, stream, version, actor, target, a, b, *_ = block.rows[row].tolist()
    names = ", ".join(f"{what} {entity_name(who)}" for what, who in (("by", actor), ("to", target)))
    return f"{kind_name(kind)} {entity_name(stream)} v{version} {names}: {a}, {b}"


def kind_name(kind: int) -> str:
    """Return the name of an event kind, also of a code that there is not."""
    return EVENT_KINDS[kind] if kind < len(EVENT_KINDS) else f"kind {kind}"
