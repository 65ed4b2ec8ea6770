"""What the command line says about a run, and the ``RunSpec`` that comes of it."""

import math
import os
import re
from pathlib import Path
from typing import Literal

from msgspec import Struct, structs

from console.folders import state_folder
from engine.protocol.errors import UserError
from engine.protocol.files import check_path
from engine.protocol.limits import (
    COMMANDS_PER_S_PER_PLAYER_MAX,
    PLAYERS_MAX,
    SEED_MAX,
    SQUADS_MAX,
    UNATTENDED_S_MAX,
)
from engine.protocol.scenario import Scenario
from engine.protocol.scenario_file import default_stages
from engine.protocol.spec import PolicySource, RunSpec
from engine.protocol.text import nearest, printable

PLAYERS_PER_SQUAD = 5000
"""A squad's loop carries this many players at one command a second with room to spare."""

OnDisconnect = Literal["revert", "keep", "stop"]


class RunOptions(Struct, frozen=True):
    """The options of ``seedstorm run``; None where the user said nothing."""

    scenario: Path | None = None
    players: int | None = None
    players_max: int | None = None
    duration_s: float | None = None
    seed: int | None = None
    squads: int | None = None
    rate: float | None = None
    thresholds: tuple[str, ...] = ()
    runs_dir: Path | None = None
    port_base: int | None = None
    on_disconnect: OnDisconnect = "revert"
    unattended_s_max: float = UNATTENDED_S_MAX
    in_process: bool = False
    warbler: bool = True
    policies: tuple[Path, ...] = ()
    allow_code: bool = False


def default_runs_dir() -> Path:
    """Return ``$XDG_STATE_HOME/seedstorm/runs``.

    Raises:
        UserError: There is no home folder either.
    """
    folder = state_folder(os.environ)
    if folder is None:
        raise UserError(
            "there is no place for the run's folder: found neither XDG_STATE_HOME nor HOME, and "
            f"no home of user {os.getuid()}; name one with --runs-dir"
        )
    return folder / "runs"


def apply_options(scenario: Scenario, options: RunOptions) -> Scenario:
    """Return the scenario with what the command line overrides.

    ``--players`` replaces the scenario's stages by one ramp, as k6's ``--vus`` does.
    """
    if options.seed is not None:
        scenario = structs.replace(scenario, seed=options.seed)
    if options.players is not None:
        scenario = structs.replace(
            scenario, players=options.players, stages=default_stages(options.players)
        )
    if not scenario.stages:
        scenario = structs.replace(scenario, stages=default_stages(scenario.players))
    return scenario


def make_spec(
    options: RunOptions, scenario: Scenario, text: str, run: str, socket_path: str
) -> RunSpec:
    """Return the run's specification.

    Args:
        options: The command line.
        scenario: The scenario with the overrides applied.
        text: The scenario as written; empty for the default.
        run: The run's name.
        socket_path: Where consoles will connect; empty in process.

    Raises:
        UserError: Options contradict each other, or a policy's file has no name to be shown.
    """
    peak = max(scenario.players, *(stage.to for stage in scenario.stages))
    players_max = options.players_max
    if players_max is None:
        players_max = min(PLAYERS_MAX, max(2 * peak, 100))
    if players_max < peak:
        raise UserError(
            f"--players-max: found {players_max}, but the scenario goes up to {peak} players; "
            f"allowed is {peak} or more"
        )
    for path in options.policies:
        check_path(str(path.absolute()), "--policy")
    squads = options.squads or min(SQUADS_MAX, math.ceil(max(1, peak) / PLAYERS_PER_SQUAD))
    return RunSpec(
        run=run,
        scenario=scenario,
        scenario_text=text,
        runs_dir=str((options.runs_dir or default_runs_dir()).absolute()),
        socket_path=socket_path,
        players_max=players_max,
        duration_s=options.duration_s,
        squads=squads,
        port_base=options.port_base,
        on_disconnect=options.on_disconnect,
        unattended_s_max=options.unattended_s_max,
        thresholds=options.thresholds,
        in_process=options.in_process,
        commands_per_s=1.0 if options.rate is None else options.rate,
        warbler=options.warbler,
        policies=tuple(PolicySource(str(path.absolute())) for path in options.policies),
    )


def check_code(options: RunOptions, scenario: Scenario) -> None:
    """Refuse a scenario that names code, unless the user has agreed to run it.

    Raises:
        UserError: It names some.
    """
    for index, step in enumerate(scenario.policies):
        if step.file and not options.allow_code:
            raise UserError(
                f"{options.scenario}: policy[{index}].file: {printable(step.file, 200)} is code "
                "that would run here; read it and give --allow-code"
            )


def run_name(scenario: str, stamp: str, taken: frozenset[str]) -> str:
    """Return ``<time>-<name>``, safe as a folder's name, not in ``taken``.

    Args:
        scenario: The scenario's name.
        stamp: Local time as ``YYYYmmdd-HHMMSS``.
        taken: Names that are in use.
    """
    safe = re.sub(r"[^A-Za-z0-9]+", "-", scenario).strip("-").lower()[:40] or "storm"
    name = f"{stamp}-{safe}"
    number = 2
    while name in taken:
        name = f"{stamp}-{safe}-{number}"
        number += 1
    return name


def check_theme(name: str) -> None:
    """Refuse a theme that there is not, before anything is started or drawn; empty is none.

    Raises:
        UserError: Names the option, what was found and what is allowed.
    """
    if not name:
        return
    from console.themes import theme_names

    names = theme_names()
    if name not in names:
        raise UserError(
            f"--theme: found {printable(name, 64)!r}; allowed: {', '.join(names)}"
            f"{nearest(name, names)}"
        )


def check_range(value: float, least: float, most: float, where: str) -> None:
    """Refuse a number outside its bounds.

    Raises:
        UserError: Names the option, what was found and what is allowed.
    """
    if not least <= value <= most:
        found, low, high = (_plain(number) for number in (value, least, most))
        raise UserError(f"{where}: found {found}; allowed is {low} to {high}")


def _plain(number: float) -> str:
    """Return a number as a person would type it."""
    return str(number) if isinstance(number, int) else f"{number:.15g}"


def check_options(options: RunOptions) -> None:
    """Refuse options that are out of bounds.

    Raises:
        UserError: On the first that is.
    """
    if options.players is not None:
        check_range(options.players, 0, PLAYERS_MAX, "--players")
    if options.players_max is not None:
        check_range(options.players_max, 1, PLAYERS_MAX, "--players-max")
    if options.squads is not None:
        check_range(options.squads, 1, SQUADS_MAX, "--squads")
    if options.seed is not None:
        check_range(options.seed, 0, SEED_MAX, "--seed")
    if options.rate is not None:
        check_range(options.rate, 0, COMMANDS_PER_S_PER_PLAYER_MAX, "--rate")
    if options.port_base:
        check_range(options.port_base, 1024, 65533, "--port-base")
    if options.duration_s is not None and options.duration_s < 1:
        raise UserError(f"--duration: found {options.duration_s:g}s; allowed is 1s or more")
    if options.unattended_s_max < 1:
        raise UserError(
            f"--unattended-max: found {options.unattended_s_max:g}s; allowed is 1s or more"
        )
