"""seed: SeedStorm's own player gateway, msgpack in binary frames."""

from typing import Final

import msgspec

from engine.assault.behaviours.base import Wish
from engine.assault.drivers.base import BadFrame
from engine.protocol.gateway import (
    Ack,
    Bye,
    Delta,
    Hello,
    Intent,
    Notice,
    Welcome,
    encoder,
    server_decoder,
)

_UPDATE: Final = b"\xa4type\xa5delta"
"""A delta begins with its type: nine frames in ten are told apart by these bytes alone."""


class SeedDriver:
    """Speaks ``engine.protocol.gateway``."""

    name = "seed"

    def hello(self, name: str, resume: str | None) -> bytes:
        """See ``Driver.hello``."""
        return encoder.encode(Hello(name, resume))

    def intent(self, seq: int, wish: Wish) -> bytes:
        """See ``Driver.intent``."""
        return encoder.encode(
            Intent(seq, wish.kind, wish.x, wish.y, wish.target, wish.amount, wish.text)
        )

    def is_update(self, frame: bytes) -> bool:
        """See ``Driver.is_update``."""
        return frame[1:12] == _UPDATE

    def read(self, frame: bytes) -> Welcome | Ack | Delta | Notice | Bye:
        """See ``Driver.read``."""
        try:
            message: Welcome | Ack | Delta | Notice | Bye = server_decoder.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise BadFrame(str(problem)) from problem
        return message


DRIVER = SeedDriver()
