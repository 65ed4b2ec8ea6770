"""The form of one fault: scope, hold, parameters; from typed text to a command. Pure."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from console.lineedit import LineEdit
from engine.protocol.command import ArmFault, ParamValue, Scope
from engine.protocol.durations import format_duration, parse_duration_s
from engine.protocol.errors import UserError
from engine.protocol.limits import FAULT_HOLD_S_MAX
from engine.protocol.paramspec import ParamSpec
from engine.protocol.query import FaultSpec

SCOPE_PCT_DEFAULT: Final = 30
HOLD_DEFAULT: Final = "20s"


class Entry(Struct, frozen=True):
    """One field: its name, what was typed, what it means; ``choices`` turn with left and right."""

    name: str
    edit: LineEdit
    help: str
    choices: tuple[str, ...] = ()


class FaultForm(Struct, frozen=True):
    """A fault about to be armed; ``at`` is the entry that has the keys."""

    spec: FaultSpec
    entries: tuple[Entry, ...]
    at: int = 0


def open_form(spec: FaultSpec) -> FaultForm:
    """Return the form with every default filled in."""
    entries: list[Entry] = []
    if spec.side == "players":
        help_text = "percent of the players, 0 to 100"
        entries.append(Entry("scope", _filled(str(SCOPE_PCT_DEFAULT)), help_text))
    if not spec.hold_param:
        entries.append(Entry("hold", _filled(HOLD_DEFAULT), "then it reverts: 20s, 2m, 1h"))
    entries += [
        Entry(param.name, _filled(_shown(param.default)), param.help, _choices(param))
        for param in spec.params
    ]
    return FaultForm(spec, tuple(entries))


def press(form: FaultForm, key: str) -> FaultForm:
    """Return the form after a key."""
    count = len(form.entries)
    if key in {"down", "tab"}:
        return replace(form, at=(form.at + 1) % count)
    if key in {"up", "shift+tab"}:
        return replace(form, at=(form.at - 1) % count)
    entry = form.entries[form.at]
    if entry.choices:
        step = {"right": 1, "space": 1, "left": -1}.get(key)
        if step is None:
            return form
        index = (entry.choices.index(entry.edit.text) + step) % len(entry.choices)
        edit = _filled(entry.choices[index])
    else:
        edit = entry.edit.key(key)
    entries = list(form.entries)
    entries[form.at] = replace(entry, edit=edit)
    return replace(form, entries=tuple(entries))


def command(form: FaultForm) -> ArmFault:
    """Return the command.

    Raises:
        UserError: A field cannot be read: names it, what was found, what is allowed.
    """
    values = {entry.name: entry.edit.text.strip() for entry in form.entries}
    scope = Scope()
    if "scope" in values:
        pct = _number("scope", values["scope"].rstrip("%"), 0, 100)
        scope = Scope(players_pct=pct)
    # Where a parameter says when it is over, the hold is no more than the bound of all holds.
    hold_s = _hold_s(values["hold"]) if "hold" in values else FAULT_HOLD_S_MAX
    params = {param.name: _param(param, values[param.name]) for param in form.spec.params}
    return ArmFault(form.spec.name, scope, params, hold_s)


def _hold_s(text: str) -> float:
    try:
        hold_s = parse_duration_s(text, "hold")
    except UserError:
        hold_s = 0.0  # what may be told of durations is not what may be told of a hold
    if not 0 < hold_s <= FAULT_HOLD_S_MAX:
        raise UserError(
            f"hold: found {text!r}; allowed is more than 0 and up to "
            f"{FAULT_HOLD_S_MAX / 3600:g}h, such as 30s or 2m"
        )
    return hold_s


def sentence(form: FaultForm, players: int) -> str:
    """Return in words what enter will do.

    Raises:
        UserError: See ``command``.
    """
    armed = command(form)
    if form.spec.hold_param:
        lasts_s = float(armed.params[form.spec.hold_param])
        return f"now; over {f'after {format_duration(lasts_s)}' if lasts_s else 'at once'}"
    hold = format_duration(armed.hold_s)
    if armed.scope.players_pct is None:
        return f"for {hold}, then it reverts"
    whom = round(players * armed.scope.players_pct / 100)
    return f"{whom:,} of {players:,} players for {hold}, then it reverts"


def _filled(text: str) -> LineEdit:
    return LineEdit(text, len(text), chars_max=32, fresh=True)


def _shown(value: ParamValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _choices(param: ParamSpec) -> tuple[str, ...]:
    return ("no", "yes") if isinstance(param.default, bool) else param.allowed


def _param(param: ParamSpec, text: str) -> ParamValue:
    if isinstance(param.default, bool):
        return text == "yes"
    if isinstance(param.default, str):
        return text
    least = float("-inf") if param.at_least is None else param.at_least
    most = float("inf") if param.at_most is None else param.at_most
    value = _number(param.name, text, least, most)
    if isinstance(param.default, int):
        if value != int(value):
            raise UserError(f"{param.name}: found {text!r}; allowed is a whole number")
        return int(value)
    return value


def _number(name: str, text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{name}: found {text!r}; allowed is a number") from None
    if not least <= value <= most:
        raise UserError(f"{name}: found {text}; allowed is {least:g} to {most:g}")
    return value
