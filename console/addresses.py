"""``stat7 address``: bit-chains come in a line at a time, addresses and URIs go out."""

from itertools import count
from typing import BinaryIO, TextIO

from engine.protocol.address import address, uri
from engine.protocol.bitchains import parse_chain
from engine.protocol.errors import UserError
from engine.protocol.limits import CHAIN_LINE_BYTES_MAX


def write_addresses(source: BinaryIO, sink: TextIO) -> None:
    """Write ``address uri`` for every bit-chain, each as soon as it was read.

    Empty lines say nothing; the first line that is no bit-chain ends it.

    Args:
        source: Bit-chains as lines of JSON.
        sink: Where the addresses go.

    Raises:
        UserError: Says which line is wrong, and what in it.
        BrokenPipeError: Whoever read the sink has gone.
    """
    for number in count(1):
        try:
            raw = source.readline(CHAIN_LINE_BYTES_MAX + 1)
        except OSError as problem:
            raise UserError(f"line {number}: stdin cannot be read: {problem.strerror}") from problem
        if not raw:
            return
        if raw.isspace():
            continue
        try:
            line = _address_line(raw)
        except UserError as problem:
            raise UserError(f"line {number}: {problem.message}") from problem
        sink.write(line)
        sink.flush()


def _address_line(raw: bytes) -> str:
    if len(raw) > CHAIN_LINE_BYTES_MAX and not raw.endswith(b"\n"):
        raise UserError(f"found more than {CHAIN_LINE_BYTES_MAX} bytes; allowed are that many")
    chain = parse_chain(raw)
    return f"{address(chain)} {uri(chain)}\n"
