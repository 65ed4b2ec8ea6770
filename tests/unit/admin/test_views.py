"""What goes out as an object has the fields of what it is made from, and their values."""

from msgspec.structs import asdict, fields

from engine.admin.sift import Violation, violations_of
from engine.admin.views import EntityView
from engine.protocol.events import entity_name
from engine.protocol.feed import ViolationRow
from engine.protocol.query import EntityRow
from tests.unit.admin.fakes import row, tick_of


def test_an_entity_has_every_field_of_its_row_and_a_name():
    assert {f.name: f.type for f in fields(EntityView) if f.name != "name"} == {
        f.name: f.type for f in fields(EntityRow)
    }
    made = row(1_000_012)
    assert asdict(EntityView.of(made)) == {"name": entity_name(made.id), **asdict(made)}


def test_a_violation_has_every_field_of_its_row():
    assert {f.name: f.type for f in fields(Violation)} == {
        f.name: f.type for f in fields(ViolationRow)
    }
    tick = tick_of(3, 1, ["moved", "denied"], {1: "reach: 3 tiles"})
    (found,) = violations_of(tick, 0)
    assert [asdict(found)] == [asdict(made) for made in tick.violations()]
