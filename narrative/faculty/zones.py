"""A zone that becomes a battlefield, and one that falls quiet again."""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from engine.protocol.events import Event, entity_name
from engine.protocol.grounding import zone_in
from engine.protocol.limits import BEAT_EVENTS_MAX
from narrative.faculty.base import NAMES_MAX, Draft, Moment, Slots, cast, evidence, names

_WITHIN_TICKS: Final = 300
_DEAD_MIN: Final = 3
_QUIET_TICKS: Final = 300
_REMEMBERED: Final = BEAT_EVENTS_MAX // 2
"""Each of the dead is named with two events: the death, and where it was."""

_BATTLE: Final = (
    "Zone {zone} has become a battlefield: {count} dead since tick {then}, {last} the latest.",
    "Stay out of zone {zone}. {list} died there, the last of them at tick {now}.",
    "The fighting gathers in zone {zone}: {count} have fallen there, {list} among them.",
)
_QUIET: Final = (
    "{walker} crosses zone {zone} unharmed. Nobody has died there since {last} at tick {then}.",
    "Grass grows over zone {zone}: {walker} walks where {last} fell at tick {then}, in peace.",
    "Zone {zone} is quiet. {walker} passes, and only the grave of {last} remembers tick {then}.",
)


class _Fallen(NamedTuple):
    died: Event
    place: Event


class _Zone:
    __slots__ = ("embattled", "fallen")

    def __init__(self) -> None:
        self.fallen: deque[_Fallen] = deque(maxlen=_REMEMBERED)
        self.embattled = False


class Zones:
    """Remembers the newest deaths of every zone; there are few zones."""

    name = "zones"

    def __init__(self) -> None:
        self._zones: dict[int, _Zone] = {}
        self._embattled = 0

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        for died in moment.of("died"):
            found = moment.places.of(died.stream) if died.stream else None
            if found is not None and moment.citable(found[1]):
                yield from self._fell(moment, found[0], _Fallen(died, found[1]))
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

    def _fell(self, moment: Moment, number: int, fresh: _Fallen) -> Iterable[Draft]:
        zone = self._zones.setdefault(number, _Zone())
        zone.fallen.append(fresh)
        while zone.fallen and (
            zone.fallen[0].died.tick < moment.tick - _WITHIN_TICKS
            or not moment.citable(zone.fallen[0].place)
        ):
            zone.fallen.popleft()
        if len(zone.fallen) >= _DEAD_MIN and not zone.embattled:
            zone.embattled = True
            self._embattled += 1
            yield _battle(number, tuple(zone.fallen))

    def _walked(self, moment: Moment, number: int, zone: _Zone, moved: Event) -> Iterable[Draft]:
        last = zone.fallen[-1] if zone.fallen else None
        if last is not None and moved.tick - last.died.tick < _QUIET_TICKS:
            return
        zone.embattled = False
        self._embattled -= 1
        if last is None or not moment.citable(last.place) or moved.stream == last.died.stream:
            return
        slots: Slots = {
            "zone": number,
            "walker": entity_name(moved.stream),
            "last": entity_name(last.died.stream),
            "then": last.died.tick,
        }
        who = cast(moved.stream, last.died.stream)
        yield Draft("peace", 2.2, _QUIET, slots, evidence(last.place, last.died, moved), who)


def _battle(number: int, fallen: tuple[_Fallen, ...]) -> Draft:
    dead = list(dict.fromkeys(one.died.stream for one in reversed(fallen)))
    slots: Slots = {
        "zone": number,
        "count": len(fallen),
        "then": fallen[0].died.tick,
        "now": fallen[-1].died.tick,
        "last": entity_name(fallen[-1].died.stream),
        "list": names(reversed(dead[:NAMES_MAX])),
    }
    events = evidence(*(event for one in fallen for event in one))
    return Draft("battle", 4.2, _BATTLE, slots, events, cast(*dead))


ADVISER = Zones
