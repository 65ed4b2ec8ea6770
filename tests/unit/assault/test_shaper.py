"""Frames held back: in order, none lost, and none from a connection that is gone."""

from typing import Any

import pytest

from engine.assault.roster import Phase
from engine.assault.shaper import FRAMES_PER_PASS_MAX, Shaper
from engine.faults.base import PlayerHalf, Way
from engine.protocol.child import SquadFault
from engine.protocol.command import Scope
from engine.protocol.limits import HELD_UPDATES_PER_PLAYER_MAX
from tests.unit.assault.kit import squad_and_server


class _Wires:
    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.did: list[tuple[str, int]] = []
        self.tapped: set[int] = set()

    def open(self, player: int) -> None:
        self.did.append(("open", player))

    def send(self, player: int, frame: bytes) -> None:
        self.sent.append((player, frame))

    def close(self, player: int, how: str) -> None:
        self.did.append((how, player))

    def silence(self, player: int) -> None:
        self.did.append(("silence", player))

    def tap(self, player: int, *, updates_too: bool) -> None:
        (self.tapped.add if updates_too else self.tapped.discard)(player)


class _Slow(PlayerHalf):
    """Delays players 1 and 2 by what is told, one delay after another."""

    def __init__(self, *delays_s: float) -> None:
        super().__init__(2)
        self.slowed = {1, 2}
        self.delays_s = list(delays_s)

    def delay_s(self, player: int, way: Way) -> float:
        return self.delays_s.pop(0) if self.delays_s else 0.0


class _Bench:
    def __init__(self) -> None:
        self.now_s = 10.0
        self.wires = _Wires()
        self.heard: list[tuple[int, bytes | None]] = []
        self.planned: list[float] = []
        self.shaper = Shaper(
            self.wires,
            lambda player, frame: self.heard.append((player, frame)),
            lambda: self.now_s,
            self.planned.append,
            lambda frame: frame.startswith(b"update"),
        )

    def at(self, now_s: float) -> float | None:
        self.now_s = now_s
        return self.shaper.release()


@pytest.fixture
def bench() -> _Bench:
    return _Bench()


def test_without_a_fault_everything_passes(bench: _Bench) -> None:
    bench.shaper.send(1, b"a")
    assert bench.wires.sent == [(1, b"a")]
    assert not bench.shaper.take_in(1, b"b")
    assert bench.shaper.release() is None


def test_who_is_not_slowed_passes(bench: _Bench) -> None:
    bench.shaper.obey([_Slow(1.0)])
    bench.shaper.send(3, b"a")
    assert bench.wires.sent == [(3, b"a")]
    assert not bench.shaper.take_in(3, b"b")
    assert bench.wires.tapped == {1, 2}


def test_frames_wait_and_keep_their_order(bench: _Bench) -> None:
    half = _Slow(0.3, 0.1, 0.2)
    bench.shaper.obey([half])
    bench.shaper.send(1, b"a")
    bench.shaper.send(1, b"b")
    assert bench.shaper.take_in(1, b"c")
    assert bench.planned == [10.3, 10.3, 10.2]
    assert bench.at(10.1) == 10.2
    assert bench.at(10.25) == 10.3
    assert (bench.heard, bench.wires.sent) == ([(1, b"c")], [])
    assert bench.at(10.3) is None
    assert bench.wires.sent == [(1, b"a"), (1, b"b")]
    assert half.touched == {1}


def test_two_faults_add_up(bench: _Bench) -> None:
    bench.shaper.obey([_Slow(0.3), _Slow(0.4)])
    bench.shaper.send(1, b"a")
    assert bench.planned == [pytest.approx(10.7)]


def test_when_a_fault_lets_go_what_waited_passes_at_once_and_in_order(bench: _Bench) -> None:
    bench.shaper.obey([_Slow(5.0, 1.0, 2.0)])
    bench.shaper.send(1, b"a")
    bench.shaper.send(2, b"b")
    bench.shaper.send(1, b"c")
    bench.shaper.obey([])
    bench.shaper.send(1, b"d")
    assert bench.wires.tapped == {1, 2}
    assert bench.shaper.release() is None
    assert bench.wires.sent == [(1, b"a"), (2, b"b"), (1, b"c"), (1, b"d")]
    assert bench.wires.tapped == set()
    bench.shaper.send(1, b"e")
    assert bench.wires.sent[-1] == (1, b"e")


def test_a_connection_that_closed_while_its_delay_reverted_mutes_nobody(bench: _Bench) -> None:
    bench.shaper.obey([_Slow(3.0, 3.0)])
    bench.shaper.take_in(1, None)
    bench.shaper.obey([])
    bench.at(10.0)
    assert bench.heard == [(1, None)]
    bench.shaper.open(1)
    bench.shaper.obey([_Slow(0.1)])
    bench.shaper.send(1, b"again")
    bench.at(10.2)
    assert bench.wires.sent == [(1, b"again")]


def test_a_bye_that_closes_is_the_last_that_is_heard_of_a_connection(bench: _Bench) -> None:
    bench.shaper.obey([_Slow(3.0, 3.0)])
    hear = bench.shaper._hear

    def closing(player: int, frame: bytes | None) -> None:
        hear(player, frame)
        if frame == b"bye":
            bench.shaper.close(player, "fin")

    bench.shaper._hear = closing
    bench.shaper.take_in(1, b"bye")
    bench.shaper.take_in(1, None)
    bench.shaper.obey([])
    bench.at(10.0)
    assert bench.heard == [(1, b"bye")]


def test_what_waits_is_bounded_and_passed_on_bit_by_bit(bench: _Bench) -> None:
    bench.shaper.obey([_Slow(*[9.0] * 1000)])
    for number in range(HELD_UPDATES_PER_PLAYER_MAX + 10):
        bench.shaper.take_in(1, b"update %d" % number)
    bench.shaper.take_in(1, b"answer")
    assert bench.shaper.dropped == 10
    for number in range(FRAMES_PER_PASS_MAX):
        bench.shaper.take_in(2, b"answer %d" % number)
    bench.shaper.obey([])
    assert bench.heard == []
    assert bench.at(10.0) == 10.0
    assert len(bench.heard) == FRAMES_PER_PASS_MAX
    assert bench.at(10.0) is None
    assert bench.heard[HELD_UPDATES_PER_PLAYER_MAX] == (1, b"answer")
    assert len(bench.heard) == FRAMES_PER_PASS_MAX + HELD_UPDATES_PER_PLAYER_MAX + 1


@pytest.mark.parametrize("how", ["close", "silence"])
def test_what_waited_for_a_connection_that_was_closed_is_dropped(bench: _Bench, how: str) -> None:
    bench.shaper.obey([_Slow(1.0, 1.0)])
    bench.shaper.send(1, b"a")
    bench.shaper.take_in(1, b"b")
    if how == "close":
        bench.shaper.close(1, "rst")
    else:
        bench.shaper.silence(1)
    bench.shaper.open(1)
    bench.at(20.0)
    assert (bench.wires.sent, bench.heard) == ([], [])
    bench.shaper.send(1, b"c")
    bench.at(30.0)
    assert bench.wires.sent == [(1, b"c")]


def test_the_server_closing_is_heard_after_what_it_sent_before(bench: _Bench) -> None:
    bench.shaper.obey([_Slow(1.0, 0.0, 0.2)])
    bench.shaper.take_in(1, b"bye")
    bench.shaper.take_in(1, None)
    bench.shaper.send(1, b"into the void")
    bench.at(10.5)
    assert (bench.heard, bench.wires.sent) == ([], [])
    bench.at(11.0)
    assert bench.heard == [(1, b"bye"), (1, None)]


def _latency(hold_s: float = 5.0, **params: Any) -> SquadFault:
    return SquadFault("f1", "latency", Scope(players_pct=50), params, 0.0, 3, hold_s)


def test_a_squads_latency_grows_by_twice_the_delay_and_falls_back() -> None:
    squad, server = squad_and_server(stages=())
    squad.plan.take_by_hand(10)
    server.run(3.0)
    squad.arm(_latency(ms=100.0, jitter_ms=0.0))
    server.run(0.3)
    squad.report(1, 0.0, 0.0)
    squad.tally.handed_over()
    server.run(3.0)
    slow = squad.report(1, 0.0, 0.0)
    assert squad.tally.latency_now.max_ms == pytest.approx(220.0, abs=12.0)
    assert squad.tally.lateness.max_ms < 12.0
    assert (slow.planned["f1"], slow.affected["f1"]) == (5, 5)
    assert len(server.tapped) == 5
    server.run(3.0)
    squad.report(1, 0.0, 0.0)
    squad.tally.handed_over()
    server.run(3.0)
    calm = squad.report(1, 0.0, 0.0)
    assert squad.tally.latency_now.max_ms < 40.0
    assert server.tapped == set()
    assert (calm.errors, calm.unanswered, calm.lost, calm.connected) == ({}, 0, 0, 10)
    assert calm.sent == calm.acknowledged or calm.sent == calm.acknowledged + 1


def test_a_slowed_player_whose_server_dies_comes_back_with_its_commands() -> None:
    squad, server = squad_and_server()
    server.run(3.0)
    squad.arm(SquadFault("f1", "latency", Scope(), {"ms": 400.0}, 0.0, 3, 60.0))
    server.run(2.0)
    for player in list(server.live):
        server.drop(player)
    server.run(8.0)
    squad.clear("f1")
    server.run(3.0)
    report = squad.report(1, 0.0, 0.0)
    assert (report.connected, report.lost) == (10, 10)
    assert report.unanswered == 0
    assert all(seat.phase is Phase.PLAYING for seat in squad.roster.seats.values())
    assert set(report.errors) <= {"closed", "duplicate_answer"}
