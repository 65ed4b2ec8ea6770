"""Actions that open something or leave: kept out of the way of the first paint."""

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from console import layout
from console.copying import copy_text
from console.items import Acknowledge, Pick, Press, Say, SetFilter
from console.lineedit import LineEdit
from console.model import Model, shown_beats, shown_violations
from console.screens.chain import ChainScreen
from console.screens.drill import DrillScreen
from console.screens.help import HelpScreen
from console.screens.notices import NoticesScreen
from console.screens.palette import PaletteScreen
from console.screens.prompt import PromptScreen
from console.screens.quit import QuitScreen
from console.seen import acknowledge, acknowledge_rows, acknowledge_up_to, next_open
from console.select.lists import list_window, plain_row
from console.select.places import rows_of
from console.select.story import beats_in_sight, picked_beat
from console.still import reachable_violations
from console.themes import theme_names
from console.typed import typed_filter
from engine.protocol.command import Mark, SetPlayers
from engine.protocol.errors import UserError
from engine.protocol.events import Event
from engine.protocol.feed import ViolationRow
from engine.protocol.limits import FILTER_CHARS_MAX, MARK_CHARS_MAX
from engine.protocol.query import EntityRow
from engine.protocol.story import Beat

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.app import StormApp

FILTER_HINTS: Final = {
    "entities": "kind=npc hp<20 gold>100 zone=12 stage=peak connected=no",
    "events": 'kind=died,looted actor=player-12 tick>900 text~"help"',
    "violations": "policy~speed actor=player-12 critical=yes",
    "story": "kind=feud,rampage text~player-12 tick>900",
}


def do(storm: "StormApp", action: str) -> None:
    """Do what an action says that is neither a view change nor a bare command."""
    doings: dict[str, Callable[[StormApp], None]] = {
        "help": open_help,
        "palette": open_palette,
        "fault": lambda app: app.open_faults(),
        "load_exact": ask_players,
        "mark": ask_mark,
        "filter": ask_filter,
        "drill": drill,
        "chain": show_chain,
        "theme": next_theme,
        "copy": copy_row,
        "copy_list": copy_list,
        "violation_next": next_violation,
        "acknowledge": acknowledge_violation,
        "mouse": lambda app: app.use_mouse(not app.model.view.mouse),
        "notices": open_notices,
        "redraw": lambda app: app.redraw(),
        "detach": lambda app: app.start(app.detach()),
        "quit": ask_quit,
    }
    doings[action](storm)


def open_help(storm: "StormApp") -> None:
    """Show every key."""
    storm.push_screen(HelpScreen(storm))


def open_notices(storm: "StormApp") -> None:
    """Show what was told so far, the newest first."""
    storm.push_screen(NoticesScreen(storm))


def open_palette(storm: "StormApp") -> None:
    """Find an action by typing."""
    storm.push_screen(PaletteScreen(storm))


def ask_quit(storm: "StormApp") -> None:
    """Ask while a run is live; otherwise there is nothing to stop."""
    if storm.model.phase != "live":
        storm.stop_run()
        return

    def answered(answer: str | None) -> None:
        if answer == "stop":
            storm.stop_run()
        elif answer == "detach":
            storm.start(storm.detach())

    storm.push_screen(QuitScreen(storm), answered)


def ask_players(storm: "StormApp") -> None:
    """Ask for an exact number of players."""
    snapshot = storm.model.live.snapshot
    most = snapshot.players.players_max if snapshot else 0
    present = str(snapshot.players.target) if snapshot else ""

    def accept(text: str) -> str:
        bare = text.strip().replace(",", "").replace("_", "")
        if not (bare.isascii() and bare.isdigit()):
            return f"found {text!r}; allowed is a whole number from 0 to {most:,}"
        if int(bare) > most:
            return f"{int(bare):,} is more than --players-max allows: {most:,}"
        storm.send(SetPlayers(int(bare)))
        return ""

    edit = LineEdit(present, len(present), chars_max=9, fresh=True)
    storm.push_screen(
        PromptScreen(storm, "How many players", edit, f"0 to {most:,}; now {present}", accept)
    )


def ask_mark(storm: "StormApp") -> None:
    """Ask for a note and put it on the time line."""

    def accept(text: str) -> str:
        if not text.strip():
            return "a mark needs a few words"
        storm.send(Mark(text.strip()))
        return ""

    edit = LineEdit(chars_max=MARK_CHARS_MAX)
    storm.push_screen(
        PromptScreen(storm, "Mark this moment", edit, "a note on the run's time line", accept)
    )


def ask_filter(storm: "StormApp") -> None:
    """Ask for the filter of the focused list; an empty one shows all."""
    name = storm.model.view.focus
    if name not in layout.LISTS:
        storm.deliver([Say("tab to a list first: entities, events, violations or story", True)])
        return

    def accept(text: str) -> str:
        try:
            typed_filter(name, text)
        except UserError as problem:
            return problem.message.removeprefix("filter: ")
        storm.deliver([SetFilter(name, text)])  # type: ignore[arg-type]  # LISTS are the list names
        storm.look_again()
        return ""

    present = getattr(storm.model.view, name).filter
    edit = LineEdit(present, len(present), chars_max=FILTER_CHARS_MAX)
    storm.push_screen(PromptScreen(storm, f"Filter {name}", edit, FILTER_HINTS[name], accept))


def picked(storm: "StormApp") -> EntityRow | Event | ViolationRow | Beat | None:
    """Return the picked row of the focused list."""
    model = storm.model
    name = model.view.focus
    if name not in layout.LISTS:
        return None
    if name == "story":
        beats, at = shown_beats(model.shown, model.view), picked_beat(model)
        return beats[at] if at >= 0 else None
    shown = list_window(model.shown, model.view, name, rows_of(model, name))
    return shown.rows[shown.picked] if 0 <= shown.picked < len(shown.rows) else None


def taken(storm: "StormApp") -> EntityRow | Event | ViolationRow | Beat | None:
    """Return the picked row; a list that follows stands still from now on, so that it is marked.

    What is acted on is what the cursor shows when the operator is back at the list.
    """
    name = storm.model.view.focus
    row = picked(storm)
    if isinstance(row, Event | ViolationRow) and getattr(storm.model.view, name).follow:
        storm.deliver([Pick(name, row.seq)])
    return row


def drill(storm: "StormApp") -> None:
    """Look into the picked row."""
    row = taken(storm)
    if isinstance(row, EntityRow):
        storm.push_screen(DrillScreen(storm, row.id))
    elif isinstance(row, Event):
        storm.push_screen(DrillScreen(storm, row.actor or row.stream or None, row))
    elif isinstance(row, Beat):
        storm.push_screen(DrillScreen(storm, row.cast[0] if row.cast else None, row))
    elif isinstance(row, ViolationRow):
        storm.push_screen(DrillScreen(storm, row.actor or None, row))
    else:
        storm.deliver([Press("zoom")])


def show_chain(storm: "StormApp") -> None:
    """Show why the picked row happened and what came of it."""
    row = taken(storm)
    if isinstance(row, EntityRow):
        storm.push_screen(ChainScreen(storm, 0, row.id))
    elif isinstance(row, Event | ViolationRow):
        storm.push_screen(ChainScreen(storm, row.seq))
    elif isinstance(row, Beat) and row.events:
        storm.push_screen(ChainScreen(storm, row.events[-1]))
    else:
        storm.deliver([Say("pick an event, a violation, an entity or a beat first", True)])


def copy_row(storm: "StormApp") -> None:
    """Copy the picked row of the focused list."""
    row = taken(storm)
    if row is None:
        storm.deliver([Say("nothing is picked to copy: tab to a list", True)])
    else:
        copy_text(storm, plain_row(row), "the row")


def copy_list(storm: "StormApp") -> None:
    """Copy every row of the focused list that shows."""
    model = storm.model
    name = model.view.focus
    shown: tuple[EntityRow | Event | ViolationRow | Beat | None, ...] = ()
    if name == "story":
        shown = beats_in_sight(model)
    elif name in layout.LISTS:
        shown = list_window(model.shown, model.view, name, rows_of(model, name)).rows
    rows = [plain_row(row) for row in shown if row is not None]
    if rows:
        copy_text(storm, "\n".join(rows), f"{len(rows)} rows")
    else:
        storm.deliver([Say("there are no rows to copy: tab to a list", True)])


def next_violation(storm: "StormApp") -> None:
    """Go to the next open violation, wherever the operator is."""
    model = storm.model
    look = model.view.violations
    here = model.view.focus == "violations" and not look.follow
    rows = reachable_violations(model.shown, model.view)
    row = next_open(model.seen, rows, look.cursor if here else None)
    if row is None:
        filtered = " passes the filter" if look.filter else ""
        storm.deliver([Say(f"no open violation{filtered}")])
    else:
        storm.deliver([Pick("violations", row.seq)])


def acknowledge_violation(storm: "StormApp") -> None:
    """Acknowledge the picked violation; one that is already, with all up to it.

    A list that follows the newest is acknowledged as a whole: of what the filter passes,
    when there is a filter.
    """
    model = storm.model
    row = picked(storm)
    view = model.snapshot.violations if model.snapshot else None
    if not isinstance(row, ViolationRow) or view is None:
        storm.deliver([Say("pick a violation first: v goes to the next one", True)])
        return
    # Rows that the list stands still at count as held, though the feed has let them go.
    view = replace(view, tail=_every_violation(model))
    whole = model.view.violations.follow or model.seen.has(row)
    if whole and model.view.violations.filter:
        # What the filter hides was not seen.
        shown = shown_violations(model.shown, model.view)
        up_to = [each for each in shown if each.seq <= row.seq]
        seen = acknowledge_rows(model.seen, up_to, view)
    elif whole:
        seen = acknowledge_up_to(model.seen, row.seq, view)
    else:
        seen = acknowledge(model.seen, row, view)
    added = seen.count - model.seen.count
    words = f"{added:,} acknowledged" if added else "acknowledged before"
    storm.deliver([Acknowledge(seen), Say(words)])


def _every_violation(model: Model) -> tuple[ViolationRow, ...]:
    """Return the violations there are to see, whatever the filter: the list's and the feed's."""
    tail = model.snapshot.violations.tail if model.snapshot else ()
    first = tail[0].seq if tail else 0
    return (*(row for row in model.view.still_violations or () if row.seq < first), *tail)


def next_theme(storm: "StormApp") -> None:
    """Put on the next theme."""
    names = theme_names()
    storm.wear(names[(names.index(storm.looks.name) + 1) % len(names)])
