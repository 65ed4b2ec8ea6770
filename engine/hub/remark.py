"""What the hub noticed by itself, to become a notice."""

from msgspec import Struct

from engine.protocol.feed import NoticeKind


class Remark(Struct, frozen=True):
    """Something to tell everyone."""

    kind: NoticeKind
    text: str
    bad: bool = True
