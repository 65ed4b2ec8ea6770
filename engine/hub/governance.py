"""What can be asked of governance: how the policies stand, and what they decided."""

from pathlib import Path

from engine.hub.policywatch import PolicyWatch
from engine.hub.readers import Readers
from engine.protocol.audit import AuditAnswer, AuditQuery, PoliciesAnswer, PoliciesQuery
from engine.protocol.errors import UserError
from engine.protocol.query import Refused
from engine.store.auditing import read_audit


class Governance:
    """Answers from what the world tells, and from its log.

    Args:
        watch: How the policies stand.
        database: The world's log.
        readers: Look into it.
    """

    def __init__(self, watch: PolicyWatch, database: Path, readers: Readers) -> None:
        self._watch = watch
        self._database = database
        self._readers = readers

    async def answer(
        self, query: PoliciesQuery | AuditQuery
    ) -> PoliciesAnswer | AuditAnswer | Refused:
        """Return how the policies stand, or what was decided as the world's log has it."""
        if isinstance(query, PoliciesQuery):
            return self._watch.answer()
        try:
            return await self._readers.look(lambda: read_audit(self._database, query))
        except UserError as problem:
            return Refused("bad_request", problem.message)
        except (OSError, ValueError) as problem:
            return Refused("gone", f"the log cannot be read: {problem}")
