"""``WorldOrders``: what operators ask of the world, on its way until it has answered."""

import asyncio
from collections.abc import Callable
from typing import Final

from engine.protocol.child import WorldOrder, WorldOrderDone
from engine.protocol.command import Reply
from engine.protocol.gateway import Intent, Role
from engine.protocol.limits import ORDER_TIMEOUT_S, ORDERS_IN_FLIGHT_MAX
from engine.protocol.policy import PolicyChange, WorldPolicy, WorldPolicyDone
from engine.protocol.query import Refused

Asked = WorldOrder | WorldPolicy
Answer = WorldOrderDone | WorldPolicyDone


class WorldOrders:
    """Numbers orders from 1, posts them, and matches the answers.

    Args:
        post: Sends to the world; False when there is none, or it does not read.
        timeout_s: How long an answer is waited for.
        ails: Returns why the world carries nothing out at present; empty while it does.
    """

    def __init__(
        self,
        post: Callable[[Asked], bool],
        timeout_s: float = ORDER_TIMEOUT_S,
        ails: Callable[[], str] = str,
    ) -> None:
        self._post = post
        self._timeout_s = timeout_s
        self._ails = ails
        self._made = 0
        self._waiting: dict[int, asyncio.Future[Answer | Refused]] = {}

    async def place(
        self, entity: int, intent: Intent, role: Role = "operator"
    ) -> WorldOrderDone | Refused:
        """Have the world take an intent into its next tick; return what became of it."""
        done = await self._ask(lambda number: WorldOrder(number, entity, intent, role))
        return done if not isinstance(done, WorldPolicyDone) else _CROSSED

    async def change(self, change: PolicyChange) -> WorldPolicyDone | Refused:
        """Have the world change a policy before its next tick; return what became of it."""
        done = await self._ask(lambda number: WorldPolicy(number, change))
        return done if not isinstance(done, WorldOrderDone) else _CROSSED

    async def _ask(self, made: Callable[[int], Asked]) -> Answer | Refused:
        if len(self._waiting) >= ORDERS_IN_FLIGHT_MAX:
            text = f"{ORDERS_IN_FLIGHT_MAX} commands wait for the world, the most allowed"
            return Refused("busy", text)
        self._made += 1
        order = made(self._made)
        if not self._post(order):
            return Refused("gone", "there is no world to command")
        answer: asyncio.Future[Answer | Refused]
        answer = asyncio.get_running_loop().create_future()
        self._waiting[order.id] = answer
        try:
            async with asyncio.timeout(self._timeout_s):
                return await answer
        except TimeoutError:
            why = self._ails()
            text = f"no answer within {self._timeout_s:g} s{': ' if why else ''}{why}; {_FATE}"
            return Refused("deadline", text)
        finally:
            del self._waiting[order.id]

    def done(self, done: Answer) -> None:
        """The world has answered; one that nobody waits for any more is let go."""
        answer = self._waiting.get(done.id)
        if answer is not None and not answer.done():
            answer.set_result(done)

    def world_gone(self) -> None:
        """The world has died: nobody will answer what it had not answered."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(Refused("gone", f"the world died; {_FATE}"))


async def governed(orders: WorldOrders, change: PolicyChange) -> Reply:
    """Have the world change a policy, and return what the operator is told."""
    done = await orders.change(change)
    if isinstance(done, Refused):
        return Reply(ok=False, text=done.message, code=done.code)
    if not done.ok:
        return Reply(ok=False, text=done.text, code="bad_request")
    return Reply(ok=True, text=f"{done.text} (tick {done.tick})")


_CROSSED: Final = Refused("gone", "the world answered something else")

_FATE: Final = "it may still be carried out: the events tell"
