"""The cell diff against a terminal emulator, and the writer against a terminal that stalls."""

import os
import random
import time

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from console.paint.buffer import ScreenBuffer
from console.paint.cells import CellMaker, Pen
from console.paint.painter import SYNC_BYTES_MIN, SYNC_START, Painter
from console.paint.writer import WRITES_QUEUED_MAX, TerminalWriter
from tests.machine import MARGIN_S

WIDTH, HEIGHT = 24, 5
STYLES = (
    Style(),
    Style(color="#ff0000"),
    Style(color="#00ff00", bgcolor="#000080"),
    Style(bold=True),
    Style(reverse=True, color="#ff0000"),
)
TEXT = st.text(alphabet="ab ─█▀日本語é", min_size=1, max_size=12)
PUTS = st.lists(
    st.tuples(
        st.integers(0, WIDTH - 1),
        st.integers(0, HEIGHT - 1),
        st.lists(st.tuples(TEXT, st.sampled_from(STYLES)), min_size=1, max_size=3),
    ),
    max_size=12,
)


def terminal() -> tuple[pyte.Screen, pyte.Stream]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    screen.reset_mode(7, private=True)  # no wrapping at the edge, as the driver sets it
    return screen, pyte.Stream(screen)


def shown(screen: pyte.Screen) -> list[list[tuple[str, str, str, bool, bool]]]:
    return [
        [
            (cell.data, cell.fg, cell.bg, cell.bold, cell.reverse)
            for x in range(WIDTH)
            for cell in [screen.buffer[y][x]]
        ]
        for y in range(HEIGHT)
    ]


def feed(stream: pyte.Stream, text: str) -> None:
    # pyte has no synchronised updates; the tests write too little for them anyway.
    stream.feed(text)


@settings(max_examples=300, deadline=None)
@given(PUTS, st.lists(st.integers(0, 11), max_size=3))
def test_what_the_diff_sends_shows_what_a_full_repaint_would(puts, flushes):
    maker = CellMaker(ColorSystem.TRUECOLOR)
    buffer = ScreenBuffer(WIDTH, HEIGHT, maker)
    screen, stream = terminal()
    blank = maker.cells([Segment(" " * WIDTH, STYLES[0])])
    for y in range(HEIGHT):
        buffer.put(0, y, blank)
    feed(stream, buffer.take())
    for index, (x, y, spans) in enumerate(puts):
        buffer.put(x, y, maker.cells(Segment(text, style) for text, style in spans))
        if index in flushes:
            feed(stream, buffer.take())
    feed(stream, buffer.take())

    repainted, again = terminal()
    fresh = ScreenBuffer(WIDTH, HEIGHT, maker)
    for y, row in enumerate(buffer._rows):
        fresh.put(0, y, [cell for cell in row if cell is not None])
    feed(again, fresh.take())
    assert shown(screen) == shown(repainted)


def test_nothing_is_sent_for_what_stands_there_already():
    maker = CellMaker(ColorSystem.TRUECOLOR)
    buffer = ScreenBuffer(WIDTH, HEIGHT, maker)
    line = [Segment("tick 12.1 ms", STYLES[1])]
    buffer.put(0, 0, maker.cells(line))
    assert buffer.take()
    buffer.put(0, 0, maker.cells(line))
    assert buffer.take() == ""


def test_only_the_changed_cells_are_sent():
    maker = CellMaker(ColorSystem.TRUECOLOR)
    buffer = ScreenBuffer(WIDTH, HEIGHT, maker)
    buffer.put(0, 2, maker.cells([Segment("players 1,000", STYLES[0])]))
    buffer.take()
    buffer.put(0, 2, maker.cells([Segment("players 1,007", STYLES[0])]))
    assert buffer.take() == "\x1b[3;13H\x1b[0m7"


def test_a_pen_says_no_more_than_it_must():
    red, on_blue = Pen("31", "", ""), Pen("31", "44", "")
    assert on_blue.sgr(red) == "\x1b[44m"
    assert red.sgr(on_blue) == "\x1b[49m"
    assert red.sgr(None) == "\x1b[0;31m"
    assert Pen("31", "", "1").sgr(red) == "\x1b[0;1;31m"


def test_control_characters_and_combining_marks_never_reach_the_terminal():
    maker = CellMaker(ColorSystem.TRUECOLOR)
    cells = maker.cells([Segment("a\x1b[2J\u202ee\u0301\x07", STYLES[0])])
    text = "".join(cell.glyph for cell in cells)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert len(cells) == sum(cell.width for cell in cells)


def test_without_colours_none_are_sent():
    maker = CellMaker(None)
    cells = maker.cells([Segment("x", Style(color="#ff0000", bgcolor="#00ff00", bold=True))])
    assert cells[0].pen == Pen("", "", "1")


def test_many_strange_characters_do_not_fill_the_memory():
    maker = CellMaker(ColorSystem.TRUECOLOR)
    for start in range(0x4E00, 0x4E00 + 20_000, 100):
        maker.cells([Segment("".join(map(chr, range(start, start + 100))), STYLES[1])])
    assert max(len(glyphs) for glyphs in maker._by_pen.values()) < 5000


class Kept:
    """An output that keeps what it is given."""

    def __init__(self, queued: int = 0) -> None:
        self.queued = queued
        self.bytes_total = 0
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        self.texts.append(text)


def test_large_frames_are_synchronised_where_the_terminal_can():
    output = Kept()
    painter = Painter(output, ColorSystem.TRUECOLOR)
    painter.sync = True
    painter.resize(200, 60)
    painter.put(0, 0, [Segment("x", None)])
    painter.flush()
    assert SYNC_START not in output.texts[0]
    chance = random.Random(1)
    for y in range(60):
        painter.put(0, y, [Segment("".join(chance.choices("abc", k=200)), None)])
    painter.flush()
    assert len(output.texts[1]) > SYNC_BYTES_MIN
    assert output.texts[1].startswith(SYNC_START)


def test_a_painter_knows_a_backlog():
    assert not Painter(Kept(2), None).backlogged
    assert Painter(Kept(3), None).backlogged


def test_a_stalled_terminal_never_blocks_whoever_writes():
    reader, writer = os.pipe()
    thread = TerminalWriter(writer)
    thread.start()
    try:
        began_s = time.monotonic()
        for _ in range(WRITES_QUEUED_MAX + 50):
            thread.write("x" * 10_000)
        took_s = time.monotonic() - began_s
        assert thread.dropped > 0
        assert thread.queued <= WRITES_QUEUED_MAX
        # A write that blocked would hold us for ever: nobody reads.
        assert took_s < MARGIN_S
    finally:
        os.close(reader)
        thread.stop()
        os.close(writer)
    assert not thread.is_alive()


def test_what_is_written_arrives_in_order():
    reader, writer = os.pipe()
    thread = TerminalWriter(writer)
    thread.start()
    for number in range(100):
        thread.write(f"{number:03}")
    thread.stop()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"".join(b"%03d" % number for number in range(100))
    assert thread.bytes_total == 300


def test_a_terminal_that_is_gone_ends_the_writer():
    reader, writer = os.pipe()
    os.close(reader)
    thread = TerminalWriter(writer)
    thread.start()
    thread.write("nobody reads this")
    thread.join(5)
    assert not thread.is_alive()
    thread.write("nor this")
    assert thread.queued == 0
    thread.stop()
    os.close(writer)
