"""``Bell``: wakes whoever waits for something new; ringing never waits."""

import asyncio


class Bell:
    """Rings for everyone who holds its next ring."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake everyone who waits."""
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    def next_ring(self) -> asyncio.Event:
        """Return what is set at the next ring; taken before a look around, it misses none."""
        return self._next
