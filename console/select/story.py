"""The lines of the story that show, and what is said of its narrator. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from console.figures import count
from console.lines import Line, clean
from console.lists import ListView, window
from console.model import Model, shown_beats
from console.select.places import rows_of, sizes_of
from console.tale import beat_lines
from engine.protocol.story import Beat, NarratorState

NARRATOR: Final[dict[NarratorState, tuple[str, str]]] = {
    "off": ("no narrator: this run tells no story", "dim"),
    "starting": ("the narrator is on its way", "dim"),
    "gone": ("▲ the narrator is gone; the run goes on", "bad"),
}


class Row(NamedTuple):
    """One line of the story; ``picked`` lines belong to the beat under the cursor."""

    line: Line
    picked: bool


def narrator_line(model: Model) -> Line:
    """Return what is to be said of the narrator, nothing while it tells."""
    snapshot = model.snapshot
    said = None if snapshot is None else NARRATOR.get(snapshot.story.narrator)
    return () if said is None else (said,)


def picked_beat(model: Model) -> int:
    """Return the position of the beat under the cursor among those shown, -1 for none."""
    beats = shown_beats(model.shown, model.view)
    if not beats:
        return -1
    keys = [beat.number for beat in beats]
    return window(keys, rows_of(model, "story"), model.view.story)[1]


def beats_in_sight(model: Model) -> tuple[Beat, ...]:
    """Return the beats that show in the panel as it stands, oldest first."""
    beats = shown_beats(model.shown, model.view)
    sizes, height = sizes_of(model, "story"), rows_of(model, "story")
    first, last = _in_sight(beats, sizes, model.view.story, height)
    return beats[first:last]


def story_rows(model: Model, width: int, height: int) -> list[Row]:
    """Return the lines that show in ``height`` lines of ``width`` cells, oldest first.

    The newest beats when the list follows them, with as much of the oldest of these as
    there is room for; else whole beats around the one under the cursor.
    """
    beats, view = shown_beats(model.shown, model.view), model.view.story
    lines = [beat_lines(beat, width) for beat in beats]
    first, last = _in_sight(beats, [len(each) for each in lines], view, height)
    picked = -1 if view.follow else picked_beat(model)
    rows = [Row(line, at == picked) for at in range(first, last) for line in lines[at]]
    return rows[-height:] if view.follow else rows[:height]


def beat_at(model: Model, line: int) -> int | None:
    """Return the number of the beat that stands in a line of the panel, None for an empty line."""
    beats, view = shown_beats(model.shown, model.view), model.view.story
    sizes, height = sizes_of(model, "story"), rows_of(model, "story")
    first, last = _in_sight(beats, sizes, view, height)
    numbers = [beats[at].number for at in range(first, last) for _ in range(sizes[at])]
    numbers = numbers[-height:] if view.follow else numbers[:height]
    return numbers[line] if 0 <= line < len(numbers) else None


def _in_sight(
    beats: Sequence[Beat], sizes: Sequence[int], view: ListView, height: int
) -> tuple[int, int]:
    """Return the positions of the first beat in ``height`` lines and of the first after them."""
    if not beats or height < 1:
        return 0, 0
    lines, first = 0, len(beats)
    if view.follow:
        while first and lines < height:
            first -= 1
            lines += sizes[first]
        return first, len(beats)
    first = last = window([beat.number for beat in beats], height, view, sizes)[0]
    while last < len(beats) and lines < height:
        lines += sizes[last]
        last += 1
    return first, last


def story_note(model: Model) -> Line:
    """Return the list's note: filter, position, whether it follows."""
    view, total = model.view.story, len(shown_beats(model.shown, model.view))
    spans: list[tuple[str, str]] = []
    if view.filter:
        spans += [("/", "key"), (clean(view.filter, 28), "accent"), ("  ", "dim")]
    at = picked_beat(model)
    if view.follow:
        spans.append(("follow  ", "note"))
    elif at >= 0:
        spans.append((f"{count(at + 1)} of ", "dim"))
    spans.append((f"{count(total)} beats", "dim"))
    snapshot = model.snapshot
    if snapshot is not None and snapshot.story.ungrounded:
        spans.append((f"  {count(snapshot.story.ungrounded)} turned away", "warn"))
    return tuple(spans)
