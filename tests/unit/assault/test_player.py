"""A player: what it counts, what it keeps in flight, what it believes."""

import pytest

from engine.assault.behaviours.base import Wish
from engine.assault.behaviours.wanderer import BEHAVIOUR as WANDERER
from engine.assault.drivers.seed import SeedDriver
from engine.assault.player import Player
from engine.assault.tally import Tally
from engine.protocol.gateway import (
    Ack,
    Bye,
    Hello,
    Intent,
    Notice,
    Welcome,
    client_decoder,
    encoder,
)
from engine.protocol.limits import COMMANDS_IN_FLIGHT_PER_PLAYER_MAX
from engine.stats.chance import Dice
from tests.unit.assault.kit import delta, seen

ME = 1_000_007


@pytest.fixture
def tally() -> Tally:
    tally = Tally()
    tally.measure_from_s = 0.0
    return tally


@pytest.fixture
def player(tally: Tally) -> Player:
    return Player("player-7", "wanderer", WANDERER, SeedDriver(), Dice(1), tally)


def _greet(player: Player, seq: int = 0) -> None:
    welcome = Welcome(ME, 3, 100, "token", seq, 5000, 6000)
    assert player.hear(encoder.encode(welcome), 1.0) == "welcome"


def _ack(player: Player, seq: int, now_s: float, verdict: str = "permit") -> None:
    player.hear(encoder.encode({"type": "ack", "seq": seq, "tick": 4, "verdict": verdict}), now_s)


def _send(player: Player, due_s: float, now_s: float) -> Intent:
    command = player.command(Wish("rest"), due_s, now_s)
    assert command is not None
    intent = client_decoder.decode(command[1])
    assert isinstance(intent, Intent)
    return intent


def test_hello_has_no_token_at_first_and_the_welcomes_token_later(player: Player) -> None:
    assert client_decoder.decode(player.hello()) == Hello("player-7")
    _greet(player)
    assert client_decoder.decode(player.hello()) == Hello("player-7", "token")
    player.forget_token()
    assert client_decoder.decode(player.hello()) == Hello("player-7")


def test_latency_counts_from_the_due_time_and_uncorrected_from_sending(
    player: Player, tally: Tally
) -> None:
    _greet(player)
    intent = _send(player, due_s=10.0, now_s=10.5)
    _ack(player, intent.seq, 10.6)
    tally.settle()
    assert tally.latency["rest"].max_ms == pytest.approx(600)
    assert tally.uncorrected.max_ms == pytest.approx(100)
    assert tally.lateness.max_ms == pytest.approx(500)
    assert (tally.due, tally.sent, tally.acknowledged) == (1, 1, 1)


def test_a_world_that_forgot_what_it_had_acknowledged_is_found_out(
    player: Player, tally: Tally
) -> None:
    _greet(player)
    for _ in range(3):
        _ack(player, _send(player, 1.0, 1.0).seq, 1.1)
    refused = _send(player, 2.0, 2.0)
    too_fast = {"type": "ack", "seq": refused.seq, "tick": 0, "verdict": "deny", "reason": "x"}
    player.hear(encoder.encode(too_fast), 2.1)
    _greet(player, seq=3)
    assert tally.acknowledged_lost == 0
    _greet(player, seq=1)
    assert tally.acknowledged_lost == 2
    _greet(player, seq=1)
    assert tally.acknowledged_lost == 2


def test_verdicts_are_told_apart(player: Player, tally: Tally) -> None:
    _greet(player)
    for verdict in ("permit", "deny", "mutate"):
        _ack(player, _send(player, 1.0, 1.0).seq, 1.1, verdict)
    assert (tally.acknowledged, tally.denied, tally.mutated) == (3, 1, 1)


def test_unanswered_counts_as_the_timeout_and_a_late_answer_as_what_it_is(
    player: Player, tally: Tally
) -> None:
    _greet(player)
    intent = _send(player, 10.0, 10.0)
    player.give_up(intent.seq)
    _ack(player, intent.seq, 25.0)
    _ack(player, intent.seq, 26.0)
    tally.settle()
    assert (tally.unanswered, tally.acknowledged) == (1, 0)
    assert tally.latency["rest"].max_ms == tally.uncorrected.max_ms == 10_000
    assert tally.errors == {"late_answer": 1, "duplicate_answer": 1}


def test_duplicates_and_strays_are_no_acknowledgements(player: Player, tally: Tally) -> None:
    _greet(player)
    intent = _send(player, 1.0, 1.0)
    _ack(player, intent.seq, 1.1)
    _ack(player, intent.seq, 1.2)
    _ack(player, 999, 1.2)
    player.give_up(intent.seq)  # its timeout comes round all the same
    assert (tally.acknowledged, tally.unanswered) == (1, 0)
    assert tally.errors == {"duplicate_answer": 1, "stray_answer": 1}


def test_what_is_in_flight_goes_out_again_with_the_same_seqs(player: Player) -> None:
    _greet(player)
    sent = [_send(player, 1.0 + n, 1.0 + n) for n in range(3)]
    _ack(player, sent[1].seq, 3.5)
    _greet(player, seq=sent[0].seq)
    again = [client_decoder.decode(frame) for frame in player.frames_to_resend()]
    assert again == [sent[0], sent[2]]
    assert _send(player, 9.0, 9.0).seq == sent[2].seq + 1


def test_a_new_squad_goes_on_after_what_its_predecessor_got_through(player: Player) -> None:
    _greet(player, seq=41)
    assert _send(player, 1.0, 1.0).seq == 42


def test_warm_up_is_in_no_percentile_but_in_the_live_view(player: Player, tally: Tally) -> None:
    tally.measure_from_s = 100.0
    _greet(player)
    _ack(player, _send(player, 99.9, 99.9).seq, 100.5)
    _ack(player, _send(player, 100.0, 100.0).seq, 100.2)
    tally.settle()
    assert tally.latency["rest"].count == tally.uncorrected.count == 1
    assert tally.latency_now.count == 2


def test_too_many_in_flight_is_an_answer_that_never_comes(player: Player, tally: Tally) -> None:
    _greet(player)
    for _ in range(COMMANDS_IN_FLIGHT_PER_PLAYER_MAX):
        _send(player, 1.0, 1.0)
    assert player.command(Wish("rest"), 2.0, 2.0) is None
    assert len(player.flights) == COMMANDS_IN_FLIGHT_PER_PLAYER_MAX
    assert (tally.unanswered, tally.errors) == (1, {"in_flight_full": 1})


def test_an_update_is_decoded_only_to_decide_and_only_the_newest(player: Player) -> None:
    _greet(player)
    old = encoder.encode(delta(seen(ME, 2, 1, 1)))
    new = encoder.encode(delta(seen(ME, 2, 7000, 8000, hp=55, goods=3), seen(5, 0, 1, 1), tick=9))
    assert player.hear(old, 1.0) == ""
    assert player.hear(new, 1.1) == ""
    assert player.view is not None
    assert (player.view.x, player.view.tick) == (5000, 0)
    player.decide(2.0)
    view = player.view
    assert (view.x, view.y, view.tick, view.hp, view.goods) == (7000, 8000, 9, 55, 3)
    assert [entity.id for entity in view.others] == [5]


def test_it_knows_its_zone(player: Player) -> None:
    assert player.zone is None
    _greet(player)
    player.hear(encoder.encode(delta(seen(ME, 2, 33 * 256, 65 * 256))), 1.0)
    assert player.zone == 2 * 8 + 1


@pytest.mark.parametrize("frame", [b"", b"\xc1", b"\x81", b"hello", b"\x83\xa4type\xa3foo"])
def test_nonsense_is_counted_and_never_raised(player: Player, tally: Tally, frame: bytes) -> None:
    assert player.hear(frame, 1.0) == "nonsense"
    assert tally.errors == {"bad_frame": 1}


def test_a_broken_update_is_counted_when_it_is_looked_at(player: Player, tally: Tally) -> None:
    _greet(player)
    assert player.hear(b"\x83\xa4type\xa5delta\xff", 1.0) == ""
    player.decide(1.5)
    assert tally.errors == {"bad_frame": 1}


def test_a_bye_is_counted_by_its_reason_and_made_printable(player: Player, tally: Tally) -> None:
    assert player.hear(encoder.encode(Bye("slow \x1b[31m reader")), 1.0) == "bye"
    (kind,) = tally.errors
    assert kind.startswith("bye:slow ")
    assert kind.isprintable()
    assert player.hear(encoder.encode(Notice("pong")), 1.0) == ""


def test_the_walking_allowance_follows_the_time_since_the_last_step(player: Player) -> None:
    _greet(player)
    player.decide(10.0)
    assert player.view is not None
    assert player.view.step == 4 * 256
    player.command(Wish("move", 1, 1), 10.0, 10.0)
    player.decide(10.1)
    assert player.view.step == pytest.approx(0.4 * 256, abs=1)


def test_before_the_first_welcome_it_wants_nothing(player: Player) -> None:
    assert player.decide(1.0) == ()


def test_acks_of_the_wire_type_are_understood(player: Player, tally: Tally) -> None:
    _greet(player)
    intent = _send(player, 1.0, 1.0)
    player.hear(encoder.encode(Ack(intent.seq, 9, "deny", "speed: 9 tiles", 77)), 1.1)
    assert tally.denied == 1
