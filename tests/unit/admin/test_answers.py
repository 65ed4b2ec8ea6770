"""What can be read: parameters, answers and errors, without a socket."""

import httpx
import msgspec
import pytest

from engine.protocol.audit import AuditAnswer, AuditQuery
from engine.protocol.events import Event
from engine.protocol.limits import FILTER_CHARS_MAX, PAGE_ROWS_MAX
from engine.protocol.query import (
    ChainAnswer,
    ChainQuery,
    EntitiesQuery,
    EntityAnswer,
    EntityQuery,
    EventsAnswer,
    EventsQuery,
    FaultsAnswer,
    PopulationAnswer,
    Refused,
)
from tests.unit.admin.fakes import FakeService, error, figures_of, row


async def test_health_and_entities(client: httpx.AsyncClient, service: FakeService):
    health = (await client.get("/health")).json()
    assert health == {
        "status": "running",
        "run": service.run,
        "tick": 4,
        "players": 7,
        "pid": 4711,
    }
    page = (
        await client.get("/entities?zone=3&kind=player&where=hp<99&sort=-gold&limit=2&after=0")
    ).json()
    assert service.queries[-1] == EntitiesQuery("hp<99", "-gold", 2, 0, 3, "player")
    assert [e["name"] for e in page["entities"]] == ["player-12", "npc-7"]
    assert (page["tick"], page["total"], page["after"]) == (5, 3, 2)
    assert (await client.get("/entities?after=1")).json()["after"] is None


async def test_a_filter_may_be_as_long_as_it_is_allowed_with_zone_and_kind(
    client: httpx.AsyncClient, service: FakeService
):
    where = "hp<99" + " " * (FILTER_CHARS_MAX - 5)
    answer = await client.get("/entities", params={"zone": 3, "kind": "npc", "where": where})
    assert answer.status_code == 200, answer.text
    # What the link to a console would refuse, no query may hold.
    query = msgspec.convert(msgspec.to_builtins(service.queries[-1]), EntitiesQuery)
    assert (query.where, query.zone, query.kind) == (where, 3, "npc")


async def test_events_by_page_and_filter(client: httpx.AsyncClient, service: FakeService):
    rows = (Event(5, 2, "moved", 1, 1), Event(6, 2, "died", 2, 1))
    service.answers["EventsQuery"] = EventsAnswer(9, rows, searched=6, complete=False, lost=2)
    page = (await client.get("/events?after_seq=4&limit=2&kind=moved,died")).json()
    assert service.queries[-1] == EventsQuery("", 2, 4, kinds=("moved", "died"))
    assert [event["seq"] for event in page.pop("events")] == [5, 6]
    assert page == {"last_seq": 9, "after_seq": 6, "lost": 2, "before_seq": None}
    await client.get("/events?actor=player-3&stream=npc-1&correlation=8&tick=7&before_seq=90")
    where = "actor=1000003 stream=100001 correlation=8 tick=7"
    assert service.queries[-1] == EventsQuery(where, before_seq=90)
    await client.get("/entities/101/events?kind=died&after_seq=0")
    assert service.queries[-1] == EventsQuery("", after_seq=0, kinds=("died",), about=101)


async def test_the_newest_events_say_where_to_go_on(
    client: httpx.AsyncClient, service: FakeService
):
    rows = (Event(5, 2, "moved", 1, 1),)
    service.answers["EventsQuery"] = EventsAnswer(9, rows, searched=3, complete=False)
    page = (await client.get("/events?limit=2")).json()
    assert (page["after_seq"], page["before_seq"]) == (9, 3)
    service.answers["EventsQuery"] = EventsAnswer(9, rows, searched=1)
    assert (await client.get("/events?limit=2")).json()["before_seq"] is None


async def test_the_audit_says_where_to_go_on(client: httpx.AsyncClient, service: FakeService):
    service.answers["AuditQuery"] = AuditAnswer(9, 70, (), complete=False, before=40)
    page = (await client.get("/governance/audit?limit=2&before=60")).json()
    assert service.queries[-1] == AuditQuery(limit=2, before=60)
    assert page == {"tick": 9, "after": 70, "rows": [], "complete": False, "before": 40}


async def test_a_chain(client: httpx.AsyncClient, service: FakeService):
    blow, death = Event(5, 2, "attacked", 1, 1), Event(6, 2, "died", 1, 2, cause=5)
    loot = Event(7, 2, "looted", 3, 1, cause=6)
    service.answers["ChainQuery"] = ChainAnswer((blow,), death, (loot,), "more than 1 effects")
    chain = (await client.get("/events/6/chain")).json()
    assert service.queries[-1] == ChainQuery(6)
    assert [event["seq"] for event in chain["causes"]] == [5]
    assert (chain["event"]["seq"], chain["event"]["cause"]) == (6, 5)
    assert [event["seq"] for event in chain["effects"]] == [7]
    assert chain["cut"] == "more than 1 effects"
    service.answers["ChainQuery"] = Refused("not_found", "no event 6 is in the log")
    error(await client.get("/events/6/chain"), 404, "not_found")


async def test_the_past(client: httpx.AsyncClient, service: FakeService):
    service.answers["EntityQuery"] = EntityAnswer(40, row(1_000_012), ())
    entity = (await client.get("/entities/player-12?at_tick=40")).json()
    assert service.queries[-1] == EntityQuery(1_000_012, at_tick=40)
    assert (entity["tick"], entity["entity"]["name"]) == (40, "player-12")
    await client.get("/entities?at_tick=7&kind=npc")
    assert service.queries[-1] == EntitiesQuery(kind="npc", at_tick=7)
    service.answers["EntityQuery"] = Refused("invalid", "tick 40 is not in the log: it has 0 to 9")
    assert "0 to 9" in error(await client.get("/entities/7?at_tick=40"), 422, "invalid")["message"]


async def test_ticks_metrics_and_page(client: httpx.AsyncClient, service: FakeService):
    service.figures = [figures_of(3)]
    assert (await client.get("/ticks?last=5")).json()["rows"][0]["tick"] == 3
    metrics = await client.get("/metrics")
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'seedstorm_players{state="connected"} 7' in metrics.text
    page = await client.get("/")
    assert "market &lt;day&gt;" in page.text
    assert "<day>" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")


async def test_population(client: httpx.AsyncClient, service: FakeService):
    service.answers["PopulationQuery"] = PopulationAnswer(3, 2, ((1, 0), (0, 2)), (3, 0))
    assert (await client.get("/population")).json()["squares"] == [[1, 0], [0, 2]]
    service.answers["PopulationQuery"] = Refused("gone", "there is no world to look at")
    error(await client.get("/population"), 503, "gone")


async def test_faults(client: httpx.AsyncClient, service: FakeService):
    service.answers["FaultsQuery"] = FaultsAnswer(())
    assert (await client.get("/faults")).json() == {"faults": [], "menu": []}


async def test_the_description(client: httpx.AsyncClient):
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == "1.2.3"
    assert "first_seq" in document["info"]["description"]
    paths = document["paths"]
    for path in (
        "/health",
        "/entities",
        "/events",
        "/events/{seq}/chain",
        "/ticks",
        "/population",
        "/metrics",
        "/stream",
    ):
        assert "get" in paths[path], path
    for path in ("/faults", "/load", "/commands", "/marks", "/story/beats"):
        operation = paths[path]["post"]
        assert operation["security"] == [{"token": []}], path
        assert operation["description"], path
        for status in ("400", "401", "413", "422", "429", "503"):
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorBody"}
    assert set(paths["/faults/{fault}"]) == {"delete"}
    assert "bearer" in str(document["components"]["securitySchemes"])


@pytest.mark.parametrize(
    ("path", "field", "hint"),
    [
        ("/entities?lmit=3", "lmit", "limit"),
        ("/entities?limit=0", "limit", "'0'"),
        (f"/entities?limit={PAGE_ROWS_MAX + 1}", "limit", str(PAGE_ROWS_MAX)),
        (
            "/entities?limit=many",
            "limit",
            f"'many'; allowed is a whole number from 1 to {PAGE_ROWS_MAX}",
        ),
        ("/entities?limit=", "limit", "a whole number from 1 to"),
        ("/entities?limit=1&limit=2", "limit", "once"),
        ("/entities?kind=plyer", "kind", "player"),
        ("/entities?zone=64", "zone", "64"),
        ("/entities?after=-1", "after", "allowed is a whole number from 0 to"),
        ("/entities?where=" + "x" * 300, "where", "256"),
        ("/entities/foo", "who", "player-12"),
        ("/entities/player-%00", "who", "player-12"),
        ("/entities/99999999999999999999", "who", "number"),
        ("/entities/" + "9" * 100, "who", "64"),
        ("/events?kind=movd", "kind", "moved"),
        ("/events?actor=nobody", "actor", "player-12"),
        ("/events?correlation=-1", "correlation", "allowed is a whole number from 0 to"),
        ("/events?after_seq=1.5", "after_seq", "1.5"),
        ("/events?before_seq=-1", "before_seq", "allowed is a whole number from 0 to"),
        ("/events?stream=nobody", "stream", "player-12"),
        ("/events?tick=-1", "tick", "allowed is a whole number from 0 to"),
        ("/events/0/chain", "seq", "from 1"),
        ("/events/9999999999999999999999/chain", "seq", "from 1"),
        ("/entities/7?at_tick=-1", "at_tick", "allowed is a whole number from 0 to"),
        ("/entities?at_tick=now", "at_tick", "now"),
        ("/ticks?last=501", "last", "500"),
        ("/health?x=1", "x", "none"),
        ("/openapi.json?x=1", "x", "none"),
    ],
)
async def test_wrong_parameters_are_named(
    client: httpx.AsyncClient, path: str, field: str, hint: str
):
    found = error(await client.get(path), 400, "bad_request")
    assert found["field"] == field
    assert hint in found["message"]


async def test_nowhere_and_the_wrong_way(client: httpx.AsyncClient):
    assert "/openapi.json" in error(await client.get("/nope"), 404, "not_found")["message"]
    for path in ("/openapi", "/openapi/openapi.json", "/schema", "/docs"):
        error(await client.get(path), 404, "not_found")
    wrong = await client.post("/entities")
    assert "GET" in error(wrong, 405, "method_not_allowed")["message"]
    assert "GET" in wrong.headers["allow"]
    assert "ws://" in error(await client.get("/stream"), 400, "bad_request")["message"]
    assert (await client.options("/entities")).status_code == 204


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"host": "evil.example"}, True),
        ({"host": "127.0.0.1.evil.example:8000"}, True),
        ({"origin": "http://evil.example"}, True),
        ({"origin": "null"}, True),
        ({"host": "localhost:8000", "origin": "http://localhost:3000"}, False),
        ({"host": "[::1]:8000"}, False),
    ],
)
async def test_foreign_hosts_and_origins(
    client: httpx.AsyncClient, headers: dict[str, str], refused: bool
):
    answer = await client.get("/health", headers=headers)
    if refused:
        error(answer, 403, "forbidden")
    else:
        assert answer.status_code == 200


async def test_a_fault_of_our_own_tells_nothing_of_the_inside(
    client: httpx.AsyncClient, service: FakeService
):
    service.fails = True
    answer = await client.get("/health")
    error(answer, 503, "internal")
    assert "secret" not in answer.text
    assert "secret" in str(service.notes)


async def test_what_is_encoded_is_what_is_described(client: httpx.AsyncClient):
    """Every field of an answer stands in the document, and the other way round."""
    document = (await client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    for path, name in (("/health", "Health"), ("/entities", "EntitiesPage")):
        answer = msgspec.json.decode((await client.get(path)).content)
        assert set(answer) == set(schemas[name]["properties"])
