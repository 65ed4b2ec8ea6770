"""Builds ``summary.json`` from a run's figures, and judges the run."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from engine.protocol.errors import ExitCode
from engine.protocol.limits import SATURATED_CONSECUTIVE_S, SATURATED_LATENESS_MS
from engine.protocol.summary import (
    CommandLatencySummary,
    Summary,
    Verdict,
    ViolationsSummary,
)
from engine.report.figures import Figures, latency_summary
from engine.stats.histogram import Histogram
from engine.stats.thresholds import Outcome, Threshold, evaluate


class Judgement(NamedTuple):
    """A verdict with its reasons and the exit code that follows."""

    verdict: Verdict
    exit_code: int
    reasons: list[str]


def build_summary(figures: Figures, thresholds: Sequence[Threshold]) -> Summary:
    """Return the summary of a run, judged."""
    plain = _unjudged(figures)
    judgement = judge(figures, outcomes(plain, thresholds))
    return msgspec.structs.replace(
        plain,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        exit_code=judgement.exit_code,
    )


def encode_summary(summary: Summary) -> bytes:
    """Return ``summary.json``: indented, numbers to three decimals."""
    return msgspec.json.format(msgspec.json.encode(_rounded(msgspec.to_builtins(summary))))


def unkept(summary: Summary, reason: str) -> Summary:
    """Return a summary that could not be written: a run that cannot be looked up is invalid.

    Args:
        summary: As it was to be written.
        reason: What could not be written, where, and why.
    """
    told = summary.exit_code in {ExitCode.HELD, ExitCode.THRESHOLD_FAILED}
    return msgspec.structs.replace(
        summary,
        verdict="invalid",
        reasons=[*summary.reasons, reason],
        exit_code=int(ExitCode.INVALID) if told else summary.exit_code,
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def outcomes(summary: Summary, thresholds: Sequence[Threshold]) -> list[Outcome]:
    """Judge every threshold by a summary."""
    numbers = msgspec.to_builtins(summary)
    return [evaluate(threshold, numbers) for threshold in thresholds]


def judge(figures: Figures, judged: Sequence[Outcome]) -> Judgement:
    """Return the verdict: what broke comes before what is invalid, that before thresholds."""
    broken = [trouble.text for trouble in figures.trouble]
    failed = [outcome.text for outcome in judged if not outcome.held]
    if lost := figures.commands.acknowledged_lost:
        failed.insert(0, f"{lost} acknowledged commands were lost: the server had forgotten them")
    if figures.violations is not None and figures.violations.critical:
        failed.insert(0, _untrue(figures.violations))
    if figures.trouble:
        return Judgement("invalid", figures.trouble[0].exit_code, broken + failed)
    invalid = _why_invalid(figures, has_thresholds=bool(judged))
    if invalid:
        unreachable = not figures.players.connected_max and _never_reached(figures)
        code = ExitCode.TARGET_LOST if unreachable else ExitCode.INVALID
        return Judgement("invalid", int(code), invalid + failed)
    if failed:
        return Judgement("failed", int(ExitCode.THRESHOLD_FAILED), failed)
    return Judgement("held", int(ExitCode.HELD), _remarks(figures))


def _why_invalid(figures: Figures, *, has_thresholds: bool) -> list[str]:
    generator = figures.generator
    if figures.players.target and not figures.players.connected_max:
        errors = ", ".join(f"{count} {kind}" for kind, count in figures.commands.errors.items())
        return [f"no player ever connected{': ' + errors if errors else ''}"]
    reasons = []
    if generator.saturated:
        advice = "; use fewer players or more squads"
        if figures.stall:
            reasons.append(figures.stall)
            advice = ", perhaps because of the world"
        reasons.append(
            f"the generator was saturated from {generator.saturated_at_s or 0:.0f} s: sends were "
            f"late by more than {SATURATED_LATENESS_MS:.0f} ms (p99) in "
            f"{SATURATED_CONSECUTIVE_S} consecutive seconds{advice}"
        )
    if figures.squads_lost:
        reasons.append(
            f"samples are lost: squads died in the middle of the run ({figures.squads_lost} times)"
        )
    if figures.events_missed:
        reasons.append(
            f"{figures.events_missed} events never reached the hub: what is counted from them "
            "(violations, deaths, cheats) is too low"
        )
    cut_short = figures.duration_s <= figures.warm_up_s
    if cut_short and figures.players.target and (figures.planned or has_thresholds):
        reasons.append(_unmeasured(figures))
    return reasons


def _untrue(violations: ViolationsSummary) -> str:
    broken = ", ".join(f"{name} ({times})" for name, times in violations.broken.items())
    return f"the world did not stay true: broken invariants were told of: {broken}"


def _never_reached(figures: Figures) -> bool:
    """Whether even the sockets failed, as they do when nobody listens."""
    return bool(figures.commands.errors)


def _remarks(figures: Figures) -> list[str]:
    if figures.duration_s <= figures.warm_up_s and figures.players.target:
        return [_unmeasured(figures)]
    if not figures.players.target and not figures.players.connected_max:
        return ["nothing was judged: the run had no player"]
    if not any(histogram.count for histogram in figures.latency.values()):
        if figures.warm_up_s and figures.commands.due:
            late = f"no command of after the warm-up of {figures.warm_up_s:g} s was answered"
            return [f"nothing was judged: {late}"]
        return ["nothing was judged: no command was sent"]
    return []


def _unmeasured(figures: Figures) -> str:
    return (
        f"the run ended after {figures.duration_s:.1f} s, within its warm-up of "
        f"{figures.warm_up_s:g} s: nothing was measured"
    )


def _unjudged(figures: Figures) -> Summary:
    every = Histogram()
    for histogram in figures.latency.values():
        every.merge(histogram)
    overall = latency_summary(every)
    return Summary(
        run=figures.run,
        seed=figures.seed,
        verdict="held",
        reasons=[],
        exit_code=0,
        duration_s=round(figures.duration_s, 3),
        players=figures.players,
        commands=figures.commands,
        latency_ms=CommandLatencySummary(
            **msgspec.structs.asdict(overall),
            by_command={
                kind: latency_summary(histogram)
                for kind, histogram in sorted(figures.latency.items())
            },
        ),
        latency_uncorrected_ms=latency_summary(figures.latency_uncorrected),
        generator=figures.generator,
        faults=figures.faults,
        tick=figures.tick or UNSET,
        events=figures.events or UNSET,
        violations=figures.violations or UNSET,
        cheats=figures.cheats,
        story=figures.story or UNSET,
        console=figures.console or UNSET,
        state_hash=figures.state_hash or UNSET,
    )
