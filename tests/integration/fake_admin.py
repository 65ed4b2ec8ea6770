"""The doors of the admin API that a narrator knows, on a loopback port, and how they fail."""

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar, Request, Response, get, post, websocket
from litestar.connection import WebSocket
from litestar.exceptions import WebSocketDisconnect

from engine.protocol.events import Event
from engine.protocol.query import Refused
from engine.protocol.story import Beat, Judged, NewBeat, TurnedAway

TOKEN = "let-me-tell"
_beats = msgspec.json.Decoder(dict[str, tuple[NewBeat, ...]])


class FakeAdmin:
    """An admin API whose story anybody can read.

    Attributes:
        messages: What the stream says, in order; a reader is caught up, then follows.
        told: Beats that were taken.
        answers: Statuses to give to the next posts; 200 takes the beats, anything else does
            not.
        unwanted: An event of which no beat is taken: a post with such a beat is refused.
        judge: Says which beats of a post are turned away; by default none.
        armed: Faults that a newcomer is told of, as in ``hello``.
        newest: Bodies to give to the next questions for the newest beat, in place of the truth.
        asked: The ``after_seq`` of every stream, in order.
        posts: How many posts came.
        last_seq: The newest event, as a newcomer is told.
    """

    def __init__(self) -> None:
        self.messages: list[tuple[int, str]] = []
        self.told: list[Beat] = []
        self.answers: deque[int] = deque()
        self.unwanted = 0
        self.judge: Callable[[tuple[NewBeat, ...]], Judged | Refused] = _taken
        self.armed: list[dict[str, Any]] = []
        self.newest: deque[bytes] = deque()
        self.asked: list[int] = []
        self.queries: list[dict[str, str]] = []
        self.posts = 0
        self.last_seq = 0
        self._news = asyncio.Event()
        self._cut = asyncio.Event()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def happen(self, tick: int, *events: Event) -> None:
        """Put a tick's events on the stream."""
        message = {
            "type": "events",
            "tick": tick,
            "first_seq": events[0].seq,
            "last_seq": events[-1].seq,
            "events": events,
        }
        self.say(msgspec.json.encode(message).decode(), events[-1].seq)

    def say(self, text: str, last_seq: int = 2**62) -> None:
        """Put any text on the stream; readers that asked for what is after it do not get it."""
        self.messages.append((last_seq, text))
        news, self._news = self._news, asyncio.Event()
        news.set()

    def cut(self) -> None:
        """Close every stream that is open."""
        cut, self._cut = self._cut, asyncio.Event()
        cut.set()

    @asynccontextmanager
    async def up(self) -> AsyncIterator["FakeAdmin"]:
        """Listen for the length of the block; may be done again, on the same port."""
        handlers = [self._stream(), self._newest(), self._take()]
        # Litestar's own would take over the loggers of the whole process.
        app = Litestar(handlers, openapi_config=None, logging_config=None)
        config = uvicorn.Config(
            app, log_level="critical", ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                await asyncio.sleep(0.01)
            yield self
        finally:
            self.cut()
            server.should_exit = True
            await serving
            listener.close()

    def _stream(self) -> Any:
        @websocket("/stream")
        async def stream(socket: WebSocket[Any, Any, Any]) -> None:
            query = dict(socket.query_params)
            self.queries.append(query)
            self.asked.append(int(query["after_seq"]))
            cut = asyncio.create_task(self._cut.wait())
            await socket.accept()
            hello = {
                "type": "hello",
                "run": "r1",
                "last_seq": self.last_seq,
                "armed": self.armed,
            }
            await socket.send_text(msgspec.json.encode(hello).decode())
            at = 0
            news = cut
            try:
                while not cut.done():
                    news = asyncio.create_task(self._news.wait())
                    while at < len(self.messages):
                        last_seq, text = self.messages[at]
                        at += 1
                        if last_seq > self.asked[-1]:
                            await socket.send_text(text)
                    await asyncio.wait({news, cut}, return_when=asyncio.FIRST_COMPLETED)
                    news.cancel()
                await socket.close()
            except (WebSocketDisconnect, RuntimeError):
                return
            finally:
                news.cancel()
                cut.cancel()

        return stream

    def _newest(self) -> Any:
        @get("/story/beats")
        async def newest(request: Request[Any, Any, Any]) -> Response[bytes]:
            if self.newest:
                return Response(self.newest.popleft(), media_type="application/json")
            rows = self.told[-int(request.query_params["limit"]) :]
            body = msgspec.json.encode({"beats": len(self.told), "rows": rows})
            return Response(body, media_type="application/json")

        return newest

    def _take(self) -> Any:
        @post("/story/beats")
        async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
            self.posts += 1
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return Response(b"{}", status_code=401)
            status = self.answers.popleft() if self.answers else 200
            beats = _beats.decode(await request.body())["beats"]
            if status == 200 and any(self.unwanted in beat.events for beat in beats):
                status = 422
            body = b"{}"
            if status == 200:
                judged = self.judge(beats)
                assert isinstance(judged, Judged)
                body = msgspec.json.encode(judged)
                unwanted = {one.beat for one in judged.turned_away}
                for place, beat in enumerate(beats):
                    if place not in unwanted:
                        fields = msgspec.structs.asdict(beat)
                        self.told.append(Beat(number=len(self.told) + 1, at_s=0.0, **fields))
            return Response(body, status_code=status, media_type="application/json")

        return take


def _taken(beats: tuple[NewBeat, ...]) -> Judged:
    return Judged("taken", len(beats), 0, ())


def without(event: int) -> Callable[[tuple[NewBeat, ...]], Judged]:
    """Return a judge that turns away whatever is told from an event."""

    def judge(beats: tuple[NewBeat, ...]) -> Judged:
        places = [place for place, beat in enumerate(beats) if event in beat.events]
        bad = tuple(TurnedAway(place, f"event {event} is unwanted") for place in places)
        return Judged("judged", len(beats) - len(bad), 0, bad)

    return judge
