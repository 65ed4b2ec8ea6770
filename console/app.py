"""The console: modes, keys, lifetime, and what reaches the terminal."""

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from msgspec import Struct
from textual.app import App
from textual.screen import Screen

from console import panels
from console import themes as looks_of
from console.actions import VIEW_ACTIONS, command_for
from console.broken import broken
from console.items import Hint, Item, Look, Mouse, Press, Say, Size, Turn
from console.keymap import Keymap, keys_path, load_keymap
from console.loadkeys import LoadKeys
from console.model import Model
from console.opening import HINT_S, first_view, hint_is_due, hint_was_shown
from console.outcome import NO_WORD, Outcome, Tie, detached, lost, of_ended
from console.paint.driver import StormDriver
from console.paint.easel import Easel
from console.paint.painter import Output
from console.pump import Pump
from console.screens.board import BoardScreen
from console.themes import Theme
from console.update import update
from console.widgets.board import Board
from engine.link.base import EngineLink, LinkClosed
from engine.protocol.command import Command, Detach, ScalePlayers, ScaleRate, Stop
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.registry import scan

Connect = Callable[[], Awaitable[EngineLink]]


class ConsoleOptions(Struct, frozen=True):
    """How the console looks.

    Attributes:
        theme: Name of the theme, empty for what suits the terminal.
        hz: Frames a second at normal rate.
        environ: The environment; None for the process's own.
        hint: Show the first-run hint to who has never seen it.
        tie: What this console is to the engine; one that only attached leaves it running.
        fate: Returns what is known of an engine that went without a word.
    """

    theme: str = ""
    hz: float = 4.0
    environ: dict[str, str] | None = None
    hint: bool = False
    tie: Tie = "started"
    fate: Callable[[], str] = lambda: NO_WORD


class StormApp(App[Outcome], inherit_bindings=False):
    """The operator console of one run.

    Args:
        connect: Returns the link once the engine is up; raises ``UserError`` when it cannot.
        options: How the console looks.

    Raises:
        UserError: Unknown theme, or a ``keys.toml`` that cannot be used.
    """

    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None

    def __init__(
        self, connect: Connect, options: ConsoleOptions | None = None, **textual: Any
    ) -> None:
        self._options = options or ConsoleOptions()
        self.environ: Mapping[str, str] = (
            os.environ if self._options.environ is None else self._options.environ
        )
        self.keymap: Keymap = load_keymap(keys_path(self.environ))
        self.depth = looks_of.choose_depth(self.environ)
        theme = looks_of.choose_theme(self._options.theme, self.environ)
        self.looks: Theme = looks_of.load_theme(theme, self.depth)
        textual.setdefault("driver_class", StormDriver)
        super().__init__(**textual)
        self.animation_level = "none"
        self._connect = connect
        self._link: EngineLink | None = None
        self._model = Model(view=first_view(self.keymap, theme, self.looks.mono))
        self.board = Board(scan(panels, "PANEL"), self.looks, self._sized)
        self._pump: Pump | None = None
        self._easel = Easel(self)
        self._load_keys = LoadKeys(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._signals: list[int] = []

    # --- what others see ---------------------------------------------------

    @property
    def model(self) -> Model:
        """What the console knows."""
        return self._model

    @property
    def link(self) -> EngineLink | None:
        """The link, once there is one."""
        return self._link

    @property
    def bytes_sent(self) -> int:
        """Bytes sent to the terminal so far."""
        output = self.output
        return output.bytes_total if output is not None else 0

    @property
    def frames_skipped(self) -> int:
        """Frames left out because the terminal did not keep up."""
        return self._easel.frames_skipped

    @property
    def output(self) -> Output | None:
        """Where painted text goes; None where nothing is shown."""
        shown = self._driver is not None and not self.is_headless
        return getattr(self._driver, "writer", None) if shown else None

    @property
    def showing(self) -> bool:
        """Whether the screen is ours."""
        return self._running and not self._closed

    @property
    def synchronises(self) -> bool:
        """Whether the terminal knows synchronised updates."""
        return self._sync_available

    def fate(self) -> str:
        """Return what is known of an engine that went without a word."""
        return self._options.fate()

    async def run_storm(self) -> Outcome:
        """Show the console until the operator leaves; return how that was.

        What breaks inside ends the console, and leaves alone a run that does without it.

        Raises:
            Exception: What broke, where there is no such run; the terminal is the user's again.
        """
        outcome = await self.run_async(mouse=False)
        if self._exception is not None:
            return broken(self, self._exception)
        return outcome or Outcome(ExitCode.INVALID, "interrupted")

    # --- lifetime ----------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """Return the base screen."""
        return BoardScreen(self)

    def on_mount(self) -> None:
        """Start the frame clock and the connection."""
        if isinstance(self._driver, StormDriver):
            self._driver.on_hang_up = self._hang_up
            self._driver.on_broken = self._handle_exception
            self._driver.on_resume = self._resumed
        self._pump = Pump(self, self._options.hz)
        self.start(self._pump.run())
        self.start(self._open())
        self._catch_signals()

    async def on_unmount(self) -> None:
        """Leave nothing behind."""
        loop = asyncio.get_running_loop()
        for number in self._signals:
            loop.remove_signal_handler(number)
        self._easel.rest()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._link is not None:
            await self._link.aclose()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside the app; an error in it ends the app."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def stop_run(self) -> None:
        """End the run in order; asked again, leave at once."""
        if self._model.phase == "draining":
            text = "left before the summary was written; the engine is still stopping"
            self.exit(Outcome(ExitCode.INVALID, text, self._capsule()))
        elif self._model.phase == "starting":
            self.exit(Outcome(ExitCode.INVALID, "interrupted while the engine was starting"))
        elif self._model.phase in {"ended", "lost"}:
            self.leave()
        else:
            self.deliver([Turn("draining")])
            self.send(Stop())

    def leave(self) -> None:
        """Leave after the end: with the run's verdict, or because the link is lost."""
        ended = self._model.ended
        if ended is not None:
            self.exit(of_ended(ended))
        else:
            self.exit(lost(self._model.lost, self._capsule()))

    async def detach(self) -> None:
        """Leave and let the run go on."""
        if self._link is None or self._model.phase != "live":
            self.deliver([Say("there is no run to detach from", True)])
            return
        try:
            reply = await self._link.call(Detach())
        except LinkClosed:
            return  # the next frame finds the link closed and says so
        if not reply.ok:
            self.deliver([Say(reply.text, True)])
            return
        self.exit(self._detached("detached"))

    async def _open(self) -> None:
        try:
            self._link = await self._connect()
        except UserError as problem:
            self.exit(Outcome(problem.exit_code, problem.message))
        except LinkClosed as problem:
            self.exit(Outcome(ExitCode.OWN_FAULT, f"the engine is gone: {problem}"))

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            while isinstance(problem, BaseExceptionGroup):
                problem = problem.exceptions[0]  # one of them is enough to say what broke
            self._handle_exception(problem)  # type: ignore[arg-type]  # tasks end with Exceptions

    def _fatal_error(self) -> None:
        # Textual would print a traceback; ``run_storm`` raises, and the caller says one line.
        self._close_messages_no_wait()

    def _catch_signals(self) -> None:
        if self.is_headless or threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number, handler in (
            (signal.SIGTERM, self._terminate),
            (signal.SIGINT, self._terminate),
            (signal.SIGHUP, self._hang_up),
        ):
            loop.add_signal_handler(number, handler)
            self._signals.append(number)

    def _terminate(self) -> None:
        """A signal ends the run that was started here; one that goes on elsewhere is left."""
        if self._options.tie == "attached" and self._model.phase == "live":
            self.start(self.detach())
        else:
            self.stop_run()

    def _hang_up(self) -> None:
        """The terminal is gone: the run goes on without this console."""
        if self._model.phase == "live":
            self.exit(self._detached("the terminal is gone"))
        else:
            self.exit(Outcome(ExitCode.INVALID, "the terminal is gone", self._capsule()))

    def _detached(self, why: str) -> Outcome:
        snapshot = self._model.live.snapshot
        return detached(why, snapshot.run if snapshot else "", self._capsule())

    def _resumed(self) -> None:
        """Show everything again: a shell has had the terminal meanwhile."""
        self._easel.redo(anew=True)
        self.screen.refresh()
        self.deliver([])

    def _capsule(self) -> str:
        snapshot = self._model.live.snapshot
        return snapshot.capsule if snapshot else ""

    # --- keys --------------------------------------------------------------

    def act(self, action: str) -> None:
        """Do what an action says."""
        if action in VIEW_ACTIONS:
            self.deliver([Press(action)])
            self.look_again()
            return
        command = command_for(action)
        if isinstance(command, ScalePlayers | ScaleRate):
            self._load_keys.press(command)
            return
        if command is not None:
            self.send(command)
            return
        from console import doings

        doings.do(self, action)

    def look_again(self) -> None:
        """Ask for the page of entities at once: the view has moved."""
        if self._pump is not None:
            self._pump.look_again()

    def open_faults(self, name: str = "") -> None:
        """Open the fault menu, or the form of one fault."""
        from console.screens.faults import FaultScreen

        self.push_screen(FaultScreen(self, name))

    def send(self, command: Command) -> None:
        """Send a command; what the engine says to it goes to the strip."""
        if self._link is None or self._model.phase in {"ended", "lost"}:
            self.deliver([Say("there is no running engine to tell", True)])
        else:
            self.start(self._call(self._link, command))

    def wear(self, name: str) -> None:
        """Put on a theme."""
        self.looks = looks_of.load_theme(name, self.depth)
        self.board.wear(self.looks)
        self._easel.redo(anew=True)
        self.deliver([Look(name, self.looks.mono), Say(f"theme {name}")])

    def use_mouse(self, on: bool) -> None:
        """Take the mouse for clicks and the wheel, or leave it to the terminal."""
        if isinstance(self._driver, StormDriver):
            self._driver.use_mouse(on)
        words = "mouse on: shift-drag selects" if on else "mouse off: the terminal has it"
        self.deliver([Mouse(on), Say(words)])

    def write_terminal(self, text: str) -> None:
        """Send a sequence that is not for the screen."""
        if self._driver is not None:
            self._driver.write(text)

    def redraw(self) -> None:
        """Send every cell again."""
        self._easel.redo(anew=False)
        self.deliver([])

    async def _call(self, link: EngineLink, command: Command) -> None:
        try:
            reply = await link.call(command)
        except LinkClosed:
            return  # the next frame finds the link closed and says so
        if reply.text:
            self.deliver([Say(reply.text, not reply.ok)])

    # --- painting ----------------------------------------------------------

    def deliver(self, items: list[Item]) -> None:
        """Take items in and show what they change at once."""
        self._absorb(items)
        self._easel.show(self._model)

    def frame(self, items: list[Item], period_s: float) -> None:
        """Take items in and paint a frame, panel after panel, spread over the period."""
        self._absorb(items)
        self._easel.frame(self._model, period_s)

    def _absorb(self, items: list[Item]) -> None:
        model = self._model
        for item in items:
            model = update(model, item)
        was, self._model = self._model.phase, model
        if was == "starting" and model.phase == "live":
            self._greet()
        if was == "draining" and model.phase in {"ended", "lost"}:
            self.leave()  # the operator asked to quit and has been waiting for this

    def _greet(self) -> None:
        """Say to who sees this for the first time what to press."""
        if self._options.hint and hint_is_due(self.environ):
            self._model = update(self._model, Hint(HINT_S))
            hint_was_shown(self.environ)

    def _sized(self, width: int, height: int) -> Model:
        self._absorb([Size(width, height)])
        return self._model

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Send what changed of an update; Textual would send all of it."""
        if not self.showing or self._batch_count or not self._easel.display(screen, renderable):
            super()._display(screen, renderable)
        else:
            self.post_display_hook()
