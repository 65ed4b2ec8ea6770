"""The lines of the story that show, and what is said of its narrator. Pure."""

from typing import Final, NamedTuple

from console.figures import count
from console.lines import Line, clean
from console.lists import window
from console.model import Model, rows_of, shown_beats, sizes_of
from console.tale import beat_lines
from engine.protocol.story import NarratorState

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


def story_rows(model: Model, width: int, height: int) -> list[Row]:
    """Return the lines that show in ``height`` lines of ``width`` cells, oldest first.

    The newest beats when the list follows them, with as much of the oldest of these as
    there is room for; else whole beats around the one under the cursor.
    """
    beats = shown_beats(model.shown, model.view)
    if not beats or height < 1:
        return []
    view = model.view.story
    if view.follow:
        rows: list[Row] = []
        for beat in reversed(beats):
            rows = [Row(line, False) for line in beat_lines(beat, width)] + rows
            if len(rows) >= height:
                break
        return rows[-height:]
    keys = [beat.number for beat in beats]
    top, picked = window(keys, height, view, sizes_of(model, "story"))
    rows = []
    for at in range(top, len(beats)):
        rows += [Row(line, at == picked) for line in beat_lines(beats[at], width)]
        if len(rows) >= height:
            break
    return rows[:height]


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
