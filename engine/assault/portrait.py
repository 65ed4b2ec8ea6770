"""What a squad tells of one of its players."""

from engine.assault.roster import INSIDE, Seat
from engine.protocol.query import PlayerView


def player_view(
    squad: int, seat: Seat, faults: tuple[str, ...], now_s: float, began_s: float
) -> PlayerView:
    """Return a player's own side: its socket and what it was told.

    Args:
        squad: The squad that carries it.
        seat: The player and its connection.
        faults: Ids of the armed faults that touch it.
        now_s: The time.
        began_s: The run's start, on the same clock.
    """
    player = seat.player
    oldest_s = min((flight.due_s for flight in player.flights.values()), default=now_s)
    return PlayerView(
        squad=squad,
        archetype=player.archetype,
        phase=seat.phase.value,
        connected_s=round(now_s - seat.in_since_s, 3) if seat.phase in INSIDE else 0.0,
        attempts=seat.attempts,
        in_flight=len(player.flights),
        oldest_in_flight_s=round(max(0.0, now_s - oldest_s), 3),
        sent=player.sent,
        acknowledged=player.acks.count,
        faults=faults,
        acks=player.acks.rows(began_s),
    )
