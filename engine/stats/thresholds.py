"""Thresholds on the summary: ``latency_ms.p99 < 150``.

A metric is the path of a number in ``summary.json``. One that a run did not measure
(no embedded world, no sample) fails: what was never seen cannot have held.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.protocol.errors import UserError
from engine.protocol.summary import Summary
from engine.protocol.text import nearest, printable

_CONDITION = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*\Z", re.DOTALL)
_EXPRESSION = re.compile(r"\s*([^\s<>=!]+)\s*((?:<|>|=|!).*)\Z", re.DOTALL)
_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ALLOWED = "'METRIC OPERATOR NUMBER' with one of < <= > >= == !=, such as 'latency_ms.p99 < 150'"


class Threshold(Struct, frozen=True):
    """One condition on one number of the summary."""

    metric: str
    comparison: str
    limit: float

    @property
    def text(self) -> str:
        """The threshold as people write it."""
        return f"{self.metric} {self.comparison} {self.limit:g}"


class Outcome(Struct, frozen=True):
    """Whether a threshold held.

    Attributes:
        threshold: Which.
        held: True when it did.
        found: The number, None when it was not measured.
        text: For people: ``latency_ms.p99 < 150: found 143.2``.
    """

    threshold: Threshold
    held: bool
    found: float | None
    text: str


def parse_threshold(expression: str, where: str = "--threshold") -> Threshold:
    """Return the threshold in ``"latency_ms.p99 < 150"``.

    Raises:
        UserError: Not of that form, or no such metric.
    """
    match = _EXPRESSION.match(expression)
    if not match:
        raise UserError(f"{where}: found {printable(expression, 80)!r}; allowed: {_ALLOWED}")
    return check_threshold(match[1], match[2], where)


def check_threshold(metric: str, condition: str, where: str = "thresholds") -> Threshold:
    """Return the threshold of a metric and a condition such as ``"< 150"``.

    Raises:
        UserError: There is no such number in the summary, or the condition is not one.
    """
    shown = printable(metric, 80)
    match = _CONDITION.match(condition)
    limit = _number(match[2]) if match else None
    if match is None or limit is None:
        raise UserError(
            f"{where}.{shown}: found {printable(condition, 80)!r}; allowed: one of "
            "< <= > >= == != and a number, such as '< 150'"
        )
    names = metrics()
    if not any(_matches(name, metric) for name in names):
        raise UserError(
            f"{where}: the summary has no number {shown!r}{nearest(shown, names)}; "
            "allowed: a path such as latency_ms.p99, tick.overruns or violations.total"
        )
    return Threshold(metric, match[1], limit)


def metrics() -> list[str]:
    """Return every metric there is; ``*`` stands for a name the run decides."""
    found: list[str] = []
    _collect(msgspec.inspect.type_info(Summary), "", found)
    return found


def evaluate(threshold: Threshold, summary: Mapping[str, Any]) -> Outcome:
    """Judge a threshold by a summary.

    Args:
        threshold: What must hold.
        summary: The summary as plain dicts and numbers (``msgspec.to_builtins``).
    """
    found = _look_up(threshold.metric, summary)
    if found is None:
        return Outcome(threshold, False, None, f"{threshold.text}: not measured in this run")
    held = _OPERATORS[threshold.comparison](found, threshold.limit)
    return Outcome(threshold, held, found, f"{threshold.text}: found {round(found, 3):g}")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _matches(name: str, metric: str) -> bool:
    """Whether ``metric`` is ``name``, with anything but nothing for each ``*``."""
    pattern = re.escape(name).replace(r"\*", r"[^.]+")
    return re.fullmatch(pattern, metric) is not None


def _collect(info: msgspec.inspect.Type, path: str, found: list[str]) -> None:
    if isinstance(info, msgspec.inspect.UnionType):
        for one in info.types:
            _collect(one, path, found)
    elif isinstance(info, msgspec.inspect.StructType):
        for field in info.fields:
            _collect(field.type, f"{path}.{field.name}" if path else field.name, found)
    elif isinstance(info, msgspec.inspect.DictType):
        _collect(info.value_type, f"{path}.*", found)
    elif isinstance(
        info, msgspec.inspect.IntType | msgspec.inspect.FloatType | msgspec.inspect.BoolType
    ):
        found.append(path)


def _look_up(metric: str, summary: Mapping[str, Any]) -> float | None:
    *groups, last = metric.split(".")
    here: Any = summary
    samples = 1
    for name in groups:
        if not isinstance(here, Mapping) or name not in here:
            return None
        here = here[name]
        samples = here.get("count", samples) if isinstance(here, Mapping) else samples
    if not isinstance(here, Mapping):
        return None
    if last not in here:
        # A counter by name that never counted is 0; a figure that was never taken is unknown.
        return 0.0 if groups and groups[-1] in {"errors", "by_policy"} else None
    if samples == 0 and "p99" in here and last != "count":
        return None  # percentiles of nothing
    value = here[last]
    return float(value) if isinstance(value, int | float) else None
