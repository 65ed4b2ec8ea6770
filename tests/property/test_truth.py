"""Whatever happens, and whatever of it is missed, what the narrator claims is so."""

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest

from engine.protocol.events import Event
from narrative.brain import Brain
from narrative.faculty.base import Draft
from tests.property.truth import History, check

STEPS = 220
SEEDS = range(24)
PLAYERS = [*range(1_000_000, 1_000_004)]
NPCS = [100_000, 100_001]
CROWD = [*range(1_000_100, 1_000_116)]
UNITS_PER_ZONE = 32 * 256


class Witness:
    """A director that tells nothing and keeps every draft."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []

    def choose(self, _: int, drafts: Iterable[Draft]) -> list[Draft]:
        self.drafts += drafts
        return []


class Fate:
    """What happens, tick by tick: a few who fight and trade, and a crowd that comes and goes."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._seq = 0
        self.tick = 0
        # Some lives are hurried and some are slow: windows fill in the one and empty in the other.
        self._hurry = self._random.choice((2, 20, 60))
        self._peace = False

    def pass_time(self) -> list[Event]:
        """Return the events of the next tick with any."""
        now: list[Event] = []
        if not self._seq:
            self._happen(now, "world_started", 0, actor=0)
        self.tick += self._random.randint(1, self._random.choice((3, self._hurry, 130)))
        # War and peace: what falls quiet is told, too.
        self._peace = self._random.random() < (0.94 if self._peace else 0.04)
        for _ in range(self._random.randint(1, 6)):
            self._something(now)
        return now

    def _something(self, now: list[Event]) -> None:
        random = self._random
        one, other = random.sample(PLAYERS + NPCS, 2)
        match random.choices(
            ("go", "strike", "kill", "trade", "call", "crowd", "rise", "wake"),
            (6, 0, 0, 3, 0, 1, 1, 0.1) if self._peace else (6, 6, 5, 3, 3, 1, 1, 0.1),
        )[0]:
            case "go":
                x, y = random.randrange(2) * UNITS_PER_ZONE, random.randrange(2) * UNITS_PER_ZONE
                self._happen(now, random.choice(("moved", "fled")), one, a=x, b=y)
            case "strike":
                for _ in range(random.randint(1, 4)):
                    left = random.randint(0, 12)
                    self._happen(now, "attacked", other, actor=one, target=other, a=5, b=left)
            case "kill":
                self._kill(now, one, other)
            case "trade":
                goods = random.choice((-3, -1, 0, 2))
                self._happen(now, "traded", one, target=other, a=goods, b=goods * 20)
            case "call":
                self._call(now, one, other)
            case "crowd":
                kind = random.choice(("left", "resumed", "resumed"))
                for who in random.sample(CROWD, random.randint(8, len(CROWD))):
                    self._happen(now, kind, who)
            case "rise":
                level = random.randint(2, 7)
                self._happen(now, "levelled_up", one, a=level, b=level - 1)
            case _:
                souls = random.randint(0, 30)
                self._happen(now, "world_started", 0, actor=0, a=1, b=souls)

    def _kill(self, now: list[Event], one: int, other: int) -> None:
        died = self._happen(now, "died", other, actor=one, target=other, b=1)
        if self._random.random() < 0.6:
            gold = self._random.choice((0, 10, 60, 80, 120))
            self._happen(now, "looted", one, target=other, a=gold, b=2, cause=died.seq)

    def _call(self, now: list[Event], one: int, foe: int) -> None:
        random = self._random
        call = self._happen(now, "called_for_help", one, target=foe)
        blows = [
            self._happen(now, "retaliated", foe, actor=helper, target=foe, cause=cause)
            for helper in random.sample(NPCS, random.randint(0, 2))
            for cause in (call.seq, call.seq - 1)
            if helper != foe
        ]
        if blows and random.random() < 0.5:
            blow = random.choice(blows)
            self._happen(now, "died", foe, actor=blow.actor, target=foe, cause=blow.seq)
        if random.random() < 0.1:
            self._kill(now, foe, one)

    def _happen(self, now: list[Event], kind: str, stream: int, **fields: Any) -> Event:
        self._seq += 1
        event = Event(self._seq, self.tick, kind, stream, 1, **{"actor": stream, **fields})
        now.append(event)
        return event


def lived(seed: int, gap_part: float) -> Counter[str]:
    """Live a life, check every claim about it, and return how many there were of each kind."""
    brain, witness = Brain(seed), Witness()
    brain._director = witness  # type: ignore[assignment]  # chooses nothing, keeps everything
    history, fate = History(), Fate(seed)
    chance, missed = Random(seed + 1), False
    seen: Counter[str] = Counter()
    for _ in range(STEPS):
        events = fate.pass_time()
        history.add(events)
        # What is missed comes in stretches.
        missed = chance.random() < (0.7 if missed else gap_part)
        if missed:
            brain.gap()
            continue
        witness.drafts.clear()
        brain.step(fate.tick, events)
        for draft in witness.drafts:
            check(draft, history)
            seen[draft.kind] += 1
    return seen


@pytest.mark.parametrize("gap_part", [0.0, 0.03, 0.08])
def test_what_is_claimed_is_so(gap_part: float):
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        seen += lived(seed, gap_part)
    everything = {
        "rampage", "fortune", "feud", "duel", "death", "battle", "peace", "help", "vanishing",
        "return", "rise", "silence",
    }  # fmt: skip
    assert everything <= set(seen), "a claim that is never made is not checked"
