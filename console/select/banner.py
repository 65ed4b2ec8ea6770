"""What stands below the vitals when there is something the operator must know. Pure."""

from typing import Final

from console.figures import count
from console.lines import Line, clean, left
from console.model import Model
from console.select.outage import back, down
from engine.protocol.feed import PlayersView

ROWS_MAX = 8
_DOING: Final = (
    "its players are gone; it is being started again",
    "it is started again from its log; its players try to come back",
)
"""What happens about a squad, and about the world."""


def banner(model: Model, quit_key: str) -> tuple[Line, ...]:
    """Return the banner's lines, none when there is nothing to say."""
    if model.phase == "ended" and model.ended is not None:
        held = model.ended.exit_code == 0
        head = "■ The run has ended" if held else "✖ The run has ended"
        lines: list[Line] = [((head, "good" if held else "bad"),)]
        said = [text for text in model.ended.text.splitlines() if text.strip()]
        lines += [((f"  {clean(text)}", "text"),) for text in said[: ROWS_MAX - 3]]
        if model.ended.capsule:
            lines.append((("  capsule  ", "dim"), (clean(model.ended.capsule), "accent")))
        return (*lines, _leave(quit_key))
    if model.phase == "lost":
        return (
            (("✖ The link to the engine is gone", "bad"),),
            ((f"  {clean(model.lost)}", "text"),),
            *_log(model),
            _leave(quit_key),
        )
    if model.phase == "draining":
        waited_s = model.now_s - model.started_s
        return (
            (
                ("◑ Stopping: ", "warn"),
                ("commands in flight are answered, the summary is written", "text"),
                (f"  {waited_s:.0f}s", "dim"),
            ),
            (("  ", "dim"), (quit_key, "key"), (" again leaves at once", "dim")),
        )
    if model.phase == "live":
        return (*_outage(model), *_not_storing(model), *_hint(model, quit_key))
    return ()


def _log(model: Model) -> tuple[Line, ...]:
    snapshot = model.live.snapshot
    if snapshot is None or not snapshot.capsule:
        return ()
    return ((("  log  ", "dim"), (clean(f"{snapshot.capsule}/engine.log"), "accent")),)


def _outage(model: Model) -> tuple[Line, ...]:
    outage = down(model)
    if outage is not None:
        span, down_s = outage
        return (
            (
                (f"✖ {_child(span.child)} is down ", "bad"),
                (f"for {down_s:.0f} s", "bright"),
                (f"   {clean(span.why, 60)}", "dim"),
            ),
            ((f"  {_DOING[span.child == 'world']}", "text"),),
        )
    returned = back(model)
    if returned is None:
        return ()
    span, down_s = returned
    snapshot = model.live.snapshot
    players = snapshot.players if snapshot else PlayersView()
    return (
        (
            (f"✓ {_child(span.child)} is back after {down_s:.1f} s", "good"),
            (f"   {count(players.connected)} of {count(players.target)} players are in", "text"),
        ),
    )


def _not_storing(model: Model) -> tuple[Line, ...]:
    snapshot = model.live.snapshot
    if snapshot is None or not snapshot.world.store_error:
        return ()
    return (
        (
            ("✖ The world cannot store its ticks ", "bad"),
            (f"  {clean(snapshot.world.store_error, 80)}", "dim"),
        ),
        (("  they wait and nothing is acknowledged; with room on the disk it goes on", "text"),),
    )


def _child(name: str) -> str:
    return f"The {name}" if name == "world" else clean(name, 20).capitalize()


def _hint(model: Model, quit_key: str) -> tuple[Line, ...]:
    """Return what a newcomer needs: goes with the next key or after a while."""
    if not model.hint_until_s:
        return ()
    keys = {word: key for key, word in model.view.hints}
    return (
        (("● Welcome. The players are made up, and the world is yours to break.", "accent"),),
        _keys((keys.get("fault", "!"), "break something"), (keys.get("load", "+"), "the load")),
        _keys((keys.get("help", "?"), "every key"), (quit_key, "quit; asks first")),
        (("  any key takes this away", "dim"),),
    )


def _keys(*pairs: tuple[str, str]) -> Line:
    return tuple(
        span
        for key, words in pairs
        for span in ((f"  {left(key, 5)}", "key"), (left(words, 20), "text"))
    )


def _leave(quit_key: str) -> Line:
    return (("  ", "dim"), (quit_key, "key"), (" leaves", "dim"))
