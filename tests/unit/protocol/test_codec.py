"""Frames survive any cutting of the stream; an oversized one is refused before it is held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.codec import Deframer, FrameTooLarge, frame


@given(st.lists(st.binary(max_size=200), max_size=8), st.integers(1, 50))
def test_any_cutting_gives_the_same_payloads(payloads, step):
    stream = b"".join(frame(payload) for payload in payloads)
    deframer = Deframer(1000)
    got = [
        payload
        for start in range(0, len(stream), step)
        for payload in deframer.feed(stream[start : start + step])
    ]
    assert got == payloads


def test_an_oversized_frame_is_refused_from_its_header_alone():
    with pytest.raises(FrameTooLarge, match="at most 10"):
        list(Deframer(10).feed(b"\x00\x00\x00\x0b"))
