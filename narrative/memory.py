"""What the narrator remembers, within bounds: whoever was quiet for the longest is forgotten."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from engine.protocol.events import Event
from engine.protocol.grounding import zone_in
from engine.protocol.limits import FAULTS_ARMED_MAX, STORY_ENTITIES_MAX

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
            value = self._fresh()
            self.keep(key, value)
        else:
            kept.move_to_end(key)
        return value

    def keep(self, key: K, value: V) -> None:
        """Set the value of ``key`` and mark it as used."""
        kept = self._kept
        if key not in kept and len(kept) >= self._size_max:
            kept.popitem(last=False)
        kept[key] = value
        kept.move_to_end(key)

    def peek(self, key: K) -> V | None:
        """Return the value of ``key``, None if there is none; leaves the order alone."""
        return self._kept.get(key)

    def forget(self, key: K) -> None:
        """Drop a key; nothing happens when it is not there."""
        self._kept.pop(key, None)


class Recent:
    """The newest events of a sort, to be counted: all there were since the first one's tick.

    Each entry is the event that counts and those that are named with it. What drops out at
    the old end takes the rest of its tick along: "so many since tick 12" is then exact.

    Args:
        size_max: Entries it holds at most.
    """

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._entries: deque[tuple[Event, ...]] = deque()
        self._told = 0
        self._dropped_tick = -1

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Event]:
        return (entry[0] for entry in self._entries)

    @property
    def first(self) -> Event:
        """The oldest that counts."""
        return self._entries[0][0]

    @property
    def last(self) -> Event:
        """The newest that counts."""
        return self._entries[-1][0]

    @property
    def newest(self) -> tuple[Event, ...]:
        """The newest entry: what counts, and what is named with it."""
        return self._entries[-1]

    @property
    def evidence(self) -> tuple[Event, ...]:
        """Every event of every entry."""
        return tuple(event for entry in self._entries for event in entry)

    def thin(self, tick_min: int, citable: Callable[[Event], bool]) -> None:
        """Drop what is older than a tick, or has an event that cannot be named any more.

        Once nothing is left, every count may be told again.
        """
        entries = self._entries
        while entries and (entries[0][0].tick < tick_min or not all(map(citable, entries[0]))):
            self._drop()
        if not entries:
            self._told = 0

    def add(self, event: Event, *named: Event) -> None:
        """Take in the newest, with what is to be named with it."""
        if event.tick == self._dropped_tick:
            return  # its tick does not count any more
        self._entries.append((event, *named))
        if len(self._entries) > self._size_max:
            self._drop()

    def end(self, tick: int) -> None:
        """Forget everything up to and with a tick."""
        self._entries.clear()
        self._told = 0
        self._dropped_tick = tick

    def reached(self, counts: Iterable[int]) -> bool:
        """Whether there are now as many as one of ``counts``, and more than was told before."""
        count = len(self._entries)
        if count <= self._told or count not in counts:
            return False
        self._told = count
        return True

    def _drop(self) -> None:
        entries = self._entries
        self._dropped_tick = entries[0][0].tick
        while entries and entries[0][0].tick == self._dropped_tick:
            entries.popleft()


class Places:
    """Where everybody was last seen: the event that says so."""

    def __init__(self) -> None:
        self._last: Memory[int, Event | None] = Memory(STORY_ENTITIES_MAX, lambda: None)

    def see(self, event: Event) -> None:
        """Take in an event that tells of a place."""
        self._last.keep(event.stream, event)

    def of(self, entity: int, at_seq: int) -> tuple[int, Event] | None:
        """Return the zone an entity was in, and the event that says so.

        Args:
            entity: Who.
            at_seq: When: at this event of the newest tick. None is returned for who has
                moved since, and for whose place is not known.
        """
        event = self._last.peek(entity)
        zone = None if event is None else zone_in(event)
        return None if event is None or zone is None or event.seq > at_seq else (zone, event)


class Storms:
    """When storms rage, by the tick, as far as the engine has told.

    What it tells may be ahead of the events: a storm that is over has raged nevertheless.
    """

    def __init__(self) -> None:
        self._spans: dict[str, tuple[int, int | None]] = {}

    def renew(self, armed: Iterable[tuple[str, int]] = ()) -> None:
        """Forget everything; these are armed, each with the tick since when that is known."""
        self._spans.clear()
        for fault, tick in armed:
            self.armed(fault, tick)

    def armed(self, fault: str, tick: int) -> None:
        """A storm was armed, at this tick or before it."""
        if fault not in self._spans and len(self._spans) >= FAULTS_ARMED_MAX:
            del self._spans[next(iter(self._spans))]
        self._spans[fault] = tick, None

    def cleared(self, fault: str, tick: int) -> None:
        """A storm was over by this tick; nothing happens when it is not known."""
        if fault in self._spans:
            self._spans[fault] = self._spans[fault][0], tick

    def rage(self, tick: int) -> bool:
        """Return whether one rages in a tick; ticks that are asked for never fall."""
        over = [fault for fault, (_, end) in self._spans.items() if end is not None and end < tick]
        for fault in over:
            del self._spans[fault]
        return any(begin <= tick for begin, _ in self._spans.values())
