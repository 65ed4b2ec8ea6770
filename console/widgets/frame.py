"""A quiet border with a title and a note in its upper edge."""

from collections.abc import Iterable

from console.lines import Line, fit, line_width


def frame(
    body: Iterable[Line],
    width: int,
    height: int,
    title: str,
    note: Line = (),
    focused: bool = False,
) -> list[Line]:
    """Return ``height`` lines: the border, and ``body`` within it, one column of air aside.

    Args:
        body: What stands inside; cut and padded.
        width: Columns with the border.
        height: Rows with the border.
        title: At the upper left.
        note: At the upper right; left out when it does not fit.
        focused: Whether the panel has the keys; a mark beside the title says so, too.
    """
    edge = "border_focus" if focused else "border"
    if height < 3 or width < 8:
        return [fit(line, width) for line, _ in zip(_endless(body), range(height), strict=False)]
    lines = [_top(width, title, note, focused, edge)]
    inner = width - 4
    for line, _ in zip(_endless(body), range(height - 2), strict=False):
        lines.append((("│ ", edge), *fit(line, inner), (" │", edge)))
    lines.append(((f"╰{'─' * (width - 2)}╯", edge),))
    return lines


def _top(width: int, title: str, note: Line, focused: bool, edge: str) -> Line:
    mark = "▸" if focused else " "
    head: Line = (("╭─", edge), (f"{mark}{title} ", "title_focus" if focused else "title"))
    room = width - line_width(head) - 2
    if room < 0:
        return fit((*head, ("─╮", edge)), width)
    tail: Line = ()
    if note and line_width(note) + 3 <= room:
        tail = ((" ", "dim"), *note, (" ", "dim"))
    return (*head, ("─" * (room - line_width(tail)), edge), *tail, ("─╮", edge))


def _endless(body: Iterable[Line]) -> Iterable[Line]:
    yield from body
    while True:
        yield ()
