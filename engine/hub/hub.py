"""``Hub``: the run's shell. Keeps the children, carries out effects, publishes the feed."""

import asyncio
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from engine.hub import reducer
from engine.hub.arming import squad_fault
from engine.hub.bell import Bell
from engine.hub.crew import Crew, CrewOwner
from engine.hub.effects import Arm, Disarm, Effect, Finish, Load, Tell
from engine.hub.fold import Fold
from engine.hub.governance import Governance
from engine.hub.harm import Harm
from engine.hub.judge import Judge
from engine.hub.keeper import Keeper
from engine.hub.narratorpost import NarratorPost
from engine.hub.orders import Asked, WorldOrders, governed
from engine.hub.parts import Parts
from engine.hub.past import Past
from engine.hub.plan import first_state, thresholds
from engine.hub.queries import Answers, Looks
from engine.hub.readers import Readers
from engine.hub.remark import Remark
from engine.hub.worldpost import Reports, WorldPost
from engine.protocol.child import Go, SetLoad, SquadClear, SquadReport
from engine.protocol.command import Command, Lease, Reply, SetPolicy
from engine.protocol.errors import ExitCode
from engine.protocol.feed import Notice, NoticeKind, RunState
from engine.protocol.limits import (
    CHILD_GRACE_S,
    DRAIN_S,
    FREE_BYTES_MIN,
    NARRATOR_GRACE_S,
    SNAPSHOTS_PER_S,
)
from engine.protocol.query import Answer, PlayerView, Query
from engine.protocol.spec import RunSpec
from engine.protocol.summary import Summary
from engine.report.figures import Trouble
from engine.report.summary import build_summary

_FIELD = ("x", "y", "kind", "alive", "connected")
_SPACE_EVERY_S = 5


class Hub:
    """One run. An ``EngineService`` for its consoles.

    Args:
        spec: The run.
        parts: See ``Parts``.

    Raises:
        UserError: A threshold or a fault of the schedule is wrong.
    """

    def __init__(self, spec: RunSpec, parts: Parts) -> None:
        self._spec = spec
        self._parts = parts
        self._state = first_state(spec, parts.faults)
        self._judge = Judge(thresholds(spec), spec.scenario.warm_up_s)
        scenario = spec.scenario
        self.fold = Fold(spec.run, scenario.seed, scenario.warm_up_s, str(parts.capsule.path))
        self.bell = Bell()
        self.orders = WorldOrders(self._post_order, ails=lambda: self.fold.pulse.ails)
        self.world: WorldPost | None = None
        if not scenario.target.url:
            reports = Reports(
                self.fold,
                lambda: self.at_s,
                self._tell,
                self._remark,
                self._broken,
                self.bell,
                self.orders,
            )
            self.world = WorldPost(spec, parts.place, parts.placement, parts.logbook, reports)
        self.story = self.fold.story
        self.story.keep = parts.telemetry.beat
        self._narrator = NarratorPost(spec, parts.placement, parts.logbook, self.story, self._tell)
        self.harm = Harm(self.world)
        self.readers = Readers()
        self.past = Past(
            spec, parts.place, parts.placement, self.readers, parts.logbook, self._tell
        )
        self._answers = Answers(
            Looks(self._field, self._last_field, self._look_into),
            self.fold.log,
            self.past,
            self.fold.ticks,
            self.story,
            parts.faults,
            self.summary,
            Governance(self.fold.policies, Path(parts.capsule.database), self.readers),
        )
        owner = CrewOwner(
            url=self._url,
            report=self._from_squad,
            gone=self._squad_gone,
            back=lambda squad: self.fold.outages.back(f"squad {squad}", self.at_s),
            catch_up=self._missed_orders,
            tell=self._tell,
            broken=self._broken,
        )
        self.crew = Crew(spec, parts.placement, parts.logbook, owner)
        self._pacer: asyncio.Task[None] | None = None
        self._began_s: float | None = None
        self._second = 0
        self._phase: RunState = "starting"
        self._over = asyncio.Event()
        self._at_once = asyncio.Event()
        self._trouble: list[Trouble] = []

    # --- the run -----------------------------------------------------------

    @property
    def phase(self) -> RunState:
        """Where the run is."""
        return self._phase

    @property
    def at_s(self) -> float:
        """Seconds since the players were let go."""
        return 0.0 if self._began_s is None else self._parts.clock() - self._began_s

    async def start(self) -> None:
        """Start the world and the squads, and let the players go.

        Raises:
            UserError: A child could not start.
        """
        if self.world is not None:
            await self.world.keeper.start()
            self.past.start()
        await self.crew.start()
        self._began_s = self._parts.clock()
        self.fold.begin()
        self._phase = "ramping"
        self.crew.post(Go(0.0))
        self._tell("run", f"{self._spec.run}: the players come")
        self._pacer = asyncio.create_task(self._pace(), name="hub-pace")

    def start_narrator(self, admin_url: str, token: str) -> None:
        """Begin to start the narrator, once the admin API listens; nothing waits for it."""
        self._narrator.start(admin_url, token)

    async def finished(self) -> Summary:
        """Wait for the end of the run, stop the children in order, and return the summary."""
        over = asyncio.create_task(self._over.wait(), name="hub-over")
        watched = {over} if self._pacer is None else {over, self._pacer}
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if self._pacer is not None and self._pacer.done():
            self._note_failure(self._pacer)
        self._phase = "draining"
        self.fold.close(self.at_s)
        await self.end_children(DRAIN_S + CHILD_GRACE_S)
        self._phase = "ended"
        if self._pacer is not None and not self._pacer.done():
            self._beat()
        return self.summary()

    def stop(self, why: str) -> None:
        """End the run in order; a second time: at once."""
        if self._over.is_set():
            self._at_once.set()
            for keeper in self._keepers():
                keeper.kill()
        else:
            self._state = msgspec.structs.replace(self._state, finishing=True)
            self._tell("run", f"stopping: {why}")
            self._over.set()

    async def end_children(self, grace_s: float) -> None:
        """Stop squads, the narrator, the world, then who looks back; by force after ``grace_s``."""
        if self._at_once.is_set():
            grace_s = 0.0
        await self.crew.quit(grace_s)
        await self._narrator.quit(min(grace_s, NARRATOR_GRACE_S))
        if self.world is not None and not await self.world.keeper.quit(grace_s):
            self._parts.logbook.write("killed", child=self.world.keeper.name)
        # After the world, so that the index holds the whole run.
        await self.past.quit(grace_s)

    async def aclose(self) -> None:
        """End what is left of the hub's own tasks, and children that still live."""
        await self.end_children(0.0)
        self.readers.close()
        if self._pacer is not None:
            self._pacer.cancel()
            await asyncio.gather(self._pacer, return_exceptions=True)
        if self.world is not None:
            await self.world.aclose()

    def summary(self) -> Summary:
        """Return the summary as it stands."""
        planned = self._spec.duration_s is not None
        figures = self.fold.figures(self.at_s, tuple(self._trouble), planned=planned)
        return build_summary(figures, self._judge.thresholds)

    # --- the service -------------------------------------------------------

    async def command(self, command: Command, console: int) -> Reply:
        """See ``EngineService.command``."""
        at_s = self.at_s
        self._state = msgspec.structs.replace(self._state, policies=self.fold.policies.views)
        step = reducer.reduce(self._state, command, at_s, console)
        self._state, reply = step.state, step.reply
        self._carry_out(step.effects)
        self._advance(at_s)
        if isinstance(command, SetPolicy) and reply.ok:
            reply = await governed(self.orders, command.change)
            if reply.ok:
                self._tell("policy", reply.text)
        if isinstance(command, Lease):
            self.fold.console.take(command.cost)
        else:
            self._parts.telemetry.command(at_s, console, command, reply)
            self._parts.logbook.write(
                "command",
                at_s=round(at_s, 3),
                console=console,
                command=msgspec.to_builtins(command),
                reply=reply.text,
                ok=reply.ok,
            )
        return reply

    async def answer(self, query: Query) -> Answer:
        """See ``EngineService.answer``."""
        return await self._answers.answer(query)

    def console_came(self, console: int) -> None:
        """See ``EngineService.console_came``."""
        self._state = reducer.console_came(self._state, console, self.at_s)
        self._parts.logbook.write("console came", console=console)

    def console_left(self, console: int) -> None:
        """See ``EngineService.console_left``."""
        self._state = reducer.console_left(self._state, console, self.at_s)
        self._parts.logbook.write("console left", console=console)

    # --- children ----------------------------------------------------------

    def _keepers(self) -> list[Keeper]:
        keepers = [*self.crew.keepers, self._narrator.keeper, *self.past.keepers]
        return keepers if self.world is None else [*keepers, self.world.keeper]

    def _post_order(self, order: Asked) -> bool:
        return self.world is not None and self.world.keeper.post(order)

    def _url(self) -> str:
        return self._spec.scenario.target.url if self.world is None else self.world.url

    def _from_squad(self, report: SquadReport) -> None:
        self.fold.take_squad(report, self.at_s)
        tally = self.fold.tally
        if not self._state.manual and len(tally.squads) == self._spec.squads:
            self._state = msgspec.structs.replace(self._state, target=tally.now("target"))

    def _squad_gone(self, squad: int, why: str) -> None:
        self.fold.tally.gone(squad)
        self.fold.outages.lost(f"squad {squad}", self.at_s, why)

    def _missed_orders(self) -> tuple[Struct, ...]:
        """Return what a squad that came back missed: the time, the load, the armed faults."""
        state, at_s = self._state, self.at_s
        load = SetLoad(state.target if state.manual else None, state.commands_per_s)
        armed = [
            squad_fault(fault, left_s)
            for fault in state.armed
            if fault.side == "players" and (left_s := fault.armed_at_s + fault.hold_s - at_s) > 0
        ]
        return (Go(at_s), load, *armed)

    def _broken(self, why: str, code: ExitCode) -> None:
        self._trouble.append(Trouble(why, int(code)))
        self._tell("problem", why, bad=True)
        if not self._over.is_set():
            self.stop(why)

    # --- effects and the feed ----------------------------------------------

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Load():
                    self.crew.post(SetLoad(effect.players, effect.commands_per_s))
                case Arm():
                    self.fold.armed(effect.fault)
                    self.harm.begin(effect.fault)
                    if effect.fault.side == "players":
                        self.crew.post(squad_fault(effect.fault, effect.fault.hold_s))
                case Disarm():
                    self.fold.faults.cleared(effect.fault)
                    self.harm.revert(effect.fault)
                    if effect.fault.side == "players":
                        self.crew.post(SquadClear(effect.fault.id))
                case Tell():
                    self._tell(effect.kind, effect.text, bad=effect.bad)
                case Finish():
                    self._over.set()

    def problem(self, text: str) -> None:
        """Tell of something that is wrong, and that the run survives."""
        self._tell("problem", text, bad=True)

    def _tell(self, kind: NoticeKind, text: str, *, bad: bool = False) -> None:
        notice = Notice(round(self.at_s, 3), kind, text, bad)
        self._parts.publish(notice)
        self._parts.telemetry.note(notice)
        self._parts.logbook.write("notice", at_s=notice.at_s, kind=kind, text=text, bad=bad)

    def _remark(self, remarks: Iterable[Remark]) -> None:
        for remark in remarks:
            self._tell(remark.kind, remark.text, bad=remark.bad)

    async def _pace(self) -> None:
        clock, period_s = self._parts.clock, 1.0 / SNAPSHOTS_PER_S
        next_s = clock()
        while True:
            next_s += period_s
            now_s = clock()
            if now_s - next_s > 1.0:
                next_s = now_s  # the process was stopped for a while: no burst of beats
            await asyncio.sleep(max(0.0, next_s - now_s))
            self._beat()

    def _beat(self) -> None:
        at_s = self.at_s
        self._advance(at_s)
        self._remark(self.fold.look(at_s))
        while self._second < int(at_s):
            self._close_second(self._second)
            self._second += 1
        if self._phase in {"ramping", "running"}:
            ramp = any(report.stage.startswith("ramp") for report in self.fold.tally.squads)
            self._phase = "ramping" if ramp and not self._state.manual else "running"
        field = self._field(_FIELD)
        if field is not None:
            self.fold.take_field(field[1])
        snapshot = self.fold.snapshot(self._state, self._phase, at_s, self._judge.now)
        self._parts.publish(snapshot)

    def _advance(self, at_s: float) -> None:
        """Do what time asks for; also right after a command, whose fault may be over at once."""
        step = reducer.advance(self._state, at_s)
        self._state = step.state
        self._carry_out(step.effects)

    def _close_second(self, second: int) -> None:
        row, remarks = self.fold.close_second(second)
        self._remark(remarks)
        self._judge.second(second, self.summary)
        telemetry = self._parts.telemetry
        telemetry.second(row)
        for fault in self.fold.faults.views(self.fold.tally):
            telemetry.fault(fault)
        for outage in self.fold.outages.views():
            telemetry.outage(outage)
        telemetry.flush()
        if second % _SPACE_EVERY_S == 0 and self._parts.capsule.free_bytes() < FREE_BYTES_MIN:
            self._tell("problem", "the disk of the runs folder is almost full", bad=True)

    def _field(self, names: tuple[str, ...]) -> tuple[int, dict[str, Any]] | None:
        return None if self.world is None else self.world.field(names)

    def _last_field(self, names: tuple[str, ...]) -> tuple[int, dict[str, Any]] | None:
        return None if self.world is None else self.world.last_field(names)

    async def _look_into(self, number: int) -> PlayerView | None:
        return await self.crew.ask_player(number)

    def _note_failure(self, task: "asyncio.Task[None]") -> None:
        problem = None if task.cancelled() else task.exception()
        if problem is None:
            return
        told = "".join(traceback.format_exception(problem))
        self._parts.logbook.write("failure", traceback=told)
        text = f"a fault of our own: {type(problem).__name__}: {problem}"
        self._trouble.append(Trouble(text, int(ExitCode.OWN_FAULT)))
