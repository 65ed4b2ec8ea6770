"""One entity with its recent events, a virtual player with its socket; what it was found by."""

import asyncio
from typing import TYPE_CHECKING, Final

from console.copying import copy_text
from console.items import Say
from console.lines import Line, clean, fit, plain
from console.screens.overlay import Overlay
from console.select import drill
from console.select.outage import down
from console.widgets.frame import frame
from engine.link.base import EngineLink, LinkClosed
from engine.protocol.audit import PoliciesAnswer, PoliciesQuery, PolicyRow
from engine.protocol.events import Event, entity_name
from engine.protocol.feed import ViolationRow
from engine.protocol.limits import ACKS_REMEMBERED_MAX
from engine.protocol.query import EntityAnswer, EntityQuery, Refused
from engine.protocol.story import Beat

if TYPE_CHECKING:
    from console.app import StormApp

WIDTH: Final = 76
WIDE: Final = 110
"""From here on events stand beside the rest."""
WIDTH_MAX: Final = 150
EVENTS: Final = 40
AGAIN_S: Final = 1.0
COPIED_ROWS: Final = 60


class DrillScreen(Overlay[None]):
    """Asks the engine once a second while the view is live; what is left out can be scrolled to.

    Args:
        storm: The app.
        entity: Whom to look into; None for nobody.
        found_by: The event, the beat or the violation it was found by, if any; shown in full,
            a violation with the policy that found it.
    """

    def __init__(
        self,
        storm: "StormApp",
        entity: int | None,
        found_by: Event | Beat | ViolationRow | None = None,
    ) -> None:
        super().__init__(storm)
        self._entity = entity
        self._found_by = found_by
        self._answer: EntityAnswer | None = None
        self._policy: PolicyRow | None = None
        self._problem = ""
        self._nobody = ""

    def on_mount(self) -> None:
        """Draw, and ask."""
        self.show()
        self.run_worker(self._follow(), exit_on_error=True)

    async def _follow(self) -> None:
        while True:
            if self.storm.model.held is None or not self._is_told:
                await self._ask()
                self.show()
            await asyncio.sleep(AGAIN_S)

    async def _ask(self) -> None:
        link, found_by = self.storm.link, self._found_by
        if self._entity is None:
            about_beat = isinstance(found_by, Beat)
            did = (
                "nobody in particular is in this beat"
                if about_beat
                else "the world itself did this"
            )
            self._nobody = did
        if self._entity is None and not isinstance(found_by, ViolationRow):
            return
        if link is None:
            self._problem = "there is no engine to ask"
            return
        try:
            if isinstance(found_by, ViolationRow):
                await self._ask_policy(link, found_by.policy)
            if self._entity is None:
                return
            answer = await link.ask(EntityQuery(self._entity, EVENTS))
        except LinkClosed as problem:
            self._problem = str(problem)
            return
        if isinstance(answer, EntityAnswer):
            self._answer, self._problem = answer, ""
        elif isinstance(answer, Refused):
            self._problem = answer.message

    async def _ask_policy(self, link: EngineLink, name: str) -> None:
        """Learn how a policy stands; what broke an invariant was none."""
        found = await link.ask(PoliciesQuery())
        if isinstance(found, PoliciesAnswer):
            self._policy = next((row for row in found.rows if row.policy.name == name), None)

    def draw(self, width: int, height: int) -> list[Line]:
        """See ``Overlay.draw``."""
        wide = min(width, WIDTH)
        if self._answer is not None and width >= WIDE:
            wide = min(width - 4, WIDTH_MAX)
        lines = self._lines(wide - 4, height - 2)
        shown = self.in_sight(lines, height)
        note: Line = (
            (self.storm.keymap.key("chain"), "key"), (" why  ", "dim"),
            ("esc", "key"), (" back", "dim"),
        )  # fmt: skip
        if len(lines) > len(shown):
            note = (("↑ ↓", "key"), (" more  ", "dim"), *note)
        if self.storm.model.held is not None:
            note = (("‖ frozen  ", "alarm"), *note)
        return frame(shown, wide, len(shown) + 2, self._whom(), note, focused=True)

    def press(self, key: str) -> None:
        """See ``Overlay.press``."""
        action = self.storm.keymap.action(key)
        if self.scroll(action):
            return
        if action == "freeze":
            self.storm.act(action)
        elif action == "chain":
            self._explain()
        elif action == "copy":
            text = "\n".join(plain(line).rstrip() for line in self._lines(WIDTH, COPIED_ROWS))
            copy_text(self.storm, f"{self._whom()}\n{text}", "what is shown")
        elif key in {"escape", "enter", "q", "ctrl+c"}:
            self.dismiss(None)

    def _explain(self) -> None:
        """Open the chain of what led here, else of the entity's newest event."""
        from console.screens.chain import ChainScreen  # it opens this screen in its turn

        found_by, seq = self._found_by, 0
        if isinstance(found_by, Event | ViolationRow):
            seq = found_by.seq
        elif isinstance(found_by, Beat) and found_by.events:
            seq = found_by.events[-1]
        elif self._answer is not None and self._answer.events:
            seq = self._answer.events[-1].seq
        if seq:
            self.storm.push_screen(ChainScreen(self.storm, seq))
        else:
            self.storm.deliver([Say("no event of it is known", True)])

    @property
    def _is_told(self) -> bool:
        return bool(self._answer or self._problem or self._nobody)

    def _lines(self, inner: int, rows: int) -> list[Line]:
        if self._answer is not None and inner >= WIDE - 8:
            return self._beside(self._answer, inner, rows)
        lines = self._head(inner)
        if self._answer is None:
            return lines if self._is_told else [*lines, (("asking…", "dim"),)]
        return self._below(self._answer, lines, inner, rows)

    def _whom(self) -> str:
        if self._entity is not None:
            return entity_name(self._entity)
        if isinstance(self._found_by, Event):
            return "Event"
        return "Violation" if isinstance(self._found_by, ViolationRow) else "Story"

    def _head(self, inner: int) -> list[Line]:
        """Return what led here, and what went wrong."""
        lines: list[Line] = []
        if isinstance(self._found_by, Event):
            lines += [*drill.event_lines(self._found_by, inner), ()]
        elif isinstance(self._found_by, ViolationRow):
            lines += [*drill.violation_lines(self._found_by, self._policy, inner), ()]
        elif self._found_by is not None:
            lines += [*drill.told_lines(self._found_by, inner), ()]
        if self._problem:
            lines.append(((f"▲ {clean(self._problem)}", "bad"),))
        elif self._nobody:
            lines.append(((self._nobody, "dim"),))
        return lines

    def _about(self, answer: EntityAnswer, inner: int, roomy: bool) -> list[Line]:
        model = self.storm.model
        outage = down(model)
        world_down = outage is not None and outage[0].child == "world"
        lines = drill.state_lines(answer, world_down, roomy)
        if drill.is_virtual(answer.row.id):
            snapshot = model.live.snapshot
            lines += [(), drill.heading("socket", inner)]
            lines += drill.socket_lines(answer.player, snapshot, roomy)
        return lines

    def _below(self, answer: EntityAnswer, lines: list[Line], inner: int, rows: int) -> list[Line]:
        """Return everything in one column; answers and events share what room there is."""
        lines = [*lines, *self._about(answer, inner, roomy=False)]
        acks = answer.player.acks if answer.player is not None else ()
        room = max(8, rows - len(lines) - 2)
        if answer.player is not None:
            shown = min(len(acks) + 1, max(5, room - 4 - min(3, len(answer.events))))
            lines += [(), drill.heading("last acknowledgements", inner)]
            lines += drill.ack_lines(acks, inner, shown)
            room -= shown + 2
        lines += [(), drill.heading("recent events", inner)]
        return lines + drill.history_lines(answer.events, max(3, room))

    def _beside(self, answer: EntityAnswer, inner: int, rows: int) -> list[Line]:
        """Return the events beside the rest."""
        each = (inner - 3) * 11 // 20
        other = inner - 3 - each
        mine = [*self._head(each), *self._about(answer, each, roomy=True)]
        if answer.player is not None:
            mine += [(), drill.heading("last acknowledgements", each)]
            mine += drill.ack_lines(answer.player.acks, each, ACKS_REMEMBERED_MAX + 1)
        theirs = [drill.heading("recent events", other)]
        theirs += drill.history_lines(answer.events, max(3, max(len(mine), min(rows, 30)) - 1))
        both = max(len(mine), len(theirs))
        mine += [()] * (both - len(mine))
        theirs += [()] * (both - len(theirs))
        return [
            (*fit(left, each), ("   ", "text"), *fit(right, other))
            for left, right in zip(mine, theirs, strict=True)
        ]
