"""The hub's post at the narrator: its keeper. A run without its narrator is still a run."""

import asyncio

from msgspec import Struct

from engine.hub.keeper import Keeper, Owner, Ready
from engine.hub.logbook import Logbook
from engine.hub.placement import Placement
from engine.hub.story import Story
from engine.hub.worldpost import Teller
from engine.protocol.child import NarratorSpec
from engine.protocol.errors import UserError
from engine.protocol.spec import RunSpec


class NarratorPost:
    """Keeps the narrator, beside everything else: nothing waits for it.

    Args:
        spec: The run; without ``warbler`` there is no narrator, nor in one process.
        placement: Where it runs.
        logbook: The engine's log.
        story: Told how the narrator is.
        tell: Publishes a notice.

    Attributes:
        keeper: Starts it, and starts it again.
    """

    def __init__(
        self, spec: RunSpec, placement: Placement, logbook: Logbook, story: Story, tell: Teller
    ) -> None:
        self._run = spec.run
        self._seed = spec.scenario.seed
        # The engine does not know the narrator's code, so it cannot be a task of its own process.
        self._wanted = spec.warbler and not placement.in_process
        self._logbook = logbook
        self._story = story
        self._tell = tell
        self._admin_url = ""
        self._token = ""
        self._starting: asyncio.Task[None] | None = None
        owner = Owner(
            spec=lambda: NarratorSpec(self._run, self._seed, self._admin_url, self._token),
            ready=self._ready,
            message=self._heard,
            lost=self._lost,
            broken=self._broken,
            heard=lambda line: logbook.write("child", child="narrator", line=line),
        )
        self.keeper = Keeper("narrator", "the narrator", placement, owner)

    def start(self, admin_url: str, token: str) -> None:
        """Begin to start the narrator; returns at once, and nothing happens a second time.

        Args:
            admin_url: Where the admin API listens.
            token: What it wants to see before it takes a beat.
        """
        if not self._wanted or self._starting is not None:
            return
        self._admin_url, self._token = admin_url, token
        self._story.narrator = "starting"
        self._starting = asyncio.create_task(self._start(), name="narrator-start")

    async def quit(self, grace_s: float) -> None:
        """Stop it in order, by force after ``grace_s``; safe to call again."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if not await self.keeper.quit(grace_s):
            self._logbook.write("killed", child=self.keeper.name)

    async def _start(self) -> None:
        try:
            await self.keeper.start()
        except UserError as problem:
            self._broken(problem.message)

    async def _ready(self, _: Ready, again: bool) -> None:
        self._story.narrator = "telling"
        if again:
            self._tell("child_back", "the narrator is back")

    def _heard(self, message: Struct) -> None:
        self._logbook.write("child", child="narrator", line=f"said {type(message).__name__}")

    def _lost(self, why: str) -> None:
        self._story.narrator = "gone"
        self._tell("child_lost", f"the narrator is gone: {why}", bad=True)

    def _broken(self, why: str) -> None:
        self._story.narrator = "gone"
        text = f"there will be no more stories: {why}; the run goes on"
        self._tell("problem", text, bad=True)
