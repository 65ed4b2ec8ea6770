"""Themes: one TOML file each in ``themes/``; roles in, looks out."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from rich.color import Color
from rich.style import Style

import themes
from engine.protocol.errors import UserError
from engine.protocol.text import nearest

Depth = Literal["true", "256", "16"]
"""How many colours the terminal shows."""


class Theme(dict[str, Style]):
    """Looks by role; combined roles (``a/b``, ``a+m``) are made when first asked for.

    Args:
        name: The file's name without its ending.
        data: What the file says.
        depth: With ``256``, the numbers that stand after the colours are used.
    """

    def __init__(self, name: str, data: Mapping[str, Any], depth: Depth = "true") -> None:
        super().__init__()
        self.name = name
        self.mono = bool(data.get("mono", False))
        self._depth = depth
        self._colours = {key: self._colour(text) for key, text in data["colours"].items()}
        self._roles: dict[str, Style] = {}
        base = self._colours.get("base")
        self._base = Style(bgcolor=base) if base else Style.null()
        for role, text in data["roles"].items():
            self._roles[role] = self._base + self._style(text)
        for step, text in enumerate(data["heat"]["ramp"]):
            self._roles[f"heat{step}"] = self._base + Style(color=self._colour(text))
        self._modifiers = {key: self._style(text) for key, text in data["modifiers"].items()}

    def __missing__(self, role: str) -> Style:
        bare, *modifiers = role.split("+")
        front, _, back = bare.partition("/")
        style = self._roles[front]
        if back and not self.mono:
            style += Style(bgcolor=self._roles[back].color)
        for modifier in modifiers:
            style = self._modified(style, modifier)
        self[role] = style
        return style

    def _modified(self, style: Style, modifier: str) -> Style:
        change = self._modifiers[modifier]
        if style.bgcolor != self._base.bgcolor and change.bgcolor is not None:
            return style  # what has a ground of its own keeps it
        return style + change

    def _colour(self, text: str) -> Color:
        value, _, number = text.partition(" ")
        if self._depth == "256" and number:
            return Color.from_ansi(int(number))
        return Color.parse(value)

    def _style(self, text: str) -> Style:
        words = text.split()
        looks: dict[str, Any] = {}
        while words:
            word = words.pop(0)
            if word == "on":
                looks["bgcolor"] = self._colours[words.pop(0)]
            elif word in {"bold", "dim", "reverse", "underline"} and (
                word not in self._colours or "color" in looks
            ):
                looks[word] = True
            else:
                looks["color"] = self._colours[word]
        return Style(**looks)


def theme_names() -> tuple[str, ...]:
    """Return the names of the themes there are."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def load_theme(name: str, depth: Depth = "true") -> Theme:
    """Return the theme called ``name``.

    Raises:
        UserError: There is none; names those there are.
    """
    names = theme_names()
    if name not in names:
        raise UserError(
            f"unknown theme {name!r}; allowed: {', '.join(names)}{nearest(name, names)}"
        )
    text = (_folder() / f"{name}.toml").read_text(encoding="utf-8")
    return Theme(name, tomllib.loads(text), depth)


def choose_theme(asked: str, environ: Mapping[str, str]) -> str:
    """Return the theme's name: what was asked for, else mono where colour is unwelcome."""
    if asked:
        return asked
    if environ.get("NO_COLOR") or environ.get("TERM") in {"dumb", "vt100", "vt220"}:
        return "mono"
    return "dark"


def choose_depth(environ: Mapping[str, str]) -> Depth:
    """Return how many colours to use: over SSH 256, since true colour costs twice the bytes."""
    term = environ.get("TERM", "")
    remote = "SSH_CONNECTION" in environ or "SSH_TTY" in environ
    if not remote and environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return "true"
    return "16" if term in {"linux", "ansi", "xterm-16color"} else "256"


def _folder() -> Path:
    return Path(themes.__path__[0])
