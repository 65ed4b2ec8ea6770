"""The one composition root: what each command starts, and how a failure is told.

Imports are lazy: bare ``seedstorm`` paints before typer would have been imported.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from console.saying import put, say, settle_streams, silence
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.text import printable

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from console.options import RunOptions
    from console.outcome import Outcome, Tie
    from console.replaying import Replay
    from engine.link.base import EngineLink
    from engine.protocol.scenario import Scenario
    from engine.protocol.scenario_file import Known
    from engine.protocol.spec import RunSpec

    Connect = Callable[[], Awaitable[EngineLink]]
    """Gives a link to the engine, once it is ready."""
    Viewer = Callable[[Connect, Callable[[], None]], Coroutine[object, object, Outcome]]
    """Shows a run; the second argument is for a second SIGINT."""

_LINE_CHARS_MAX = 10_000


class View(Struct, frozen=True):
    """How a run is shown.

    Attributes:
        headless: Progress lines in place of the console.
        json: Where the summary goes as JSON: ``-``, a file, or empty for text.
        theme: Theme of the console, empty for the terminal's.
        hz: Frames a second.
    """

    headless: bool = False
    json: str = ""
    theme: str = ""
    hz: float = 4.0

    @property
    def console(self) -> bool:
        """Whether a console can and shall be opened."""
        streams = (sys.stdin, sys.stdout)  # None when it was closed
        return not self.headless and all(s is not None and s.isatty() for s in streams)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; never shows a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    settle_streams()
    try:
        if not words:
            from console.options import RunOptions

            return run(RunOptions(), View())
        from console.commands import dispatch

        return dispatch(words)
    except UserError as problem:
        return _complain(problem.message, problem.exit_code)
    except KeyboardInterrupt:
        # Nothing was wrong with what was asked for, and there is no run to be judged.
        return _complain("interrupted", ExitCode.INVALID)
    except BrokenPipeError:
        # Whoever read our output has had enough of it, as ``head`` has.
        silence(sys.stdout)
        return ExitCode.HELD
    except Exception as problem:
        if os.environ.get("SEEDSTORM_TRACEBACK"):
            raise
        said = f"{type(problem).__name__}: {problem}"
        return _complain(
            f"a fault of our own: {said} (SEEDSTORM_TRACEBACK=1 shows where)", ExitCode.OWN_FAULT
        )


def run(options: "RunOptions", view: View) -> int:
    """Run a scenario, in the console or headless, and return the exit code.

    Raises:
        UserError: Something in the options, the scenario or the machine is wrong.
    """
    from console.options import (
        apply_options,
        check_options,
        check_theme,
        default_runs_dir,
        make_spec,
    )
    from console.sessions import fresh_name
    from engine.link.places import socket_path

    check_options(options)
    check_theme(view.theme)
    if view.json:
        from console.headless import check_writable

        check_writable(view.json)
    scenario, text = _read(options)
    scenario = apply_options(scenario, options)
    with fresh_name(scenario.name, options.runs_dir or default_runs_dir()) as name:
        if options.in_process:
            spec = make_spec(options, scenario, text, name, "")
            show = _viewer(view, "in process")
            return _tell(asyncio.run(_embedded(spec, show)), view)
        return _spawned(make_spec(options, scenario, text, name, socket_path(name)), view)


def attach(run_name: str, view: View) -> int:
    """Open the console on a running engine.

    Raises:
        UserError: No such run.
    """
    from console.options import check_theme
    from engine.link.places import find_run
    from engine.link.socket import SocketLink

    check_theme(view.theme)
    path = find_run(run_name).socket_path
    show = _viewer(view, "attached")
    return _tell(asyncio.run(show(lambda: SocketLink.connect(path), _leave)), view)


def show_runs() -> int:
    """List the engines that run."""
    from console.sessions import listing

    put("\n".join(listing() or ["nothing runs"]) + "\n")
    return ExitCode.HELD


def stop(run_name: str) -> int:
    """Stop a running engine in order.

    Raises:
        UserError: No such run, or it vanished.
    """
    from console.sessions import stop_run

    put(asyncio.run(stop_run(run_name)) + "\n")
    return ExitCode.HELD


def replay(asked: "Replay", runs_dir: "Path | None") -> int:
    """Re-run a recording and compare, or tell what was true at a tick.

    Raises:
        UserError: There is no such recording, or the words contradict each other.
    """
    from console.options import default_runs_dir
    from console.recordings import find_capsule
    from console.replaying import answer, entity_asked
    from engine.store.recording import open_recording

    entity = entity_asked(asked)
    path = find_capsule(asked.run, runs_dir or default_runs_dir())
    with open_recording(path, allow_code=asked.allow_code) as recording:
        return answer(recording, asked, entity)


def check(runs_dir: "Path | None", port_base: int | None, *, as_json: bool) -> int:
    """Look at everything a run depends on; 0 when nothing fails, else 2.

    Raises:
        UserError: The options are wrong.
    """
    from console.checks.base import Asked
    from console.checkup import show
    from console.options import RunOptions, check_options, default_runs_dir

    check_options(RunOptions(port_base=port_base))
    if runs_dir is None:
        with contextlib.suppress(UserError):  # there is no home: a check says so
            runs_dir = default_runs_dir()
    return show(Asked(runs_dir.absolute() if runs_dir else None, port_base), as_json=as_json)


def validate(file: "Path") -> int:
    """Check a scenario and say what it would do.

    Raises:
        UserError: The first mistake.
    """
    from engine.protocol.scenario_file import read_scenario
    from engine.protocol.text import counted, printable
    from engine.store.policyfiles import check_policy_files

    scenario, _ = read_scenario(file, known_names())
    try:
        code = check_policy_files([step.file for step in scenario.policies if step.file])
    except UserError as problem:
        raise UserError(f"{file}: policy file {problem.message}") from problem
    counts = ", ".join(
        counted(number, word)
        for number, word in (
            (scenario.players, "player"),
            (len(scenario.stages), "stage"),
            (len(scenario.faults), "fault"),
            (len(scenario.thresholds), "threshold"),
        )
    )
    names = printable(", ".join(code), 200)
    needs = f"; it names code ({names}): read that, and run it with --allow-code" if code else ""
    put(f"{file}: ok: {scenario.name}, {counts}{needs}\n")
    return ExitCode.HELD


def stat7_address() -> int:
    """Print address and URI of every bit-chain on stdin.

    Raises:
        UserError: A line is no bit-chain, or there is no stdin.
    """
    from console.addresses import write_addresses

    if sys.stdin is None:
        raise UserError("stdin is closed; bit-chains are read from it, one a line")
    if sys.stdout is None:
        raise UserError("stdout is closed; the addresses are written to it")
    write_addresses(sys.stdin.buffer, sys.stdout)
    return ExitCode.HELD


def known_names() -> "Known":
    """Return the names a scenario may use, found by scanning the folders."""
    from engine.assault import behaviours
    from engine.faults import registry as faults
    from engine.protocol.registry import scan
    from engine.protocol.scenario_file import Known
    from engine.stats.thresholds import check_threshold
    from engine.world.governance import check_policy, find_policies

    return Known(
        behaviours=tuple(scan(behaviours, "BEHAVIOUR")),
        faults=tuple(faults.all_faults()),
        check_fault=faults.check_fault,
        check_threshold=check_threshold,
        policies=tuple(policy.name for policy in find_policies()),
        check_policy=check_policy,
    )


def _read(options: "RunOptions") -> tuple["Scenario", str]:
    if options.thresholds:
        from engine.stats.thresholds import parse_threshold

        for expression in options.thresholds:
            parse_threshold(expression)
    if options.scenario is None:
        from engine.protocol.scenario import Scenario

        return Scenario(), ""
    from console.options import check_code
    from engine.protocol.scenario_file import read_scenario

    scenario, text = read_scenario(options.scenario, known_names())
    check_code(options, scenario)
    return scenario, text


def _spawned(spec: "RunSpec", view: View) -> int:
    """Start the hub as a process that outlives this one, and show it."""
    from console.launch import spawn_hub

    # Until the view has handlers of its own, SIGTERM is to end the hub too, as ctrl+c does.
    signal.signal(signal.SIGTERM, _interrupt)
    hub = spawn_hub(spec)
    result = None
    try:
        show = _viewer(view, "started", hub.fate)
        result = asyncio.run(show(hub.connect, hub.end_now))
    finally:
        hub.release(result)
    return _tell(result, view)


async def _embedded(spec: "RunSpec", show: "Viewer") -> "Outcome":
    """Run hub, world and squads in this process."""
    from engine.hub.embedded import embedded

    async with embedded(spec) as link:

        async def connect() -> "EngineLink":
            return link

        return await show(connect, _leave)


def _viewer(view: View, tie: "Tie", fate: Callable[[], str] | None = None) -> "Viewer":
    """Return what shows a run until it ends or is left.

    Imports happen here, before any loop runs, so that ctrl+c ends them like anything else.

    Args:
        view: How the run is shown.
        tie: What this process is to the engine.
        fate: Returns what is known of an engine that went without a word.
    """
    from console.outcome import NO_WORD

    fate = fate or (lambda: NO_WORD)
    if view.console:
        from console.terminal import given_back, prepare, splash

        prepare(os.environ)
        with splash():
            from console.app import ConsoleOptions, StormApp

        options = ConsoleOptions(theme=view.theme, hz=view.hz, hint=True, tie=tie, fate=fate)

        async def in_console(connect: "Connect", _end_now: Callable[[], None]) -> "Outcome":
            with given_back():
                storm = StormApp(connect, options)
            return await storm.run_storm()

        return in_console
    from console.follow import follow

    async def in_lines(connect: "Connect", end_now: Callable[[], None]) -> "Outcome":
        return await follow(await connect(), end_now, tie, fate)

    return in_lines


def _tell(result: "Outcome", view: View) -> int:
    """Say how it ended, on the terminal that is ours again; return the exit code."""
    from console.headless import tell

    return tell(result, view.json)


def _interrupt(_number: int, frame: "FrameType | None") -> None:
    """Do what ctrl+c would do now, which is not the same before, in and after asyncio's loop."""
    handler = signal.getsignal(signal.SIGINT)
    (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)


def _leave() -> None:
    raise KeyboardInterrupt


def _complain(message: str, code: ExitCode) -> int:
    # A last look: what was read of a file, or of another process, may have come this far raw.
    lines = [printable(line, _LINE_CHARS_MAX) for line in message.split("\n")]
    say("seedstorm: " + "\n".join(lines))
    return int(code)
