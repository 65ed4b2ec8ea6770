from typing import Any

import msgspec
import pytest

from console.headless import summary_text
from engine.protocol.cheats import CheatCount, CheatsSummary, HonestCount
from engine.protocol.summary import (
    CommandsSummary,
    GeneratorSummary,
    PlayersSummary,
    Spread,
    Summary,
    TickSummary,
    ViolationsSummary,
)
from engine.report.figures import Figures, Trouble
from engine.report.summary import build_summary, encode_summary, unkept
from engine.stats.histogram import Histogram
from engine.stats.thresholds import parse_threshold

FAST = parse_threshold("latency_ms.p99 < 150")


def _histogram(*values_ms: float) -> Histogram:
    histogram = Histogram()
    histogram.add_many(values_ms)
    return histogram


def _figures(**changes: Any) -> Figures:
    generator = changes.pop("generator", {})
    plain = Figures(
        run="r",
        seed=7,
        duration_s=60.0,
        warm_up_s=10.0,
        planned=True,
        players=PlayersSummary(100, 100, 100, 0),
        commands=CommandsSummary(10, 10, 10, 0, {}, 0, 0),
        latency={"move": _histogram(50, 60), "rest": _histogram(100)},
        latency_uncorrected=_histogram(50),
        generator=GeneratorSummary(
            **{
                "cpu_pct": 9.0,
                "send_lateness_ms_p99": 1.0,
                "send_lateness_ms_max": 2.0,
                "loop_lag_ms_p99": 1.0,
                "saturated": False,
                "saturated_at_s": None,
                "rss_mb": 50.0,
                **generator,
            }
        ),
        faults=[],
    )
    return msgspec.structs.replace(plain, **changes)


def _verdict(summary: Summary) -> tuple[str, int]:
    return summary.verdict, summary.exit_code


def test_a_broken_invariant_fails_the_run_and_is_named() -> None:
    denied = ViolationsSummary(3, {"speed": 3})
    assert _verdict(build_summary(_figures(violations=denied), (FAST,))) == ("held", 0)
    broken = ViolationsSummary(4, {"speed": 3, "purses": 1}, 1, {"purses": 1})
    summary = build_summary(_figures(violations=broken), ())
    assert _verdict(summary) == ("failed", 1)
    (reason,) = summary.reasons
    assert reason == "the world did not stay true: broken invariants were told of: purses (1)"


def test_events_that_were_missed_make_the_run_invalid() -> None:
    summary = build_summary(_figures(events_missed=21), (FAST,))
    assert _verdict(summary) == ("invalid", 4)
    assert summary.reasons[0].startswith("21 events never reached the hub")


def test_a_world_that_stalled_is_told_before_the_generator_which_is_not_blamed() -> None:
    late = {"saturated": True, "saturated_at_s": 12.0}
    summary = build_summary(_figures(generator=late, stall="the world stalled"), ())
    assert summary.reasons[0] == "the world stalled"
    assert "fewer players" not in summary.reasons[1]
    assert "fewer players" in build_summary(_figures(generator=late), ()).reasons[0]


def test_what_was_not_measured_names_the_warm_up() -> None:
    summary = build_summary(_figures(latency={}), ())
    why = "no command of after the warm-up of 10 s was answered"
    assert summary.reasons == [f"nothing was judged: {why}"]
    assert "latency    no command was measured after the warm-up" in summary_text(summary)
    ticks = TickSummary(0, 100, 0, 0, 0, Spread(0, 0, 0, 0), {})
    text = summary_text(msgspec.structs.replace(summary, tick=ticks))
    assert "ticks      none measured after the warm-up, of 100 ms" in text


def test_cheats_are_told_by_policy_and_thresholds_can_be_set_on_them() -> None:
    counts = {"speed": CheatCount(10, 8, 1, 1), "dead-actor": CheatCount(3, 3)}
    cheats = CheatsSummary(counts, HonestCount(100, 4, 1, {"world": 5}))
    held = ("cheats.by_policy.dead-actor.missed == 0", "cheats.honest.denied <= 4")
    summary = build_summary(_figures(cheats=cheats), [parse_threshold(text) for text in held])
    assert _verdict(summary) == ("held", 0)
    written = msgspec.json.decode(encode_summary(summary))["cheats"]
    assert written["by_policy"]["speed"] == {
        "tried": 10, "caught": 8, "caught_by_other": 1, "missed": 1, "unanswered": 0
    }  # fmt: skip
    assert written["honest"] == {
        "sent": 100, "denied": 4, "mutated": 1, "by_policy": {"world": 5}
    }  # fmt: skip
    failed = parse_threshold("cheats.by_policy.speed.missed == 0")
    assert _verdict(build_summary(_figures(cheats=cheats), [failed])) == ("failed", 1)
    text = summary_text(summary)
    assert "  cheats     13 tried, 12 caught, 1 missed: 1 of 10 speed\n" in text
    assert "  honest     100 commands, 4 denied, 1 changed: 5 world\n" in text
    assert "cheats" not in summary_text(build_summary(_figures(), ()))


def test_a_good_run_holds() -> None:
    summary = build_summary(_figures(), (FAST,))
    assert _verdict(summary) == ("held", 0)
    assert summary.reasons == []
    assert summary.latency_ms.count == 3
    assert summary.latency_ms.max == 100.0
    assert summary.latency_ms.by_command["rest"].p50 == pytest.approx(100, rel=0.01)


def test_what_a_run_cannot_know_is_absent() -> None:
    plain = msgspec.json.decode(msgspec.json.encode(build_summary(_figures(), ())))
    assert not {"tick", "events", "violations", "console", "state_hash"} & set(plain)
    assert isinstance(plain["latency_ms"]["p99"], float)


def test_a_broken_promise_fails_the_run() -> None:
    commands = CommandsSummary(10, 10, 10, 0, {}, 0, 0, acknowledged_lost=2)
    summary = build_summary(_figures(commands=commands), (FAST,))
    assert _verdict(summary) == ("failed", 1)
    assert "2 acknowledged commands were lost" in summary.reasons[0]


def test_a_threshold_that_failed() -> None:
    summary = build_summary(_figures(latency={"move": _histogram(50, 400)}), (FAST,))
    assert _verdict(summary) == ("failed", 1)
    assert "latency_ms.p99 < 150: found" in summary.reasons[0]


def test_a_saturated_generator_makes_the_run_invalid() -> None:
    summary = build_summary(
        _figures(
            generator={"saturated": True, "saturated_at_s": 31.0},
            latency={"move": _histogram(400)},
        ),
        (FAST,),
    )
    assert _verdict(summary) == ("invalid", 4)
    assert "31 s" in summary.reasons[0]
    assert "latency_ms.p99 < 150" in summary.reasons[1]


def test_nobody_connected() -> None:
    players = PlayersSummary(100, 0, 0, 0)
    reached = build_summary(_figures(players=players), ())
    assert _verdict(reached) == ("invalid", 4)
    errors = CommandsSummary(0, 0, 0, 0, {"connect": 40}, 0, 0)
    unreachable = build_summary(_figures(players=players, commands=errors), ())
    assert _verdict(unreachable) == ("invalid", 3)
    assert "40 connect" in unreachable.reasons[0]


def test_a_run_that_wanted_nobody_holds() -> None:
    summary = build_summary(_figures(players=PlayersSummary(0, 0, 0, 0)), ())
    assert _verdict(summary) == ("held", 0)
    assert summary.reasons == ["nothing was judged: the run had no player"]


def test_a_run_that_ended_in_its_warm_up_measured_nothing() -> None:
    planned = build_summary(_figures(duration_s=5.0), ())
    assert _verdict(planned) == ("invalid", 4)
    assert "warm-up" in planned.reasons[0]
    quit_early = build_summary(_figures(duration_s=5.0, planned=False), ())
    assert _verdict(quit_early) == ("held", 0)
    assert "warm-up" in quit_early.reasons[0]
    judged = build_summary(_figures(duration_s=5.0, planned=False), (FAST,))
    assert _verdict(judged) == ("invalid", 4)


def test_what_broke_the_run_comes_first() -> None:
    trouble = (Trouble("the world ended 6 times: signal 9", 3),)
    summary = build_summary(_figures(trouble=trouble, generator={"saturated": True}), (FAST,))
    assert _verdict(summary) == ("invalid", 3)
    assert summary.reasons[0].startswith("the world ended")


def test_a_summary_that_could_not_be_written_is_invalid_and_keeps_what_broke() -> None:
    told = unkept(build_summary(_figures(), (FAST,)), "s.json could not be written")
    assert (*_verdict(told), told.reasons) == ("invalid", 4, ["s.json could not be written"])
    broken = build_summary(_figures(trouble=(Trouble("the world died", 6),)), (FAST,))
    told = unkept(broken, "s.json could not be written")
    assert _verdict(told) == ("invalid", 6)
    assert told.reasons == ["the world died", "s.json could not be written"]


def test_a_run_that_judged_nothing_says_so() -> None:
    nothing = CommandsSummary(0, 0, 0, 0, {}, 0, 0)
    silent = build_summary(_figures(latency={}, commands=nothing), ())
    assert (_verdict(silent), silent.reasons) == (
        ("held", 0),
        ["nothing was judged: no command was sent"],
    )
