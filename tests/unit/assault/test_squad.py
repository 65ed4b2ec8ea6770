"""A whole squad on a manual clock: load, connecting, answers, faults, the end."""

from typing import Any

import pytest

from engine.assault.roster import BACK_OFF_S_MAX, Phase
from engine.protocol.child import SetLoad, SquadFault
from engine.protocol.command import Scope
from engine.protocol.errors import UserError
from engine.protocol.gateway import Bye
from engine.protocol.limits import CONNECTS_IN_FLIGHT_MAX
from engine.protocol.scenario import Stage
from tests.unit.assault.kit import FakeServer, squad_and_server


def _storm(how: str = "rst", hold_s: float = 5.0, **scope: Any) -> SquadFault:
    return SquadFault("f1", "disconnect-storm", Scope(**scope), {"how": how}, 0.0, 3, hold_s)


def test_players_come_in_and_send_one_command_a_second_each() -> None:
    squad, server = squad_and_server()
    server.run(31.0)
    report = squad.report(1, 0.0, 0.0)
    assert (report.connected, report.target, report.lost) == (10, 10, 0)
    assert report.by_archetype == {"wanderer": 10}
    assert 295 <= report.due <= 310
    assert report.sent == report.due
    assert report.acknowledged in {report.sent, report.sent - 1}
    assert report.errors == {}
    assert report.stage == "hold 10"
    assert {hello.name for _, hello in server.hellos} == {f"player-{n}" for n in range(10)}


def test_a_squad_holds_its_own_numbers_only() -> None:
    squad, server = squad_and_server(squad=1, squads=3)
    server.run(3.0)
    assert sorted(server.live) == [1, 4, 7]
    squad.set_load(SetLoad(players=12))
    server.run(3.0)
    assert sorted(server.live) == [1, 4, 7, 10]


def test_connecting_is_paced_even_when_everybody_is_wanted_at_once() -> None:
    squad, server = squad_and_server(stages=(Stage("constant-players", 500, 0.0),))
    server.run(10.0)
    assert squad.roster.connected == 500
    assert server.most_dialling <= CONNECTS_IN_FLIGHT_MAX
    begun = server.opened_at_s
    assert max(sum(t <= at < t + 0.01 for at in begun) for t in begun) <= 16


def test_a_server_that_does_not_answer_hellos_holds_few_connections_open() -> None:
    squad, server = squad_and_server(stages=(Stage("constant-players", 500, 0.0),))
    server.welcomes = False
    server.run(25.0)
    assert squad.roster.connected == 0
    assert server.most_dialling == len(server.live) == CONNECTS_IN_FLIGHT_MAX
    assert squad.tally.errors["timeout"] >= CONNECTS_IN_FLIGHT_MAX
    assert squad.tally.missed == squad.tally.due == 0


def test_a_ramp_follows_its_line() -> None:
    squad, server = squad_and_server(stages=(Stage("ramping-players", 200, 10.0),))
    for second in range(1, 10):
        server.run(1.0)
        assert squad.roster.connected == pytest.approx(20 * second, abs=3)


def test_ramp_down_says_good_bye_after_the_last_answer_and_loses_nobody() -> None:
    squad, server = squad_and_server()
    server.run(5.0)
    server.answer_after_s = 0.5
    server.run(3.0)
    squad.set_load(SetLoad(players=3))
    server.run(2.0)
    report = squad.report(1, 0.0, 0.0)
    assert sorted(server.live) == [0, 1, 2]
    assert sorted(server.closed) == [(n, "bye") for n in range(3, 10)]
    assert (report.connected, report.lost, report.unanswered, report.missed) == (3, 0, 0, 0)
    sent = report.sent
    server.run(10.0)
    assert squad.tally.sent == pytest.approx(sent + 30, abs=4)
    squad.set_load(SetLoad(players=10))
    server.run(5.0)
    assert squad.roster.connected == 10
    assert server.hellos[-1][1].resume is not None


def test_a_player_called_back_while_it_leaves_stays() -> None:
    squad, server = squad_and_server(commands_per_s=10.0)
    server.answer_after_s = 0.3
    server.run(3.0)
    squad.set_load(SetLoad(players=0))
    server.run(0.1)
    squad.set_load(SetLoad(players=10))
    server.run(5.0)
    assert server.closed == []
    assert len(server.opened_at_s) == 10
    assert squad.tally.due == pytest.approx(10 * 10 * 8, rel=0.1)


@pytest.mark.parametrize(("before", "after"), [(0.1, 5.0), (5.0, 0.5), (1.0, 0.0), (0.0, 2.0)])
def test_a_new_rate_holds_within_a_second(before: float, after: float) -> None:
    squad, server = squad_and_server(
        stages=(Stage("constant-players", 100, 0.0),), commands_per_s=before
    )
    server.run(10.0)
    squad.set_load(SetLoad(commands_per_s=after))
    sent = squad.tally.due
    server.run(1.0 / after if 0 < after < 1 else 1.0)
    first = squad.tally.due - sent
    server.run(10.0)
    assert squad.tally.due - sent - first == pytest.approx(after * 100 * 10, rel=0.06)
    assert first == pytest.approx(after * 100 * (1.0 / after if 0 < after < 1 else 1), rel=0.06)


def test_go_takes_up_a_run_in_its_middle() -> None:
    squad, server = squad_and_server(stages=(Stage("ramping-players", 100, 100.0),), warm_up_s=20.0)
    squad.go(50.0)
    server.run(2.0)
    assert squad.roster.connected == pytest.approx(52, abs=2)
    report = squad.report(1, 0.0, 0.0)
    assert report.at_s == pytest.approx(52.0)
    assert report.latency  # the warm-up is long over


def test_a_target_that_is_not_there_is_tried_again_and_again_then_found() -> None:
    squad, server = squad_and_server()
    server.refuses = True
    server.run(60.0)
    report = squad.report(1, 0.0, 0.0)
    assert (report.connected, report.due, report.missed, report.lost) == (0, 0, 0, 0)
    # Half the ceiling at least and the ceiling at most between two tries of a player.
    assert (
        10 * 60 / BACK_OFF_S_MAX <= report.errors["refused"] <= 10 * (60 / BACK_OFF_S_MAX * 2 + 5)
    )
    tries = sorted(server.opened_at_s)
    assert len(set(tries)) > 0.5 * len(tries), "tries are spread by jitter"
    server.refuses = False
    server.run(BACK_OFF_S_MAX + 1)
    assert squad.roster.connected == 10


def test_a_lost_connection_is_counted_resumed_and_its_commands_sent_again() -> None:
    squad, server = squad_and_server(stages=(Stage("constant-players", 1, 0.0),))
    server.run(3.0)
    server.answers = False
    server.run(1.0)
    (waiting,) = squad.roster.seats[0].player.flights
    server.answers = True
    server.drop(0)
    server.run(2.0)
    report = squad.report(1, 0.0, 0.0)
    assert (report.lost, report.errors) == (1, {"closed": 1})
    assert server.hellos[-1][1].resume == "token-0"
    assert [intent.seq for _, _, intent in server.intents].count(waiting) == 2
    assert report.acknowledged + len(squad.roster.seats[0].player.flights) == report.sent
    assert report.unanswered == 0


def test_due_while_away_is_missed_and_what_was_in_flight_is_unanswered_in_the_end() -> None:
    squad, server = squad_and_server()
    server.run(5.0)
    server.answers = False
    server.run(1.0)
    server.refuses = True
    for number in range(10):
        server.drop(number)
    server.run(15.0)
    report = squad.report(1, 0.0, 0.0)
    assert report.missed == pytest.approx(150, abs=10)
    assert report.unanswered == pytest.approx(10, abs=1)
    assert report.due == report.sent + report.missed
    assert report.sent == report.acknowledged + report.unanswered
    assert max(report.latency_max_ms.values()) == 10_000
    assert report.lost == report.errors["closed"] == 10


def test_a_bye_is_named_and_the_player_tries_again_without_its_token() -> None:
    squad, server = squad_and_server(stages=(Stage("constant-players", 1, 0.0),))
    server.run(2.0)
    server.tell(0, Bye("too fast"))
    server.run(2.0)
    assert squad.tally.errors == {"bye:too fast": 1}
    assert squad.tally.lost == 1
    assert (0, "fin") in server.closed
    assert server.hellos[-1][1].resume == "token-0"
    assert squad.roster.connected == 1


@pytest.mark.parametrize("how", ["rst", "fin", "silent"])
def test_a_storm_cuts_holds_off_and_lets_come_back(how: str) -> None:
    squad, server = squad_and_server(stages=(Stage("constant-players", 100, 0.0),))
    server.run(5.0)
    squad.arm(_storm(how, players_pct=30.0))
    server.run(2.0)
    report = squad.report(1, 0.0, 0.0)
    assert (report.connected, report.planned, report.affected) == (70, {"f1": 30}, {"f1": 30})
    assert (report.lost, report.errors) == (0, {})
    assert report.missed == pytest.approx(60, abs=6)
    assert len(server.silent) == (30 if how == "silent" else 0)
    assert [h for _, h in server.closed] == ([] if how == "silent" else [how] * 30)
    server.run(3.1)  # the hold is over: it reverts by itself
    assert len(server.silent) == 0
    server.run(3.0)
    report = squad.report(1, 0.0, 0.0)
    assert (report.connected, report.lost) == (100, 0)
    assert report.affected == {"f1": 30}
    resumed = {player for player, hello in server.hellos if hello.resume}
    assert len(resumed) == 30


def test_a_storm_is_undone_early_and_undoing_it_twice_is_nothing() -> None:
    squad, server = squad_and_server(stages=(Stage("constant-players", 100, 0.0),))
    server.run(5.0)
    squad.arm(_storm(hold_s=3600.0))
    server.run(1.0)
    assert squad.roster.connected == 0
    squad.clear("f1")
    squad.clear("f1")
    squad.clear("never armed")
    server.run(3.0)
    assert squad.roster.connected == 100


def test_two_storms_hold_until_both_are_over() -> None:
    squad, server = squad_and_server()
    server.run(3.0)
    squad.arm(_storm())
    squad.arm(SquadFault("f2", "disconnect-storm", Scope(), {}, 0.0, 4, 100.0))
    server.run(10.0)
    report = squad.report(1, 0.0, 0.0)
    assert (report.connected, report.affected) == (0, {"f1": 10, "f2": 10})
    squad.clear("f2")
    server.run(3.0)
    assert squad.roster.connected == 10


def test_who_was_out_when_the_storm_struck_is_held_off_and_counted() -> None:
    squad, server = squad_and_server()
    server.refuses = True
    server.run(2.0)
    squad.arm(_storm(count=4))
    server.refuses = False
    server.run(4.0)
    report = squad.report(1, 0.0, 0.0)
    assert (report.connected, report.affected) == (6, {"f1": 4})


def test_players_sent_away_during_a_storm_do_not_come_back() -> None:
    squad, server = squad_and_server()
    server.run(3.0)
    squad.arm(_storm("silent"))
    server.run(1.0)
    squad.set_load(SetLoad(players=2))
    squad.clear("f1")
    server.run(5.0)
    assert sorted(server.live) == [0, 1]
    assert squad.roster.seats[5].phase is Phase.OUT


def test_a_fault_that_does_not_exist_or_fit_is_refused() -> None:
    squad, _ = squad_and_server()
    with pytest.raises(UserError, match="did you mean 'disconnect-storm'"):
        squad.arm(SquadFault("f1", "disconect-storm", Scope(), {}, 0.0, 3, 5.0))
    with pytest.raises(UserError, match="allowed: rst, fin, silent"):
        squad.arm(_storm("gently"))
    assert squad.report(1, 0.0, 0.0).planned == {}


def test_a_mix_with_an_unknown_archetype_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean 'raider'"):
        squad_and_server(mix={"raiders": 1.0})


def test_the_end_waits_for_answers_and_gives_up_on_none_that_came() -> None:
    squad, server = squad_and_server()
    server.answer_after_s = 0.8
    server.run(5.0)
    assert not squad.drain()
    server.run(1.0)
    assert squad.drain()
    squad.finish()
    report = squad.report(1, 0.0, 0.0, finished=True)
    assert (report.unanswered, report.lost, report.connected) == (0, 0, 0)
    assert report.sent == report.acknowledged
    assert sorted(server.closed) == [(n, "bye") for n in range(10)]
    assert report.finished


def test_the_end_counts_what_was_never_answered() -> None:
    squad, server = squad_and_server()
    server.answers = False
    server.run(3.5)
    squad.drain()
    squad.finish()
    assert squad.tally.unanswered == squad.tally.sent > 0


def test_the_mix_is_drawn_by_weight_and_does_not_depend_on_the_squad() -> None:
    mix = {"wanderer": 6.0, "trader": 3.0, "raider": 1.0}
    archetypes = []
    for number in range(2):
        stages = (Stage("constant-players", 1000, 0.0),)
        squad, server = squad_and_server(squad=number, squads=2, mix=mix, stages=stages)
        server.run(20.0)
        report = squad.report(1, 0.0, 0.0)
        assert report.by_archetype["wanderer"] == pytest.approx(300, abs=50)
        assert report.by_archetype["raider"] == pytest.approx(50, abs=25)
        archetypes += [(n, seat.player.archetype) for n, seat in squad.roster.seats.items()]
    alone, server = squad_and_server(mix=mix, stages=(Stage("constant-players", 1000, 0.0),))
    server.run(0.1)
    assert sorted(archetypes) == sorted(
        (n, seat.player.archetype) for n, seat in alone.roster.seats.items()
    )


def test_the_same_seed_sends_the_same_commands() -> None:
    def intents() -> list[tuple[float, int, object]]:
        _, server = squad_and_server(mix={"wanderer": 1, "cheater": 1})
        server.run(20.0)
        return list(server.intents)

    first = intents()
    assert len(first) > 150
    assert intents() == first


def test_the_worker_may_ask_when_nothing_is_planned() -> None:
    squad, server = squad_and_server(stages=())
    server.run(1.0)
    assert squad.send_due() is None
    assert not squad.settled
    assert isinstance(server, FakeServer)
