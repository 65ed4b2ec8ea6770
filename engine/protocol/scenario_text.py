"""Writes a scenario as TOML that reads back as the same scenario."""

import json

from msgspec import structs

from engine.protocol.scenario import FaultStep, PolicyStep, Scenario

Scalar = str | int | float | bool


def scenario_toml(scenario: Scenario) -> str:
    """Return ``scenario`` as TOML."""
    lines = [
        "format = 1",
        f"name = {_value(scenario.name)}",
        f"seed = {scenario.seed}",
        f"warm_up = {_value(scenario.warm_up_s)}",
    ]
    if scenario.target.url:
        lines += [
            "",
            "[target]",
            f"url = {_value(scenario.target.url)}",
            f"driver = {_value(scenario.target.driver)}",
        ]
    mix = ", ".join(f"{_value(name)} = {_value(share)}" for name, share in scenario.mix.items())
    lines += ["", "[population]", f"players = {scenario.players}"]
    lines += [f"mix = {{ {mix} }}", f"npcs = {scenario.npcs}"]
    for stage in scenario.stages:
        lines += ["", "[[stage]]", f"executor = {_value(stage.executor)}"]
        lines += [f"to = {stage.to}", f"over = {_value(stage.over_s)}"]
    for fault in scenario.faults:
        lines += _fault(fault)
    for policy in scenario.policies:
        lines += _policy(policy)
    if scenario.thresholds:
        lines += ["", "[thresholds]"]
        lines += [
            f"{_value(metric)} = {_value(condition)}"
            for metric, condition in scenario.thresholds.items()
        ]
    return "\n".join(lines) + "\n"


def _fault(fault: FaultStep) -> list[str]:
    lines = ["", "[[fault]]", f"name = {_value(fault.name)}", f"at = {_value(fault.at_s)}"]
    lines += [f"hold = {_value(fault.hold_s)}", f"ramp = {_value(fault.ramp_s)}"]
    for title, table in (("scope", fault.scope), ("params", fault.params)):
        given = {name: value for name, value in table.items() if value is not None}
        if given:
            lines.append(f"[fault.{title}]")
            lines += [f"{_value(name)} = {_value(value)}" for name, value in given.items()]
    return lines


def _policy(step: PolicyStep) -> list[str]:
    change = step.change
    lines = ["", "[[policy]]", f"name = {_value(change.name)}"]
    lines += [f"enabled = {_value(change.enabled)}"] if change.enabled is not None else []
    lines += [f"priority = {change.priority}"] if change.priority is not None else []
    lines += [f"file = {_value(step.file)}"] if step.file else []
    scope = {} if change.scope is None else structs.asdict(change.scope)
    for title, table in (("scope", scope), ("params", change.params or {})):
        given = {name: value for name, value in table.items() if value != ()}
        if given or (title == "scope" and change.scope is not None):
            lines.append(f"[policy.{title}]")
            lines += [f"{_value(name)} = {_value(value)}" for name, value in given.items()]
    return lines


def _value(value: Scalar | list[int] | tuple[int | str, ...]) -> str:
    """Return a TOML value; JSON's strings and numbers are TOML's as well."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    text = json.dumps(value)
    # JSON lets DEL stand as it is, TOML does not.
    return text.replace("\x7f", "\\u007F") if isinstance(value, str) else text
