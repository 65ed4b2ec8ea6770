"""The story: what the narrator tells, newest at the bottom, who is in it standing out."""

from console.lines import Line, changed, fit
from console.model import Model
from console.select.story import narrator_line, story_note, story_rows
from console.widgets.frame import frame


class Story:
    """Beats with their time and a mark of their kind, wrapped."""

    name = "story"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        beats, snapshot = model.shown.beats, model.snapshot
        told = None if snapshot is None else (snapshot.story.narrator, snapshot.story.ungrounded)
        newest = beats[-1].number if beats else 0
        return newest, len(beats), told, model.view.story

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        inner, said = width - 4, narrator_line(model)
        room = max(0, height - 2 - bool(said))
        lines: list[Line] = []
        for row in story_rows(model, inner, room):
            line = fit(row.line, inner)
            lines.append(changed(line, "sel") if focused and row.picked else line)
        if not lines and model.view.story.filter:
            lines.append((("no beat passes the filter", "dim"),))
        elif not lines and not said:
            lines.append((("nothing to tell yet", "dim"),))
        if said:
            lines += [()] * (room - len(lines)) if lines else []
            lines.append(said)
        return frame(lines, width, height, "Story", story_note(model), focused)


PANEL = Story()
