"""A call for help, and who came."""

from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from narrative.faculty.base import NAMES_MAX, Draft, Moment, Slots, cast, evidence, names

_ANSWERED: Final = (
    "{caller} called for help against {foe}, and {helpers} came.",
    "A cry from {caller}: {foe} is upon me! {helpers} heard it and struck.",
    "{foe} had {caller} almost beaten when {helpers} stepped in.",
    "Kin is kin: {helpers} rushed to {caller} and turned on {foe}.",
)
_ALONE: Final = (
    "{caller} called for help against {foe}. Nobody came.",
    "There was no answer when {caller} cried out under the blows of {foe}.",
    "{caller} screamed, {foe} had struck hard, and the land was silent.",
)
_RESCUED: Final = (
    "{caller} called and was saved: {slayer} came and killed {foe}.",
    "{foe} should have let {caller} be. {slayer} answered the cry and ended it.",
    "{slayer} answered the cry of {caller}; {foe} did not live to regret it.",
)


class Help:
    """Every call, with its answers of the same tick."""

    name = "help"

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        calls = [c for c in moment.of("called_for_help") if c.stream and c.target]
        if not calls:
            return
        blows = list(moment.of("retaliated"))
        dead = {died.stream: died for died in moment.of("died")}
        for call in calls:
            answers = [
                blow
                for blow in blows
                if blow.cause == call.seq and blow.actor and blow.stream == call.target
            ]
            if answers:
                yield _answered(call, answers, dead)
            elif call.target not in dead:
                # Nobody is called to a foe who has fallen already.
                who = cast(call.stream, call.target)
                yield Draft("help", 1.9, _ALONE, _slots(call), evidence(call), who)

    def gap(self) -> None:
        """See ``Adviser.gap``: nothing is remembered here."""


def _slots(call: Event) -> Slots:
    return {"caller": entity_name(call.stream), "foe": entity_name(call.target)}


def _answered(call: Event, answers: list[Event], dead: dict[int, Event]) -> Draft:
    slots = _slots(call)
    died = dead.get(call.target)
    for answer in answers:
        if died is not None and (died.cause, died.actor) == (answer.seq, answer.actor):
            if call.stream in dead:
                break  # too late
            slots["slayer"] = entity_name(answer.actor)
            events = evidence(call, answer, died)
            who = cast(call.stream, answer.actor, call.target)
            return Draft("help", 4.5, _RESCUED, slots, events, who)
    helpers = list(dict.fromkeys(answer.actor for answer in answers))[:NAMES_MAX]
    slots["helpers"] = names(helpers)
    who = cast(call.stream, *helpers, call.target)
    return Draft("help", 2.6, _ANSWERED, slots, evidence(call, *answers), who)


ADVISER = Help
