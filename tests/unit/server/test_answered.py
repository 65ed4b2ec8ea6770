"""The answer to an intent that is sent again."""

import numpy as np

from engine.protocol.events import EVENT_CODE
from engine.server.answered import ANSWERED_TICKS_MAX, Answer, Answered
from engine.world.events import EVENT_DTYPE, EventBlock


def _block(first_seq: int, *events: tuple[str, int, int, str]) -> EventBlock:
    """Return a tick of (kind, correlation, cause, text)."""
    rows = np.zeros(len(events), EVENT_DTYPE)
    texts = {}
    for index, (kind, correlation, cause, text) in enumerate(events):
        rows[index]["kind"] = EVENT_CODE[kind]
        rows[index]["correlation"], rows[index]["cause"] = correlation, cause
        if text:
            texts[index] = text
    return EventBlock(first_seq, rows, texts)


def test_a_root_event_tells_the_verdict() -> None:
    answered = Answered(
        [
            _block(
                10,
                ("moved", 1, 0, ""),
                ("moved", 2, 0, ""),
                ("denied", 3, 0, "reach: too far"),
                ("said", 4, 0, "hello"),
                ("said", 6, 0, "hell"),
                ("mutated", 2, 11, "speed: too far"),
                ("mutated", 6, 14, "chat-filter: a listed word"),
                ("mutated", 6, 14, "calm: too loud"),
            )
        ]
    )
    assert answered.recall([1, 2, 3, 4, 5, 6]) == {
        1: Answer("permit", None, 10),
        2: Answer("mutate", "speed: too far", 11),
        3: Answer("deny", "reach: too far", 12),
        4: Answer("permit", None, 13),
        6: Answer("mutate", "chat-filter: a listed word; calm: too loud", 14),
    }


def test_what_a_command_led_to_is_no_answer() -> None:
    answered = Answered([_block(1, ("attacked", 7, 0, ""), ("died", 7, 1, "of it"))])
    answered.remember(_block(3, ("respawned", 0, 0, "")))
    assert answered.recall([7, 0]) == {7: Answer("permit", None, 1)}
    assert answered.recall([]) == {}


def test_only_the_newest_ticks_are_remembered() -> None:
    answered = Answered()
    for tick in range(ANSWERED_TICKS_MAX + 1):
        answered.remember(_block(tick + 1, ("rested", tick + 100, 0, "")))
    assert answered.recall([100]) == {}
    assert set(answered.recall([101, 100 + ANSWERED_TICKS_MAX])) == {101, 100 + ANSWERED_TICKS_MAX}
