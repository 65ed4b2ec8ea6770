"""Whatever happens, the narrator says only what its events say."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.events import EVENT_KINDS, Event, entity_name
from engine.protocol.grounding import entities_in, ungrounded
from engine.protocol.limits import BEAT_CAST_MAX, BEAT_CHARS_MAX, BEAT_EVENTS_MAX
from narrative.brain import KINDS, Brain

ENTITIES = st.sampled_from(
    [0, 1, 512, 100_000, 100_007, *range(1_000_000, 1_000_006), 1_099_999, 2_000_000, 2**32 - 1]
)
NUMBERS = st.one_of(
    st.integers(-3, 20),
    st.integers(0, 65535),
    st.sampled_from([2, 3, 50, 100, 2**32, (9000 << 16) | 9000, -(2**63), 2**63 - 1]),
)
TOLD_KINDS = ("died", "attacked", "looted", "called_for_help", "retaliated", "traded", "moved")
EVENT = st.tuples(
    st.sampled_from([*KINDS, *TOLD_KINDS, *TOLD_KINDS, "denied"]),
    ENTITIES,
    ENTITIES,
    ENTITIES,
    NUMBERS,
    NUMBERS,
    st.integers(0, 6),
)
STEP = st.tuples(st.integers(1, 40), st.lists(EVENT, min_size=1, max_size=12), st.integers(0, 30))


@settings(max_examples=150)
@given(st.integers(0, 2**63 - 1), st.lists(STEP, max_size=40), st.booleans())
def test_every_beat_is_grounded_in_its_events(seed, steps, from_the_start):
    brain = Brain(seed)
    known: dict[int, Event] = {}
    tick, seq, newest = 0, 0 if from_the_start else 1000, 0
    last_text: dict[str, str] = {}
    for ticks, drawn, gap in steps:
        tick += ticks
        if gap == 1:
            brain.gap()
        events = []
        for kind, stream, actor, target, a, b, back in drawn:
            seq += 1
            event = Event(seq, tick, kind, stream, 1, actor, target, a, b, "", max(0, seq - back))
            events.append(event)
            known[seq] = event
        for beat in brain.step(tick, events):
            told_from = [known[number] for number in beat.events]
            assert ungrounded(beat.text, told_from) == (), beat
            assert entities_in(told_from) >= set(beat.cast)
            assert 1 <= len(beat.events) <= BEAT_EVENTS_MAX
            assert list(beat.events) == sorted(set(beat.events))
            assert beat.tick == told_from[-1].tick
            assert len(beat.cast) <= BEAT_CAST_MAX
            assert len(beat.text) <= BEAT_CHARS_MAX
            assert "world" not in [entity_name(who) for who in beat.cast]
            assert beat.events[-1] > newest, "told twice after a restart"
            newest = beat.events[-1]
            assert last_text.get(beat.kind) != beat.text
            last_text[beat.kind] = beat.text


@given(st.text(max_size=300), st.lists(EVENT, max_size=5))
def test_any_text_can_be_checked(text, drawn):
    events = [
        Event(seq, 1, kind, stream, 1, actor, target, a, b, text[:20])
        for seq, (kind, stream, actor, target, a, b, _) in enumerate(drawn, 1)
    ]
    for token in ungrounded(text, events):
        assert token in text


def test_every_kind_is_a_kind():
    assert set(TOLD_KINDS) <= set(EVENT_KINDS)
