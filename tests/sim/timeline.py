"""Time that passes only when it is told to: the one clock of a simulation."""

import heapq
from collections.abc import Callable
from itertools import count


class Over(BaseException):
    """The time of the simulation is up; no code under test may catch it."""


class Timeline:
    """What happens when, in order; also the world's ``Clock``.

    Attributes:
        time_s: Now.
    """

    def __init__(self) -> None:
        self.time_s = 0.0
        self.ends_s = float("inf")
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, at_s: float, call: Callable[[], None]) -> None:
        """Have something happen, not before now; what is due at one time goes in order."""
        heapq.heappush(self._heap, (max(at_s, self.time_s), next(self._order), call))

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Have something happen later."""
        self.at(self.time_s + delay_s, call)

    def run_until(self, due_s: float) -> None:
        """Let time pass.

        Raises:
            Over: The end has come.
        """
        heap = self._heap
        due_s = max(due_s, self.time_s)
        until_s = min(due_s, self.ends_s)
        while heap and heap[0][0] <= until_s:
            self.time_s, _, call = heapq.heappop(heap)
            call()
        self.time_s = until_s
        if due_s > self.ends_s:
            raise Over

    # --- as the world's clock ---

    def now_s(self) -> float:
        return self.time_s

    async def sleep_until(self, due_s: float) -> None:
        """Everything that is due by then happens meanwhile; nothing is ever waited for."""
        self.run_until(due_s)
