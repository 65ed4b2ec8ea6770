"""Every command with its options, for typer; what they do stands in ``cli``."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, Exit, TyperException

from console import cli
from console.options import OnDisconnect, RunOptions
from console.saying import unwritable
from engine.protocol.durations import parse_duration_s
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import UNATTENDED_S_MAX

Do = Callable[[], int]
"""What a command line asks for."""

app = typer.Typer(
    name="seedstorm",
    help="Assault an MMO server and watch what happens. Without a command: run the default storm.",
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def dispatch(words: list[str]) -> int:
    """Run the command that ``words`` name and return its exit code.

    typer only parses: each command returns what is to be done, which runs outside of
    it, because typer has an answer of its own to ctrl+c.

    Raises:
        UserError: The words are no valid command.
    """
    try:
        result: Any = typer.main.get_command(app).main(
            args=words, prog_name="seedstorm", standalone_mode=False
        )
    except Exit as leaving:
        return leaving.exit_code
    except Abort as aborted:
        raise KeyboardInterrupt from aborted
    except TyperException as problem:
        said = " ".join(problem.format_message().split()).rstrip(".")
        # Only its usage errors know the command, which knows its options.
        context = getattr(problem, "ctx", None)
        command = context.command_path if context is not None else "seedstorm"
        raise UserError(f"{said} (see: {command} --help)") from problem
    except SystemExit as leaving:
        # typer's answer to a reader of the help text that has left; ours stands in ``cli``.
        raise BrokenPipeError from leaving
    except OSError as problem:
        # Parsing opens nothing: what failed is a help text or a version on its way out.
        raise unwritable(problem) from problem
    return result() if callable(result) else ExitCode.HELD


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seedstorm {version('seedstorm')}")
        raise Exit(0)


RunsDir = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Folder for capsules ($XDG_STATE_HOME/seedstorm/runs)."),
]
"""A string, because an empty one would become the current folder as a ``Path``."""

OnDisconnectWord = Annotated[
    str, typer.Option(help="When the last console vanishes: revert, keep or stop.")
]
PolicyFiles = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE.py", help="A policy of your own; may be repeated."),
]
AllowCode = Annotated[
    bool, typer.Option("--allow-code", help="Run the code that the scenario, or the run, names.")
]
VersionFlag = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
]


@app.callback(invoke_without_command=True)
def root(context: typer.Context, version: VersionFlag = False) -> Do | None:  # noqa: ARG001 - eager: its callback acts
    """Assault an MMO server and watch what happens."""
    if context.invoked_subcommand is None:
        return partial(cli.run, RunOptions(), cli.View())
    return None


@app.command("run")
def run(
    scenario: Annotated[Path | None, typer.Argument(help="A scenario (TOML).")] = None,
    players: Annotated[int | None, typer.Option(help="Virtual players.")] = None,
    players_max: Annotated[
        int | None, typer.Option(help="Never more than this, whatever is pressed (2 x players).")
    ] = None,
    duration: Annotated[
        str | None, typer.Option(help="End after this long, such as 30s or 2m (until quit).")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random (7).")] = None,
    rate: Annotated[
        float | None, typer.Option(help="Commands a second for each player (1).")
    ] = None,
    squads: Annotated[
        int | None, typer.Option(help="Processes that carry the players (1 for every 5,000).")
    ] = None,
    threshold: Annotated[
        list[str] | None, typer.Option(help="Such as 'latency_ms.p99 < 150'; may be repeated.")
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="No console: progress lines.")
    ] = False,
    json: Annotated[
        str, typer.Option(help="Headless: where the summary goes as JSON: - or a file.")
    ] = "",
    theme: Annotated[str, typer.Option(help="dark, light or mono.")] = "",
    hz: Annotated[float, typer.Option(help="Frames a second of the console.")] = 4.0,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Everything in this process (small loads).")
    ] = False,
    warbler: Annotated[
        bool, typer.Option(help="Tell the run's story (never with --in-process).")
    ] = True,
    policy: PolicyFiles = None,
    allow_code: AllowCode = False,
    runs_dir: RunsDir = None,
    port_base: Annotated[
        int | None,
        typer.Option(
            help="Ports B, B+1, B+2 (admin, STAT7, gateway); 0 picks free ones (8000, 8765, 8766)."
        ),
    ] = None,
    on_disconnect: OnDisconnectWord = "revert",
    unattended_max: Annotated[
        str, typer.Option(help="End a run that nobody watches after this long.")
    ] = f"{UNATTENDED_S_MAX:.0f}s",
    version: VersionFlag = False,  # noqa: ARG001 - eager: its callback acts
) -> Do:
    """Start a world and virtual players that assault it, and open the console."""
    options = RunOptions(
        scenario=scenario,
        players=players,
        players_max=players_max,
        duration_s=None if duration is None else parse_duration_s(duration, "--duration"),
        seed=seed,
        squads=squads,
        rate=rate,
        thresholds=tuple(threshold or ()),
        runs_dir=_folder(runs_dir),
        port_base=port_base,
        on_disconnect=_on_disconnect(on_disconnect),
        unattended_s_max=parse_duration_s(unattended_max, "--unattended-max"),
        in_process=in_process,
        warbler=warbler,
        policies=tuple(Path(name) for name in policy or ()),
        allow_code=allow_code,
    )
    view = cli.View(headless=headless or bool(json), json=json, theme=theme, hz=_hz(hz))
    return partial(cli.run, options, view)


def _folder(text: str | None) -> Path | None:
    if text is None:
        return None
    if not text.strip():
        raise UserError(f"--runs-dir: found {text!r}; name a folder, . for the current one")
    return Path(text)


def _on_disconnect(word: str) -> OnDisconnect:
    if word not in ("revert", "keep", "stop"):
        raise UserError(f"--on-disconnect: found {word!r}; allowed: revert, keep, stop")
    return word  # type: ignore[return-value]  # checked on the line above


def _hz(hz: float) -> float:
    from console.options import check_range

    check_range(hz, 0.5, 30, "--hz")
    return hz


RunName = Annotated[str, typer.Argument(help="The run's name; may be left out when only one runs.")]


@app.command("attach")
def attach(
    run: RunName = "",
    theme: Annotated[str, typer.Option(help="dark, light or mono.")] = "",
    hz: Annotated[float, typer.Option(help="Frames a second of the console.")] = 4.0,
    version: VersionFlag = False,  # noqa: ARG001 - eager: its callback acts
) -> Do:
    """Open the console on a running engine."""
    return partial(cli.attach, run, cli.View(theme=theme, hz=_hz(hz)))


@app.command("list")
def list_runs(version: VersionFlag = False) -> Do:  # noqa: ARG001 - eager: its callback acts
    """List the engines that run."""
    return cli.show_runs


@app.command("stop")
def stop(run: RunName = "", version: VersionFlag = False) -> Do:  # noqa: ARG001 - eager: its callback acts
    """Stop a running engine; it writes its summary."""
    return partial(cli.stop, run)


@app.command("replay")
def replay(
    run: Annotated[str, typer.Argument(help="Its name, the beginning of its name, or its folder.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Re-run it from what came in; compare everything.")
    ] = False,
    from_checkpoint: Annotated[
        bool, typer.Option("--from-checkpoint", help="Verify from the newest checkpoint on.")
    ] = False,
    at: Annotated[
        int | None, typer.Option(metavar="TICK", help="Tell what was true after this tick.")
    ] = None,
    entity: Annotated[
        str, typer.Option(metavar="ID", help="With --at: of one entity, such as player-12.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="As one object.")] = False,
    allow_code: AllowCode = False,
    runs_dir: RunsDir = None,
    version: VersionFlag = False,  # noqa: ARG001 - eager: its callback acts
) -> Do:
    """Re-run a recording and compare, or tell what was true at a tick."""
    from console.replaying import Replay

    asked = Replay(run, verify, from_checkpoint, at, entity, json, allow_code)
    return partial(cli.replay, asked, _folder(runs_dir))


@app.command("check")
def check(
    json: Annotated[bool, typer.Option("--json", help="As a list of objects.")] = False,
    runs_dir: RunsDir = None,
    port_base: Annotated[
        int | None, typer.Option(help="Ports B, B+1, B+2 (8000, 8765, 8766).")
    ] = None,
    version: VersionFlag = False,  # noqa: ARG001 - eager: its callback acts
) -> Do:
    """Look at everything a run depends on; says what is wrong with its cure."""
    return partial(cli.check, _folder(runs_dir), port_base, as_json=json)


scenarios = typer.Typer(help="Check or begin a scenario.", rich_markup_mode=None)
app.add_typer(scenarios, name="scenario")


@scenarios.command("validate")
def validate(file: Annotated[Path, typer.Argument(help="A scenario (TOML).")]) -> Do:
    """Check a scenario; says what it would do, or the first mistake."""
    return partial(cli.validate, file)


stat7 = typer.Typer(help="Work with STAT7 bit-chains.", rich_markup_mode=None)
app.add_typer(stat7, name="stat7")


@stat7.command("address")
def stat7_address() -> Do:
    """Read bit-chains as JSON lines on stdin; print the address and the URI of each."""
    return cli.stat7_address
