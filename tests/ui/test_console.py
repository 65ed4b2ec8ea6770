"""The console under keys, against a made-up engine."""

import asyncio
from pathlib import Path

import pytest
from textual import events

from console.app import ConsoleOptions, StormApp
from engine.link.base import EngineLink, LinkClosed
from engine.protocol.command import (
    ArmFault,
    ClearFault,
    Detach,
    Mark,
    Panic,
    ScalePlayers,
    ScaleRate,
    Scope,
    SetPlayers,
    Stop,
)
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.events import Event
from engine.protocol.feed import Ended, EventsView, Notice, Snapshot
from tests.ui.fake_engine import FakeEngine
from tests.ui.fake_link import FakeLink
from tests.ui.stage import make, play, ready, text_of


async def until(condition, pilot, tries: int = 300) -> None:
    for _ in range(tries):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it never came to that")


async def test_fault_menu_key_letter_enter_drops_thirty_percent_for_20_s(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("exclamation_mark", "d", "enter")
        await until(lambda: link.calls, pilot)
        assert link.calls == [
            ArmFault(
                "disconnect-storm",
                Scope(players_pct=30),
                {"how": "rst", "spread": 0.0},
                hold_s=20.0,
            )
        ]
        await until(lambda: "armed for 20s" in text_of(app), pilot)


async def test_keys_typed_in_one_go_reach_what_the_first_of_them_opens(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        for key, character in (("exclamation_mark", "!"), ("d", "d"), ("enter", "\r")):
            app.post_message(events.Key(key, character))
        await until(lambda: link.calls, pilot)
        assert [type(call) for call in link.calls] == [ArmFault]


async def test_fault_form_takes_other_values_and_tells_what_is_wrong(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("exclamation_mark", "d", *"130", "enter")
        await until(lambda: "allowed is 0 to 100" in text_of(app), pilot)
        assert not link.calls
        await pilot.press("ctrl+u", *"50", "down", *"2m", "down", "right", "enter")
        await until(lambda: link.calls, pilot)
        command = link.calls[0]
        assert isinstance(command, ArmFault)
        assert command.scope == Scope(players_pct=50)
        assert command.hold_s == 120
        assert command.params["how"] == "fin"


async def test_a_fault_that_is_not_available_says_why(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("exclamation_mark", "x")
        await until(lambda: "kill: not yet" in text_of(app), pilot)
        assert not link.calls


@pytest.mark.parametrize("opener", ["exclamation_mark", "question_mark", "ctrl+p", "q", "slash"])
async def test_panic_works_inside_every_overlay(tmp_path: Path, opener: str):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press(opener)
        assert len(app.screen_stack) == 2
        await pilot.press("ctrl+g")
        await until(lambda: link.calls == [Panic()], pilot)


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("plus", ScalePlayers(10)),
        ("minus", ScalePlayers(-10)),
        ("left_curly_bracket", ScaleRate(-10)),
        ("right_curly_bracket", ScaleRate(10)),
        ("U", ClearFault()),
        ("ctrl+g", Panic()),
    ],
)
async def test_a_key_sends_its_command(tmp_path: Path, key: str, command: object):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(key)
        await until(lambda: link.calls == [command], pilot)


async def test_steps_pressed_fast_add_up_to_no_more_than_two_changes_a_second(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        for _ in range(6):
            await pilot.press("plus")
        assert "+61 % in a moment: about 1,772 players" in text_of(app)
        await until(lambda: len(link.calls) == 2, pilot)
        assert link.calls == [ScalePlayers(10.0), ScalePlayers(61.051)]
        await until(lambda: "1,772 players" in text_of(app).split("\n")[-1], pilot)
        await pilot.press("minus", "right_curly_bracket", "right_curly_bracket")
        assert "+21 % in a moment: about 1.21 commands/s each" in text_of(app)
        await until(lambda: len(link.calls) == 4, pilot)
        assert link.calls[2:] == [ScalePlayers(-10.0), ScaleRate(21.0)]


async def test_exact_players_are_checked_against_the_most_there_may_be(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("equals_sign", *"99999", "enter")
        await until(lambda: "more than --players-max allows: 2,000" in text_of(app), pilot)
        await pilot.press("ctrl+u", *"450", "enter")
        await until(lambda: link.calls == [SetPlayers(450)], pilot)
        assert len(app.screen_stack) == 1


async def test_a_mark_is_sent(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", *"deploy", "space", *"done", "enter")
        await until(lambda: link.calls == [Mark("deploy done")], pilot)


async def test_filter_reaches_the_engine_and_a_wrong_one_is_explained(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        await pilot.press("slash", *"colour=red", "enter")
        await until(lambda: "names no field" in text_of(app), pilot)
        await pilot.press("ctrl+u", *"kind=npc", "enter")
        await until(lambda: getattr(link.queries[-1], "where", "") == "kind=npc", pilot)
        await until(lambda: app.model.live.entities.total == 200, pilot)
        assert "player-" not in text_of(app).split("Entities")[1].split("Events")[0]
        await pilot.press("escape")
        await until(lambda: app.model.view.entities.filter == "", pilot)


async def test_freezing_holds_the_panels_and_not_the_vitals(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 30)
        await pilot.press("space")
        before = text_of(app).split("\n")
        app.deliver([link.engine.snapshot(45.0)])
        after = text_of(app).split("\n")
        assert "FROZEN" in after[-1]
        assert after[2:-1] == before[2:-1]
        assert "0:45" in after[1]
        await pilot.press("space")
        assert text_of(app).split("\n")[2:-1] != before[2:-1]


async def test_hostile_text_never_reaches_the_screen(tmp_path: Path):
    app, _ = make(tmp_path)
    evil = "\x1b]0;owned\x07[red]x[/red]\u202e\x9b31m"
    events = EventsView(
        tail=(Event(1, 1, "said", 1_000_001, 1, 1_000_001, 0, 0, 0, evil),), stored=1
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        app.deliver([Snapshot(run=evil, state="running", events=events), Notice(1.0, "mark", evil)])
        shown = text_of(app)
        assert not any(char in shown for char in "\x1b\x07\x9b\u202e")
        assert "[red]x[/red]" in shown


@pytest.mark.parametrize("size", [(40, 10), (1, 1), (20, 4), (30, 3), (300, 100), (59, 11)])
async def test_every_size_shows_something(tmp_path: Path, size: tuple[int, int]):
    app, link = make(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        play(app, link, 30)
        for page in "123456":
            await pilot.press(page)
            assert text_of(app).strip()
        await pilot.press("exclamation_mark", "d", "escape", "escape", "question_mark", "escape")


async def test_resizing_lays_out_anew(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(200, 60)) as pilot:
        await ready(pilot)
        play(app, link, 30)
        assert "Health" in text_of(app)
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert "Health" not in text_of(app)
        assert "Entities" in text_of(app)


async def test_quit_asks_stops_waits_and_returns_the_verdict(tmp_path: Path):
    app, link = make(tmp_path, hz=50)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        link.push(link.engine.snapshot(20.0))
        await until(lambda: app.model.phase == "live", pilot)
        await pilot.press("q")
        await until(lambda: "1,000 players" in text_of(app), pilot)
        await pilot.press("escape", "q", "enter")
        await until(lambda: link.calls == [Stop()], pilot)
        await until(lambda: "Stopping" in text_of(app), pilot)
        link.push(Ended(1, "failed: latency_ms.p99 was 180, wanted < 150", "/runs/x"))
        await until(lambda: not app.is_running, pilot)
    assert app.return_value is not None
    assert app.return_value.exit_code == 1
    assert app.return_value.capsule == "/runs/x"


async def test_an_end_by_itself_shows_the_verdict_until_q(tmp_path: Path):
    app, link = make(tmp_path, hz=50)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        link.push(link.engine.snapshot(20.0))
        link.push(Ended(0, "held", "/runs/x"))
        await until(lambda: "/runs/x" in text_of(app), pilot)
        assert "The run has ended" in text_of(app)
        await pilot.press("q")
    assert app.return_value is not None
    assert app.return_value.exit_code == 0


async def test_a_lost_link_is_told_and_q_leaves_with_6(tmp_path: Path):
    app, link = make(tmp_path, hz=50)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        link.push(link.engine.snapshot(20.0))
        await until(lambda: app.model.phase == "live", pilot)
        link.cut()
        await until(lambda: "link to the engine is gone" in text_of(app), pilot)
        assert "closed the link without a word" in text_of(app)
        assert "/engine.log" in text_of(app)
        await pilot.press("plus")
        await until(lambda: "no running engine" in text_of(app), pilot)
        await pilot.press("q")
    assert app.return_value is not None
    assert app.return_value.exit_code == ExitCode.OWN_FAULT
    assert app.return_value.text.endswith("/engine.log")


async def test_detach_leaves_the_run_going(tmp_path: Path):
    app, link = make(tmp_path, hz=50)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        link.push(link.engine.snapshot(20.0))
        await until(lambda: app.model.phase == "live", pilot)
        await pilot.press("D")
        await until(lambda: not app.is_running, pilot)
    assert link.calls == [Detach()]
    assert app.return_value is not None
    assert app.return_value.detached
    assert "seedstorm attach market-day" in app.return_value.text


@pytest.mark.parametrize(
    ("problem", "code"),
    [(UserError("port 8000 is taken", ExitCode.USAGE), 2), (LinkClosed("gone"), 6)],
)
async def test_an_engine_that_does_not_start_ends_the_console(tmp_path, problem, code):
    async def connect() -> EngineLink:
        raise problem

    app = StormApp(connect, ConsoleOptions(environ={"HOME": str(tmp_path)}))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: not app.is_running, pilot)
    assert app.return_value is not None
    assert app.return_value.exit_code == code
    assert str(problem) in app.return_value.text


async def test_starting_is_shown_and_can_be_given_up(tmp_path: Path):
    never = asyncio.Event()

    async def connect() -> EngineLink:
        await never.wait()
        raise AssertionError

    app = StormApp(connect, ConsoleOptions(environ={"HOME": str(tmp_path)}))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: "starting" in text_of(app), pilot)
        await pilot.press("ctrl+c")
    assert app.return_value is not None
    assert app.return_value.exit_code == ExitCode.INVALID


async def test_an_error_inside_is_raised_and_not_swallowed(tmp_path: Path):
    class Broken(FakeLink):
        async def ask(self, query, deadline_s: float = 2.0):
            raise RuntimeError("the link broke its promise")

    app, _ = make(tmp_path, link=Broken(FakeEngine()))
    with pytest.raises(RuntimeError, match="broke its promise"):
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: not app.is_running, pilot)


async def test_leases_are_sent(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: link.leases >= 2, pilot)


async def test_theme_changes_and_copy_writes_a_file(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("t")
        assert app.looks.name == "light"
        await pilot.press("y")
        copied = tmp_path / ".local/state/seedstorm/copied.txt"
        assert copied.read_text().startswith(("npc-", "player-"))
        assert copied.stat().st_mode & 0o777 == 0o600


async def test_drilling_shows_the_entity(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("j", "enter")
        await until(lambda: "level" in text_of(app) and "as of tick" in text_of(app), pilot)
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_palette_finds_and_does(tmp_path: Path):
    app, _ = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+p", *"timing", "enter")
        await until(lambda: app.model.view.page == "timing", pilot)
        await pilot.press("ctrl+p", *"disconnect", "enter")
        await until(lambda: "enter arms" in text_of(app), pilot)


async def test_keys_can_be_remapped(tmp_path: Path):
    folder = tmp_path / ".config/seedstorm"
    folder.mkdir(parents=True)
    (folder / "keys.toml").write_text('[keys]\npanic = ["f9"]\nzoom = "Z"\n')
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f9")
        await until(lambda: link.calls == [Panic()], pilot)
        await pilot.press("Z")
        assert app.model.view.zoom


def test_a_bad_keys_file_is_one_clear_line(tmp_path: Path):
    folder = tmp_path / ".config/seedstorm"
    folder.mkdir(parents=True)
    (folder / "keys.toml").write_text('[keys]\npanik = "x"\n')
    with pytest.raises(
        UserError, match=r"keys\.toml: keys\.panik: no such action; did you mean 'panic'"
    ):
        make(tmp_path)
