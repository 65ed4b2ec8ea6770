"""What is to be seen of one entity: its state, its socket, its answers, its events. Pure."""

from typing import Final

from console.figures import clock, count, ms
from console.lines import Line, clean, cut, left, right
from console.select.lists import EVENT_LOOKS, QUIET, entity_state, event_text, hp_role
from console.tale import wrapped
from console.widgets.gauge import gauge
from engine.protocol.audit import PolicyRow
from engine.protocol.events import Event, entity_name
from engine.protocol.feed import FaultView, Snapshot, ViolationRow
from engine.protocol.limits import (
    BEAT_CHARS_MAX,
    GUEST_ID_BASE,
    PLAYER_ID_BASE,
    UNANSWERED_TIMEOUT_S,
)
from engine.protocol.policy import scope_words
from engine.protocol.query import AckRow, EntityAnswer, PlayerView
from engine.protocol.story import Beat

PHASES: Final = {
    "playing": ("●", "good", "playing"),
    "leaving": ("◑", "note", "leaving"),
    "connecting": ("◐", "note", "connecting"),
    "waiting": ("○", "warn", "waiting to connect"),
    "held": ("↯", "fault", "held away by a fault"),
    "out": ("-", "dim", "not wanted now"),
}
VERDICTS: Final = {"permit": ("✓", "good"), "deny": ("✖", "bad"), "mutate": ("≈", "warn")}
"""Glyph and role of an answer: taken as asked, refused, changed."""
OLDEST_WARN_S: Final = 1.0
GAUGE: Final = 16


def heading(text: str, width: int) -> Line:
    """Return a section's heading, a rule to its right."""
    return ((f"{text} ", "accent"), ("─" * max(0, width - len(text) - 1), "faint"))


def event_lines(event: Event, width: int) -> list[Line]:
    """Return one event in full."""
    pairs = [
        ("event", f"{count(event.seq)} in tick {count(event.tick)}"),
        ("kind", clean(event.kind, 40)),
        ("says", event_text(event)),
        ("stream", f"{entity_name(event.stream)} version {event.version}"),
        ("cause", f"event {count(event.cause)}" if event.cause else "a command or the clock"),
    ]
    return _pairs(pairs, width)


def violation_lines(row: ViolationRow, policy: PolicyRow | None, width: int) -> list[Line]:
    """Return one violation, and the policy that found it as it stands now."""
    pairs = [
        ("event", f"{count(row.seq)} in tick {count(row.tick)}"),
        ("policy", clean(row.policy, 40)),
        ("found", clean(row.reason)),
    ]
    if policy is not None:
        stands, did = policy.policy, policy.count
        params = ", ".join(f"{name} {value}" for name, value in stands.params.items())
        on = "on" if stands.enabled else "off"
        pairs[1:2] = [
            ("policy", f"{clean(stands.name, 40)}, {on}, priority {stands.priority}"),
            ("forbids", clean(stands.help)),
            ("judges", clean(scope_words(stands.scope))),
            ("params", clean(params) or "none"),
            (
                "so far",
                f"{count(did.evaluated)} judged, {count(did.denied)} denied, "
                f"{count(did.mutated)} changed",
            ),
        ]
    return _pairs(pairs, width)


def _pairs(pairs: list[tuple[str, str]], width: int) -> list[Line]:
    return [
        ((left(name if not index else "", 10), "dim"), (row, "text"))
        for name, text in pairs
        for index, row in enumerate(wrapped(text, max(8, width - 10)))
    ]


def told_lines(beat: Beat, width: int) -> list[Line]:
    """Return one beat in full: when, what was told, and the events that it rests on."""
    events = ", ".join(map(count, beat.events)) or "none"
    pairs = [
        ("beat", f"{count(beat.number)} at {clock(beat.at_s)}, tick {count(beat.tick)}"),
        ("kind", clean(beat.kind, 32)),
        ("tells", clean(beat.text, BEAT_CHARS_MAX)),
        ("of", ", ".join(map(entity_name, beat.cast)) or "nobody in particular"),
        ("events", events),
    ]
    return _pairs(pairs, width)


def state_lines(answer: EntityAnswer, world_down: bool, roomy: bool) -> list[Line]:
    """Return the entity as the world knows it; of a world that is down, as it was last.

    ``roomy``: with a row for each thing instead of two beside each other.
    """
    row = answer.row
    word, role = entity_state(row)
    share = row.hp / row.hp_max if row.hp_max else 0.0
    as_of: Line = ((f"   as of tick {count(answer.tick)}", "dim"),)
    if world_down:
        as_of = ((f"   ✖ the world is down: as of tick {count(answer.tick)}", "bad"),)
    first: Line = ((left(clean(row.kind, 20), 10), "dim"), (word, role), *as_of)
    health: Line = (
        (left("health", 10), "dim"),
        (left(f"{row.hp}/{row.hp_max}", 8), "bright"),
        *gauge(share, GAUGE, hp_role(row)),
    )
    owns = f"level {row.level}, {count(row.gold)} gold, {count(row.goods)} goods"
    place: Line = (
        (left("at", 10), "dim"),
        (f"zone {row.zone}: {row.x:.1f}, {row.y:.1f}", "text"),
    )
    lives = "life" if row.lives == 1 else "lives"
    life = f"{clean(row.stage, 20)}, faction {row.faction}, {row.lives} {lives}"
    if not roomy:
        return [
            first,
            (*health, (f"  {owns}", "text")),
            (*place, (f"   {life}", "dim")),
        ]
    return [
        first,
        health,
        ((left("owns", 10), "dim"), (owns, "text")),
        place,
        ((left("is", 10), "dim"), (life, "text")),
    ]


def is_virtual(entity: int) -> bool:
    """Whether a squad of this run carries the entity."""
    return PLAYER_ID_BASE <= entity < GUEST_ID_BASE


def socket_lines(player: PlayerView | None, snapshot: Snapshot | None, roomy: bool) -> list[Line]:
    """Return a virtual player's connection; ``roomy`` as in ``state_lines``."""
    if player is None:
        return [(("▲ the squad that carries this player does not tell of it", "warn"),)]
    mark, role, word = PHASES.get(player.phase, ("?", "dim", clean(player.phase, 20)))
    since = f" for {clock(player.connected_s)}" if player.connected_s else ""
    attempts = f"   {player.attempts} attempts since" if player.attempts else ""
    oldest_role = "text"
    if player.oldest_in_flight_s >= OLDEST_WARN_S:
        oldest_role = "bad" if player.oldest_in_flight_s >= UNANSWERED_TIMEOUT_S / 2 else "warn"
    lines: list[Line] = [
        (
            (left("phase", 10), "dim"),
            (f"{mark} {word}{since}", role),
            (attempts, "warn"),
            (f"   squad {player.squad}, {clean(player.archetype, 24)}", "dim"),
        ),
        (
            (left("commands", 10), "dim"),
            (f"{count(player.sent)} sent, {count(player.acknowledged)} answered", "text"),
            (f", {player.in_flight} in flight", "bright" if player.in_flight else "dim"),
        ),
    ]
    waited = f"oldest due {player.oldest_in_flight_s:.1f} s ago" if player.in_flight else ""
    if roomy:
        lines.append(((left("waits for", 10), "dim"), (waited or "-", oldest_role)))
    elif waited:
        lines[-1] += ((f", {waited}", oldest_role),)
    lines.append(((left("faults", 10), "dim"), *_faults(player.faults, snapshot)))
    return lines


def _faults(ids: tuple[str, ...], snapshot: Snapshot | None) -> Line:
    if not ids:
        return (("none touches it", "dim"),)
    known = {fault.id: fault for fault in snapshot.faults} if snapshot else {}
    return tuple(
        (f"{'  ' if index else ''}↯ {_fault(fault, known, snapshot)}", "fault")
        for index, fault in enumerate(ids)
    )


def _fault(fault_id: str, known: dict[str, FaultView], snapshot: Snapshot | None) -> str:
    fault = known.get(fault_id)
    if fault is None or snapshot is None:
        return clean(fault_id, 20)
    left_s = max(0.0, fault.armed_at_s + fault.hold_s - snapshot.at_s)
    return f"{clean(fault.name, 30)} {left_s:.0f}s left"


def ack_lines(acks: tuple[AckRow, ...], width: int, rows: int) -> list[Line]:
    """Return the newest answers as a table of at most ``rows`` rows, the newest first."""
    if not acks:
        return [(("no answer yet", "dim"),)]
    head = f"{'seq':>7}  {'kind':<8}{'verdict':<10}{'ms':>7}   reason"
    lines: list[Line] = [((head, "dim"),)]
    for ack in tuple(reversed(acks))[: max(0, rows - 1)]:
        glyph, role = VERDICTS.get(ack.verdict, ("?", "dim"))
        reason = cut(clean(ack.reason, 200), max(0, width - 37))
        lines.append(
            (
                (right(str(ack.seq), 7) + "  ", "faint"),
                (left(clean(ack.kind, 12), 8), "text"),
                (left(f"{glyph} {clean(ack.verdict, 8)}", 10), role),
                (right(ms(ack.latency_ms), 7) + "   ", "bright"),
                (reason, "dim"),
            )
        )
    return lines


def history_lines(events: tuple[Event, ...], rows: int) -> list[Line]:
    """Return the newest events, at most ``rows``, the newest first."""
    if not events:
        return [(("no events kept", "dim"),)]
    lines: list[Line] = []
    for event in tuple(reversed(events))[: max(0, rows)]:
        mark, looks = EVENT_LOOKS.get(event.kind, QUIET)
        lines.append(
            (
                (f"{event.tick:>7}  ", "faint"),
                (f"{mark} ", looks),
                (left(clean(event.kind, 20).replace("_", " "), 16), looks),
                (event_text(event), "dim"),
            )
        )
    return lines
