"""Beats as lines, and moving through them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.items import Press, SetFilter, Size
from console.lines import cell_width, line_width, plain
from console.model import Model
from console.panels.story import PANEL
from console.select.places import sizes_of
from console.select.story import picked_beat, story_rows
from console.tale import CLOCK_WIDTH, MARK_WIDTH, TEXT_WIDTH_MAX, beat_lines, beat_plain, wrapped
from console.update import update
from engine.protocol.feed import Snapshot
from engine.protocol.story import Beat, NarratorState, StoryView

P, N = 1_000_000, 100_000
LONG = "A debt is paid: player-12, slain by npc-7 at tick 300, slew npc-7 at tick 812."


def beat(number: int, text: str = LONG, kind: str = "feud") -> Beat:
    return Beat(number, 61.0 + number, 10 * number, kind, text, (number, number + 1), (P + 12,))


def model(count: int, narrator: NarratorState = "telling", width: int = 60) -> Model:
    beats = tuple(beat(number, LONG if number % 3 else "Short.") for number in range(1, count + 1))
    made = update(Model(), Size(width, 20))
    snapshot = Snapshot("r1", story=StoryView(count, 0, narrator, beats[-60:]))
    made = update(update(made, snapshot), Press("page_7"))
    assert made.view.page == made.view.focus == "story"
    return made


def text(made: Model, width: int = 60, height: int = 16) -> str:
    return "\n".join(map(plain, PANEL.draw(made, width, height, True)))


def test_a_beat_is_wrapped_beside_its_time_and_mark():
    lines = beat_lines(beat(5), 40)
    assert [plain(line) for line in lines] == [
        " 1:06 † A debt is paid: player-12, slain",
        "        by npc-7 at tick 300, slew npc-7",
        "        at tick 812.",
    ]
    assert ("player-12", "bright") in lines[0]
    assert plain(beat_lines(Beat(1, 7322.0, 1, "x", "y", (1,)), 40)[0]) == "2:02:02 · y"
    assert ("npc-7", "text") in lines[1], "who is not in the cast does not stand out"


@given(st.text(max_size=240), st.integers(1, 120))
def test_any_text_fits_any_width(text, width):
    lines = beat_lines(beat(1, text), width)
    assert lines
    assert all(line_width(line) <= max(width, 4) for line in lines)


@given(st.lists(st.text("abc- 好", max_size=30)).map(" ".join), st.integers(2, 40))
def test_wrapping_loses_nothing(text, width):
    rows = wrapped(text, width)
    assert "".join("".join(rows).split()) == "".join(text.split())
    assert all(cell_width(row) <= width for row in rows)


def test_lines_stay_short_enough_to_read():
    lines = beat_lines(beat(1, "word " * 40), 200)
    assert max(map(line_width, lines)) <= TEXT_WIDTH_MAX + CLOCK_WIDTH + MARK_WIDTH


def test_a_hostile_text_is_shown_harmless():
    lines = beat_lines(beat(1, "npc-7 \x1b[2J\u202e did it", "no-kind"), 60)
    assert "\x1b" not in "".join(map(plain, lines))
    assert "\x1b" not in beat_plain(beat(1, "\x1b[2J"))


def test_copied_it_says_when_and_from_what():
    assert beat_plain(beat(5, "Short.")) == "1:06 tick 50 feud: Short. (events 5, 6)"


def test_beats_are_kept_beyond_the_tail_and_once():
    made = model(50)
    for count in (55, 60, 60, 75):
        beats = tuple(map(beat, range(1, count + 1)))
        made = update(made, Snapshot("r1", story=StoryView(count, 0, "telling", beats[-60:])))
    assert [b.number for b in made.live.beats] == list(range(1, 76))


def test_following_the_newest_line_is_the_last_beats():
    made = model(30)
    rows = story_rows(made, 56, 14)
    assert len(rows) == 14
    assert plain(rows[-1].line).strip().startswith("1:31 † Short.")
    assert not any(row.picked for row in rows)


@given(st.lists(st.sampled_from(["up", "down", "top", "bottom", "page_up", "left"]), max_size=30))
def test_the_picked_beat_is_always_seen_whole(actions):
    made = model(40)
    for action in actions:
        made = update(made, Press(action))
        if made.view.story.follow:
            continue
        rows = story_rows(made, 56, 16)
        at = picked_beat(made)
        assert sum(row.picked for row in rows) == sizes_of(made, "story")[at]


def test_moving_up_leaves_the_newest_and_the_end_follows_again():
    made = update(model(40), Press("up"))
    assert not made.view.story.follow
    assert picked_beat(made) == 38
    made = update(made, Press("bottom"))
    assert made.view.story.follow


def test_a_filter_and_its_note():
    made = update(model(9), SetFilter("story", "text~short"))
    assert "/text~short" in text(made)
    assert "3 beats" in text(made)
    assert "no beat passes" in text(update(made, SetFilter("story", "kind=peace")))
    assert "3 beats" not in text(update(made, Press("back")))


@pytest.mark.parametrize(
    ("narrator", "said"),
    [
        ("off", "no narrator: this run tells no story"),
        ("starting", "the narrator is on its way"),
        ("gone", "▲ the narrator is gone; the run goes on"),
        ("telling", "nothing to tell yet"),
    ],
)
def test_what_is_said_of_the_narrator(narrator: NarratorState, said: str):
    assert said in text(model(0, narrator))
    shown = text(model(30, narrator))
    assert (said in shown) == (narrator != "telling")
    assert len(shown.splitlines()) == 16


def test_what_was_turned_away_is_told():
    made = model(3)
    snapshot = made.live.snapshot
    assert snapshot is not None
    view = msgspec.structs.replace(snapshot.story, ungrounded=2)
    made = update(made, msgspec.structs.replace(snapshot, story=view))
    assert "2 turned away" in text(made)
