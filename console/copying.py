"""Copies text for the operator, and says where it went."""

from typing import TYPE_CHECKING

from console.clipboard import copy_path, osc52, write_copy
from console.items import Say

if TYPE_CHECKING:
    from console.app import StormApp


def copy_text(storm: "StormApp", text: str, what: str) -> None:
    """Copy text: to the terminal's clipboard, and to a file."""
    path = copy_path(storm.environ)
    storm.write_terminal(osc52(text, "TMUX" in storm.environ))
    try:
        write_copy(path, text)
    except OSError as problem:
        storm.deliver([Say(f"copied to the clipboard; {path}: {problem.strerror}", True)])
    else:
        storm.deliver([Say(f"copied {what}, also to {path}")])
