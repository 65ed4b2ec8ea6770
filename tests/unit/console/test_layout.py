"""Panels cover the screen, at every size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.layout import BANNER, PAGES, STRIP, VITALS, arrange, panels_of


@given(
    st.integers(1, 260),
    st.integers(1, 90),
    st.sampled_from(PAGES),
    st.sampled_from(["entities", "map", "health", "story"]),
    st.booleans(),
    st.integers(0, 8),
)
def test_boxes_cover_the_screen_without_overlap(width, height, page, focus, zoom, banner):
    covered = [[0] * width for _ in range(height)]
    for box in arrange(width, height, page, focus, zoom, banner):
        assert box.width > 0
        assert box.height > 0
        for y in range(box.y, box.y + box.height):
            for x in range(box.x, box.x + box.width):
                covered[y][x] += 1
    assert all(cell == 1 for row in covered for cell in row)


def test_eighty_by_twenty_four_has_vitals_a_main_panel_and_the_strip():
    names = [box.panel for box in arrange(80, 24, "overview", "events")]
    assert names == [VITALS, STRIP, "events", "pulse"]


@pytest.mark.parametrize(("size", "columns"), [((120, 40), 2), ((200, 60), 3), ((160, 45), 3)])
def test_columns(size, columns):
    boxes = arrange(*size, "overview", "entities")
    # Two columns have room for the events or for the story.
    left_out = {"story"} if columns == 2 else set()
    assert {box.panel for box in boxes} >= set(panels_of("overview")) - left_out
    starts = {box.x for box in boxes if box.height > 5 and box.panel != "health"}
    assert len(starts) == columns


def test_in_two_columns_the_story_takes_the_place_of_the_events_while_it_has_the_keys():
    shown = [box.panel for box in arrange(120, 40, "overview", "story")]
    assert "story" in shown
    assert "events" not in shown


def test_the_story_page_shows_the_events_beside_it_where_there_is_room():
    assert {box.panel for box in arrange(120, 40, "story", "story")} >= {"story", "events"}
    assert "events" not in {box.panel for box in arrange(80, 24, "story", "story")}
    assert "events" in {box.panel for box in arrange(80, 24, "story", "events")}


def test_a_small_terminal_shows_the_focused_list_then_the_vitals_alone():
    assert [box.panel for box in arrange(40, 10, "overview", "violations")] == [
        VITALS,
        STRIP,
        "violations",
    ]
    assert [box.panel for box in arrange(40, 1, "overview", "violations")] == [VITALS]


def test_zoom_shows_one_panel_and_the_banner_makes_room():
    assert [box.panel for box in arrange(200, 60, "overview", "map", zoom=True)][2:] == ["map"]
    assert BANNER in [box.panel for box in arrange(80, 24, "overview", "map", banner=3)]
