"""World, players and faults on one clock and one seed.

The world's process is the real shell over the real gateway, sessions, inbox and store; the
players are a real squad. Only time, the network and the process are simulated: the shell's
coroutine is driven by hand, and a crash is an exception that nothing catches.
"""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

import structlog
from blake3 import blake3

from engine.protocol.child import EventBatch, WorldOrderDone, WorldSpec
from engine.protocol.errors import UserError
from engine.protocol.gateway import Ack, Welcome, server_decoder
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.manifest import WorldShape
from engine.protocol.policy import WorldPolicyDone
from engine.server.serve import assemble
from engine.server.shell import Parts, WorldShell
from engine.store.base import TickRecord
from engine.store.policyfiles import config_of
from engine.world.interest import TICK_OFFSET
from tests.sim.auditor import Broken
from tests.sim.clients import Heckler, make_squad
from tests.sim.disk import Crash, Disk, FaultyStore, FileDisk, MemoryDisk
from tests.sim.evidence import (
    AckSeen,
    BatchSeen,
    Evidence,
    Start,
    UpdateSeen,
    WelcomeSeen,
)
from tests.sim.network import Line, Network
from tests.sim.plan import Plan
from tests.sim.timeline import Over, Timeline
from tests.sim.trouble import Trouble

INTERVAL_S = 0.1
CHECKPOINT_TICKS = 40
"""More often than in earnest, so that short lives have some, too."""
SETTLE_S = 15.0
"""At the end nothing fails any more and nothing new is asked: everything is answered by then."""
_UPDATE: Final = b"\xa4type\xa5delta"


class _Channel:
    """The hub's channel, as far as the shell posts to it."""

    def __init__(self, posted: Callable[[object], None]) -> None:
        self._posted = posted

    def post(self, message: object) -> bool:
        self._posted(message)
        return True


class Simulation:
    """One run.

    Args:
        plan: What is simulated.
        folder: For a log in files.

    Attributes:
        evidence: What was seen.
        counts: What happened, by name: so that a test can see that something did.
        parts: The world's, while it lives.
    """

    def __init__(self, plan: Plan, folder: Path | None = None) -> None:
        self.plan = plan
        self.timeline = Timeline()
        self.counts: Counter[str] = Counter()
        self.network = Network(self.timeline, Random(f"network {plan.seed}"), self._overhear)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.disk: Disk
        if plan.on_files:
            if folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="seedstorm-sim-")
                folder = Path(self._folder.name)
            self.disk = FileDisk(folder)
        else:
            self.disk = MemoryDisk()
        self._spec = WorldSpec(
            shape=WorldShape(
                seed=plan.seed,
                npcs=plan.npcs,
                nodes=plan.nodes,
                capacity=plan.npcs + plan.nodes + plan.players + 40,
                interval_ms=round(INTERVAL_S * 1000),
            ),
            epoch_ms=0,
            gateway_host="127.0.0.1",
            gateway_port=0,
            database="",
            events_socket="",
            shared_memory="",
            secret=b"simulated",
            checkpoint_ticks=CHECKPOINT_TICKS,
        )
        config = config_of(self._spec.shape, Path())
        honest = frozenset(PLAYER_ID_BASE + number for number in range(plan.players))
        self._inner = self.disk.open()
        self.store = FaultyStore(self._inner, self.timeline, self.disk, self._stored)
        self.evidence = Evidence(config, self._inner, honest)
        self.parts: Parts | None = None
        self.squad, self._wires = make_squad(
            self.network,
            Random(f"wires {plan.seed}"),
            seed=plan.seed,
            players=plan.players,
            rate=plan.rate,
            twice=0.02,
            mix=plan.mix,
        )
        self._hecklers = [
            Heckler(self.network, Random(f"heckler {plan.seed} {n}"), f"heckler {n}", 0.3)
            for n in range(plan.hecklers)
        ]

        self.trouble = Trouble(self, self.counts)

    @property
    def durable(self) -> int:
        """Newest tick that is in the log for good."""
        return self.store.durable

    def run(self) -> Evidence:
        """Run to the end and return what was seen."""
        ends_s = self.plan.ticks * INTERVAL_S
        self.trouble.begin(ends_s)
        self.timeline.at(ends_s, self._settle)
        self.timeline.ends_s = ends_s + SETTLE_S
        while self._live():
            self.counts["lives"] += 1
        self.evidence.log = self._inner
        self.evidence.acknowledged_lost = self.squad.tally.acknowledged_lost
        return self.evidence

    def close(self) -> None:
        """Close the log and remove its files."""
        self._inner.close()
        if self._folder is not None:
            self._folder.cleanup()

    # --- the world's process ---

    def _live(self) -> bool:
        """Run the world's process to its death; return whether there is time for another."""
        try:
            self._begin_life()
            assert self.parts is not None
            shell = WorldShell(
                self.parts,
                _Channel(self._posted),  # type: ignore[arg-type]  # as much of a channel as it uses
                self.timeline,
                self._restarted,
            )
            self._keep_house(shell)
            ticking = shell._tick_forever()
            try:
                # Nothing in it ever waits for a loop: one step is the whole life.
                ticking.send(None)
            finally:
                ticking.close()
        except Crash:
            self._end_life()
            try:
                self.timeline.run_until(self.timeline.time_s + self.trouble.down_s())
            except Over:
                self._open_log()
                return False
        except Over:
            return False
        return True

    def _begin_life(self) -> None:
        before = self.store.last()
        try:
            parts, recovered = assemble(self._spec, self.store, self.timeline.now_s)
            self._restarted = recovered is not None
        except UserError as problem:
            raise Broken("recovery", problem.message) from problem
        if self._restarted:
            assert before is not None
            stored = next(self.store.ticks(before.tick)).hash
            self.evidence.starts.append(Start(parts.world.tick, parts.world.hash, stored))
        self.parts = parts
        self.network.gateway = parts.gateway

    def _end_life(self) -> None:
        self.network.lose_world()
        self.parts = None
        self.counts[f"crash {self.store.crash_at}"] += 1
        self.trouble.tear()
        self._open_log()

    def _open_log(self) -> None:
        self._inner = self.disk.open()
        full_until_s = self.store.full_until_s
        self.store = FaultyStore(self._inner, self.timeline, self.disk, self._stored)
        self.store.full_until_s = full_until_s

    def _keep_house(self, shell: WorldShell) -> None:
        """Do what the shell does beside its ticks, while this life lasts."""
        parts = self.parts

        def sweep() -> None:
            if self.parts is parts and parts is not None:
                parts.gateway.sweep()
                shell.report()
                self.squad.report(0, 0.0, 0.0)
                self.squad.tally.handed_over()
                self.timeline.after(1.0, sweep)

        self.timeline.after(1.0, sweep)

    def _stored(self, record: TickRecord) -> None:
        self.evidence.hashes[record.tick] = record.hash

    def _posted(self, message: object) -> None:
        if isinstance(message, EventBatch):
            self.evidence.batches.append(BatchSeen(message, self.durable))
        elif isinstance(message, WorldOrderDone):
            self.evidence.orders_done.append(message)
        elif isinstance(message, WorldPolicyDone):
            self.evidence.changes_done.append(message)

    def _overhear(self, line: Line, payload: bytes) -> None:
        durable = self.durable
        if payload[1:12] == _UPDATE:
            tick = int.from_bytes(payload[TICK_OFFSET : TICK_OFFSET + 4], "big")
            self.evidence.updates.append(UpdateSeen(tick, durable))
            return
        message = server_decoder.decode(payload)
        assert line.session is not None
        entity = line.session.entity
        if isinstance(message, Ack):
            if message.tick:
                self.trouble.answered()
            self.evidence.acks.append(AckSeen(entity, line.number, message, durable))
            self.counts[f"ack {message.verdict}"] += 1
        elif isinstance(message, Welcome):
            self.evidence.welcomes.append(WelcomeSeen(entity, message, durable))

    def _settle(self) -> None:
        """Nothing fails any more, and nobody asks for anything new."""
        self.store.full_until_s = 0.0
        self.store.crash_at = ""
        for heckler in self._hecklers:
            heckler.is_quiet = True
        self.squad.drain()


def quiet() -> None:
    """Let the worlds of this process write no log lines."""
    critical = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=critical)


def digest(evidence: Evidence) -> str:
    """Return a hash of all that was seen: the same seed gives the same, on any machine."""
    hasher = blake3()
    for record in evidence.log.ticks():
        hasher.update(record.inputs + record.events + record.audit + record.hash)
    for seen in (evidence.acks, evidence.welcomes, evidence.updates, evidence.starts):
        hasher.update(repr(seen).encode())
    return hasher.hexdigest()[:16]
