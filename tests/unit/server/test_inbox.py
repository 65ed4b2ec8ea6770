"""What arrives between two ticks is bounded and handed over whole."""

import pytest

from engine.protocol.child import WorldOrder
from engine.protocol.gateway import INTENT_KINDS, Intent
from engine.protocol.limits import (
    INTENTS_QUEUED_PER_PLAYER_MAX,
    NAME_CHARS_MAX,
    ORDER_SEQ_BASE,
    SAY_CHARS_MAX,
)
from engine.server import inbox as inbox_module
from engine.server.inbox import TOO_BUSY, TOO_FAST, Inbox


def nobody(_entity: int) -> bool:
    return False


def everybody(_entity: int) -> bool:
    return True


def test_intents_come_out_as_they_went_in():
    inbox = Inbox()
    assert inbox.put(1_000_007, Intent(seq=3, kind="move", x=65535, y=1)) == ""
    trade = Intent(seq=2**31 - 1, kind="trade", target=100_000, amount=-1_000_000)
    assert inbox.put(1_000_008, trade) == ""
    assert inbox.put(1_000_007, Intent(seq=4, kind="say", text="hi")) == ""
    inputs = inbox.drain(nobody)
    move, sell, _ = inputs.intents.tolist()
    assert move == (1_000_007, 3, INTENT_KINDS.index("move"), 65535, 1, 0, 0, 0)
    assert sell == (1_000_008, 2**31 - 1, INTENT_KINDS.index("trade"), 0, 0, 100_000, -1_000_000, 0)
    assert inputs.texts == {2: "hi"}
    assert len(inbox.drain(nobody).intents) == 0


def test_texts_are_made_printable_and_cut_at_the_door():
    inbox = Inbox()
    inbox.join(7, "Mallory\x1b[2J" + "x" * 99)
    inbox.put(7, Intent(seq=3, kind="say", text="hi\ud800" + "x" * 999))
    inbox.put_order(WorldOrder(1, 7, Intent(seq=0, kind="say", text="\x07")))
    inputs = inbox.drain(nobody)
    said = f"hi\N{REPLACEMENT CHARACTER}{'x' * 999}"[:SAY_CHARS_MAX]
    assert inputs.texts == {0: said, 1: "\N{REPLACEMENT CHARACTER}"}
    assert inputs.joins == [(7, f"Mallory\N{REPLACEMENT CHARACTER}[2J{'x' * 99}"[:NAME_CHARS_MAX])]


def test_the_same_seq_is_queued_once():
    inbox = Inbox()
    assert inbox.put(1, Intent(seq=3, kind="rest")) == ""
    assert inbox.put(1, Intent(seq=3, kind="rest")) == ""
    assert inbox.put(2, Intent(seq=3, kind="rest")) == ""
    assert len(inbox.drain(nobody).intents) == 2


def test_one_player_too_fast_is_refused_and_the_other_is_not():
    inbox = Inbox()
    for seq in range(1, INTENTS_QUEUED_PER_PLAYER_MAX + 1):
        assert inbox.put(1, Intent(seq=seq, kind="rest")) == ""
    assert inbox.put(1, Intent(seq=99, kind="rest")) == TOO_FAST
    assert inbox.put(2, Intent(seq=1, kind="rest")) == ""
    assert len(inbox.drain(nobody).intents) == INTENTS_QUEUED_PER_PLAYER_MAX + 1
    assert inbox.put(1, Intent(seq=99, kind="rest")) == ""


def test_all_players_together_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox_module, "INTENTS_PER_TICK_MAX", 2)
    inbox = Inbox()
    refusals = [inbox.put(player, Intent(seq=1, kind="rest")) for player in range(3)]
    assert refusals == ["", "", TOO_BUSY]


@pytest.mark.parametrize(
    ("before", "happened", "joins", "leaves"),
    [
        (nobody, "j", [(1, "a")], []),
        (nobody, "jl", [], []),
        (nobody, "jlj", [(1, "a")], []),
        (everybody, "l", [], [1]),
        (everybody, "lj", [(1, "a")], [1]),
        (everybody, "ljl", [], [1]),
    ],
)
def test_only_the_outcome_of_coming_and_going_counts(before, happened, joins, leaves):
    inbox = Inbox()
    for what in happened:
        inbox.join(1, "a") if what == "j" else inbox.leave(1)
    inputs = inbox.drain(before)
    assert (inputs.joins, inputs.leaves) == (joins, leaves)


def test_the_first_tick_of_a_restarted_world_has_nobody_leave():
    inbox = Inbox()
    inbox.join(1, "a")
    inputs = inbox.drain(everybody, restarted=True)
    assert (inputs.joins, inputs.leaves, inputs.restarted) == ([(1, "a")], [], True)


def test_orders_have_sequences_of_their_own_and_take_no_players_room(
    monkeypatch: pytest.MonkeyPatch,
):
    inbox = Inbox()
    for seq in range(1, INTENTS_QUEUED_PER_PLAYER_MAX + 1):
        inbox.put(7, Intent(seq=seq, kind="rest"))
    assert inbox.put(7, Intent(seq=99, kind="rest")) == TOO_FAST
    order = WorldOrder(3, 7, Intent(seq=1, kind="say", text="go"))
    assert inbox.put_order(order) == ""
    inputs = inbox.drain(nobody)
    last = inputs.intents.tolist()[-1]
    assert last[:3] == (7, ORDER_SEQ_BASE + 3, INTENT_KINDS.index("say"))
    assert inputs.texts == {INTENTS_QUEUED_PER_PLAYER_MAX: "go"}
    monkeypatch.setattr(inbox_module, "INTENTS_PER_TICK_MAX", 1)
    assert inbox.put_order(order) == ""
    assert inbox.put_order(order) == TOO_BUSY
