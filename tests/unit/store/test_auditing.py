"""What the audit of a log tells, beside the world that writes it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.protocol.audit import AuditAnswer, AuditQuery, AuditRow
from engine.protocol.errors import UserError
from engine.protocol.limits import AUDIT_ROW_BITS, PLAYER_ID_BASE
from engine.protocol.policy import PolicyChange
from engine.store import auditing
from engine.store.auditing import read_audit
from engine.store.base import TickRecord
from engine.store.sqlite import SqliteStore
from engine.store.tables import Tables
from engine.world.events import TickEvents
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig

TICKS = 230
ONE, TWO = PLAYER_ID_BASE, PLAYER_ID_BASE + 1
REST, MOVE, SAY = 5, 0, 4


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In every tick one rests; in every tenth two leaps; in tick 150 a policy is changed."""
    path = tmp_path_factory.mktemp("audit") / "events.db"
    store, world = SqliteStore(path), World.create(WorldConfig(seed=4, npcs=0, nodes=0))
    for tick in range(TICKS):
        rows = [(ONE, max(tick, 1), REST, 0, 0, 0, 0)]
        texts = {}
        if tick % 10 == 5:
            rows.append((TWO, tick, MOVE, 0, 0, 0, 0))
        if tick == 203:
            rows.append((TWO, tick, SAY, 0, 0, 0, 0))
            texts[1] = "A DAMN LONG DAY"
        wishes = [PolicyChange("speed", priority=3)] if tick == 150 else []
        joins = [(ONE, "player-0"), (TWO, "player-1")] if tick == 0 else []
        inputs = TickInputs.of(rows, texts=texts, joins=joins, policies=wishes)
        store.append(TickRecord.of(world.step(inputs), inputs))
    store.close()
    return path


def pages(log: Path, **wanted: object) -> list[AuditAnswer]:
    """Every page from the very first."""
    found = [read_audit(log, AuditQuery(after=0, **wanted))]
    while found[-1].after < TICKS << AUDIT_ROW_BITS:
        found.append(read_audit(log, AuditQuery(after=found[-1].after, **wanted)))
    return found


def test_denials_in_order_with_their_reasons_and_who_was_asked(log: Path) -> None:
    rows = [row for page in pages(log, verdict="deny", limit=7) for row in page.rows]
    assert [row.tick for row in rows] == list(range(5, TICKS, 10))
    assert {(row.actor, row.kind, row.role, row.policy) for row in rows} == {
        (TWO, "move", "player", "speed")
    }
    assert all(row.reason.startswith("speed: a step of ") for row in rows)
    assert all(row.event > 0 for row in rows)
    before = ("role", "rate", "dead-actor", "sanity", "directive-scope", "speed")
    assert {row.evaluated for row in rows if row.tick < 150} == {before}
    assert {row.evaluated for row in rows if row.tick >= 150} == {("speed",)}


def test_every_intent_is_there_once(log: Path) -> None:
    rows = [
        row
        for verdict in ("permit", "deny", "mutate", "resent")
        for page in pages(log, verdict=verdict, limit=50)
        for row in page.rows
    ]
    assert len(rows) == len({row.number for row in rows}) == TICKS + TICKS // 10 + 1
    (resent,) = (row for row in rows if row.verdict == "resent")
    assert (resent.tick, resent.event, resent.evaluated) == (1, 0, ())


def test_the_newest_come_last(log: Path) -> None:
    answer = read_audit(log, AuditQuery(limit=3))
    assert [row.tick for row in answer.rows] == [205, 215, 225]
    assert answer.tick == TICKS - 1
    assert read_audit(log, AuditQuery(after=answer.after)).rows == ()
    (said,) = read_audit(log, AuditQuery(policy="chat-filter")).rows
    assert (said.verdict, said.reason) == ("mutate", "chat-filter: shouting, a listed word")


def test_pages_within_one_tick_make_no_row_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many, path = 60, tmp_path / "events.db"
    store, world = SqliteStore(path), World.create(WorldConfig(seed=4, npcs=0, nodes=0))
    joins = [(ONE + n, f"player-{n}") for n in range(many)]
    rests = [(ONE + n, 1, REST, 0, 0, 0, 0) for n in range(many)]
    for inputs in (TickInputs.of(joins=joins), TickInputs.of(rests)):
        store.append(TickRecord.of(world.step(inputs), inputs))
    store.close()
    made: list[int] = []

    def counted(**fields: object) -> AuditRow:
        made.append(1)
        return AuditRow(**fields)  # type: ignore[arg-type]  # as they are given

    monkeypatch.setattr(auditing, "AuditRow", counted)
    found, after = [], 0
    while page := read_audit(path, AuditQuery(after=after, verdict="permit", limit=7)):
        found += [row.actor for row in page.rows]
        after = page.after
        if not page.rows:
            break
    assert found == [ONE + n for n in range(many)]
    assert len(made) == many
    newest = read_audit(path, AuditQuery(verdict="permit", limit=7)).rows
    assert [row.actor for row in newest] == found[-7:]
    assert len(made) == many + 7
    assert [row.actor for row in read_audit(path, AuditQuery(verdict="permit", limit=99)).rows] == (
        found
    )


@pytest.mark.parametrize("limit", [3, 50])
@pytest.mark.parametrize("down", [False, True])
def test_page_after_page_either_way(
    log: Path, monkeypatch: pytest.MonkeyPatch, limit: int, down: bool
) -> None:
    monkeypatch.setattr(auditing, "AUDIT_SEARCH_TICKS_MAX", 40)
    monkeypatch.setattr(auditing, "AUDIT_TICKS_AT_ONCE", 7)
    query = AuditQuery(verdict="deny", limit=limit, after=None if down else 0)
    got: list[int] = []
    asked = 0
    while True:
        page = read_audit(log, query)
        asked += 1
        ticks = [row.tick for row in page.rows]
        got = ticks + got if down else got + ticks
        if page.complete:
            break
        query = replace(query, **({"before": page.before} if down else {"after": page.after}))
    assert got == list(range(5, TICKS, 10))
    assert asked >= TICKS // 40


def test_between_two_rows(log: Path) -> None:
    rows = read_audit(log, AuditQuery(verdict="deny", after=0)).rows
    first, last = rows[3].number, rows[9].number
    found = read_audit(log, AuditQuery(verdict="deny", after=first, before=last))
    assert (found.rows, found.complete) == (rows[4:9], True)
    found = read_audit(log, AuditQuery(verdict="deny", before=last))
    assert (found.rows, found.complete, found.before) == (rows[:9], True, 0)
    found = read_audit(log, AuditQuery(verdict="deny", before=last, limit=2))
    assert (found.rows, found.complete, found.before) == (rows[7:9], False, rows[7].number)
    for edge in (0, 1):
        assert read_audit(log, AuditQuery(before=edge)).rows == ()
    assert read_audit(log, AuditQuery(verdict="deny", before=2**62)).rows == rows


def test_of_one_actor(log: Path) -> None:
    assert read_audit(log, AuditQuery(actor=ONE)).rows == ()
    found = read_audit(log, AuditQuery(actor=ONE, verdict="permit", limit=2)).rows
    assert [row.tick for row in found] == [228, 229]


def test_it_reads_what_it_tells_and_no_more(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = Tables.tick

    def tick(tables: Tables, number: int) -> TickEvents:
        read.append(number)
        return real(tables, number)

    monkeypatch.setattr(Tables, "tick", tick)
    monkeypatch.delattr(Tables, "stored")  # a page of ticks where one is wanted
    found = read_audit(log, AuditQuery(actor=TWO, verdict="permit", after=0)).rows
    assert found == ()
    assert read == []
    found = read_audit(log, AuditQuery(actor=TWO, after=0)).rows
    assert read == sorted({row.tick for row in found})


def test_no_such_policy(log: Path) -> None:
    with pytest.raises(UserError, match=r"found 'sped'; allowed: .*; did you mean 'speed'"):
        read_audit(log, AuditQuery(policy="sped"))
    assert read_audit(log, AuditQuery(policy="world")).rows == ()


def test_what_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        read_audit(tmp_path / "nothing", AuditQuery())


def test_an_empty_log(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "events.db").close()
    assert read_audit(tmp_path / "events.db", AuditQuery()).rows == ()
