"""What a recorded run is asked when it is re-run, and what comes out of it."""

from typing import Literal

from msgspec import Struct

Phase = Literal["govern", "step", "react", "hash", "checkpoint", "log"]
"""Where a re-run first went another way: verdicts, root events, caused events, the state alone,
a stored checkpoint; or the log itself, which cannot be read there."""


class FieldDifference(Struct, frozen=True):
    """One figure that the re-run gives otherwise than the recording.

    Attributes:
        entity: Its name; ``world`` for a figure of the whole world.
        field: Column of the state, or what of an event.
        found: What the re-run gives; None when it has nothing there.
        stored: What the recording says; None when it has nothing there.
    """

    entity: str
    field: str
    found: int | str | None
    stored: int | str | None


class Difference(Struct, frozen=True):
    """The first tick whose re-run is not what was recorded.

    Attributes:
        tick: The tick.
        phase: Where in it.
        what: In words.
        events: What differs in the tick's verdicts, else in its events; at most
            ``REPLAY_DIFFERENCES_SHOWN_MAX``.
        more_events: Differences beyond those.
        fields: What differs in the state, as many at most.
        more_fields: Differences beyond those.
        fields_at: Tick before which the states were compared: the one after ``tick``, or that
            of the next checkpoint.
    """

    tick: int
    phase: Phase
    what: str
    events: tuple[FieldDifference, ...] = ()
    more_events: int = 0
    fields: tuple[FieldDifference, ...] = ()
    more_fields: int = 0
    fields_at: int = 0


class Progress(Struct, frozen=True):
    """How far a re-run is.

    Attributes:
        tick: Ticks below this are done.
        end: The tick at which it ends.
        ticks: Ticks re-run so far.
        interval_ms: World time of one.
    """

    tick: int
    end: int
    ticks: int
    interval_ms: int


class Verification(Struct, frozen=True):
    """What came of re-running a recording.

    Attributes:
        run: The run's name.
        equal: Whether everything that was compared is equal.
        from_tick: Where it began.
        ticks: Ticks re-run.
        events: Events compared.
        verdicts: Verdicts compared.
        checkpoints: Checkpoints compared.
        interval_ms: World time of a tick.
        state_hash: Of the last tick re-run, in hex.
        difference: The first one.
        went_on: Ticks were appended while it was verified; they are left out.
    """

    run: str
    equal: bool
    from_tick: int
    ticks: int
    events: int
    verdicts: int
    checkpoints: int
    interval_ms: int
    state_hash: str
    difference: Difference | None = None
    went_on: bool = False


class WorldThen(Struct, frozen=True):
    """What was true after a tick.

    Attributes:
        tick: The tick.
        time_ms: World time since tick 0.
        state_hash: After the tick, in hex.
        events: Events stored so far.
        figures: Population and goods, by name.
    """

    tick: int
    time_ms: int
    state_hash: str
    events: int
    figures: dict[str, int]


class EntityThen(Struct, frozen=True):
    """What was true of one entity after a tick.

    Attributes:
        tick: The tick.
        entity: Its id.
        name: Its name.
        called: What a guest calls itself, else the name.
        fields: Columns of the state by name.
    """

    tick: int
    entity: int
    name: str
    called: str
    fields: dict[str, int]
