"""What a console and the engine write on their socket: frames of msgpack (``codec``).

A console sends ``Call`` and ``Ask``; the engine sends ``Replied``, ``Answered`` and the
feed's items. The command or query inside is decoded apart, so that a bad one is
answered by its id instead of breaking the link.
"""

import msgspec
from msgspec import Raw, Struct

from engine.protocol.command import Command, Reply
from engine.protocol.feed import Ended, Gap, Notice, Snapshot
from engine.protocol.query import Answer, Query


class Call(Struct, frozen=True, tag="call"):
    """A command, to be answered by ``Replied`` with the same id."""

    id: int
    command: Raw


class Ask(Struct, frozen=True, tag="ask"):
    """A query, to be answered by ``Answered`` with the same id within ``deadline_s``."""

    id: int
    query: Raw
    deadline_s: float


class Replied(Struct, frozen=True, tag="replied"):
    """The reply to a call."""

    id: int
    reply: Reply


class Answered(Struct, frozen=True, tag="answered"):
    """The answer to a query."""

    id: int
    answer: Answer


FromConsole = Call | Ask
FromEngine = Replied | Answered | Snapshot | Notice | Gap | Ended

from_console_decoder = msgspec.msgpack.Decoder(FromConsole)
from_engine_decoder = msgspec.msgpack.Decoder(FromEngine)
encoder = msgspec.msgpack.Encoder()
_command_decoder = msgspec.msgpack.Decoder(Command)
_query_decoder = msgspec.msgpack.Decoder(Query)


def checked_command(payload: bytes | Raw) -> Command:
    """Return the command in ``payload``.

    Raises:
        msgspec.DecodeError: It is none, or a value is out of bounds.
    """
    command: Command = _command_decoder.decode(payload)
    return command


def checked_query(payload: bytes | Raw) -> Query:
    """Return the query in ``payload``.

    Raises:
        msgspec.DecodeError: It is none, or a value is out of bounds.
    """
    query: Query = _query_decoder.decode(payload)
    return query
