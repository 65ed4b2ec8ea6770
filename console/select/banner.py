"""What stands below the vitals when there is something the operator must know. Pure."""

from console.lines import Line, clean
from console.model import Model

ROWS_MAX = 8


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
    return ()


def _leave(quit_key: str) -> Line:
    return (("  ", "dim"), (quit_key, "key"), (" leaves", "dim"))
