"""Reads a scenario from TOML; every mistake becomes one line that names the field."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from engine.protocol.command import ParamValue, Scope
from engine.protocol.durations import parse_duration_s
from engine.protocol.errors import UserError
from engine.protocol.explaining import explain
from engine.protocol.files import check_path, is_handed_over, read_file
from engine.protocol.limits import (
    FAULT_HOLD_S_DEFAULT,
    FAULT_HOLD_S_MAX,
    FAULTS_ARMED_MAX,
    NPCS_MAX,
    PATH_CHARS_MAX,
    POLICIES_PER_WORLD_MAX,
    RUN_NAME_CHARS_MAX,
    SCENARIO_BYTES_MAX,
    SEED_MAX,
    STAGES_MAX,
    THRESHOLDS_MAX,
)
from engine.protocol.policy import (
    PolicyChange,
    PolicyName,
    PolicyParams,
    PolicyScope,
    Priority,
)
from engine.protocol.scenario import (
    DEFAULT_MIX,
    EXECUTORS,
    FaultStep,
    Players,
    PolicyStep,
    Scenario,
    Stage,
    Target,
)
from engine.protocol.text import nearest, printable

DEFAULT_RAMP_S = 10.0
Duration = str | float
Positive = Annotated[float, Meta(ge=0, le=1_000_000)]


class _Section(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class _Population(_Section, frozen=True):
    players: Players = 1000
    mix: Annotated[dict[str, Positive], Meta(max_length=64)] = field(
        default_factory=lambda: dict(DEFAULT_MIX)
    )
    npcs: Annotated[int, Meta(ge=0, le=NPCS_MAX)] = 200


class _Target(_Section, frozen=True):
    url: str = ""
    driver: str = "seed"


class _Stage(_Section, frozen=True):
    executor: str
    to: Players | None = None
    over: Duration | None = None


class _Fault(_Section, frozen=True):
    name: str
    at: Duration
    hold: Duration = FAULT_HOLD_S_DEFAULT
    ramp: Duration = 0.0
    scope: Scope = Scope()
    params: dict[str, ParamValue] = field(default_factory=dict)


class _Policy(_Section, frozen=True):
    name: PolicyName
    enabled: bool | None = None
    priority: Priority | None = None
    params: PolicyParams | None = None
    scope: PolicyScope | None = None
    file: Annotated[str, Meta(max_length=PATH_CHARS_MAX)] = ""


class _File(_Section, frozen=True):
    format: int
    name: Annotated[str, Meta(min_length=1, max_length=RUN_NAME_CHARS_MAX)] = "storm"
    seed: Annotated[int, Meta(ge=0, le=SEED_MAX)] = 7
    warm_up: Duration = 10.0
    target: _Target = _Target()
    population: _Population = _Population()
    stage: Annotated[tuple[_Stage, ...], Meta(max_length=STAGES_MAX)] = ()
    fault: Annotated[tuple[_Fault, ...], Meta(max_length=FAULTS_ARMED_MAX)] = ()
    policy: Annotated[tuple[_Policy, ...], Meta(max_length=POLICIES_PER_WORLD_MAX)] = ()
    thresholds: Annotated[dict[str, str], Meta(max_length=THRESHOLDS_MAX)] = field(
        default_factory=dict
    )


class Known(Struct, frozen=True):
    """The names a scenario may use, and who judges a fault's parameters and a threshold.

    Attributes:
        behaviours: Archetypes for the mix.
        faults: Names of faults.
        check_fault: Takes a fault's name, its parameters and the field they stand in; raises
            ``UserError`` when they do not fit.
        policies: Names of built-in policies.
        check_policy: Takes what is changed in one of those and the field it stands in; raises
            ``UserError`` when that is not allowed.
        check_threshold: Raises ``UserError`` when ``metric`` or ``condition`` is wrong.
    """

    behaviours: tuple[str, ...]
    faults: tuple[str, ...]
    check_fault: Callable[[str, Mapping[str, ParamValue], Scope, str], object]
    check_threshold: Callable[[str, str], object]
    policies: tuple[str, ...] = ()
    check_policy: Callable[[PolicyChange, str], object] = lambda *_: None


def read_scenario(path: Path, known: Known) -> tuple[Scenario, str]:
    """Return the scenario in a file, and the file's text.

    Raises:
        UserError: The file cannot be read or something in it is wrong.
    """
    raw = read_file(path, SCENARIO_BYTES_MAX, str(path), "a TOML file", may_be_pipe=True)
    try:
        text = raw.decode().removeprefix("\ufeff")  # the mark some editors begin a file with
    except UnicodeDecodeError as problem:
        raise UserError(f"{path}: not UTF-8 at byte {problem.start}; save it as UTF-8") from problem
    # A scenario that comes through a pipe names files from where the user stands.
    folder = Path.cwd() if is_handed_over(path) else path.absolute().parent
    return parse_scenario(text, str(path), known, folder), text


def parse_scenario(text: str, where: str, known: Known, folder: Path = Path("/")) -> Scenario:
    """Return the scenario in ``text``.

    Args:
        text: TOML.
        where: Where it came from, named in errors.
        known: The names it may use.
        folder: Where the files that it names are looked for.

    Raises:
        UserError: One line: file, field, what was found, what is allowed.
    """
    if not text.strip():
        raise UserError(f"{where}: empty; a scenario starts with 'format = 1'")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        found = printable(str(problem) or "nested too deeply", 200)
        raise UserError(f"{where}: not TOML: {found}") from problem
    if document.get("format", 1) != 1:
        raise UserError(
            f"{where}: format: found {document['format']!r}; this version reads format 1"
        )
    try:
        file = msgspec.convert(document, _File)
    except msgspec.ValidationError as problem:
        field_, said = explain(problem, document, _File, null=False)
        raise UserError(f"{where}: {field_ or 'scenario'}: {said}") from problem
    try:
        return _checked(file, known, folder)
    except UserError as problem:
        raise UserError(f"{where}: {problem.message}") from problem


def _checked(file: _File, known: Known, folder: Path) -> Scenario:
    if file.target.url:
        raise UserError(
            "target.url: only the embedded world can be driven so far; leave [target] out"
        )
    if file.target.driver != "seed":
        raise UserError(f"target.driver: found {file.target.driver!r}; allowed: seed")
    for archetype in file.population.mix:
        _among(archetype, known.behaviours, f"population.mix.{archetype}")
    if not any(file.population.mix.values()):
        raise UserError("population.mix: every weight is 0; give at least one a weight above 0")
    for metric, condition in file.thresholds.items():
        known.check_threshold(metric, condition)
    return Scenario(
        name=printable(file.name, RUN_NAME_CHARS_MAX),
        seed=file.seed,
        warm_up_s=parse_duration_s(file.warm_up, "warm_up"),
        players=file.population.players,
        mix=file.population.mix,
        npcs=file.population.npcs,
        target=Target(file.target.url, file.target.driver),
        stages=_stages(file),
        faults=tuple(
            _fault(fault, i, known, file.population.mix) for i, fault in enumerate(file.fault)
        ),
        policies=_policies(file.policy, known, folder),
        thresholds=file.thresholds,
    )


def _stages(file: _File) -> tuple[Stage, ...]:
    stages = []
    for index, stage in enumerate(file.stage):
        where = f"stage[{index}]"
        _among(stage.executor, EXECUTORS, f"{where}.executor")
        ramps = stage.executor == "ramping-players"
        over = stage.over if stage.over is not None else (DEFAULT_RAMP_S if ramps else 0.0)
        to = file.population.players if stage.to is None else stage.to
        stages.append(Stage(stage.executor, to, parse_duration_s(over, f"{where}.over")))  # type: ignore[arg-type]  # checked above
    return tuple(stages) or default_stages(file.population.players)


def default_stages(players: int) -> tuple[Stage, ...]:
    """Return what a run does when nobody says otherwise: one ramp, then hold."""
    return (Stage("ramping-players", players, DEFAULT_RAMP_S),)


def _fault(fault: _Fault, index: int, known: Known, mix: Iterable[str]) -> FaultStep:
    where = f"fault[{index}]"
    _among(fault.name, known.faults, f"{where}.name")
    hold_s = parse_duration_s(fault.hold, f"{where}.hold")
    if not 0 < hold_s <= FAULT_HOLD_S_MAX:
        raise UserError(
            f"{where}.hold: found {fault.hold!r}; allowed is above 0 and at most "
            f"{FAULT_HOLD_S_MAX:.0f}s: a fault always ends"
        )
    given = [name for name in Scope.__struct_fields__ if getattr(fault.scope, name) is not None]
    if len(given) > 1:
        raise UserError(f"{where}.scope: found {' and '.join(given)}; allowed is one of them")
    if fault.scope.archetype is not None:
        # As for a fault armed by hand: one that nobody in the mix is would hit nobody.
        _among(fault.scope.archetype, mix, f"{where}.scope.archetype")
    known.check_fault(fault.name, fault.params, fault.scope, where)
    return FaultStep(
        name=fault.name,
        at_s=parse_duration_s(fault.at, f"{where}.at"),
        hold_s=hold_s,
        ramp_s=parse_duration_s(fault.ramp, f"{where}.ramp"),
        scope=msgspec.to_builtins(fault.scope),
        params=fault.params,
    )


def _policies(found: Iterable[_Policy], known: Known, folder: Path) -> tuple[PolicyStep, ...]:
    steps: list[PolicyStep] = []
    for index, policy in enumerate(found):
        where = f"policy[{index}]"
        if policy.name in {step.change.name for step in steps}:
            raise UserError(f"{where}.name: {printable(policy.name, 64)!r} stands here twice")
        change = PolicyChange(
            policy.name, policy.enabled, policy.priority, policy.params, policy.scope
        )
        if policy.file:
            if policy.name in known.policies:
                raise UserError(
                    f"{where}.name: {policy.name!r} is built in; give the one in "
                    f"{printable(policy.file, 80)} another name"
                )
        else:
            _among(policy.name, known.policies, f"{where}.name")
            known.check_policy(change, where)
        file = str(folder / policy.file) if policy.file else ""
        check_path(file, f"{where}.file")
        steps.append(PolicyStep(change, file))
    return tuple(steps)


def _among(name: str, allowed: Iterable[str], where: str) -> None:
    names = list(allowed)
    if name not in names:
        raise UserError(
            f"{where}: found {printable(name, 64)!r}; allowed: {', '.join(names)}"
            f"{nearest(name, names)}"
        )
