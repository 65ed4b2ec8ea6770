"""chat-filter: listed words become asterisks, shouting and repetition are toned down."""

import re
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from engine.protocol.limits import PARAM_CHARS_MAX, SAY_CHARS_MAX
from engine.world.hearing import Hearing
from engine.world.orders import SAY
from engine.world.policies.base import Judgement

_LETTER = re.compile(r"[^\W\d_]")


class Params(Struct, frozen=True):
    """Of ``chat-filter``."""

    words: Annotated[
        str,
        Meta(max_length=PARAM_CHARS_MAX, description="listed words, with commas between"),
    ] = "damn, idiot, scum"
    shout_letters_min: Annotated[
        int,
        Meta(
            ge=1,
            le=SAY_CHARS_MAX,
            description="letters, all of them capitals, from which on it is shouting",
        ),
    ] = 8
    run_max: Annotated[
        int, Meta(ge=1, le=SAY_CHARS_MAX, description="times a character stands in a row")
    ] = 3


@dataclass(frozen=True, slots=True)
class ChatFilter:
    """Changes what is said, and denies nothing. A listed word counts as a whole word."""

    name: str = "chat-filter"
    help: str = "listed words, shouting and repetition in what is said"
    priority: int = 60
    kinds: tuple[int, ...] = (SAY,)
    steady: bool = False
    fixed: bool = False
    defaults: Params = Params()

    def judge(self, hearing: Hearing, params: Params) -> Judgement | None:
        """See ``Policy``."""
        rows = hearing.in_play(hearing.rows(SAY))
        clean = _Filter(params)
        found: list[tuple[int, str, str]] = []
        for row, given in zip(rows.tolist(), hearing.orders.given[rows].tolist(), strict=True):
            text = hearing.texts.get(given, "")
            fresh, why = clean(text)
            if fresh != text:
                found.append((row, fresh, why))
        if not found:
            return None
        return Judgement(
            changed=np.array([row for row, _, _ in found], np.int64),
            fields={"text": [fresh for _, fresh, _ in found]},
            why_changed=lambda at: [found[place][2] for place in at.tolist()],
        )


class _Filter:
    def __init__(self, params: Params) -> None:
        words = [re.escape(word.strip()) for word in params.words.split(",") if word.strip()]
        self._words = re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE) if words else None
        self._runs = re.compile(rf"(.)\1{{{params.run_max},}}")
        self._run = params.run_max
        self._letters_min = params.shout_letters_min

    def __call__(self, text: str) -> tuple[str, str]:
        """Return the text as it may be said, and what was changed."""
        why = []
        fresh = self._runs.sub(lambda found: found[1] * self._run, text)
        if fresh != text:
            why.append("repetition")
        if fresh.isupper() and len(_LETTER.findall(fresh)) >= self._letters_min:
            fresh = fresh.lower()
            why.append("shouting")
        if self._words is not None:
            fresh, count = self._words.subn(lambda found: "*" * len(found[0]), fresh)
            if count:
                why.append("a listed word" if count == 1 else f"{count} listed words")
        # Lower case may be longer: that of one character may be two.
        return fresh[:SAY_CHARS_MAX], ", ".join(why)


POLICY = ChatFilter()
