"""Where each panel stands: sizes in, rectangles out. Pure, so that every size can be tested."""

from typing import Final, NamedTuple

PAGES: Final = ("overview", "entities", "events", "violations", "timing", "map", "story")
"""The pages, in the order of their keys."""

LISTS: Final = ("entities", "events", "violations", "story")
"""Panels with rows to move through; they can be focused on every page that shows them."""

VITALS: Final = "vitals"
STRIP: Final = "strip"
BANNER: Final = "banner"

MAP_WIDTH_SMALL: Final = 36
MAP_HEIGHT_SMALL: Final = 18
MAP_WIDTH_BIG: Final = 68
MAP_HEIGHT_BIG: Final = 34
TWO_COLUMNS: Final = (100, 30)
THREE_COLUMNS: Final = (150, 40)


class Box(NamedTuple):
    """A panel and its rectangle in cells."""

    panel: str
    x: int
    y: int
    width: int
    height: int


class Area(NamedTuple):
    """A rectangle to divide."""

    x: int
    y: int
    width: int
    height: int

    def columns(self, *widths: int) -> list["Area"]:
        """Return areas side by side; the last one takes the rest."""
        areas, x = [], self.x
        for width in widths:
            areas.append(Area(x, self.y, width, self.height))
            x += width
        areas.append(Area(x, self.y, self.x + self.width - x, self.height))
        return areas

    def rows(self, *heights: int) -> list["Area"]:
        """Return areas one below another; the last one takes the rest."""
        areas, y = [], self.y
        for height in heights:
            areas.append(Area(self.x, y, self.width, height))
            y += height
        areas.append(Area(self.x, y, self.width, self.y + self.height - y))
        return areas


def shares(total: int, *weights: int) -> list[int]:
    """Return ``total`` divided by ``weights``, without its last part (see ``Area.rows``)."""
    whole = sum(weights)
    parts, used, seen = [], 0, 0
    for weight in weights[:-1]:
        seen += weight
        edge = total * seen // whole
        parts.append(edge - used)
        used = edge
    return parts


def arrange(
    width: int, height: int, page: str, focus: str, zoom: bool = False, banner: int = 0
) -> tuple[Box, ...]:
    """Return every visible panel's place; they cover the screen without a gap.

    Args:
        width: Columns of the terminal.
        height: Its rows.
        page: One of ``PAGES``.
        focus: The panel that has the keys; on a small terminal the one that is shown.
        zoom: Show the focused panel alone.
        banner: Rows that the banner wants below the vitals.
    """
    if width < 1 or height < 1:
        return ()
    if height < 4:
        boxes = [Box(VITALS, 0, 0, width, min(2, height))]
        if height == 3:
            boxes.append(Box(BANNER if banner else STRIP, 0, 2, width, 1))
        return tuple(boxes)
    screen = Area(0, 0, width, height)
    vitals, body = screen.rows(vitals_rows(width, height))
    boxes = [Box(VITALS, *vitals)]
    if height >= 8:
        body, strip = body.rows(body.height - 1)
        boxes.append(Box(STRIP, *strip))
    if banner:
        head, body = body.rows(min(banner, body.height))
        boxes.append(Box(BANNER, *head))
    if body.height > 0:
        boxes += _panels(body, page, focus, zoom)
    return tuple(boxes)


def vitals_rows(width: int, height: int) -> int:
    """Return how many rows the status line takes."""
    return 2 if height >= 6 and width >= 40 else 1


def panels_of(page: str) -> tuple[str, ...]:
    """Return the panels of a page, in the order of the tab key."""
    return {
        "overview": (
            "entities",
            "events",
            "violations",
            "story",
            "load",
            "timing",
            "latency",
            "map",
            "health",
        ),
        "entities": ("entities",),
        "events": ("events",),
        "violations": ("violations", "policies"),
        "timing": ("timing", "latency", "load", "health"),
        "map": ("map", "zones"),
        "story": ("story", "events"),
    }[page]


def _panels(body: Area, page: str, focus: str, zoom: bool) -> list[Box]:
    panels = panels_of(page)
    shown = focus if focus in panels else panels[0]
    if zoom or body.width < 60 or body.height < 12:
        return [Box(shown, *body)]
    if page == "overview":
        return _overview(body, shown)
    if page == "violations":
        side, rest = body.columns(36) if body.width >= 100 else body.rows(9)
        return [Box("policies", *side), Box("violations", *rest)]
    if page == "timing":
        return _timing(body)
    if page == "map":
        return _map(body)
    if page == "story" and body.width >= 120:
        tale, rest = body.columns(body.width * 58 // 100)
        return [Box("story", *tale), Box("events", *rest)]
    return [Box(shown, *body)]


def _overview(body: Area, shown: str) -> list[Box]:
    wide, high = body.width, body.height + 3
    if wide >= THREE_COLUMNS[0] and high >= THREE_COLUMNS[1]:
        return _three_columns(body)
    if wide >= TWO_COLUMNS[0] and high >= TWO_COLUMNS[1]:
        return _two_columns(body, shown)
    if body.height >= 17:
        main, pulse = body.rows(body.height - (6 if body.height >= 20 else 5))
        return [Box(shown, *main), Box("pulse", *pulse)]
    return [Box(shown, *body)]


def _two_columns(body: Area, shown: str) -> list[Box]:
    left, right = body.columns(max(60, body.width // 2))
    with_map = left.height >= MAP_HEIGHT_SMALL + 14
    low = MAP_HEIGHT_SMALL if with_map else 11
    charts, base = left.rows(left.height - low)
    timing, latency = charts.rows(*shares(charts.height, 11, 8))
    boxes = [Box("timing", *timing), Box("latency", *latency)]
    if with_map:
        chart, health = base.columns(MAP_WIDTH_SMALL)
        boxes += [Box("map", *chart), Box("health", *health)]
    else:
        boxes.append(Box("health", *base))
    load, entities, events, violations = right.rows(*shares(right.height, 17, 20, 22, 16))
    return [
        *boxes,
        Box("load", *load),
        Box("entities", *entities),
        # There is room for one of the two that tell what happens.
        Box("story" if shown == "story" else "events", *events),
        Box("violations", *violations),
    ]


def _three_columns(body: Area) -> list[Box]:
    big = body.width >= 190 and body.height >= MAP_HEIGHT_BIG + 12
    map_width = MAP_WIDTH_BIG if big else max(MAP_WIDTH_SMALL, body.width // 4)
    map_height = MAP_HEIGHT_BIG if big else MAP_HEIGHT_SMALL
    left, middle, right = body.columns((body.width - map_width) * 48 // 100, map_width)
    load, timing, latency = left.rows(*shares(left.height, 12, 15, 12))
    boxes = [Box("load", *load), Box("timing", *timing), Box("latency", *latency)]
    chart, health, violations = middle.rows(map_height, 12 if big else 11)
    entities, events, story = right.rows(*shares(right.height, 9, 9, 10))
    boxes += [Box("map", *chart), Box("health", *health)]
    return [
        *boxes,
        Box("entities", *entities),
        Box("events", *events),
        Box("violations", *violations),
        Box("story", *story),
    ]


def _timing(body: Area) -> list[Box]:
    if body.width >= 100:
        left, right = body.columns(body.width * 58 // 100)
        timing, latency = left.rows(*shares(left.height, 5, 4))
        load, health = right.rows(*shares(right.height, 5, 4))
        return [
            Box("timing", *timing),
            Box("latency", *latency),
            Box("load", *load),
            Box("health", *health),
        ]
    timing, latency = body.rows(*shares(body.height, 5, 4))
    return [Box("timing", *timing), Box("latency", *latency)]


def _map(body: Area) -> list[Box]:
    if body.width < MAP_WIDTH_SMALL + 26:
        return [Box("map", *body)]
    room = body.width - 30
    big = room >= MAP_WIDTH_BIG and body.height >= MAP_HEIGHT_BIG
    area, zones = body.columns(MAP_WIDTH_BIG if big else MAP_WIDTH_SMALL)
    return [Box("map", *area), Box("zones", *zones)]
