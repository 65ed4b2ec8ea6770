"""Figures of ticks: what the world reports is what is answered, field by field."""

import msgspec
from msgspec.structs import asdict, fields

from engine.hub.ticks import Ticks
from engine.protocol.child import TickRow
from engine.protocol.query import TickFigures
from tests.unit.hub.fakes import world_report

ROW = TickRow(812, 9.5, 1.25, 2.5, 0.5, 0.25, 3.5, 1.5, 0.75, True, 40, 31, 2)


def test_what_is_answered_has_the_fields_of_what_is_reported() -> None:
    assert {f.name: f.type for f in fields(TickFigures)} == {
        f.name: f.type for f in fields(TickRow)
    }
    ticks = Ticks(100)
    ticks.take(world_report(812, (ROW,)))
    (found,) = ticks.newest
    assert type(found) is TickFigures
    assert asdict(found) == asdict(ROW)
    assert found.append_ms == 3.5


def test_a_report_is_short_and_an_answer_names_its_figures() -> None:
    packed = msgspec.msgpack.encode(ROW)
    assert msgspec.msgpack.decode(packed) == list(asdict(ROW).values())
    assert msgspec.msgpack.decode(packed, type=TickRow) == ROW
    answered = msgspec.json.decode(msgspec.json.encode(TickFigures(**asdict(ROW))))
    assert answered["fan_out_ms"] == 1.5
