"""Cheats and honest commands: each counted once, by what the answer said."""

from engine.assault.behaviours.base import Wish
from engine.assault.cheats import Cheats
from engine.assault.drivers.seed import DRIVER
from engine.assault.player import Player
from engine.assault.tally import Tally
from engine.protocol.cheats import UNSURE, CheatCount, HonestCount
from engine.protocol.gateway import Ack, Welcome, encoder
from engine.protocol.limits import CHEAT_KINDS_MAX, COMMANDS_IN_FLIGHT_PER_PLAYER_MAX, POLICIES_MAX
from engine.stats.chance import Dice


class Still:
    name = "still"

    def decide(self, *_: object) -> tuple[Wish, ...]:
        return ()


def _player() -> tuple[Player, Tally]:
    tally = Tally()
    player = Player("player-1", "still", Still(), DRIVER, Dice(1), tally)
    player.hear(encoder.encode(Welcome(1_000_001, 1, 100, "token")), 0.0)
    return player, tally


def _do(player: Player, cheat: str, *answer: object) -> None:
    command = player.command(Wish("rest", cheat=cheat), 1.0, 1.0)
    assert command is not None
    if answer:
        player.hear(encoder.encode(Ack(command[0], 5, *answer)), 1.1)  # type: ignore[arg-type]  # the test's own
    else:
        player.give_up(command[0])


def test_what_became_of_each_command() -> None:
    player, tally = _player()
    _do(player, "speed", "deny", "speed: a step of 40.0 tiles")
    _do(player, "speed", "mutate", "speed: shortened")
    _do(player, "speed", "deny", "rate: more than 10 a second")
    _do(player, "speed", "permit")
    _do(player, "speed")
    _do(player, "chat-filter", "mutate", "chat-filter: a listed word")
    _do(player, UNSURE, "deny", "rate: more than 10 a second")
    _do(player, UNSURE, "permit")
    _do(player, UNSURE)
    _do(player, "", "permit")
    _do(player, "", "deny", "sanity: npc-3 is dead")
    _do(player, "", "deny", "sanity: npc-4 is dead")
    _do(player, "", "mutate", "speed: shortened")
    _do(player, "", "deny", "no colon here")
    _do(player, "")
    summary = tally.cheats.summary()
    assert summary.by_policy == {
        "chat-filter": CheatCount(tried=1, caught=1),
        "speed": CheatCount(tried=5, caught=2, caught_by_other=1, missed=1, unanswered=1),
    }
    hits = {"no policy": 1, "sanity": 2, "speed": 1}
    assert summary.honest == HonestCount(sent=6, denied=3, mutated=1, by_policy=hits)


def test_a_cheat_that_could_not_be_sent_is_unanswered() -> None:
    player, tally = _player()
    for _ in range(COMMANDS_IN_FLIGHT_PER_PLAYER_MAX + 2):
        player.command(Wish("rest", cheat="rate"), 1.0, 1.0)
    count = tally.cheats.summary().by_policy["rate"]
    assert (count.tried, count.unanswered) == (COMMANDS_IN_FLIGHT_PER_PLAYER_MAX + 2, 2)
    player.give_up_all()
    assert tally.cheats.summary().by_policy["rate"].unanswered == count.tried


def test_an_answer_that_comes_twice_counts_once() -> None:
    player, tally = _player()
    seq, _ = player.command(Wish("rest", cheat="rate"), 1.0, 1.0) or (0, b"")
    for _ in range(2):
        player.hear(encoder.encode(Ack(seq, 5, "deny", "rate: too many")), 1.1)
    player.give_up(seq)
    assert tally.cheats.summary().by_policy["rate"] == CheatCount(tried=1, caught=1)


def test_a_cheat_that_goes_out_again_may_be_legal_by_then() -> None:
    player, tally = _player()
    for cheat in ("rate", "cooldown", UNSURE, ""):
        player.command(Wish("rest", cheat=cheat), 1.0, 1.0)
    for _ in range(2):
        assert len(player.frames_to_resend()) == 4
    for seq, verdict in zip(list(player.flights), ("permit", "deny", "permit"), strict=False):
        player.hear(encoder.encode(Ack(seq, 5, verdict, "cooldown: too soon")), 2.0)  # type: ignore[arg-type]  # one of the three
    player.give_up_all()
    _do(player, "cooldown", "permit")
    summary = tally.cheats.summary()
    assert summary.by_policy["rate"] == CheatCount()
    assert summary.by_policy["cooldown"] == CheatCount(tried=1, missed=1)
    assert summary.honest == HonestCount(sent=1)


def test_a_reason_names_everyone_who_changed_or_denied_it() -> None:
    player, tally = _player()
    _do(player, "chat-filter", "mutate", "m1: one; chat-filter: shouting")
    _do(player, "sanity", "deny", "astray: at nobody; m2: two; sanity: there is no npc-3")
    _do(player, "speed", "mutate", "m1: why not: speed; m2: two")
    _do(player, "", "mutate", "m1: one; chat-filter: shouting")
    summary = tally.cheats.summary()
    assert summary.by_policy == {
        "chat-filter": CheatCount(tried=1, caught=1),
        "sanity": CheatCount(tried=1, caught=1),
        "speed": CheatCount(tried=1, caught_by_other=1),
    }
    assert summary.honest.by_policy == {"m1": 1}


def test_names_that_a_server_or_an_author_invents_are_bounded() -> None:
    cheats = Cheats()
    for number in range(1000):
        cheats.sent(f"kind-{number}\n" + "x" * 100)
        cheats.answered("", "deny", f"policy-{number}: no")
    summary = cheats.summary()
    assert len(summary.by_policy) == CHEAT_KINDS_MAX + 1
    assert summary.by_policy["other"].tried == 1000 - CHEAT_KINDS_MAX
    assert len(summary.honest.by_policy) == POLICIES_MAX + 1
    assert all(name.isprintable() and len(name) <= 48 for name in summary.by_policy)


def test_the_mark_never_leaves_the_squad() -> None:
    assert DRIVER.intent(1, Wish("rest", cheat="rate")) == DRIVER.intent(1, Wish("rest"))
