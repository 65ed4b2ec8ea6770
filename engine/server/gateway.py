"""The players' door: listens, lets in, knows who is connected, closes what must be closed."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from picows import (
    WSCloseCode,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from engine.link.listen import listen
from engine.protocol import gateway as wire
from engine.protocol import limits
from engine.server.admission import Refused, admit
from engine.server.inbox import Inbox
from engine.server.roster import Roster
from engine.server.session import Phase, Session

PATH: Final = "/play"
_BACKLOG = 4096
_SHUTDOWN_S = 1.0


class Gateway:
    """Every player's connection.

    Args:
        inbox: Where joins, leaves and intents go.
        roster: Who a name is.
        has_room: Whether the world could take this entity; None is a guest it never met.
        now_s: The monotonic clock.

    Attributes:
        players: Session by entity id, from hello to the end of the connection.
        bad_frames: What was refused, by kind.
        port: Where it listens.
    """

    def __init__(
        self,
        inbox: Inbox,
        roster: Roster,
        has_room: Callable[[int | None], bool],
        now_s: Callable[[], float],
    ) -> None:
        self.players: dict[int, Session] = {}
        self.bad_frames: dict[str, int] = {}
        self.port = 0
        self.now_s = now_s
        self._inbox = inbox
        self._roster = roster
        self._has_room = has_room
        self._host = ""
        self._server: asyncio.Server | None = None
        self._opened = 0
        self._open: dict[Session, None] = {}
        self._empty = asyncio.Event()
        self._silent_until: dict[Session, float] = {}
        self._paused_since: dict[Session, float] = {}
        self._closing_until: dict[Session, float] = {}

    # --- its life ---

    async def open(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            UserError: The address cannot be used.
        """
        self._host = host
        listener = listen(
            host,
            port,
            "players' gateway",
            backlog=_BACKLOG,
            send_buffer_bytes=limits.GATEWAY_SEND_BUFFER_BYTES,
        )
        self.port = listener.getsockname()[1]
        # Hostile frames are counted here; picows would write a line for each. And an adapter
        # keeps it from making a logger for every connection.
        logger = logging.getLogger("engine.server.gateway")
        logger.setLevel(logging.CRITICAL + 1)
        quiet = logging.LoggerAdapter(logger)
        self._server = await ws_create_server(
            self._admit,
            sock=listener,
            backlog=_BACKLOG,
            logger_name=quiet,
            enable_auto_pong=False,
            websocket_handshake_timeout=limits.HELLO_TIMEOUT_S,
            max_frame_size=limits.GATEWAY_FRAME_BYTES_READ_MAX,
            read_buffer_init_size=limits.GATEWAY_READ_BUFFER_BYTES,
            # Measured on uvloop: a seventh less CPU for the same frames than with aiofastnet.
            use_aiofastnet=False,
        )

    async def aclose(self, reason: str) -> None:
        """Listen no more, say bye to everyone, and cut off whoever stays."""
        if self._server is not None:
            self._server.close()
        for session in list(self._open):
            session.close(reason, WSCloseCode.GOING_AWAY)
        await self._until_empty()
        for session in list(self._open):
            session.abort()
        await self._until_empty()

    async def _until_empty(self) -> None:
        if self._open:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), _SHUTDOWN_S)

    def sweep(self) -> None:
        """Close who has not said hello, who does not read, and who does not close."""
        now_s = self.now_s()
        for session in _overdue(self._silent_until, now_s):
            session.refuse("no_hello", "no hello in time")
        # A client is closed as slow when nothing of what waits for it could be sent for so long.
        for session in _overdue(self._paused_since, now_s - limits.SLOW_READER_CLOSE_S):
            session.refuse("slow_reader", "slow reader", WSCloseCode.TRY_AGAIN_LATER)
        for session in _overdue(self._closing_until, now_s):
            session.abort()

    # --- what sessions tell ---

    def opened(self, session: Session) -> None:
        """See ``session.Owner``."""
        self._open[session] = None
        self._silent_until[session] = self.now_s() + limits.HELLO_TIMEOUT_S

    def hello(self, session: Session, hello: wire.Hello) -> None:
        """See ``session.Owner``."""
        objection = self._roster.objection(hello.name)
        if objection:
            session.refuse("bad_name", objection)
            return
        if hello.resume is not None and not self._roster.proves(hello.name, hello.resume):
            session.refuse("bad_token", "the resume token is not the one of this name")
            return
        if not self._has_room(self._roster.find(hello.name)):
            session.refuse("full", "the world is full", WSCloseCode.TRY_AGAIN_LATER)
            return
        entity = self._roster.entity(hello.name)
        current = self.players.get(entity)
        if current is not None:
            if hello.resume is None:
                session.refuse("name_taken", f"'{hello.name}' is connected; send its resume token")
                return
            current.close("resumed by another connection")
        self._silent_until.pop(session, None)
        session.entity, session.name, session.phase = entity, hello.name, Phase.JOINING
        self.players[entity] = session
        self._inbox.join(entity, hello.name)

    def intent(self, session: Session, intent: wire.Intent) -> None:
        """See ``session.Owner``."""
        refusal = self._inbox.put(session.entity, intent)
        if refusal:
            self.count_bad("too_fast")
            session.send(wire.Ack(seq=intent.seq, tick=0, verdict="deny", reason=refusal))

    def count_bad(self, kind: str) -> None:
        """See ``session.Owner``."""
        self.bad_frames[kind] = self.bad_frames.get(kind, 0) + 1

    def paused(self, session: Session, paused: bool) -> None:
        """See ``session.Owner``."""
        if paused and session.phase is not Phase.CLOSING:
            self._paused_since[session] = self.now_s()
        else:
            self._paused_since.pop(session, None)

    def closing(self, session: Session) -> None:
        """See ``session.Owner``."""
        self._silent_until.pop(session, None)
        self._paused_since.pop(session, None)
        self._closing_until[session] = self.now_s() + limits.GATEWAY_CLOSE_S
        self._leave(session)

    def gone(self, session: Session) -> None:
        """See ``session.Owner``."""
        self._open.pop(session, None)
        if not self._open:
            self._empty.set()
        for waiting in (self._silent_until, self._paused_since, self._closing_until):
            waiting.pop(session, None)
        self._leave(session)

    def _leave(self, session: Session) -> None:
        if self.players.get(session.entity) is session:
            del self.players[session.entity]
            self._inbox.leave(session.entity)

    # --- after a tick is durable ---

    def welcome(self, session: Session, row: int, welcome: wire.Welcome) -> None:
        """Let a player in whose join is durable."""
        session.begin_to_play(row)
        session.send(welcome)

    def playing(self) -> list[Session]:
        """Return every session that may be sent frames, oldest player first."""
        return [session for session in self.players.values() if session.plays]

    # --- the door itself ---

    def _admit(self, request: WSUpgradeRequest) -> Session | WSUpgradeResponseWithListener:
        try:
            codec = admit(request, PATH, self._host)
        except Refused as refused:
            return self._refuse(refused.status, str(refused))
        if len(self._open) >= limits.GATEWAY_CONNECTIONS_MAX:
            return self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")
        connection = request.headers.get("Connection", "")
        if "upgrade" in [token.strip().lower() for token in connection.split(",")]:
            # A list of tokens is right and Firefox sends one; picows knows the single word.
            request.headers["Connection"] = "upgrade"
        self._opened += 1
        return Session(self, self._opened, codec)

    def _refuse(self, status: HTTPStatus, reason: str) -> WSUpgradeResponseWithListener:
        self.count_bad("refused_upgrade")
        response = WSUpgradeResponse.create_error_response(status, f"{reason}\n".encode())
        return WSUpgradeResponseWithListener(response, None)


def _overdue(deadlines: dict[Session, float], now_s: float) -> list[Session]:
    """Return the sessions whose time is over; all deadlines of one kind are as far ahead."""
    late = []
    for session, deadline_s in deadlines.items():
        if deadline_s > now_s:
            break
        late.append(session)
    return late
