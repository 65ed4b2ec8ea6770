import pytest

from engine.protocol.errors import UserError
from engine.protocol.events import Event
from engine.protocol.feed import ViolationRow
from engine.protocol.filters import (
    ENTITY_FIELDS,
    ENTITY_KINDS,
    EVENT_FIELDS,
    STAGES,
    VIOLATION_FIELDS,
    parse_filter,
)
from engine.protocol.limits import FILTER_CHARS_MAX, FILTER_TERMS_MAX
from engine.protocol.query import EntityRow
from engine.world import state

ROW = EntityRow(100_007, "npc", True, False, 12, 3.5, 9.25, 18, 100, 150, 0, 3, 2, "peak", 1)
EVENT = Event(9, 4, "denied", 1_000_012, 3, actor=1_000_012, text="reach: 7 tiles away")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "zone=12 hp<20 kind=npc gold>100",
        "zone = 12   hp <= 18",
        "kind=player,npc",
        "kind!=player,node",
        "alive=yes connected=no",
        "id=npc-7",
        "id=100007",
        "stage=peak",
        "x>=3.5 y<9.5",
        "zone==12",
    ],
)
def test_what_matches(text: str) -> None:
    assert parse_filter(text, ENTITY_FIELDS).matches(ROW)


@pytest.mark.parametrize(
    "text",
    ["zone=13", "zone!=12", "hp<18", "hp>18", "kind=player", "kind!=npc", "alive=no", "hp<20 x<0"],
)
def test_what_does_not_match(text: str) -> None:
    assert not parse_filter(text, ENTITY_FIELDS).matches(ROW)


def test_events_and_violations() -> None:
    assert parse_filter('kind=denied actor=player-12 text~"7 TILES"', EVENT_FIELDS).matches(EVENT)
    assert not parse_filter("text~speed", EVENT_FIELDS).matches(EVENT)
    row = ViolationRow(1, 1, "speed", 1_000_001, "too fast", critical=False)
    assert parse_filter("policy=speed critical=no", VIOLATION_FIELDS).matches(row)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hpp<3", ["'hpp<3'", "did you mean 'hp'", "fields: id, kind"]),
        ("zone=12 fast", ["'fast'", "FIELD OPERATOR VALUE", "fields: id"]),
        ("hp<", ["'hp<'"]),
        ("hp<<3", ["'hp<<3'"]),
        ("kind=npx", ["'kind=npx'", "node, npc, player", "did you mean 'npc'"]),
        ("kind<npc", ["'kind<npc'", "= and !="]),
        ("hp~3", ["'hp~3'", "for text"]),
        ("hp=x", ["'hp=x'", "number"]),
        ("hp=nan", ["number"]),
        ("hp=1e400", ["number"]),
        ("hp=" + "9" * 40, ["number"]),
        ("alive=maybe", ["yes and no"]),
        ("id=nobody", ["player-12"]),
        ("hp=" + ",".join("1" * 20), ["values"]),
        ("hp=\x1b[2J", ["number"]),
        ("hp<1 " * (FILTER_TERMS_MAX + 1), ["more than"]),
        ("x" * (FILTER_CHARS_MAX + 1), [str(FILTER_CHARS_MAX)]),
    ],
)
def test_errors_name_the_term_and_what_is_allowed(text: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        parse_filter(text, ENTITY_FIELDS)
    message = caught.value.message
    assert all(word in message for word in words), message
    assert message.isprintable()


def test_the_fields_are_those_of_the_rows() -> None:
    assert set(ENTITY_FIELDS) == set(EntityRow.__struct_fields__)
    assert set(EVENT_FIELDS) == set(Event.__struct_fields__)
    assert set(VIOLATION_FIELDS) == set(ViolationRow.__struct_fields__)


def test_the_codes_are_those_of_the_world() -> None:
    assert state.STAGES == STAGES
    assert tuple(range(len(ENTITY_KINDS))) == (state.NODE, state.NPC, state.PLAYER)
