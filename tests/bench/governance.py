"""What each policy costs a command, the audit a row, and a user's policy a call."""

import time
from collections.abc import Callable

import numpy as np

from engine.extend import Asked, Look, Verdict, deny, policy
from engine.protocol.limits import NPC_ID_BASE, ORDER_SEQ_BASE, PLAYER_ID_BASE
from engine.protocol.policy import PolicyChange
from engine.store.compression import Codec
from engine.world.arrays import Array
from engine.world.audit import DENY, MUTATE, AuditBlock
from engine.world.governance import Docket, Part, ask, govern
from engine.world.hearing import Hearing
from engine.world.inputs import INTENT_DTYPE, NARRATOR, TickInputs
from engine.world.orders import ATTACK, GATHER, MOVE, SAY, TRADE, sort_orders
from engine.world.standing import Standing
from engine.world.world import World, WorldConfig
from tests.bench.base import Bench, Figure, at_most, told

COMMANDS = 10_000
REPEATS = 30
NPCS = 200
TEXT = {"chat-filter", "sanity"}
"""Policies that look at what is said, one text after another."""
SAYINGS = ("Anyone seen the river?", "There is ore behind that ridge.", "Stay off the north road")


def _crowd() -> World:
    """Players in pairs on a line, each within reach of the other, in their hundredth tick."""
    world = World.create(WorldConfig(seed=7, npcs=NPCS, nodes=400, capacity=20_000))
    world.step(TickInputs.of(joins=[(PLAYER_ID_BASE + n, f"player-{n}") for n in range(COMMANDS)]))
    state = world.state
    rows = np.arange(state.count)
    state.place(rows, 4_000 + rows // 2 * 5, 4_000 + rows // 2 * 5)
    nodes = rows[:400]
    players = state.rows_of(PLAYER_ID_BASE + nodes * (COMMANDS // 400))
    state.place(nodes, state.x[players].astype(np.int64), state.y[players].astype(np.int64))
    state.goods[rows] = 50
    state.spawned_ms[rows] = 0
    for _ in range(99):
        world.tick += 1
    return world


def _inputs(world: World) -> TickInputs:
    """One command of every player: what an honest crowd does, with a text in 3 of 100."""
    random = np.random.default_rng(7)
    intents = np.zeros(COMMANDS, INTENT_DTYPE)
    number = np.arange(COMMANDS)
    intents["player"] = PLAYER_ID_BASE + number
    intents["seq"] = 1
    intents["kind"] = random.choice(6, COMMANDS, p=[0.55, 0.15, 0.12, 0.05, 0.03, 0.10])
    rows = world.state.rows_of(intents["player"].astype(np.int64))
    for axis in ("x", "y"):
        intents[axis] = world.state.columns[axis][rows] + random.integers(-100, 101, COMMANDS)
    intents["target"] = PLAYER_ID_BASE + (number ^ 1)
    gathers = intents["kind"] == GATHER
    intents["target"][gathers] = 1 + number[gathers] * 400 // COMMANDS
    intents["amount"] = np.where(random.random(COMMANDS) < 0.5, 1, -1)
    said = np.flatnonzero(intents["kind"] == SAY).tolist()
    return TickInputs(intents, {row: SAYINGS[row % len(SAYINGS)] for row in said})


def _hearing(world: World, inputs: TickInputs) -> Hearing:
    orders = sort_orders(world.state, inputs)
    return Hearing(world.state, orders, world.tick, world.tick * 100, 100, dict(inputs.texts))


def _best_us(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times) * 1e6


def _each_policy(world: World, inputs: TickInputs) -> dict[str, Figure]:
    """In their order over one batch, as in a tick: who comes first pays for what all share."""
    standing = Standing(world.governor.policies)
    # As small as that it has to count who is where.
    standing.change(PolicyChange("zone-capacity", params={"entities_max": 5000}), 0)
    docket = Docket(standing)
    benches = (*docket.at_once.benches, *docket.by_round.benches)
    best = dict.fromkeys((bench.name for bench in benches), float("inf"))
    whole = float("inf")
    for _ in range(REPEATS):
        hearing = _hearing(world, inputs)
        ruling = govern(docket.fixed, hearing, {})
        hearing = _hearing(world, inputs)
        begun_all = time.perf_counter()
        for bench in benches:
            begun = time.perf_counter()
            ask(bench, hearing, ruling)
            best[bench.name] = min(best[bench.name], time.perf_counter() - begun)
        whole = min(whole, time.perf_counter() - begun_all)
    figures = {}
    for name, seconds in best.items():
        us = seconds * 1e6 / COMMANDS
        key = f"{name.replace('-', '_')}_us_per_command"
        figures[key] = told(us, "µs") if name in TEXT else at_most(us, 0.05, "µs")
    figures["thirteen_policies_us_per_command"] = told(whole * 1e6 / COMMANDS, "µs")
    return figures


def _denials(world: World, inputs: TickInputs) -> dict[str, Figure]:
    """Everybody attacks from afar: the reason of each denial in words."""
    intents = inputs.intents.copy()
    intents["kind"] = ATTACK
    intents["target"] = np.roll(intents["target"], 1000)
    docket = Docket(Standing(world.governor.policies))
    hearings = [_hearing(world, TickInputs(intents)) for _ in range(REPEATS)]
    denied = govern(docket.by_round, hearings[0], {}).verdict == DENY
    spent = []
    for hearing in hearings[1:]:
        begun = time.perf_counter()
        govern(docket.by_round, hearing, {})
        spent.append(time.perf_counter() - begun)
    return {"denial_us_per_row": told(min(spent) * 1e6 / int(denied.sum()), "µs")}


def _directives(world: World) -> dict[str, Figure]:
    """Every entity is sent for a walk by the narrator, a third of them beyond what it may."""
    intents = np.zeros(COMMANDS, INTENT_DTYPE)
    number = np.arange(COMMANDS)
    intents["player"] = NPC_ID_BASE + number % NPCS
    intents["seq"] = ORDER_SEQ_BASE + 1 + number
    intents["kind"] = np.where(number % 3 == 0, ATTACK, MOVE)
    rows = world.state.rows_of(intents["player"].astype(np.int64))
    for axis in ("x", "y"):
        intents[axis] = world.state.columns[f"home_{axis}"][rows]
    intents["role"] = NARRATOR
    docket = Docket(Standing(world.governor.policies))
    (bench,) = (b for b in docket.by_round.benches if b.name == "directive-scope")
    best = float("inf")
    for _ in range(REPEATS):
        hearing = _hearing(world, TickInputs(intents))
        ruling = govern(Part(()), hearing, {})
        begun = time.perf_counter()
        ask(bench, hearing, ruling)
        best = min(best, time.perf_counter() - begun)
        assert int((ruling.verdict == DENY).sum()) == len(range(0, COMMANDS, 3))
    return {"directive_scope_us_per_directive": at_most(best * 1e6 / COMMANDS, 2, "µs")}


def _audit(world: World, kinds: Array) -> dict[str, Figure]:
    random = np.random.default_rng(7)
    verdict = random.choice(3, COMMANDS, p=[0.9, 0.08, 0.02]).astype(np.uint8)
    policy = np.full(COMMANDS, 255, np.uint8)
    policy[verdict > 0] = random.integers(0, 13, int((verdict > 0).sum()))
    assert {0, DENY, MUTATE} == set(verdict.tolist())
    table = Docket(Standing(world.governor.policies)).table
    block = AuditBlock(table.version, verdict, policy, None, table)
    data = block.to_log()
    return {
        "audit_to_log_us_per_row": told(_best_us(block.to_log) / COMMANDS, "µs"),
        "audit_from_log_us_per_row": told(
            _best_us(lambda: AuditBlock.from_log(data).evaluated(kinds, table)) / COMMANDS, "µs"
        ),
        "audit_bytes_per_intent": at_most(len(Codec().pack(data)) / COMMANDS, 2, "bytes"),
    }


@policy("no-dragons", kinds=("trade",), priority=50)
def _no_dragons(intent: Asked, world: Look) -> Verdict | None:
    if world.target is not None and world.target.gold > 10**9:
        return deny("dragons do not trade")
    return None


def _user_policy(world: World, inputs: TickInputs) -> dict[str, Figure]:
    docket = Docket(Standing([_no_dragons]))
    hearing = _hearing(world, inputs)
    rows = len(hearing.rows(TRADE))
    us = _best_us(lambda: govern(docket.by_round, hearing, {}))
    return {"user_policy_us_per_call": at_most(us / rows, 2, "µs")}


def _run() -> dict[str, Figure]:
    world = _crowd()
    inputs = _inputs(world)
    return {
        **_each_policy(world, inputs),
        **_denials(world, inputs),
        **_directives(world),
        **_audit(world, inputs.intents["kind"]),
        **_user_policy(world, inputs),
    }


BENCH = Bench("governance", _run)
