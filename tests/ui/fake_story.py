"""A story for the made-up engine."""

from engine.protocol.limits import BEAT_TAIL_MAX, NPC_ID_BASE, PLAYER_ID_BASE
from engine.protocol.story import Beat, NarratorState, StoryView

P, N = PLAYER_ID_BASE, NPC_ID_BASE
EVERY_S = 5
TOLD = (
    ("fortune", "Not everyone fights: player-15 closed sale number 8 of the season, with "
     "player-229.", (P + 15, P + 229)),
    ("death", "player-360 died at the hands of player-382 in zone 11; 50 gold changed owner.",
     (P + 382, P + 360)),
    ("help", "A cry from npc-4: player-346 is upon me! npc-30 and npc-138 heard it and struck.",
     (N + 4, N + 30, N + 138, P + 346)),
    ("duel", "Blow after blow player-179 wears player-104 down. 2 hp remain.", (P + 179, P + 104)),
    ("rampage", "3 kills by one hand. player-417 has now put player-176, player-114 and "
     "player-459 into the ground.", (P + 417, P + 459)),
    ("rise", "The name to know is player-63: level 5, above player-12 and everybody else.",
     (P + 63, P + 12)),
    ("battle", "Zone 53 has become a battlefield: 4 dead since tick 272, player-459 the latest.",
     (P + 459,)),
    ("feud", "A debt is paid: player-12, slain by npc-7 at tick 300, slew npc-7 at tick 812.",
     (P + 12, N + 7)),
    ("peace", "player-543 crosses zone 53 unharmed. Nobody has died there since player-459 at "
     "tick 400.", (P + 543, P + 459)),
    ("vanishing", "The storm is here. At tick 700 it took player-3, player-9 and player-12, and "
     "many after them.", (P + 3, P + 9, P + 12)),
    ("return", "They are back. player-9 was the first to return, at tick 905; with player-871, at "
     "tick 931, the crowd is there again.", (P + 871, P + 9)),
    ("silence", "The world fell silent after tick 1004. It woke at tick 1005 and reached for the "
     "1000 souls it had held.", ()),
)  # fmt: skip


def story(at_s: float, narrator: NarratorState = "telling") -> StoryView:
    """Return the story as it is ``at_s`` seconds into the run."""
    count = int(at_s / EVERY_S)
    beats = [
        Beat(n, n * EVERY_S + 0.4, n * EVERY_S * 10, kind, text, (n * 100, n * 100 + 3), cast)
        for n in range(1, count + 1)
        for kind, text, cast in (TOLD[(n - 1) % len(TOLD)],)
    ]
    return StoryView(count, 0, narrator, tuple(beats[-BEAT_TAIL_MAX:]))
