"""What the narrator remembers, within bounds: whoever was quiet for the longest is forgotten."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from engine.protocol.events import Event
from engine.protocol.grounding import zone_in
from engine.protocol.limits import STORY_ENTITIES_MAX

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """A dict of bounded size that forgets what was not used for the longest time.

    Args:
        size_max: Keys it holds at most.
        fresh: Makes the value of a new key.
    """

    def __init__(self, size_max: int, fresh: Callable[[], V]) -> None:
        self._size_max = size_max
        self._fresh = fresh
        self._kept: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[K]:
        return iter(self._kept)

    def recall(self, key: K) -> V:
        """Return the value of ``key``, a fresh one if there is none, and mark it as used."""
        kept = self._kept
        value = kept.get(key)
        if value is None:
            if len(kept) >= self._size_max:
                kept.popitem(last=False)
            value = kept[key] = self._fresh()
        else:
            kept.move_to_end(key)
        return value

    def peek(self, key: K) -> V | None:
        """Return the value of ``key``, None if there is none; leaves the order alone."""
        return self._kept.get(key)

    def forget(self, key: K) -> None:
        """Drop a key; nothing happens when it is not there."""
        self._kept.pop(key, None)


class Places:
    """Where everybody was last seen: the event that says so."""

    def __init__(self) -> None:
        self._last: dict[int, Event] = {}

    def see(self, event: Event) -> None:
        """Take in an event that tells of a place."""
        last = self._last
        if event.stream in last or len(last) < STORY_ENTITIES_MAX:
            last[event.stream] = event

    def of(self, entity: int) -> tuple[int, Event] | None:
        """Return an entity's zone and the event that says so, None when it is not known."""
        event = self._last.get(entity)
        zone = None if event is None else zone_in(event)
        return None if event is None or zone is None else (zone, event)
