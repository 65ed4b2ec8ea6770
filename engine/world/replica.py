"""``Replica``: a world that is told what happened. Nothing is judged, nothing reacted to."""

from engine.world.cascade import no_frontier
from engine.world.checkpoint import state_hash
from engine.world.events import TickEvents
from engine.world.refold import refold
from engine.world.world import World


class Replica:
    """The state of a world, brought forward by its events: a quarter of the work of a step.

    Args:
        world: Where to begin; it is taken over.

    Attributes:
        state: What is true; read it, do not write it.
        tick: The next tick.
        next_seq: ``seq`` of the next event.
        interval_ms: Of a tick.
    """

    def __init__(self, world: World) -> None:
        self.state = world.state
        self.tick = world.tick
        self.next_seq = world.next_seq
        self.interval_ms = world.config.interval_ms
        self._told, self._standing = world.told, world.governor.standing.pack()

    def take(self, events: TickEvents) -> None:
        """Bring the state forward by the events of a tick; they are left as they are.

        Ticks between without events change nothing but the tick.

        Raises:
            ValueError: They do not follow.
        """
        if events.tick < self.tick or events.first_seq != self.next_seq:
            raise ValueError(
                f"tick {events.tick} with events from {events.first_seq} does not follow: "
                f"tick {self.tick} and event {self.next_seq} are next"
            )
        refold(self.state, events.block, events.tick, self.interval_ms)
        self.tick = events.tick + 1
        self.next_seq += len(events.rows)

    @property
    def hash(self) -> bytes:
        """The state hash as it is if only events made a difference.

        It is another one when reactions are left for the next tick, when a policy was changed,
        and when an invariant broke or was mended: none of that stands in the columns.
        """
        return state_hash(
            self.state, self.tick, self.next_seq, no_frontier(), self._told, self._standing
        )
