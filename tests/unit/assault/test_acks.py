"""The ring of a player's newest answers, and what a squad tells of a player."""

import sys
import tracemalloc

import pytest

from engine.assault.acks import Acks
from engine.protocol.child import SquadClear, SquadFault
from engine.protocol.command import Scope
from engine.protocol.gateway import Ack
from engine.protocol.limits import ACK_REASON_CHARS_MAX, ACKS_REMEMBERED_MAX
from engine.protocol.query import AckRow
from tests.unit.assault.kit import squad_and_server


def test_the_newest_answers_are_kept_in_their_order():
    acks = Acks()
    assert acks.rows(0.0) == ()
    for seq in range(1, ACKS_REMEMBERED_MAX + 4):
        acks.add(seq, "move", "permit", None, 0.05, 100.0 + seq)
    rows = acks.rows(100.0)
    assert [row.seq for row in rows] == list(range(4, ACKS_REMEMBERED_MAX + 4))
    assert rows[0] == AckRow(4, "move", "permit", "", 50.0, 4.0)
    assert acks.count == ACKS_REMEMBERED_MAX + 3


def test_a_reason_goes_with_its_answer_and_is_made_safe():
    acks = Acks()
    acks.add(1, "attack", "deny", "reach: \x1b[31m" + "x" * 500, 0.1, 1.0)
    acks.add(2, "trade", "mutate", "speed: cut short", 0.1, 1.0)
    first, second = acks.rows(0.0)
    assert (first.verdict, second.verdict) == ("deny", "mutate")
    assert first.reason.startswith("reach: \N{REPLACEMENT CHARACTER}[31mxx")
    assert len(first.reason) == ACK_REASON_CHARS_MAX
    for seq in range(3, ACKS_REMEMBERED_MAX + 3):
        acks.add(seq, "move", "permit", None, 0.1, 1.0)
    assert {row.reason for row in acks.rows(0.0)} == {""}


def test_a_players_answers_take_less_than_a_kilobyte():
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = []
        for _ in range(100):
            acks = Acks()
            for seq in range(2 * ACKS_REMEMBERED_MAX):
                acks.add(seq, "move", "permit", None, 0.05, float(seq))
            kept.append(acks)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sys.getsizeof(kept[0]) < 100
    assert (after - before) / 100 < 1000


def test_a_squad_tells_of_a_player_that_plays():
    squad, server = squad_and_server()
    assert squad.look_into(3) is None
    server.answer_after_s = 0.05
    server.run(8.0)
    player = squad.look_into(3)
    assert player is not None
    assert (player.phase, player.archetype, player.squad) == ("playing", "wanderer", 0)
    assert 7.0 < player.connected_s < 8.0
    assert player.acknowledged == player.acks[-1].seq
    assert player.acks[-1].latency_ms == pytest.approx(50, abs=25)
    assert 0.0 < player.acks[-1].at_s <= 8.0
    assert player.sent == player.acknowledged + player.in_flight
    assert squad.look_into(999) is None


def test_a_squad_tells_what_is_unanswered_and_why():
    squad, server = squad_and_server()
    server.run(2.0)
    server.answers = False
    server.run(5.0)
    player = squad.look_into(0)
    assert player is not None
    assert player.in_flight >= 4
    assert 3.0 < player.oldest_in_flight_s < 6.0
    server.tell(0, Ack(player.sent, 9, "deny", "reach: too far"))
    server.run(0.1)
    told = squad.look_into(0)
    assert told is not None
    assert (told.acks[-1].verdict, told.acks[-1].reason) == ("deny", "reach: too far")


def test_a_squad_tells_which_faults_touch_a_player():
    squad, server = squad_and_server()
    server.run(2.0)
    squad.arm(SquadFault("f1", "disconnect-storm", Scope(ids=(4,)), {}, 0.0, 1, 60.0))
    server.run(0.5)
    held, spared = squad.look_into(4), squad.look_into(5)
    assert held is not None
    assert spared is not None
    assert (held.phase, held.faults, held.connected_s) == ("held", ("f1",), 0.0)
    assert (spared.phase, spared.faults) == ("playing", ())
    squad.clear(SquadClear("f1").id)
    server.run(4.0)
    back = squad.look_into(4)
    assert back is not None
    assert (back.phase, back.faults) == ("playing", ())
