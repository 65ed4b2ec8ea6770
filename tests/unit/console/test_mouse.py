"""Every place on the screen: what a click there means is what stands there."""

import itertools

import pytest
from msgspec.structs import replace

from console import layout
from console.items import Hint, Pick, Press, Scroll, Size
from console.lines import plain
from console.model import Model
from console.mouse import clicked, wheeled
from console.panels.events import PANEL as EVENTS
from console.panels.story import PANEL as STORY
from console.panels.violations import PANEL as VIOLATIONS
from console.select.places import boxes
from console.update import update
from engine.protocol.events import entity_name
from engine.protocol.story import NarratorState
from tests.ui.fake_engine import FakeEngine

SIZES = [(80, 24), (120, 40), (200, 60), (40, 10)]
DRAWN = {"events": EVENTS, "violations": VIOLATIONS, "story": STORY}


def model(
    size: tuple[int, int], page: int, hint: bool = False, narrator: NarratorState = "telling"
) -> Model:
    engine = FakeEngine()
    engine.narrator = narrator
    made = update(Model(), Size(*size))
    for at_s in range(126):
        made = update(made, engine.snapshot(float(at_s)))
    made = update(made, Press(f"page_{page}"))
    return update(made, Hint(60.0)) if hint else made


def _names(made: Model, panel: str, key: int) -> list[str]:
    """Return words that stand in the lines of a row."""
    if panel == "story":
        beat = next(beat for beat in made.shown.beats if beat.number == key)
        return beat.text.split()
    rows = made.shown.events if panel == "events" else made.snapshot.violations.tail  # type: ignore[union-attr]  # there is a snapshot
    return [entity_name(next(row.actor for row in rows if row.seq == key))]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("page", range(1, 8))
@pytest.mark.parametrize("hint", [False, True], ids=["plain", "hint"])
def test_a_click_picks_what_stands_there(size: tuple[int, int], page: int, hint: bool):
    made = model(size, page, hint)
    for action in ("follow", "up", "up"):
        for box in boxes(made):
            lines = None
            for y in range(box.y, box.y + box.height):
                item = clicked(made, box.x + min(3, box.width - 1), y)
                if not isinstance(item, Pick) or item.key is None:
                    continue
                assert item.panel == box.panel
                if box.panel in DRAWN:
                    drawn = DRAWN[box.panel]
                    lines = lines or drawn.draw(made, box.width, box.height, False)
                    line = plain(lines[y - box.y])
                    words = _names(made, box.panel, item.key)
                    assert any(word in line for word in words), (line, words)
        made = update(made, Press(action))


@pytest.mark.parametrize("narrator", ["telling", "gone"])
def test_every_line_of_the_story_can_be_picked(narrator: NarratorState):
    made = model((120, 40), 7, narrator=narrator)
    (box,) = (box for box in boxes(made) if box.panel == "story")
    picks = [clicked(made, box.x + 9, y) for y in range(box.y, box.y + box.height)]
    keys = [item.key for item in picks if isinstance(item, Pick)]
    said = narrator == "gone"
    assert keys[0] is None
    assert keys[-1 - said] is None
    inside = keys[1 : len(keys) - 1 - said]
    assert None not in inside
    assert inside == sorted(inside)  # type: ignore[type-var]  # no None among them
    assert inside[-1] == made.shown.beats[-1].number
    after = update(made, Pick("story", inside[0]))
    assert (after.view.story.cursor, after.view.story.follow) == (inside[0], False)


def test_every_cell_of_every_page_means_something_or_nothing():
    for page, (width, height) in itertools.product(range(1, 8), SIZES):
        made = model((width, height), page)
        for x, y in itertools.product(range(0, width, 7), range(height)):
            item = clicked(made, x, y)
            assert item is None or isinstance(item, Pick | Press)
            turned = wheeled(made, x, y, down=True)
            assert turned is None or (isinstance(turned, Scroll) and turned.name in layout.LISTS)
            if isinstance(item, Pick):
                update(made, item)
            if turned is not None:
                update(made, turned)


def test_a_console_that_has_heard_nothing_yet():
    for page in layout.PAGES:
        bare = update(Model(), Size(40, 10))
        bare = replace(bare, view=replace(bare.view, page=page))
        picks = [clicked(bare, 3, y) for y in range(10)]
        assert all(item.key is None for item in picks if isinstance(item, Pick))
