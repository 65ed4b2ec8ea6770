"""What can be asked of governance: how the policies stand, and what they decided."""

import asyncio
from pathlib import Path

from engine.hub.policywatch import PolicyWatch
from engine.protocol.errors import UserError
from engine.protocol.limits import LOG_READERS_MAX
from engine.protocol.query import AuditAnswer, AuditQuery, PoliciesAnswer, Refused
from engine.store.auditing import read_audit


class Governance:
    """Answers from what the world tells, and from its log.

    Args:
        watch: How the policies stand.
        database: The world's log.
    """

    def __init__(self, watch: PolicyWatch, database: Path) -> None:
        self._watch = watch
        self._database = database
        self._readers = asyncio.Semaphore(LOG_READERS_MAX)

    def policies(self) -> PoliciesAnswer:
        """Return how each policy stands, and what it did."""
        return self._watch.answer()

    async def audit(self, query: AuditQuery) -> AuditAnswer | Refused:
        """Return what was decided, read from the log beside the world."""
        async with self._readers:
            try:
                return await asyncio.to_thread(read_audit, self._database, query)
            except UserError as problem:
                return Refused("bad_request", problem.message)
            except (OSError, ValueError) as problem:
                return Refused("gone", f"the log cannot be read: {problem}")
