"""Beats on their way to the engine: in order, within a bound, until they are taken or refused."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import httpx
import msgspec

from engine.protocol.limits import (
    ADMIN_ANSWER_BYTES_MAX,
    BEATS_PER_POST_MAX,
    BEATS_QUEUED_MAX,
)
from engine.protocol.story import NewBeat
from engine.protocol.text import printable
from narrative.api import beats_decoder, judged_decoder

BACK_OFF_S: Final = 0.2
BACK_OFF_S_MAX: Final = 3.0
_TIMEOUT_S: Final = 5.0
_REFUSED: Final = frozenset({400, 409, 413, 422})
"""Answers that the same body would get again; others are worth another try."""
_NOTED_CHARS_MAX: Final = 200


class ApiProblem(Exception):
    """The admin API could not be asked; it may be worth another try."""


class Told(NamedTuple):
    """Where the story is: the newest event that was told from, and its tick."""

    seq: int = 0
    tick: int = -1


class Outbox:
    """Posts beats.

    Args:
        url: The admin API.
        token: Its bearer token.
        note: Told what is worth a line in the engine's log.
        beats_max: Beats that wait at most; the oldest go first.

    Attributes:
        dropped: Beats that were given up because too many waited.
        refused: Beats that the engine turned away.
    """

    def __init__(
        self, url: str, token: str, note: Callable[[str], None], beats_max: int = BEATS_QUEUED_MAX
    ) -> None:
        self._note = note
        self._beats_max = beats_max
        self._waiting: deque[NewBeat] = deque()
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._one_by_one = 0
        # The environment's proxies are for the world outside, not for this machine's loopback.
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"authorization": f"Bearer {token}"},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )
        self.dropped = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, beats: Iterable[NewBeat]) -> None:
        """Queue beats."""
        for beat in beats:
            if len(self._waiting) >= self._beats_max:
                self._waiting.popleft()
                self.dropped += 1
                self._note(f"beats are dropped: the engine takes none; so far {self.dropped}")
            self._waiting.append(beat)
        if self._waiting:
            self._empty.clear()
            self._arrived.set()

    async def newest(self) -> Told:
        """Return where the story is.

        Raises:
            ApiProblem: The API is not there, or what it said is no answer.
        """
        status, body = await self._exchange("GET", "/story/beats?limit=1")
        if status != 200:
            raise ApiProblem(f"GET /story/beats: {status}")
        try:
            rows = beats_decoder.decode(body).rows
        except (msgspec.DecodeError, ValueError) as problem:
            raise ApiProblem(f"GET /story/beats: {problem}") from problem
        return Told(max(rows[-1].events, default=0), rows[-1].tick) if rows else Told()

    async def run(self) -> None:
        """Post what comes, for ever."""
        back_off_s = BACK_OFF_S
        while True:
            await self._arrived.wait()
            if not self._waiting:
                self._arrived.clear()
                self._empty.set()
                continue
            try:
                await self._post()
            except ApiProblem as problem:
                self._note(f"beats wait: {problem}")
                await asyncio.sleep(back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_S_MAX)
            else:
                back_off_s = BACK_OFF_S

    async def flush(self, within_s: float) -> None:
        """Wait until everything is posted, for so long at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._empty.wait()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _post(self) -> None:
        most = 1 if self._one_by_one else BEATS_PER_POST_MAX
        batch = [self._waiting[index] for index in range(min(most, len(self._waiting)))]
        dropped_before = self.dropped
        body = msgspec.json.encode({"beats": batch})
        status, said = await self._exchange("POST", "/story/beats", body)
        refused = status in _REFUSED
        if not refused and not 200 <= status < 300:
            raise ApiProblem(f"POST /story/beats: {status}")
        if refused and len(batch) > 1:
            # Nothing of it was looked at: one bad beat shall not take the others with it.
            self._one_by_one = len(batch)
            return
        self._one_by_one = max(0, self._one_by_one - len(batch))
        if refused:
            self.refused += 1
            self._note(f"a beat was refused: {printable(said.decode(errors='replace'), 200)}")
        else:
            self._note_turned_away(said)
        # What was dropped meanwhile was at the head, so part of this batch.
        for _ in range(max(0, len(batch) - (self.dropped - dropped_before))):
            self._waiting.popleft()

    def _note_turned_away(self, said: bytes) -> None:
        """Count what the engine has judged and not taken; it is not told again."""
        try:
            turned_away = judged_decoder.decode(said).turned_away
        except (msgspec.DecodeError, ValueError) as problem:
            self._note(f"what became of the beats is not known: {problem}")
            return
        self.refused += len(turned_away)
        for one in turned_away[:1]:
            self._note(f"a beat was refused: {printable(one.why, _NOTED_CHARS_MAX)}")

    async def _exchange(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        headers = {"content-type": "application/json"} if body else {}
        got = bytearray()
        try:
            async with (
                asyncio.timeout(_TIMEOUT_S),
                self._client.stream(method, path, content=body, headers=headers) as response,
            ):
                async for chunk in response.aiter_bytes():
                    got += chunk
                    if len(got) > ADMIN_ANSWER_BYTES_MAX:
                        raise ApiProblem(f"{method} {path}: the answer is too long")
                return response.status_code, bytes(got)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as problem:
            text = printable(str(problem) or type(problem).__name__, _NOTED_CHARS_MAX)
            raise ApiProblem(f"{method} {path}: {text}") from problem
