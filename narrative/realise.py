"""Says a draft: picks a sentence by a seeded hash, never the same one twice in a row."""

from hashlib import blake2b

from engine.protocol.limits import BEAT_CHARS_MAX
from engine.protocol.story import NewBeat
from narrative.faculty.base import Draft


class Teller:
    """Puts drafts into words.

    Args:
        seed: The run's; the same drafts in the same order are told in the same words.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._last: dict[str, str] = {}

    def tell(self, draft: Draft) -> NewBeat:
        """Return the draft as a beat.

        Raises:
            ValueError: The sentence is longer than a beat may be.
        """
        newest = draft.newest
        sentence = self._pick(draft, newest.seq)
        self._last[draft.kind] = sentence
        text = sentence.format_map(draft.slots)
        if len(text) > BEAT_CHARS_MAX:
            raise ValueError(f"{draft.kind}: a sentence of {len(text)} characters: {sentence}")
        events = tuple(event.seq for event in draft.events)
        return NewBeat(newest.tick, draft.kind, text, events, draft.cast)

    def _pick(self, draft: Draft, seq: int) -> str:
        """Choose among those of the kind that were not said last."""
        last = self._last.get(draft.kind)
        fresh = [sentence for sentence in draft.sentences if sentence != last]
        choice = fresh or draft.sentences
        digest = blake2b(f"{self._seed}:{draft.kind}:{seq}".encode(), digest_size=8).digest()
        return choice[int.from_bytes(digest) % len(choice)]
