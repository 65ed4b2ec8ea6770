"""Knows what must be true of a simulated run, whatever went wrong in it.

Each check is a function of the evidence alone that raises ``Broken``. They are written
apart from the engine: plain loops over plain numbers, and a ledger of their own.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from engine.protocol.events import EVENT_KINDS, Event, correlation_of
from engine.protocol.limits import ORDER_SEQ_BASE
from engine.store.base import TickRecord
from engine.store.replay import world_at
from engine.store.verify import verify
from engine.world.audit import DENY, RESENT, AuditBlock, AuditTable
from engine.world.constants import (
    GOLD_NPC_START,
    GOLD_SUPPLY,
    GOODS_NODE_MAX,
    GOODS_NPC_START,
)
from engine.world.events import to_events
from engine.world.inputs import TickInputs
from engine.world.state import NODE, NPC, State
from engine.world.world import World
from tests.sim.evidence import Evidence


class Broken(AssertionError):
    """Something that must be true is not.

    Attributes:
        check: Which check says so.
        words: What it found.
    """

    def __init__(self, check: str, words: str) -> None:
        super().__init__(f"{check}: {words}")
        self.check = check
        self.words = words


class Told(NamedTuple):
    """The log, read once."""

    records: list[TickRecord]
    events: list[Event]
    roots: dict[int, list[Event]]
    """By correlation: events of a command itself, and not of what followed from it."""


def audit(evidence: Evidence) -> None:
    """Check everything.

    Raises:
        Broken: The first thing that is not true.
    """
    told = read(evidence)
    for name, check in CHECKS:
        for words in check(evidence, told):
            raise Broken(name, words)


def read(evidence: Evidence) -> Told:
    """Read the log."""
    records = list(evidence.log.ticks())
    events = [event for record in records for event in to_events(record.block(), record.tick)]
    roots: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.correlation and not event.cause:
            roots[event.correlation].append(event)
    return Told(records, events, roots)


Words = Iterator[str]


def _gapless(_: Evidence, told: Told) -> Words:
    seq = 1
    for tick, record in enumerate(told.records):
        if (record.tick, record.first_seq) != (tick, seq):
            yield f"tick {tick} with event {seq} is missing; there is {record.tick}"
        seq += record.count
    versions: dict[int, int] = defaultdict(int)
    for at, event in enumerate(told.events, 1):
        if event.seq != at:
            yield f"event {at} is missing"
        versions[event.stream] += 1
        if event.version != versions[event.stream]:
            yield f"event {at} has version {event.version}, not {versions[event.stream]}"


def _causes(_: Evidence, told: Told) -> Words:
    for event in told.events:
        if not event.cause:
            continue
        if not 0 < event.cause < event.seq:
            yield f"event {event.seq} is caused by {event.cause}"
            continue
        cause = told.events[event.cause - 1]
        if cause.correlation != event.correlation:
            yield f"event {event.seq} and its cause {cause.seq} follow from different commands"


def _applied_once(_: Evidence, told: Told) -> Words:
    for correlation, roots in told.roots.items():
        # Of who is nobody nothing is remembered: a stranger's denials are the world's.
        if len([root for root in roots if root.stream]) > 1:
            yield f"command {_command(correlation)} was applied in {[r.seq for r in roots]}"


def _every_intent_judged(_: Evidence, told: Told) -> Words:
    """One root event for each new intent, in the tick that took it; none for one sent again."""
    newest: dict[int, int] = defaultdict(int)
    for record in told.records:
        intents = TickInputs.unpack(record.inputs).intents
        rows = sorted(zip(intents["player"].tolist(), intents["seq"].tolist(), strict=True))
        wanted = set()
        for player, seq in rows:
            if seq > newest[player]:
                wanted.add(correlation_of(player, seq))
        for player, seq in rows:
            if seq < ORDER_SEQ_BASE:
                newest[player] = max(newest[player], seq)
        for correlation in wanted:
            ticks = [root.tick for root in told.roots.get(correlation, [])]
            if record.tick not in ticks:
                yield f"tick {record.tick}: no verdict on {_command(correlation)}"
        of_tick = {
            event.correlation
            for event in to_events(record.block(), record.tick)
            if event.correlation and not event.cause
        }
        if of_tick - wanted:
            strange = [_command(each) for each in of_tick - wanted]
            yield f"tick {record.tick}: verdicts on what nobody sent: {strange}"


def _audited(_: Evidence, told: Told) -> Words:
    """Each intent has its line in the audit: what its root event says, and who was asked."""
    table: AuditTable | None = None
    for record in told.records:
        intents = TickInputs.unpack(record.inputs).intents
        audit = AuditBlock.from_log(record.audit)
        table = audit.table or table
        if len(audit.verdict) != len(intents):
            yield f"tick {record.tick}: {len(audit.verdict)} audits of {len(intents)} intents"
            continue
        if len(intents) and (table is None or table.version != audit.version):
            yield f"tick {record.tick}: nobody knows which policies were asked"
            continue
        denied, judged = set(), set()
        keys = zip(intents["player"].tolist(), intents["seq"].tolist(), strict=True)
        for key, verdict in zip(keys, audit.verdict.tolist(), strict=True):
            correlation = correlation_of(*key)
            if verdict != RESENT:
                judged.add(correlation)
            if verdict == DENY:
                denied.add(correlation)
        own = [
            event
            for event in to_events(record.block(), record.tick)
            if event.correlation and not event.cause
        ]
        if judged != {event.correlation for event in own}:
            yield f"tick {record.tick}: the audit judges other commands than have an event"
        if denied != {event.correlation for event in own if event.kind == "denied"}:
            yield f"tick {record.tick}: the audit denies other commands than have a denial"


def _acknowledged_is_stored(evidence: Evidence, told: Told) -> Words:
    for entity, _, ack, durable in evidence.acks:
        if ack.tick > durable or (ack.tick == 0 and ack.verdict != "deny"):
            yield f"{entity}'s {ack.seq} was acknowledged before its tick {ack.tick} was durable"
        if not ack.tick:
            continue  # the gateway's own refusal: the world never saw it
        roots = told.roots.get(correlation_of(entity, ack.seq), [])
        if ack.event is None:
            # Sent again so late that the verdict is forgotten: at least it was taken once.
            if entity in evidence.honest and not roots:
                yield f"{entity}'s {ack.seq} was acknowledged and is not in the log"
            continue
        if ack.event not in [root.seq for root in roots]:
            yield f"{entity}'s {ack.seq} was acknowledged with event {ack.event}: no such event"
        elif (told.events[ack.event - 1].kind == "denied") != (ack.verdict == "deny"):
            yield f"{entity}'s {ack.seq}: {ack.verdict} was told, stored is another verdict"


def _one_answer(evidence: Evidence, _: Told) -> Words:
    """However often a command is answered, the answer is the same."""
    told: dict[int, tuple[str, str | None, int | None]] = {}
    for entity, _line, ack, _durable in evidence.acks:
        if not ack.tick or ack.event is None:
            continue
        answer = ack.verdict, ack.reason, ack.event
        first = told.setdefault(correlation_of(entity, ack.seq), answer)
        if first != answer:
            yield f"{entity}'s {ack.seq} was answered {first}, then {answer}"


def _answers_in_order(evidence: Evidence, told: Told) -> Words:
    """On one connection ticks do not go back; a player's commands are taken in their order.

    Within a tick, what governance denies at the start comes before what is carried out.
    """
    ticks: dict[int, int] = defaultdict(int)
    for entity, line, ack, _ in evidence.acks:
        if ack.tick and ack.tick < ticks[line]:
            yield f"{entity}'s {ack.seq}: tick {ack.tick} was told after {ticks[line]}"
        ticks[line] = max(ticks[line], ack.tick)
    taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for correlation, roots in told.roots.items():
        seq = correlation & 0xFFFFFFFF
        if seq < ORDER_SEQ_BASE:
            taken[correlation >> 32].append((seq, roots[0].tick))
    for entity, commands in taken.items():
        in_order = [tick for _, tick in sorted(commands)]
        if entity in evidence.honest and in_order != sorted(in_order):
            yield f"{entity}'s commands were not taken in their order: {sorted(commands)}"


def _welcomes(evidence: Evidence, told: Told) -> Words:
    """Who comes back is told of its newest command that is in the log by then."""
    taken: dict[int, list[Event]] = defaultdict(list)
    for roots in told.roots.values():
        taken[roots[0].correlation >> 32] += roots
    for entity, welcome, durable in evidence.welcomes:
        if welcome.tick > durable:
            yield f"{entity} was welcomed in tick {welcome.tick}, before it was durable"
        seqs = [
            root.correlation & 0xFFFFFFFF for root in taken[entity] if root.tick <= welcome.tick
        ]
        newest = max((seq for seq in seqs if seq < ORDER_SEQ_BASE), default=0)
        if welcome.seq != newest:
            yield f"{entity} was told {welcome.seq} in tick {welcome.tick}, its newest is {newest}"
    if evidence.acknowledged_lost:
        yield f"players missed {evidence.acknowledged_lost} acknowledged commands after a resume"


def _shown_is_durable(evidence: Evidence, _: Told) -> Words:
    for tick, durable in evidence.updates:
        if tick > durable:
            yield f"an update showed tick {tick} when {durable} was the newest durable one"


def _published_is_stored(evidence: Evidence, told: Told) -> Words:
    for batch, durable in evidence.batches:
        if batch.tick > durable:
            yield f"tick {batch.tick} was published before it was durable"
        if batch.tick >= len(told.records):
            yield f"tick {batch.tick} was published and is not in the log"
            continue
        block = told.records[batch.tick].block()
        if (batch.first_seq, batch.columns) != (block.first_seq, block.pack()):
            yield f"tick {batch.tick} was published with other events than are stored"


def _orders_stored(evidence: Evidence, told: Told) -> Words:
    for done in evidence.orders_done:
        if done.event and not 0 < done.event <= len(told.events):
            yield f"order {done.id} was told done as event {done.event}, which is not in the log"


def _changes_stored(evidence: Evidence, told: Told) -> Words:
    """A change of a policy that was told done is in the log, in its tick; no other is."""
    changed = [(event.tick, event.text) for event in told.events if event.kind == "policy_changed"]
    for done in evidence.changes_done:
        is_change = done.ok and not done.text.endswith(": nothing changed")
        if is_change and (done.tick, done.text) not in changed:
            yield f"tick {done.tick}: told done, and not stored: {done.text}"
    asked = {record.tick: len(TickInputs.unpack(record.inputs).policies) for record in told.records}
    for tick, count in Counter(tick for tick, _ in changed).items():
        if count > asked[tick]:
            yield f"tick {tick}: {count} policies changed, and {asked[tick]} changes came in"


def _restarts(evidence: Evidence, told: Told) -> Words:
    for start in evidence.starts:
        if start.found != start.stored:
            yield f"the world came back at tick {start.tick} with another state"
    for tick, state_hash in evidence.hashes.items():
        if tick >= len(told.records):
            yield f"tick {tick} was durable and is not in the log"
        elif told.records[tick].hash != state_hash:
            yield f"tick {tick} was durable with another state than is in the log"


def _invariants(_: Evidence, told: Told) -> Words:
    for event in told.events:
        if event.kind == "invariant_broken":
            yield f"tick {event.tick}: {event.text}"
        if event.kind not in EVENT_KINDS:
            yield f"event {event.seq} is of no known kind"


class _Ledger:
    """Who has how much gold and goods, from the events alone."""

    def __init__(self, evidence: Evidence) -> None:
        state = World.create(evidence.config).state
        self.gold: dict[int, int] = defaultdict(int)
        self.goods: dict[int, int] = defaultdict(int)
        self.treasury = GOLD_SUPPLY
        self.made = 0
        for row in range(state.count):
            entity, kind = int(state.id[row]), int(state.kind[row])
            self.goods[entity] = {NODE: GOODS_NODE_MAX, NPC: GOODS_NPC_START}[kind]
            self.made += self.goods[entity]
            if kind == NPC:
                self.gold[entity] = GOLD_NPC_START
                self.treasury -= GOLD_NPC_START

    def book(self, event: Event) -> None:
        """Move gold and goods as an event says."""
        one, other, a, b = event.stream, event.target, event.a, event.b
        if event.kind in {"joined", "respawned"}:
            self.gold[one] += b
            self.treasury -= b
        elif event.kind == "looted":
            self._move(other, one, gold=a, goods=b)
        elif event.kind == "traded":
            self._move(other, one, gold=-b, goods=a)
        elif event.kind == "gathered":
            self._move(other, one, gold=0, goods=a)
        elif event.kind == "node_regrown":
            self.made += a - self.goods[one]
            self.goods[one] = a

    def _move(self, giver: int, taker: int, *, gold: int, goods: int) -> None:
        self.gold[giver] -= gold
        self.gold[taker] += gold
        self.goods[giver] -= goods
        self.goods[taker] += goods


def _conserved(evidence: Evidence, told: Told) -> Words:
    """Nothing comes from nowhere: every purse and every load is what the events make of it."""
    ledger = _Ledger(evidence)
    for event in told.events:
        ledger.book(event)
        least = min(ledger.gold[event.stream], ledger.goods[event.stream], ledger.treasury)
        if least < 0:
            yield f"event {event.seq} leaves somebody with {least}"
    if sum(ledger.gold.values()) + ledger.treasury != GOLD_SUPPLY:
        yield "gold came from nowhere, or went there"
    if sum(ledger.goods.values()) != ledger.made:
        yield "goods came from nowhere, or went there"
    state = _last_state(evidence)
    for row in range(state.count):
        entity = int(state.id[row])
        pair = int(state.gold[row]), int(state.goods[row])
        if pair != (ledger.gold[entity], ledger.goods[entity]):
            booked = ledger.gold[entity], ledger.goods[entity]
            yield f"{entity} has (gold, goods) {pair}, the events make it {booked}"
    if state.treasury != ledger.treasury:
        yield f"the treasury holds {state.treasury}, the events make it {ledger.treasury}"


def _last_state(evidence: Evidence) -> State:
    last = evidence.log.last()
    return world_at(evidence.log, evidence.config, 0 if last is None else last.tick + 1).state


def _replays(evidence: Evidence, _: Told) -> Words:
    done = verify(evidence.log, evidence.config)
    if done.difference is not None:
        yield f"the log replays otherwise: {done.difference}"


def _command(correlation: int) -> str:
    return f"{correlation >> 32}'s {correlation & 0xFFFFFFFF}"


CHECKS: Final[tuple[tuple[str, Callable[[Evidence, Told], Words]], ...]] = (
    ("gapless", _gapless),
    ("causes", _causes),
    ("applied_once", _applied_once),
    ("every_intent_judged", _every_intent_judged),
    ("audited", _audited),
    ("acknowledged_is_stored", _acknowledged_is_stored),
    ("one_answer", _one_answer),
    ("answers_in_order", _answers_in_order),
    ("welcomes", _welcomes),
    ("shown_is_durable", _shown_is_durable),
    ("published_is_stored", _published_is_stored),
    ("orders_stored", _orders_stored),
    ("changes_stored", _changes_stored),
    ("restarts", _restarts),
    ("invariants", _invariants),
    ("conserved", _conserved),
    ("replays", _replays),
)
