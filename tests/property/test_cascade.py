"""Reactions under tiny bounds, with whatever rules: held against a walk without any."""

from collections import Counter
from collections.abc import Iterator

from hypothesis import assume, given
from hypothesis import strategies as st

from engine.protocol.events import Event
from engine.world.cascade import Bounds
from engine.world.events import Code
from engine.world.inputs import TickInputs
from engine.world.rulebook import Rulebook
from engine.world.world import World
from tests.unit.world.arena import Arena, player
from tests.unit.world.artificial import KINDS, send_on

PLAYERS = 3
TICKS_MAX = 600
EVENTS_MAX = 1500

Path = tuple[tuple[int, int], ...]
"""(rule, stream) of each reaction of a chain, and of its first event: (0, stream)."""

RULES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True),
        st.sampled_from(KINDS[1:]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=4,
)
BOUNDS = st.builds(
    Bounds,
    depth_max=st.integers(1, 5),
    events_max=st.integers(1, 25),
    loop_max=st.integers(0, 2),
    pending_max=st.one_of(st.just(10_000), st.integers(1, 20)),
    chain_max=st.one_of(st.just(1000), st.integers(1, 12)),
)
SPEAKERS = st.lists(st.integers(0, PLAYERS - 1), min_size=1, max_size=2, unique=True)


def _book(rules: list) -> Rulebook:
    return Rulebook.of(
        send_on(f"rule-{at}", on, makes, step=step, fan=fan, players=PLAYERS, priority=at, mark=at)
        for at, (on, makes, step, fan) in enumerate(rules, 1)
    )


def _say(speakers: list[int]) -> list[tuple]:
    return [(player(who), 1, "say") for who in speakers]


def _reference(rules: list, bounds: Bounds, speakers: list[int]) -> Counter[Path] | None:
    """Walk every chain to its end, one event at a time; None when there are too many."""
    circular = (False, *_book(rules).circular)
    paths: Counter[Path] = Counter()
    open_ends = [(Code.SAID, who, ((0, who),)) for who in speakers]
    while open_ends:
        kind, at, path = open_ends.pop()
        paths[path] += 1
        if paths.total() > EVENTS_MAX:
            return None
        for rule, (on, makes, step, fan) in enumerate(rules, 1):
            for nth in range(fan) if kind in on else ():
                there = (at + step + nth) % PLAYERS
                returns = path.count((rule, there))
                too_long = circular[rule] and len(path) > bounds.chain_max
                if returns <= bounds.loop_max and not too_long:
                    open_ends.append((makes, there, (*path, (rule, there))))
    return paths


def _ticks(arena: Arena, speakers: list[int]) -> Iterator[list[Event]]:
    """Yield each tick's events until nothing waits any more."""
    arena.step(*_say(speakers), texts=dict.fromkeys(range(len(speakers)), "go"))
    yield arena.events()
    for _ in range(TICKS_MAX):
        if not arena.last.pending:
            return
        arena.step()
        yield arena.events()
    raise AssertionError("it never ends")


def _paths(events: list[Event]) -> Counter[Path]:
    path_of: dict[int, Path] = {}
    for event in events:
        here = (event.target, event.stream - player(0))
        path_of[event.seq] = (*path_of[event.cause], here) if event.cause else (here,)
    return Counter(path_of.values())


@given(RULES, BOUNDS, SPEAKERS)
def test_every_chain_comes_to_where_it_would_without_bounds(
    rules: list, bounds: Bounds, speakers: list[int]
) -> None:
    expected = _reference(rules, bounds, speakers)
    assume(expected is not None)
    arena = Arena(PLAYERS, rules=_book(rules), cascade=bounds)
    happened: list[Event] = []
    cuts: list[Event] = []
    for events in _ticks(arena, speakers):
        cuts += (cut := [event for event in events if event.kind == "cascade_cut"])
        rest = [event for event in events if event.kind != "cascade_cut"]
        assert sum(event.cause > 0 for event in rest) <= bounds.events_max
        assert arena.last.depth <= bounds.depth_max
        assert arena.last.pending <= bounds.pending_max
        names = [event.text.partition(": ")[0] for event in cut]
        assert len(set(names)) == len(names), "at most one of each a tick"
        assert bool(arena.last.pending) <= any(name != "cascade-loop" for name in names)
        happened += rest
    seen = {event.seq: event for event in happened}
    for event in [*happened, *cuts]:
        if event.cause:
            assert event.cause < event.seq
            assert seen[event.cause].correlation == event.correlation
    found = _paths(happened)
    if any("never come" in event.text for event in cuts):
        assert found <= expected
    else:
        assert found == expected


@given(RULES, BOUNDS, SPEAKERS, st.integers(0, 6))
def test_a_restart_in_the_middle_of_a_cascade_changes_nothing(
    rules: list, bounds: Bounds, speakers: list[int], at: int
) -> None:
    arena = Arena(PLAYERS, rules=_book(rules), cascade=bounds)
    other = None
    for tick in range(12):
        words = _say(speakers) if not tick else []
        saved = arena.world.checkpoint() if tick == at else b""
        before = arena.world._state_hash()
        arena.step(*words, texts=dict.fromkeys(range(len(words)), "go"))
        if saved:
            other = World.restore(arena.world.config, saved, rules=_book(rules))
            assert other.hash == before
        if other is not None:
            said = [(player(who), 1, 4, 0, 0, 0, 0) for who in (speakers if not tick else [])]
            inputs = TickInputs.of(said, texts=dict.fromkeys(range(len(said)), "go"))
            again = other.step(inputs)
            assert again.hash == arena.last.hash
            assert again.events.pack() == arena.last.events.pack()
            assert again.events.texts == arena.last.events.texts
