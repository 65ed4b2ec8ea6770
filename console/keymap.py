"""Keys and what they do. The help overlay and the palette are made from this table."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from console.folders import config_folder
from engine.protocol.errors import UserError
from engine.protocol.text import nearest, printable

KEYS_FILE_BYTES_MAX: Final = 64 * 1024


class Binding(Struct, frozen=True):
    """One action and the keys that start it.

    Attributes:
        action: The action's name, as ``keys.toml`` spells it.
        keys: Key names; a printable character stands for itself.
        label: What it does, in a few words.
        group: The help overlay's heading.
        hint: Short word for the strip at the bottom, empty to leave it out.
    """

    action: str
    keys: tuple[str, ...]
    label: str
    group: str
    hint: str = ""


def _defaults() -> tuple[Binding, ...]:
    look, move, storm, run = "Look", "Move", "Storm", "Run"
    return (
        Binding("page_1", ("1",), "Overview", look),
        Binding("page_2", ("2",), "Entities", look),
        Binding("page_3", ("3",), "Events", look),
        Binding("page_4", ("4",), "Violations", look),
        Binding("page_5", ("5",), "Timing", look),
        Binding("page_6", ("6",), "Map", look),
        Binding("page_7", ("7",), "Story", look),
        Binding("zoom", ("z",), "zoom the panel", look, "zoom"),
        Binding("freeze", ("space",), "freeze the view", look, "freeze"),
        Binding("theme", ("t",), "next theme", look),
        Binding("pace", ("e",), "eco, normal, demo rate", look),
        Binding("redraw", ("ctrl+l",), "draw the screen anew", look),
        Binding("panel_next", ("tab",), "next panel", move, "panel"),
        Binding("panel_back", ("shift+tab",), "panel before", move),
        Binding("down", ("j", "down"), "down", move),
        Binding("up", ("k", "up"), "up", move),
        Binding("left", ("h", "left"), "page up", move),
        Binding("right", ("l", "right"), "page down", move),
        Binding("page_up", ("pageup",), "page up", move),
        Binding("page_down", ("pagedown",), "page down", move),
        Binding("top", ("g", "home"), "first row", move),
        Binding("bottom", ("G", "end"), "last row", move),
        Binding("drill", ("enter",), "look into the row", move),
        Binding("chain", ("c",), "why: the cause chain", move),
        Binding("back", ("escape",), "back", move),
        Binding("filter", ("/",), "filter rows", move, "filter"),
        Binding("match_next", ("n",), "next match", move),
        Binding("match_back", ("N",), "match before", move),
        Binding("sort", ("s",), "sort by the next column", move),
        Binding("sort_turn", ("S",), "turn the order around", move),
        Binding("follow", ("f",), "follow the newest", move),
        Binding("violation_next", ("v",), "next open violation", move),
        Binding("acknowledge", ("x",), "acknowledge, twice: all", move),
        Binding("fault", ("!",), "fault menu", storm, "fault"),
        Binding("undo", ("U",), "undo the last fault", storm),
        Binding("panic", ("ctrl+g",), "panic: revert every fault", storm),
        Binding("load_up", ("+",), "10 % more players", storm),
        Binding("load_down", ("-",), "10 % fewer players", storm),
        Binding("load_exact", ("=",), "so many players", storm),
        Binding("rate_down", ("{",), "10 % fewer commands", storm),
        Binding("rate_up", ("}",), "10 % more commands", storm),
        Binding("mark", ("m",), "mark this moment", storm),
        Binding("help", ("?",), "this help", run, "help"),
        Binding("palette", ("ctrl+p",), "find an action", run),
        Binding("copy", ("y",), "copy the row", run),
        Binding("copy_list", ("Y",), "copy the list as shown", run),
        Binding("mouse", ("M",), "mouse on or off", run),
        Binding("notices", ("L",), "what happened so far", run),
        Binding("detach", ("D",), "detach, the run goes on", run),
        Binding("quit", ("q", "ctrl+c"), "quit", run, "quit"),
    )


class Keymap:
    """Bindings by key and by action."""

    def __init__(self, bindings: Iterable[Binding]) -> None:
        self.bindings = tuple(bindings)
        self._by_key = {key: binding for binding in self.bindings for key in binding.keys}
        self._by_action = {binding.action: binding for binding in self.bindings}

    def action(self, key: str) -> str | None:
        """Return the action that ``key`` starts."""
        binding = self._by_key.get(key)
        return binding.action if binding else None

    def keys(self, action: str) -> str:
        """Return the keys of an action as people read them: ``j ↓``."""
        binding = self._by_action[action]
        return " ".join(shown_key(key) for key in binding.keys)

    def key(self, action: str) -> str:
        """Return the first key of an action, as people read it; empty when it has none."""
        keys = self._by_action[action].keys
        return shown_key(keys[0]) if keys else ""

    def groups(self) -> tuple[tuple[str, tuple[Binding, ...]], ...]:
        """Return the bindings under their headings, in order."""
        names = dict.fromkeys(binding.group for binding in self.bindings)
        return tuple(
            (name, tuple(binding for binding in self.bindings if binding.group == name))
            for name in names
        )


def key_name(key: str, character: str | None) -> str:
    """Return our name of a key press: the character itself where it prints.

    Args:
        key: Textual's name.
        character: The character it types, if any.
    """
    if character == " " or key == "space":
        return "space"
    if character and character.isprintable():
        return character
    return key


def shown_key(key: str) -> str:
    """Return a key as people read it."""
    short = {
        "escape": "esc",
        "up": "↑",
        "down": "↓",
        "left": "←",
        "right": "→",
        "pageup": "PgUp",
        "pagedown": "PgDn",
        "shift+tab": "shift-tab",
    }
    return short.get(key, key.replace("ctrl+", "ctrl-"))


def default_keymap() -> Keymap:
    """Return the keys of the contract."""
    return Keymap(_defaults())


def keys_path(environ: Mapping[str, str]) -> Path | None:
    """Return where the user's keys stand: ``$XDG_CONFIG_HOME/seedstorm/keys.toml``."""
    folder = config_folder(environ)
    return None if folder is None else folder / "keys.toml"


def load_keymap(path: Path | None) -> Keymap:
    """Return the keymap with the user's changes; the contract's keys when there is no file.

    Raises:
        UserError: The file cannot be used: names what is wrong and what is allowed.
    """
    if path is None:
        return default_keymap()
    try:
        with path.open("rb") as file:
            data = file.read(KEYS_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return default_keymap()
    except OSError as problem:
        raise UserError(f"{path}: {problem.strerror or problem}") from None
    if len(data) > KEYS_FILE_BYTES_MAX:
        raise UserError(f"{path}: larger than {KEYS_FILE_BYTES_MAX} bytes")
    try:
        return remapped(default_keymap(), tomllib.loads(data.decode("utf-8")))
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as problem:
        raise UserError(f"{path}: {printable(str(problem), 200)}") from None
    except UserError as problem:
        raise UserError(f"{path}: {problem.message}") from None


def remapped(keymap: Keymap, data: Mapping[str, Any]) -> Keymap:
    """Return ``keymap`` with the keys that ``data`` gives its actions.

    A key that is given to one action is taken from the one that had it.

    Raises:
        UserError: Names the field, what was found and what is allowed.
    """
    for section in data:
        if section != "keys":
            raise UserError(f"{printable(section, 40)!r}: unknown; allowed is the table [keys]")
    table = data.get("keys", {})
    if not isinstance(table, dict):
        raise UserError("keys: allowed is a table of actions, such as panic = 'f12'")
    actions = [binding.action for binding in keymap.bindings]
    wanted: dict[str, tuple[str, ...]] = {}
    owner: dict[str, str] = {}
    for action, value in table.items():
        if action not in actions:
            raise UserError(
                f"keys.{printable(action, 40)}: no such action{nearest(action, actions)}"
            )
        keys = [value] if isinstance(value, str) else value
        if not isinstance(keys, list) or not all(isinstance(key, str) and key for key in keys):
            raise UserError(
                f"keys.{action}: found {value!r:.60}; allowed is a key or a list of keys"
            )
        wanted[action] = tuple(_spelled(key) for key in keys)
        for key in wanted[action]:
            if owner.setdefault(key, action) != action:
                raise UserError(f"keys.{action}: {key!r} is already given to {owner[key]!r}")
    return Keymap(
        Binding(
            binding.action,
            wanted.get(binding.action)
            or tuple(
                key for key in binding.keys if owner.get(key, binding.action) == binding.action
            ),
            binding.label,
            binding.group,
            binding.hint,
        )
        for binding in keymap.bindings
    )


def _spelled(key: str) -> str:
    key = key if len(key) == 1 else key.strip().lower().replace("ctrl-", "ctrl+")
    return {" ": "space", "esc": "escape", "return": "enter"}.get(key, key)
