"""``Story``: the beats of a run, numbered as they are told; the newest can be asked for."""

from collections import deque

from engine.protocol.command import Reply
from engine.protocol.limits import BEAT_CHARS_MAX, BEAT_TAIL_MAX, BEATS_KEPT_MAX
from engine.protocol.query import StoryAnswer, StoryQuery
from engine.protocol.story import Beat, NewBeat, StoryView
from engine.protocol.text import printable


class Story:
    """A bounded ring of beats."""

    def __init__(self) -> None:
        self._beats: deque[Beat] = deque(maxlen=BEATS_KEPT_MAX)
        self._told = 0

    def take(self, beats: tuple[NewBeat, ...], at_s: float) -> Reply:
        """Number and keep beats, in the order given."""
        for beat in beats:
            self._told += 1
            self._beats.append(
                Beat(
                    number=self._told,
                    at_s=round(at_s, 3),
                    tick=beat.tick,
                    kind=printable(beat.kind, 32),
                    text=printable(beat.text, BEAT_CHARS_MAX),
                    events=beat.events,
                    cast=beat.cast,
                )
            )
        return Reply(ok=True, text=f"{len(beats)} beats taken")

    def view(self) -> StoryView:
        """Return what the console shows."""
        return StoryView(beats=self._told, tail=tuple(self._beats)[-BEAT_TAIL_MAX:])

    def answer(self, query: StoryQuery) -> StoryAnswer:
        """Return beats after a number, oldest first; with 0 the newest."""
        rows = [beat for beat in self._beats if beat.number > query.after]
        page = rows[: query.limit] if query.after else rows[-query.limit :]
        return StoryAnswer(self._told, tuple(page))
