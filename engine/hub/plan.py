"""What follows from a ``RunSpec`` alone: ports, names, the children's first messages. Pure."""

from msgspec import Struct

from engine.hub.arming import checked_fault, wish_of
from engine.hub.state import HubState, Rules
from engine.protocol.archive import HistorySpec
from engine.protocol.child import SquadSpec, WorldSpec
from engine.protocol.limits import GUESTS_MAX, TICK_INTERVAL_MS
from engine.protocol.manifest import WorldShape
from engine.protocol.policy import PolicyFile
from engine.protocol.query import FaultSpec
from engine.protocol.spec import PolicySource, RunSpec
from engine.stats.thresholds import Threshold, check_threshold, parse_threshold

NODES = 512
_ADMIN_DEFAULT = 8000
_STAT7_DEFAULT = 8765
_GATEWAY_DEFAULT = 8766
HOST = "127.0.0.1"


class WorldPlace(Struct, frozen=True):
    """Where a world is to be found by those that watch it."""

    database: str
    events_socket: str
    shared_memory: str
    secret: bytes
    epoch_ms: int
    folder: str = ""
    policies: tuple[PolicyFile, ...] = ()


def admin_port(port_base: int | None) -> int:
    """Return the admin interface's port: 8000 by default, else the base; base 0 stays free."""
    return _ADMIN_DEFAULT if port_base is None else port_base


def stat7_port(port_base: int | None) -> int:
    """Return STAT7's port: 8765 by default, else the base + 1; base 0 stays free."""
    if port_base is None:
        return _STAT7_DEFAULT
    return port_base + 1 if port_base else 0


def gateway_port(port_base: int | None) -> int:
    """Return the gateway's port: 8766 by default, else the base + 2; base 0 stays free."""
    if port_base is None:
        return _GATEWAY_DEFAULT
    return port_base + 2 if port_base else 0


def shared_memory_name(pid: int, salt: str) -> str:
    """Return the name of a run's shared memory; it tells whose it is."""
    return f"seedstorm-{pid}-{salt}"


def world_shape(spec: RunSpec, policies: tuple[PolicyFile, ...] = ()) -> WorldShape:
    """Return what the world is made from, for its process and for the manifest.

    Args:
        spec: The run.
        policies: Users' policies, as the capsule keeps them.
    """
    return WorldShape(
        seed=spec.scenario.seed,
        npcs=spec.scenario.npcs,
        nodes=NODES,
        capacity=spec.scenario.npcs + NODES + spec.players_max + GUESTS_MAX,
        interval_ms=TICK_INTERVAL_MS,
        policies=policies,
    )


def policy_sources(spec: RunSpec) -> tuple[PolicySource, ...]:
    """Return every user's file with a policy: the scenario's, then those given beside it."""
    own = [
        PolicySource(step.file, step.change.name) for step in spec.scenario.policies if step.file
    ]
    return (*own, *spec.policies)


def world_spec(spec: RunSpec, place: WorldPlace, port: int) -> WorldSpec:
    """Return the world's first message."""
    return WorldSpec(
        shape=world_shape(spec, place.policies),
        epoch_ms=place.epoch_ms,
        gateway_host=HOST,
        gateway_port=port,
        database=place.database,
        events_socket=place.events_socket,
        shared_memory=place.shared_memory,
        secret=place.secret,
        folder=place.folder,
        policies=tuple(step.change for step in spec.scenario.policies),
    )


def history_spec(spec: RunSpec, place: WorldPlace) -> HistorySpec:
    """Return the historian's first message."""
    return HistorySpec(database=place.database, shape=world_shape(spec, place.policies))


def squad_spec(spec: RunSpec, squad: int, url: str) -> SquadSpec:
    """Return a squad's first message."""
    return SquadSpec(
        squad=squad,
        squads=spec.squads,
        seed=spec.scenario.seed,
        url=url,
        players_max=spec.players_max,
        stages=spec.scenario.stages,
        mix=spec.scenario.mix,
        commands_per_s=spec.commands_per_s,
        warm_up_s=spec.scenario.warm_up_s,
        driver=spec.scenario.target.driver,
    )


def first_state(spec: RunSpec, faults: tuple[FaultSpec, ...]) -> HubState:
    """Return the reducer's first state.

    Raises:
        UserError: A fault of the schedule is wrong.
    """
    rules = Rules(
        players_max=spec.players_max,
        duration_s=spec.duration_s,
        on_disconnect=spec.on_disconnect,
        unattended_s_max=spec.unattended_s_max,
        seed=spec.scenario.seed,
        archetypes=tuple(spec.scenario.mix),
        faults={fault.name: fault for fault in faults},
    )
    for step in spec.scenario.faults:
        checked_fault(wish_of(step), rules.faults, rules.archetypes)
    schedule = tuple(sorted(spec.scenario.faults, key=lambda step: step.at_s))
    return HubState(rules, target=0, commands_per_s=spec.commands_per_s, schedule=schedule)


def thresholds(spec: RunSpec) -> tuple[Threshold, ...]:
    """Return every threshold of the run.

    Raises:
        UserError: One is wrong.
    """
    own = [check_threshold(metric, text) for metric, text in spec.scenario.thresholds.items()]
    return (*own, *(parse_threshold(text) for text in spec.thresholds))
