"""What the console knows, frozen, and how it changes. Pure: time comes in as an item."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from console import layout
from console.items import (
    Acknowledge,
    Clock,
    Cost,
    Hint,
    Item,
    Look,
    Menu,
    Message,
    Mouse,
    Page,
    Phase,
    Pick,
    Press,
    Say,
    Scroll,
    SetFilter,
    Size,
    Turn,
)
from console.lists import ListView, moved, sorted_by
from console.seen import Seen
from engine.protocol.errors import UserError
from engine.protocol.events import Event
from engine.protocol.feed import Ended, Gap, Notice, Snapshot, ViolationRow
from engine.protocol.filters import (
    ENTITY_FIELDS,
    EVENT_FIELDS,
    VIOLATION_FIELDS,
    Filter,
    parse_filter,
)
from engine.protocol.limits import EVENT_TAIL_MAX, PAGE_ROWS_MAX
from engine.protocol.query import EntitiesAnswer, FaultSpec

NOTICES_KEPT_MAX: Final = 200
MESSAGE_S: Final = 6.0
"""A message stays in the strip for this long."""
SILENT_S: Final = 3.0
"""No snapshot for this long is told."""
PACES: Final = ("eco", "normal", "demo")


class Data(Struct, frozen=True):
    """What the engine told; freezing the view keeps one of these.

    Attributes:
        entities_after: Position of the first row of ``entities``.
        entities_problem: Why there is no newer page, empty when there is none.
    """

    snapshot: Snapshot | None = None
    events: tuple[Event, ...] = ()
    left_out: int = 0
    entities: EntitiesAnswer | None = None
    entities_after: int = 0
    entities_problem: str = ""


class View(Struct, frozen=True):
    """What the operator looks at, and how."""

    width: int = 80
    height: int = 24
    page: str = "overview"
    focus: str = "entities"
    zoom: bool = False
    mono: bool = False
    theme: str = "dark"
    pace: str = "normal"
    hints: tuple[tuple[str, str], ...] = ()
    quit_key: str = "q"
    mouse: bool = False
    mouse_key: str = "M"
    entities: ListView = ListView(sort="-gold")
    events: ListView = ListView(follow=True)
    violations: ListView = ListView(follow=True)


class Model(Struct, frozen=True):
    """Everything the console knows. ``held`` is what a frozen view shows."""

    phase: Phase = "starting"
    live: Data = Data()
    held: Data | None = None
    view: View = View()
    cost: Cost = Cost()
    now_s: float = 0.0
    heard_s: float = 0.0
    held_s: float = 0.0
    started_s: float = 0.0
    message: Message | None = None
    notices: tuple[Notice, ...] = ()
    gaps: int = 0
    menu: tuple[FaultSpec, ...] = ()
    ended: Ended | None = None
    lost: str = ""
    seen: Seen = Seen()
    hint_until_s: float = 0.0

    @property
    def shown(self) -> Data:
        """What the panels show: the newest, or what was frozen."""
        return self.live if self.held is None else self.held

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot the panels show."""
        return self.shown.snapshot


def update(model: Model, item: Item) -> Model:
    """Return the model after ``item``."""
    match item:
        case Snapshot():
            return _snapshot(model, item)
        case Press():
            return _press(model, item.action)
        case Clock(now_s=now_s):
            message = model.message
            if message is not None and now_s >= message.until_s:
                message = None
            hint_until_s = 0.0 if now_s >= model.hint_until_s else model.hint_until_s
            return replace(model, now_s=now_s, message=message, hint_until_s=hint_until_s)
        case Notice():
            kept = replace(model, notices=(*model.notices, item)[-NOTICES_KEPT_MAX:])
            snapshot = model.live.snapshot
            # What was told before this console came is kept, and no news.
            old = snapshot is not None and snapshot.at_s - item.at_s > MESSAGE_S
            return kept if old else _say(kept, item.text, item.bad)
        case Gap(dropped=dropped):
            return replace(model, gaps=model.gaps + dropped)
        case Page():
            return _page(model, item)
        case Say(text=text, bad=bad):
            return _say(model, text, bad)
        case Size(width=width, height=height):
            return replace(model, view=replace(model.view, width=width, height=height))
        case Cost():
            return replace(model, cost=item)
        case _:
            return _rare(model, item)


def boxes(model: Model, banner: int = 0) -> tuple[layout.Box, ...]:
    """Return where every panel stands."""
    view = model.view
    return layout.arrange(view.width, view.height, view.page, view.focus, view.zoom, banner)


def rows_of(model: Model, panel: str) -> int:
    """Return how many list rows fit in a panel as it stands (border and heading apart)."""
    for box in boxes(model):
        if box.panel == panel:
            return max(1, box.height - (3 if panel != "events" else 2))
    return 20


def list_keys(data: Data, view: View, name: str) -> Sequence[int]:
    """Return the keys of a list's rows that pass its filter, ascending."""
    if name == "entities":
        total = data.entities.total if data.entities else 0
        return range(total)
    if name == "events":
        return tuple(event.seq for event in shown_events(data, view))
    return tuple(row.seq for row in shown_violations(data, view))


def shown_events(data: Data, view: View) -> tuple[Event, ...]:
    """Return the events that pass the filter, oldest first."""
    if not view.events.terms.terms:
        return data.events
    return tuple(event for event in data.events if view.events.terms.matches(event))


def shown_violations(data: Data, view: View) -> tuple[ViolationRow, ...]:
    """Return the violations that pass the filter, oldest first."""
    tail = data.snapshot.violations.tail if data.snapshot else ()
    if not view.violations.terms.terms:
        return tail
    return tuple(row for row in tail if view.violations.terms.matches(row))


def typed_filter(name: str, text: str) -> Filter:
    """Return the filter that was typed for a list.

    Raises:
        UserError: It cannot be read.
    """
    fields = {"entities": ENTITY_FIELDS, "events": EVENT_FIELDS, "violations": VIOLATION_FIELDS}
    return parse_filter(text, fields[name])


def entities_wanted(model: Model) -> tuple[int, int]:
    """Return (rows to skip, rows) of the page of entities to ask for: a screenful around."""
    height = rows_of(model, "entities")
    limit = min(PAGE_ROWS_MAX, height * 2)
    return max(0, model.view.entities.top - height // 2), limit


def _snapshot(model: Model, snapshot: Snapshot) -> Model:
    known = model.live.events
    last = known[-1].seq if known else 0
    fresh = tuple(event for event in snapshot.events.tail if event.seq > last)
    live = replace(
        model.live,
        snapshot=snapshot,
        events=(known + fresh)[-EVENT_TAIL_MAX:],
        left_out=model.live.left_out + snapshot.events.left_out,
    )
    phase = "live" if model.phase == "starting" else model.phase
    return replace(model, live=live, phase=phase, heard_s=model.now_s)


def _page(model: Model, item: Page) -> Model:
    if item.answer is None:
        return replace(model, live=replace(model.live, entities_problem=item.problem))
    rows = {"entities": item.answer, "entities_after": item.after, "entities_problem": ""}
    # A page that comes while the view is frozen is one that the operator has moved to.
    held = None if model.held is None else replace(model.held, **rows)
    return _followed(replace(model, live=replace(model.live, **rows), held=held), model.live)


def _followed(model: Model, before: Data) -> Model:
    """Keep the cursor on the same entity where the list follows it."""
    view = model.view.entities
    if not view.follow or before.entities is None or model.live.entities is None:
        return model
    position = view.cursor - before.entities_after
    if not 0 <= position < len(before.entities.rows):
        return model
    picked = before.entities.rows[position].id
    for index, row in enumerate(model.live.entities.rows):
        if row.id == picked:
            cursor = model.live.entities_after + index
            top = max(0, view.top + cursor - view.cursor)
            return _with_list(model, "entities", replace(view, cursor=cursor, top=top))
    return model


def _say(model: Model, text: str, bad: bool) -> Model:
    return replace(model, message=Message(text, bad, model.now_s + MESSAGE_S))


def _rare(model: Model, item: Item) -> Model:
    match item:
        case Ended():
            return replace(model, ended=item, phase="ended")
        case Turn(phase=phase, why=why):
            if model.phase in {"ended", "lost"}:
                return model
            return replace(model, phase=phase, lost=why, started_s=model.now_s)
        case Look(theme=theme, mono=mono):
            return replace(model, view=replace(model.view, theme=theme, mono=mono))
        case Menu(faults=faults):
            return replace(model, menu=faults)
        case _:
            return _handled(model, item)


def _handled(model: Model, item: Item) -> Model:
    match item:
        case Pick():
            return _picked(model, item)
        case Scroll(name=name, by=by):
            return _scrolled(model, name, by)
        case Acknowledge(seen=seen):
            return replace(model, seen=seen)
        case Hint(for_s=for_s):
            return replace(model, hint_until_s=model.now_s + for_s if for_s else 0.0)
        case Mouse(on=on):
            return replace(model, view=replace(model.view, mouse=on))
        case SetFilter(name=name, text=text):
            try:
                terms = typed_filter(name, text)
            except UserError as problem:
                return _say(model, problem.message, True)
            view: ListView = getattr(model.view, name)
            changed = replace(view, filter=text.strip(), terms=terms, cursor=0, top=0)
            return _with_list(model, name, changed)
        case _:
            return model


def _with_list(model: Model, name: str, view: ListView) -> Model:
    return replace(model, view=replace(model.view, **{name: view}))


def _press(model: Model, action: str) -> Model:
    view = model.view
    if action.startswith("page_") and action[5:].isdigit():
        return _turned(model, layout.PAGES[int(action[5:]) - 1])
    if action in {"panel_next", "panel_back"}:
        panels = layout.panels_of(view.page)
        at = panels.index(view.focus) + (1 if action == "panel_next" else -1)
        return replace(model, view=replace(view, focus=panels[at % len(panels)]))
    if action == "zoom":
        return replace(model, view=replace(view, zoom=not view.zoom))
    if action == "freeze":
        held = model.live if model.held is None else None
        return replace(model, held=held, held_s=model.now_s)
    if action == "pace":
        pace = PACES[(PACES.index(view.pace) + 1) % len(PACES)]
        return _say(replace(model, view=replace(view, pace=pace)), f"{pace} rate", False)
    if action == "back":
        return _back(model)
    if view.focus in layout.LISTS:
        return _in_list(model, view.focus, action)
    return model


def _turned(model: Model, page: str) -> Model:
    focus = model.view.focus
    if focus not in layout.panels_of(page):
        focus = layout.panels_of(page)[0]
    return replace(model, view=replace(model.view, page=page, focus=focus, zoom=False))


def _picked(model: Model, item: Pick) -> Model:
    """Go to a panel, and to one of its rows."""
    if item.panel not in layout.panels_of(model.view.page):
        model = _turned(model, item.panel)
    model = replace(model, view=replace(model.view, focus=item.panel))
    if item.key is None:
        return model
    view: ListView = getattr(model.view, item.panel)
    follow = view.follow and item.panel == "entities"
    return _with_list(model, item.panel, replace(view, cursor=item.key, follow=follow))


def _scrolled(model: Model, name: str, by: int) -> Model:
    """Move a list's cursor by so many rows."""
    view: ListView = getattr(model.view, name)
    keys = list_keys(model.shown, model.view, name)
    by = max(-len(keys), min(len(keys), by))
    if name != "entities":
        return _with_list(model, name, moved(keys, rows_of(model, name), view, by))
    # ``follow`` means the picked entity there, not the newest row.
    still = moved(keys, rows_of(model, name), replace(view, follow=False), by)
    return _with_list(model, name, replace(still, follow=view.follow))


def _back(model: Model) -> Model:
    """Undo the innermost of: freeze, filter, zoom, page."""
    view = model.view
    if model.held is not None:
        return replace(model, held=None)
    if view.focus in layout.LISTS and getattr(view, view.focus).filter:
        return update(model, SetFilter(view.focus, ""))  # type: ignore[arg-type]  # LISTS are the list names
    if view.zoom:
        return replace(model, view=replace(view, zoom=False))
    return _turned(model, "overview")


def _in_list(model: Model, name: str, action: str) -> Model:
    view: ListView = getattr(model.view, name)
    height = rows_of(model, name)
    steps = {
        "down": 1, "up": -1, "match_next": 1, "match_back": -1,
        "left": -height, "page_up": -height, "right": height, "page_down": height,
        "top": -10**9, "bottom": 10**9,
    }  # fmt: skip
    if action in steps:
        model = _scrolled(model, name, steps[action])
        if action == "bottom" and name != "entities":
            model = _with_list(model, name, replace(getattr(model.view, name), follow=True))
        return model
    if action == "follow":
        view = replace(view, follow=not view.follow)
        what = f"{'following' if view.follow else 'not following'} "
        what += "the picked entity" if name == "entities" else "the newest"
        return _say(_with_list(model, name, view), what, False)
    if action in {"sort", "sort_turn"} and name == "entities":
        return _with_list(
            model, name, replace(view, sort=sorted_by(view.sort, action), cursor=0, top=0)
        )
    return model
