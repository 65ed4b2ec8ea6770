"""``Engine``: everything around one hub: capsule, socket, registry; and the end of it all."""

import asyncio
import contextlib
import os
import secrets
import time
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import msgspec

from engine.hub.capsule import Capsule
from engine.hub.desk import Desk
from engine.hub.harm import menu
from engine.hub.hub import Hub
from engine.hub.logbook import Logbook
from engine.hub.parts import Parts
from engine.hub.placement import Placement
from engine.hub.plan import HOST, WorldPlace, admin_port, shared_memory_name, stat7_port
from engine.hub.stat7desk import Stat7Desk
from engine.hub.telemetry import Telemetry
from engine.link import places
from engine.link.exchange import Exchange
from engine.link.listening import listen
from engine.link.server import LinkServer
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.feed import Ended, Notice, Snapshot
from engine.protocol.limits import ADMIN_SEND_BUFFER_BYTES, TICK_INTERVAL_MS
from engine.protocol.spec import RunSpec
from engine.protocol.summary import SUMMARY_NAME, Summary
from engine.report.summary import encode_summary, unkept
from engine.stat7.service import Run
from engine.stat7.stream import Stream

if TYPE_CHECKING:
    from engine.admin.doors import AdminDoors


class Engine:
    """One run, from its folder to its last word.

    Args:
        spec: The run; with a ``socket_path`` consoles may connect there.
        placement: Where children run.

    Raises:
        UserError: The folder for sockets, the run's folder, a threshold or a fault is wrong.
    """

    def __init__(self, spec: RunSpec, placement: Placement) -> None:
        self._spec = spec
        self._base: Path | None = None
        events = ""
        if spec.socket_path:
            self._base = Path(spec.socket_path).parent.parent
            if places.runs_folder(self._base) != Path(spec.socket_path).parent:
                raise UserError(f"{spec.socket_path} is not in the folder for sockets")
        if not placement.in_process:
            if not spec.socket_path:
                raise UserError("an engine in processes of its own needs a socket path")
            events = places.socket_path(spec.run, self._base, "events")
        self.capsule = Capsule.create(spec)
        with contextlib.ExitStack() as made:
            made.callback(self.capsule.remove)
            self.logbook = Logbook(self.capsule.log)
            made.callback(self.logbook.close)
            self._telemetry = self._open_telemetry()
            made.callback(self._telemetry.close)
            place = WorldPlace(
                database=self.capsule.database,
                events_socket=events,
                shared_memory=shared_memory_name(os.getpid(), secrets.token_hex(4)),
                secret=self.capsule.secret,
                epoch_ms=self.capsule.epoch_ms,
                folder=str(self.capsule.path),
                policies=self.capsule.policies,
            )
            self._place = place
            parts = Parts(
                capsule=self.capsule,
                placement=placement,
                telemetry=self._telemetry,
                logbook=self.logbook,
                faults=menu(spec),
                place=place,
                publish=self._publish,
                clock=time.monotonic,
            )
            self.hub = Hub(spec, parts)
            self.exchange = Exchange(self.hub)
            run = Run(spec.run, spec.scenario.seed, self.capsule.epoch_ms, TICK_INTERVAL_MS)
            self.stat7 = Stream(Stat7Desk(run, self.hub, self.logbook))
            self.desk = Desk(self.hub, spec.run, self.capsule, self.logbook)
            made.pop_all()
        self._doors: AdminDoors | None = None
        self.ports: dict[str, int] = {}
        self._server = LinkServer(self.exchange, self._heard)
        self._registered = False
        self._entry = places.RunEntry(
            run=spec.run,
            pid=0,
            capsule=str(self.capsule.path),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            socket_path=spec.socket_path,
            events_path=events,
            shared_memory=place.shared_memory,
        )

    async def start(self, pid: int) -> None:
        """Start the children, then listen for consoles and enter the registry.

        Raises:
            UserError: Says what could not be started; nothing is left running.
        """
        try:
            if self._spec.socket_path:
                # Before anything is started: what a killed hub leaves can then be cleared away.
                places.register(msgspec.structs.replace(self._entry, pid=pid), self._base)
                self._registered = True
            await self._start_listening()
            if self._spec.socket_path:
                await self._server.start(self._spec.socket_path)
        except UserError as problem:
            await self._close()
            if problem.exit_code != ExitCode.OWN_FAULT:
                self.capsule.remove()
            raise
        except OSError as problem:
            await self._close()
            raise UserError(f"the engine cannot start: {problem}", ExitCode.OWN_FAULT) from problem
        except BaseException:  # a cancelled start, too, leaves nothing behind
            await self._close()
            self.capsule.remove()
            raise

    async def _start_listening(self) -> None:
        """Start the children and open every door; ports.json tells when all listen."""
        with contextlib.ExitStack() as bound:
            admin = bound.enter_context(
                listen(
                    HOST,
                    admin_port(self._spec.port_base),
                    "admin API",
                    send_buffer_bytes=ADMIN_SEND_BUFFER_BYTES,
                )
            )
            # Taken first: a port that is in use is told before anything runs.
            self.stat7.bind(HOST, stat7_port(self._spec.port_base))
            # Importing takes its time; the children are starting meanwhile.
            making = asyncio.create_task(asyncio.to_thread(self._make_doors), name="doors")
            try:
                await self.hub.start()
                self._doors = await making
            finally:
                await asyncio.wait({making})
            self.ports["admin"] = admin.getsockname()[1]
            await self._doors.open(admin)
            bound.pop_all()
            await self.stat7.start()
            self.ports["stat7"] = self.stat7.port
            self.hub.start_narrator(f"http://{HOST}:{self.ports['admin']}", self.capsule.token)
        if self.hub.world is not None:
            self.ports["gateway"] = self.hub.world.port
        self.capsule.write_ports(self.ports)

    def _make_doors(self) -> "AdminDoors":
        from engine.admin.doors import AdminDoors

        return AdminDoors(self.desk, HOST, version("seedstorm"))

    async def finished(self) -> Ended:
        """Run until the end; write the summary, tell the consoles, leave nothing behind."""
        try:
            summary = await self.hub.finished()
            summary = await asyncio.to_thread(self._keep_summary, summary)
            ended = Ended(
                summary.exit_code,
                verdict_text(summary),
                str(self.capsule.path),
                encode_summary(summary),
            )
            self.logbook.write("ended", exit_code=ended.exit_code, text=ended.text)
            self._publish(ended)
            outcome = {"verdict": summary.verdict, "exit_code": ended.exit_code, "text": ended.text}
            await self.stat7.finish(outcome)
            await self._server.aclose()
        except Exception:  # logged where it is found, and raised again
            self.logbook.write("failure", traceback=traceback.format_exc())
            raise
        finally:
            await self._close()
        return ended

    def _keep_summary(self, summary: Summary) -> Summary:
        """Write the summary and return it; one that cannot be written says so and is invalid."""
        try:
            self.capsule.write_summary(summary)
        except OSError as problem:
            reason = (
                f"{self.capsule.path / SUMMARY_NAME} could not be written: "
                f"{problem.strerror or problem}"
            )
            return unkept(summary, reason)
        return summary

    def _publish(self, item: Snapshot | Notice | Ended) -> None:
        self.exchange.publish(item)
        if isinstance(item, Snapshot):
            self.stat7.take_faults(item.faults)
        self.desk.take(item)

    async def _close(self) -> None:
        """Close everything, doors first; a step that fails keeps no other from its turn."""
        async with contextlib.AsyncExitStack() as steps:
            steps.callback(self.logbook.close)
            steps.callback(self._telemetry.close)
            steps.callback(places.remove_shared_memory, self._place.shared_memory)
            if self._registered:  # else what lies there is another engine's
                steps.callback(places.unregister, self._entry, self._base)
            steps.callback(self.exchange.close)
            steps.push_async_callback(self._server.aclose)
            steps.push_async_callback(self.hub.aclose)
            if self._doors is not None:
                steps.push_async_callback(self._doors.aclose)
            steps.push_async_callback(self.stat7.aclose)

    def _heard(self, line: str) -> None:
        self.logbook.write("link", text=line)

    def _open_telemetry(self) -> Telemetry:
        try:
            return Telemetry(self.capsule.path / "telemetry.db", self._heard)
        except apsw.Error as problem:
            text = f"{self.capsule.path}: telemetry.db cannot be made: {problem}"
            raise UserError(text, ExitCode.USAGE) from problem


def verdict_text(summary: Summary) -> str:
    """Return the verdict and its reasons in one line."""
    reasons = "; ".join(summary.reasons)
    return f"{summary.verdict}{': ' + reasons if reasons else ''}"
