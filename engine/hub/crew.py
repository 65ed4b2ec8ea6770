"""``Crew``: the run's squads, kept and told together."""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from engine.hub.keeper import Keeper, Owner, Ready
from engine.hub.logbook import Logbook
from engine.hub.placement import Placement
from engine.hub.plan import squad_spec
from engine.hub.worldpost import Teller
from engine.protocol.child import AskPlayer, PlayerTold, SquadReport
from engine.protocol.errors import ExitCode
from engine.protocol.limits import ASK_PLAYER_S_MAX
from engine.protocol.query import PlayerView
from engine.protocol.spec import RunSpec


class CrewOwner(Struct):
    """What a crew asks and tells the hub.

    Attributes:
        url: Where the players connect now.
        report: A squad has reported.
        gone: A squad has died, and why.
        back: A squad runs again.
        catch_up: What a squad that came back must be told, in order.
        tell: Publishes a notice.
        broken: A squad cannot be kept.
    """

    url: Callable[[], str]
    report: Callable[[SquadReport], None]
    gone: Callable[[int, str], None]
    back: Callable[[int], None]
    catch_up: Callable[[], tuple[Struct, ...]]
    tell: Teller
    broken: Callable[[str, ExitCode], None]


class Crew:
    """Keeps every squad.

    Args:
        spec: The run.
        placement: Where squads run.
        logbook: The engine's log.
        owner: See ``CrewOwner``.
    """

    def __init__(
        self, spec: RunSpec, placement: Placement, logbook: Logbook, owner: CrewOwner
    ) -> None:
        self._spec = spec
        self._placement = placement
        self._logbook = logbook
        self._owner = owner
        self._questions = 0
        self._asked: dict[int, tuple[int, asyncio.Future[PlayerView | None]]] = {}
        self.keepers = [self._keeper(squad) for squad in range(spec.squads)]

    async def start(self) -> None:
        """Start every squad, side by side.

        Raises:
            UserError: One could not start.
        """
        starts = [asyncio.create_task(squad.start(), name="start") for squad in self.keepers]
        try:
            await asyncio.wait(starts, return_when=asyncio.FIRST_EXCEPTION)
            for start in starts:
                if start.done():
                    start.result()
        finally:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)

    def post(self, message: Struct) -> None:
        """Tell every squad; one that does not read is told of."""
        for squad in self.keepers:
            if not squad.post(message) and squad.pid:
                text = f"{squad.name} does not read: {type(message).__name__} was dropped"
                self._owner.tell("problem", text, bad=True)

    async def ask_player(self, number: int) -> PlayerView | None:
        """Return what a squad tells of one of its players.

        None when it never opened that player, is gone, or is silent for ``ASK_PLAYER_S_MAX``.
        """
        squad = number % len(self.keepers)
        self._questions += 1
        question = self._questions
        told: asyncio.Future[PlayerView | None] = asyncio.get_running_loop().create_future()
        if not self.keepers[squad].post(AskPlayer(question, number)):
            return None
        self._asked[question] = (squad, told)
        try:
            async with asyncio.timeout(ASK_PLAYER_S_MAX):
                return await told
        except TimeoutError:
            return None
        finally:
            del self._asked[question]

    async def quit(self, grace_s: float) -> None:
        """Stop every squad in order, by force after ``grace_s``."""
        done = await asyncio.gather(*(squad.quit(grace_s) for squad in self.keepers))
        for squad, in_order in zip(self.keepers, done, strict=True):
            if not in_order:
                self._logbook.write("killed", child=squad.name)

    def _keeper(self, squad: int) -> Keeper:
        name = f"squad {squad}"
        hub = self._owner

        async def ready(_: Ready, again: bool) -> None:
            if again:
                for message in hub.catch_up():
                    self.keepers[squad].post(message)
                hub.back(squad)
                hub.tell("child_back", f"{name} is back")

        def lost(why: str) -> None:
            hub.gone(squad, why)
            for asked, told in self._asked.values():
                if asked == squad and not told.done():
                    told.set_result(None)
            hub.tell("child_lost", f"{name} is gone: {why}", bad=True)

        owner = Owner(
            spec=lambda: squad_spec(self._spec, squad, hub.url()),
            ready=ready,
            message=self._take,
            lost=lost,
            broken=lambda why: hub.broken(why, ExitCode.OWN_FAULT),
            heard=lambda line: self._logbook.write("child", child=name, line=line),
        )
        return Keeper("squad", name, self._placement, owner)

    def _take(self, message: Struct) -> None:
        if isinstance(message, SquadReport):
            self._owner.report(message)
        elif isinstance(message, PlayerTold) and message.id in self._asked:
            told = self._asked[message.id][1]
            if not told.done():
                told.set_result(message.player)
