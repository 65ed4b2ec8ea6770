"""Who rises above everybody, reaches the prime of life, or begins to fade."""

from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from engine.protocol.filters import STAGES
from narrative.faculty.base import Draft, Moment, Slots, cast, evidence

_LEVEL_MIN: Final = 3
_LEVEL_HIGH: Final = 5
_PEAK: Final = STAGES.index("peak")
_DECAY: Final = STAGES.index("decay")

_FIRST: Final = (
    "{who} has reached level {level}, before anybody else.",
    "Level {level}: {who} is the first to stand so high.",
)
_ABOVE: Final = (
    "{holder} was the highest, at level {before}. Now {who} looks down from level {level}.",
    "{who} rises to level {level} and leaves {holder} behind.",
    "The name to know is {who}: level {level}, above {holder} and everybody else.",
)
_STILL: Final = (
    "{who} climbs on, from level {before} to level {level}; nobody stands higher.",
    "Level {level} for {who}, whom nobody had outdone at level {before}.",
)
_HIGH: Final = (
    "{who} rises from level {before} to level {level}.",
    "Level {level} for {who}, who was at level {before}.",
)
_PRIME: Final = (
    "{who} has come into the prime of life.",
    "What was learned in many ticks shows now: {who} is at the peak.",
)
_FADES: Final = (
    "{who} has died too often. Something in {who} does not come back any more.",
    "Death has left its mark on {who}: the long decay begins.",
)


class Rise:
    """Remembers the highest level there was, and who had it."""

    name = "rise"

    def __init__(self) -> None:
        self._top: Event | None = None

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        for risen in moment.of("levelled_up"):
            if risen.stream and risen.a >= _LEVEL_MIN:
                yield from self._risen(moment, risen)
        for changed in moment.of("stage_changed"):
            if changed.stream and changed.a in {_PEAK, _DECAY}:
                sentences = _PRIME if changed.a == _PEAK else _FADES
                slots: Slots = {"who": entity_name(changed.stream)}
                kind = "rise" if changed.a == _PEAK else "fall"
                events, who = evidence(changed), cast(changed.stream)
                yield Draft(kind, 2.4, sentences, slots, events, who)

    def gap(self) -> None:
        """See ``Adviser.gap``: from then on nothing is said of the highest."""

    def _risen(self, moment: Moment, risen: Event) -> Iterable[Draft]:
        slots: Slots = {"who": entity_name(risen.stream), "level": risen.a}
        weight = min(5.0, 2.2 + risen.a / 6)
        if not moment.complete:
            if risen.a >= _LEVEL_HIGH:
                slots["before"] = risen.b
                events, who = evidence(risen), cast(risen.stream)
                yield Draft("rise", weight - 1, _HIGH, slots, events, who)
            return
        before = self._top
        if before is not None and risen.a <= before.a:
            return
        self._top = risen
        if before is None or not moment.citable(before):
            yield Draft("rise", weight, _FIRST, slots, evidence(risen), cast(risen.stream))
            return
        slots |= {"holder": entity_name(before.stream), "before": before.a}
        same = before.stream == risen.stream
        yield Draft(
            "rise",
            weight - same,
            _STILL if same else _ABOVE,
            slots,
            evidence(before, risen),
            cast(risen.stream, before.stream),
        )


ADVISER = Rise
