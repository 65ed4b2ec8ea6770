"""A zone that becomes a battlefield, and one that falls quiet again."""

from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from engine.protocol.grounding import zone_in
from engine.protocol.limits import BEAT_EVENTS_MAX
from narrative.faculty.base import NAMES_MAX, Draft, Moment, Slots, cast, evidence, names
from narrative.memory import Recent

_WITHIN_TICKS: Final = 300
_DEAD_MIN: Final = 3
_QUIET_TICKS: Final = 300
_REMEMBERED: Final = BEAT_EVENTS_MAX // 2
"""Each of the dead is named with two events: the death, and where it was."""

_UNCOUNTED: Final = (
    "Stay out of zone {zone}. {list} died there, the last of them at tick {now}.",
    "The fighting gathers in zone {zone}: {list} have fallen there.",
)
_BATTLE: Final = (
    "Zone {zone} has become a battlefield: {count} dead since tick {then}, {last} the latest.",
    "The fighting gathers in zone {zone}: {count} have fallen there since tick {then}, "
    "{list} among them.",
    *_UNCOUNTED,
)
_QUIET: Final = (
    "{walker} crosses zone {zone}. Nobody has died there since {last} at tick {then}.",
    "Grass grows over zone {zone}: {walker} passes where {last} was the last to fall, at tick "
    "{then}.",
    "Zone {zone} is quiet. {walker} passes, and only the grave of {last} remembers tick {then}.",
)


class _Zone:
    __slots__ = ("embattled", "fallen")

    def __init__(self) -> None:
        self.fallen = Recent(_REMEMBERED)
        self.embattled = False


class Zones:
    """Remembers the newest deaths of every zone; there are few zones.

    Somebody may die where nobody knows. That may have been in any zone: none is called
    quiet since then, and no deaths are counted over it.
    """

    name = "zones"

    def __init__(self) -> None:
        self._zones: dict[int, _Zone] = {}
        self._embattled = 0
        self._somewhere_tick = -1

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        for died in moment.of("died"):
            if not died.stream:
                continue
            found = moment.places.of(died.stream, died.seq)
            if found is None or not moment.citable(found[1]):
                self._somewhere_tick = died.tick
            else:
                yield from self._fell(moment, found[0], died, found[1])
        if self._embattled:
            for moved in moment.of("moved"):
                zone = zone_in(moved)
                known = None if zone is None else self._zones.get(zone)
                if zone is not None and known is not None and known.embattled and moved.stream:
                    yield from self._walked(moment, zone, known, moved)

    def gap(self) -> None:
        """See ``Adviser.gap``: somebody may have died where all seemed quiet."""
        self._zones.clear()
        self._embattled = 0
        self._somewhere_tick = -1

    def _fell(self, moment: Moment, number: int, died: Event, place: Event) -> Iterable[Draft]:
        zone = self._zones.setdefault(number, _Zone())
        zone.fallen.thin(moment.tick - _WITHIN_TICKS, moment.citable)
        zone.fallen.add(died, place)
        if len(zone.fallen) >= _DEAD_MIN and not zone.embattled:
            zone.embattled = True
            self._embattled += 1
            counted = self._somewhere_tick < zone.fallen.first.tick
            yield _battle(number, zone.fallen, counted=counted)

    def _walked(self, moment: Moment, number: int, zone: _Zone, moved: Event) -> Iterable[Draft]:
        last = zone.fallen.last if zone.fallen else None
        if last is not None and moved.tick - last.tick < _QUIET_TICKS:
            return
        zone.embattled = False
        self._embattled -= 1
        zone.fallen.thin(0, moment.citable)
        if not zone.fallen or zone.fallen.last.stream == moved.stream:
            return
        died, place = zone.fallen.newest
        if self._somewhere_tick >= died.tick:
            return
        slots: Slots = {
            "zone": number,
            "walker": entity_name(moved.stream),
            "last": entity_name(died.stream),
            "then": died.tick,
        }
        who = cast(moved.stream, died.stream)
        yield Draft("peace", 2.2, _QUIET, slots, evidence(place, died, moved), who)


def _battle(number: int, fallen: Recent, *, counted: bool) -> Draft:
    """Return the draft; not ``counted``: more may have died there than are known."""
    dead = list(dict.fromkeys(died.stream for died in reversed(tuple(fallen))))
    slots: Slots = {
        "zone": number,
        "count": len(fallen),
        "then": fallen.first.tick,
        "now": fallen.last.tick,
        "last": entity_name(fallen.last.stream),
        "list": names(reversed(dead[:NAMES_MAX])),
    }
    sentences = _BATTLE if counted else _UNCOUNTED
    return Draft("battle", 4.2, sentences, slots, evidence(*fallen.evidence), cast(*dead))


ADVISER = Zones
