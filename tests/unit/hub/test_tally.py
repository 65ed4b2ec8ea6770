"""Kinds of error over squads that come and go: bounded, and no count ever goes back."""

from engine.hub.tally import Tally
from engine.protocol.cheats import CheatCount, CheatsSummary, HonestCount
from engine.protocol.limits import ERROR_KINDS_MAX
from tests.unit.hub.fakes import squad_report


def test_a_server_that_invents_reasons_fills_other() -> None:
    tally = Tally()
    told: dict[str, int] = {}
    for round_ in range(4):
        for squad in range(2):
            errors = {f"bye:{round_}-{squad}-{n}": 2 for n in range(ERROR_KINDS_MAX)}
            tally.take(squad_report(squad, pid=100 + round_, errors={"closed": 1, **errors}))
            now = tally.all_errors()
            assert all(now[kind] >= count for kind, count in told.items())
            told = now
    assert len(told) == ERROR_KINDS_MAX + 1
    assert len(tally.errors) <= ERROR_KINDS_MAX + 1
    assert told["closed"] == 4 * 2
    assert sum(told.values()) == 4 * 2 * (1 + 2 * ERROR_KINDS_MAX)


def test_other_of_a_squad_is_other_here() -> None:
    tally = Tally()
    tally.take(squad_report(0, errors={"other": 5, "closed": 1}))
    tally.take(squad_report(1, errors={"other": 2}))
    assert tally.all_errors() == {"closed": 1, "other": 7}


def _cheats(tried: int, sent: int, **hits: int) -> CheatsSummary:
    count = CheatCount(tried, tried - 2, 1, 1)
    return CheatsSummary({"speed": count}, HonestCount(sent, sum(hits.values()), 0, hits))


def test_cheats_of_a_squad_that_died_are_kept_and_added_to_the_others() -> None:
    tally = Tally()
    assert tally.cheats() == CheatsSummary()
    tally.take(squad_report(0, pid=1, cheats=_cheats(10, 100, gather=3)))
    tally.take(squad_report(1, pid=2, cheats=_cheats(5, 50, gather=1, reach=2)))
    tally.gone(0)
    tally.take(squad_report(0, pid=3, cheats=CheatsSummary({"rate": CheatCount(7, 7)})))
    tally.take(squad_report(1, pid=2, cheats=_cheats(6, 60, gather=1, reach=4)))
    assert tally.cheats() == CheatsSummary(
        {"rate": CheatCount(7, 7), "speed": CheatCount(16, 12, 2, 2)},
        HonestCount(160, 8, 0, {"gather": 4, "reach": 4}),
    )
