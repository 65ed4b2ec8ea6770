"""``WorldOrders``: operators' intents on their way to the world, until it has answered."""

import asyncio
from collections.abc import Callable

from engine.protocol.child import WorldOrder, WorldOrderDone
from engine.protocol.gateway import Intent
from engine.protocol.limits import ORDER_SEQ_BASE, ORDER_TIMEOUT_S, ORDERS_IN_FLIGHT_MAX
from engine.protocol.query import Refused


class WorldOrders:
    """Numbers orders from 1, posts them, and matches the answers.

    Args:
        post: Sends to the world; False when there is none, or it does not read.
        timeout_s: How long an answer is waited for.
    """

    def __init__(
        self, post: Callable[[WorldOrder], bool], timeout_s: float = ORDER_TIMEOUT_S
    ) -> None:
        self._post = post
        self._timeout_s = timeout_s
        self._made = 0
        self._waiting: dict[int, asyncio.Future[WorldOrderDone | Refused]] = {}

    async def place(self, entity: int, intent: Intent) -> WorldOrderDone | Refused:
        """Have the world take an intent into its next tick; return what became of it."""
        if len(self._waiting) >= ORDERS_IN_FLIGHT_MAX:
            text = f"{ORDERS_IN_FLIGHT_MAX} commands wait for the world, the most allowed"
            return Refused("busy", text)
        self._made += 1
        order = WorldOrder(self._made, entity, intent)
        if not self._post(order):
            return Refused("gone", "there is no world to command")
        answer: asyncio.Future[WorldOrderDone | Refused]
        answer = asyncio.get_running_loop().create_future()
        self._waiting[order.id] = answer
        try:
            async with asyncio.timeout(self._timeout_s):
                return await answer
        except TimeoutError:
            return Refused("deadline", f"no answer within {self._timeout_s:g} s; {_fate(order.id)}")
        finally:
            del self._waiting[order.id]

    def done(self, done: WorldOrderDone) -> None:
        """The world has answered; one that nobody waits for any more is let go."""
        answer = self._waiting.get(done.id)
        if answer is not None and not answer.done():
            answer.set_result(done)

    def world_gone(self) -> None:
        """The world has died: nobody will answer what it had not answered."""
        for number, answer in self._waiting.items():
            if not answer.done():
                text = f"the world died; {_fate(number)}"
                answer.set_result(Refused("gone", text))


def _fate(number: int) -> str:
    return f"whether it was taken in, its events tell (sequence {ORDER_SEQ_BASE + number})"
