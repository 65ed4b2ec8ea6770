"""How the model changes, item by item. Pure: time comes in as an item."""

from msgspec.structs import replace

from console import layout
from console.items import (
    Acknowledge,
    Clock,
    Cost,
    Found,
    Hint,
    Item,
    Look,
    Menu,
    Message,
    Mouse,
    Page,
    Pick,
    Press,
    Say,
    Scroll,
    SetFilter,
    Size,
    Turn,
)
from console.lists import ListView, moved, sorted_by
from console.model import (
    MESSAGE_S,
    NOTICES_KEPT_MAX,
    PACES,
    Data,
    Model,
    list_keys,
)
from console.select.places import rows_of, sizes_of
from console.still import STILL_LISTS, looked, widened
from console.typed import typed_filter
from engine.protocol.errors import UserError
from engine.protocol.feed import Ended, Gap, Notice, Snapshot
from engine.protocol.limits import BEATS_KEPT_MAX, EVENT_TAIL_MAX
from engine.protocol.story import Beat


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
        case Found():
            return _found(model, item)
        case Say(text=text, bad=bad):
            return _say(model, text, bad)
        case Size(width=width, height=height):
            return replace(model, view=replace(model.view, width=width, height=height))
        case Cost():
            return replace(model, cost=item)
        case _:
            return _rare(model, item)


def _snapshot(model: Model, snapshot: Snapshot) -> Model:
    known = model.live.events
    last = known[-1].seq if known else 0
    fresh = tuple(event for event in snapshot.events.tail if event.seq > last)
    live = replace(
        model.live,
        snapshot=snapshot,
        events=(known + fresh)[-EVENT_TAIL_MAX:],
        left_out=model.live.left_out + snapshot.events.left_out,
        beats=_with_beats(model.live.beats, snapshot.story.tail),
    )
    phase = "live" if model.phase == "starting" else model.phase
    return replace(model, live=live, phase=phase, heard_s=model.now_s)


def _with_beats(known: tuple[Beat, ...], tail: tuple[Beat, ...]) -> tuple[Beat, ...]:
    last = known[-1].number if known else 0
    if not tail or tail[-1].number <= last:
        return known
    return (known + tuple(beat for beat in tail if beat.number > last))[-BEATS_KEPT_MAX:]


def _page(model: Model, item: Page) -> Model:
    if item.answer is None:
        return replace(model, live=replace(model.live, entities_problem=item.problem))
    rows = {"entities": item.answer, "entities_after": item.after, "entities_problem": ""}
    # A page that comes while the view is frozen is one that the operator has moved to.
    held = None if model.held is None else replace(model.held, **rows)
    return _followed(replace(model, live=replace(model.live, **rows), held=held), model.live)


def _found(model: Model, item: Found) -> Model:
    if item.problem and item.where == model.live.found.where:
        item = replace(model.live.found, problem=item.problem)
    held = model.held
    if held is not None:
        # It comes while the view is frozen because the filter is new; what was frozen stays.
        last = held.events[-1].seq if held.events else 0
        rows = tuple(event for event in item.rows if event.seq <= last)
        held = replace(held, found=replace(item, rows=rows))
    before = model.shown.found
    # Until the search is over it may find older ones; what is newer does not come in.
    whole = before.where == item.where and before.complete
    model = replace(model, live=replace(model.live, found=item), held=held)
    return model if whole else replace(model, view=widened(model.shown, model.view))


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
            # Other rows: a list that stood still at some has nothing to stand at.
            follow = view.follow or name in STILL_LISTS
            changed = replace(
                view, filter=text.strip(), terms=terms, cursor=0, top=0, follow=follow
            )
            return _with_list(model, name, changed)
        case _:
            return model


def _with_list(model: Model, name: str, view: ListView) -> Model:
    return replace(model, view=looked(model.shown, model.view, name, view))


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
        still = moved(keys, rows_of(model, name), view, by, sizes_of(model, name))
        return _with_list(model, name, still)
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
        if view.follow and name != "entities":
            # The cursor comes to the newest row, where the eye is.
            view = getattr(_scrolled(model, name, 0).view, name)
        view = replace(view, follow=not view.follow)
        what = f"{'following' if view.follow else 'not following'} "
        what += "the picked entity" if name == "entities" else "the newest"
        return _say(_with_list(model, name, view), what, False)
    if action in {"sort", "sort_turn"} and name == "entities":
        return _with_list(
            model, name, replace(view, sort=sorted_by(view.sort, action), cursor=0, top=0)
        )
    return model
