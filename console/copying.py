"""Copies text for the operator, and says where it went."""

from typing import TYPE_CHECKING

from console.clipboard import copy_path, osc52, short_enough, write_copy
from console.items import Say

if TYPE_CHECKING:
    from console.app import StormApp


def copy_text(storm: "StormApp", text: str, what: str) -> None:
    """Copy text: to the terminal's clipboard, and to a file where there is a place for it."""
    taken = short_enough(text)
    if len(taken) < len(text):
        what = f"the first {len(taken):,} of {len(text):,} characters of {what}"
    storm.write_terminal(osc52(taken, "TMUX" in storm.environ))
    path = copy_path(storm.environ)
    if path is None:
        storm.deliver([Say(f"copied {what} to the clipboard")])
        return
    try:
        write_copy(path, taken)
    except OSError as problem:
        storm.deliver([Say(f"copied to the clipboard; {path}: {problem.strerror}", True)])
    else:
        shown, home = str(path), storm.environ.get("HOME", "")
        if home and shown.startswith(f"{home}/"):
            shown = f"~{shown[len(home) :]}"
        storm.deliver([Say(f"copied {what}, also to {shown}")])
