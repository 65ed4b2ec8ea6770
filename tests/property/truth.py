"""Whether what is claimed is so: drafts held against everything that happened, missed or not.

The narrator's own check, and the hub's, ask whether a number stands in the events that are
named. Here it is asked whether it is the right one.
"""

from collections.abc import Iterable
from itertools import pairwise
from string import Formatter

from engine.protocol.events import Event, entity_id
from engine.protocol.grounding import zone_in
from narrative.faculty.base import Draft

APART_TICKS = 100
"""So long without a blow between two, and the next one is another meeting."""


class History:
    """Everything that happened, also what the narrator never saw."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, events: Iterable[Event]) -> None:
        self.events += events

    def of(self, *kinds: str, since_tick: int = 0, to_seq: int = 2**62) -> list[Event]:
        return [
            e for e in self.events if e.kind in kinds and e.tick >= since_tick and e.seq <= to_seq
        ]

    def in_tick(self, tick: int, *kinds: str) -> list[Event]:
        return [e for e in self.of(*kinds, since_tick=tick) if e.tick == tick]

    def zone_of(self, died: Event) -> int | None:
        """Return where somebody died, None when nothing that happened says so."""
        seen = [e for e in self.of("moved", "fled", "joined", "respawned") if e.seq < died.seq]
        mine = [e for e in seen if e.stream == died.stream]
        return zone_in(mine[-1]) if mine else None

    def deaths_in(self, zone: int, since_tick: int, to_seq: int) -> list[Event]:
        """Return the deaths that were, or may have been, in a zone."""
        died = [e for e in self.of("died", since_tick=since_tick, to_seq=to_seq) if e.stream]
        return [e for e in died if self.zone_of(e) in {zone, None}]

    def kills_of(self, killer: int, since_tick: int, to_seq: int) -> list[Event]:
        died = self.of("died", since_tick=since_tick, to_seq=to_seq)
        return [e for e in died if e.actor == killer and e.stream not in {0, killer}]

    def sales_of(self, seller: int, since_tick: int, to_seq: int) -> list[Event]:
        traded = self.of("traded", since_tick=since_tick, to_seq=to_seq)
        both = [e for e in traded if e.stream and e.target]
        return [e for e in both if (e.stream if e.a < 0 else e.target) == seller and e.a]

    def meetings_of(self, one: int, other: int, since_tick: int, to_seq: int) -> int:
        blows = self.of("attacked", since_tick=since_tick, to_seq=to_seq)
        ticks = [e.tick for e in blows if {e.actor, e.stream} == {one, other}]
        return 1 + sum(late - early > APART_TICKS for early, late in pairwise(ticks))

    def is_away(self, who: int, to_tick: int) -> bool:
        came_and_went = self.of("left", "disconnected", "resumed")
        mine = [e for e in came_and_went if e.stream == who and e.tick <= to_tick]
        return bool(mine) and mine[-1].kind != "resumed"


def check(draft: Draft, history: History) -> None:
    """Check every way of saying a draft, at the tick of its newest event."""
    for sentence in draft.sentences:
        said = {name for _, name, _, _ in Formatter().parse(sentence) if name}
        assert said <= set(draft.slots), sentence
        _CHECKS[draft.kind](draft, said, sentence, history)


def _who(draft: Draft, slot: str) -> int:
    found = entity_id(str(draft.slots[slot]))
    assert found is not None
    return found


def _number(draft: Draft, slot: str) -> int:
    return int(draft.slots[slot])


def _counted(draft: Draft, said: set[str], there_were: int) -> None:
    """A count is said with its beginning, and there were as many."""
    if "count" in said:
        assert "then" in said, draft
        assert draft.slots["count"] == there_were, draft


def _rampage(draft: Draft, said: set[str], _: str, history: History) -> None:
    killer, then, newest = _who(draft, "killer"), _number(draft, "then"), draft.newest
    over = "avenger" in draft.slots
    kills = history.kills_of(killer, then, newest.seq - over)
    _counted(draft, said, len(kills))
    died = [e for e in history.of("died") if e.stream == killer and e.seq > kills[0].seq]
    if over:
        assert died[0] == newest
    else:
        assert not [e for e in died if e.tick <= newest.tick], "is dead"


def _fortune(draft: Draft, said: set[str], sentence: str, history: History) -> None:
    newest = draft.newest
    if "count" in draft.slots:
        sales = history.sales_of(_who(draft, "seller"), _number(draft, "then"), newest.seq)
        _counted(draft, said, len(sales))
    elif sentence.startswith(("Never", "The richest")):
        before = [e.a for e in history.of("looted", to_seq=newest.seq - 1) if e.stream and e.target]
        assert max(before) == draft.slots["before"]
        assert newest.a == draft.slots["gold"] > max(before)


def _feud(draft: Draft, said: set[str], _: str, history: History) -> None:
    newest = draft.newest
    if "count" in draft.slots:
        one, other = _who(draft, "one"), _who(draft, "other")
        then = _number(draft, "then")
        _counted(draft, said, history.meetings_of(one, other, then, newest.seq))
        return
    winner, loser = _who(draft, "winner"), _who(draft, "loser")
    assert (newest.stream, newest.actor, newest.tick) == (loser, winner, draft.slots["now"])
    died = history.of("died", to_seq=newest.seq - 1)
    before = [e for e in died if {e.stream, e.actor} == {winner, loser}][-1]
    assert before.tick == draft.slots["then"]


def _duel(draft: Draft, _: set[str], __: str, history: History) -> None:
    one, other, newest = _who(draft, "one"), _who(draft, "other"), draft.newest
    blows = history.in_tick(newest.tick, "attacked", "retaliated")
    assert [e for e in blows if e.stream == other][-1] == newest
    assert newest.b == draft.slots["hp"] > 0
    struck = [e for e in history.of("attacked") if (e.actor, e.stream) == (one, other)]
    assert len([e for e in struck if e.seq <= newest.seq]) > 3, "blow after blow"


def _death(draft: Draft, _: set[str], __: str, history: History) -> None:
    died = next(e for e in draft.events if e.kind == "died")
    loot = [e for e in history.in_tick(died.tick, "looted") if e.cause == died.seq]
    mine = [e for e in loot if (e.stream, e.target) == (died.actor, died.stream)]
    if mine and "gold" in draft.slots:
        assert (draft.slots["gold"], draft.slots["goods"]) == (mine[-1].a, mine[-1].b)
    if draft.slots.get("where"):
        assert draft.slots["where"] == f" in zone {history.zone_of(died)}"


def _battle(draft: Draft, said: set[str], _: str, history: History) -> None:
    zone, then = _number(draft, "zone"), _number(draft, "then")
    assert {history.zone_of(e) for e in draft.events if e.kind == "died"} == {zone}
    _counted(draft, said, len(history.deaths_in(zone, then, draft.newest.seq)))


def _peace(draft: Draft, _: set[str], __: str, history: History) -> None:
    zone, then = _number(draft, "zone"), _number(draft, "then")
    dead = history.deaths_in(zone, then, draft.newest.seq)
    assert [e for e in dead if e.stream == _who(draft, "last")]
    assert max(e.tick for e in dead) == then


def _help(draft: Draft, _: set[str], __: str, history: History) -> None:
    tick = draft.newest.tick
    foe, caller = _who(draft, "foe"), _who(draft, "caller")
    call = next(e for e in draft.events if e.kind == "called_for_help")
    dead = {e.stream for e in history.in_tick(tick, "died")}
    blows = [e for e in history.in_tick(tick, "retaliated") if e.stream == foe and e.actor]
    came = [e for e in blows if e.cause == call.seq]
    if "slayer" in draft.slots:
        assert foe in dead
        assert caller not in dead
    elif "helpers" in draft.slots:
        assert came
    else:
        assert not came
        assert foe not in dead


def _vanishing(draft: Draft, _: set[str], __: str, history: History) -> None:
    named = str(draft.slots["list"]).replace(" and ", ", ").split(", ")
    for name in named:
        who = entity_id(name)
        assert who is not None
        assert history.is_away(who, draft.newest.tick), name


def _return(draft: Draft, _: set[str], __: str, history: History) -> None:
    then, newest = _number(draft, "then"), draft.newest
    for slot in ("first", "last"):
        assert [e for e in history.of("resumed") if e.stream == _who(draft, slot)]
    assert (newest.kind, newest.tick) == ("resumed", draft.slots["now"])
    assert then <= newest.tick


def _rise(draft: Draft, _: set[str], sentence: str, history: History) -> None:
    if "level" not in draft.slots:
        return
    level, newest = _number(draft, "level"), draft.newest
    before = [e.a for e in history.of("levelled_up", to_seq=newest.seq - 1) if e.stream]
    if "holder" in draft.slots or "first" in sentence or "before anybody" in sentence:
        assert max(before, default=0) < level


def _silence(draft: Draft, _: set[str], __: str, history: History) -> None:
    then, now = _number(draft, "then"), _number(draft, "now")
    assert history.in_tick(now, "world_started")
    assert history.in_tick(then, *{e.kind for e in history.events})
    assert then < now


def _nothing_to_count(*_: object) -> None:
    return None


_CHECKS = {
    "rampage": _rampage,
    "fortune": _fortune,
    "feud": _feud,
    "duel": _duel,
    "death": _death,
    "battle": _battle,
    "peace": _peace,
    "help": _help,
    "vanishing": _vanishing,
    "return": _return,
    "rise": _rise,
    "silence": _silence,
    "dawn": _nothing_to_count,
    "fall": _nothing_to_count,
}
