"""Whether a text says only what its events say: every name and number must stand in one of them.

What counts as standing there: the entities of an event; its numbers (``seq``, ``tick``,
``version``, ``a``, ``b`` with or without their sign, ``cause``) and those within its text;
after the word "zone" the zone of a place an event tells of, and nothing else; and how many
of the named events there are: all of them, those of one kind, those of one kind by one
actor, about one entity or against one target.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from engine.protocol.events import ENTITY_NAME, Event, entity_id
from engine.protocol.limits import MAP_TILES, POSITION_UNITS_PER_TILE, ZONES_PER_SIDE

_UNITS_PER_ZONE: Final = MAP_TILES * POSITION_UNITS_PER_TILE // ZONES_PER_SIDE
_WORDS: Final = (
    "zero", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty",
)  # fmt: skip
_OTHER_WORDS: Final = (
    ("twice", 2), ("thrice", 3), ("dozen", 12), ("dozens", 12), ("hundred", 100),
    ("hundreds", 100), ("thousand", 1000), ("thousands", 1000), ("third", 3), ("fourth", 4),
    ("fifth", 5), ("sixth", 6), ("seventh", 7), ("eighth", 8), ("ninth", 9), ("tenth", 10),
)  # fmt: skip
"""Numbers in words. "One", "once", "first" and "second" are left out: they mean other things."""

_TOKEN: Final = re.compile(
    rf"(?P<name>{ENTITY_NAME})"
    r"|\bzone\s+(?P<zone>\d+)"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?)"
    r"|(?P<word>[^\W\d_]+)",
    re.IGNORECASE,
)
_DIGITS_MAX: Final = 20
"""Longer than any number an event can hold."""


def ungrounded(text: str, events: Iterable[Event]) -> tuple[str, ...]:
    """Return the names and numbers of a text that stand in none of the events, as written.

    Args:
        text: What is told.
        events: What it is told from.
    """
    known = list(events)
    entities = entities_in(known)
    numbers = _numbers_in(known)
    zones = {zone for event in known if (zone := zone_in(event)) is not None}
    found = []
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match.group()
        if kind == "name":
            grounded = entity_id(token.lower()) in entities
        elif kind == "zone":
            grounded = _number(match.group("zone")) in zones
        elif kind == "number":
            grounded = _number(token) in numbers
        else:
            value = _number_of_word(token)
            grounded = value is None or value in numbers
        if not grounded:
            found.append(token)
    # Figures that no rule above reads, such as a superscript or a fraction sign.
    found += [char for char in text if char.isnumeric() and not char.isdecimal()]
    return tuple(found)


def entities_in(events: Iterable[Event]) -> frozenset[int]:
    """Return every entity that stands in one of the events; the world itself is none."""
    every = (who for event in events for who in (event.stream, event.actor, event.target))
    return frozenset(who for who in every if who)


def zone_in(event: Event) -> int | None:
    """Return the zone an event took place in, None when it does not say.

    As ``engine.world.state`` counts them: row by row from the north-west corner.
    """
    if event.kind in {"moved", "fled"}:
        x, y = event.a, event.b
    elif event.kind in {"joined", "respawned"}:
        x, y = event.a & 0xFFFF, event.a >> 16
    else:
        return None
    column, row = x // _UNITS_PER_ZONE, y // _UNITS_PER_ZONE
    if not (0 <= column < ZONES_PER_SIDE and 0 <= row < ZONES_PER_SIDE):
        return None
    return row * ZONES_PER_SIDE + column


def _numbers_in(events: list[Event]) -> set[float]:
    found: set[float] = {len(events)}
    counts: Counter[tuple[str, str, int]] = Counter()
    for event in events:
        found.update((event.seq, event.tick, event.version, abs(event.a), abs(event.b)))
        found.add(event.cause)
        found.update(_numbers_of(event.text))
        counts[event.kind, "", 0] += 1
        for role in ("actor", "stream", "target"):
            counts[event.kind, role, getattr(event, role)] += 1
    return found.union(counts.values())


def _numbers_of(text: str) -> Iterator[float]:
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "number":
            yield _number(match.group())


def _number(token: str) -> float:
    """Return a number's value; one too long to stand in any event is none."""
    bare = token.replace(",", "")
    if len(bare) > _DIGITS_MAX:
        return -1
    return float(bare) if "." in bare else int(bare)


def _number_of_word(word: str) -> int | None:
    lower = word.lower()
    if lower in _WORDS:
        return _WORDS.index(lower)
    return dict(_OTHER_WORDS).get(lower)
