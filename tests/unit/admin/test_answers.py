"""What can be read: parameters, answers and errors, without a socket."""

import asyncio
from itertools import pairwise

import httpx
import msgspec
import pytest

from engine.protocol.limits import FILTER_CHARS_MAX, PAGE_ROWS_MAX
from engine.protocol.query import EntitiesQuery, FaultsAnswer, PopulationAnswer, Refused
from engine.world.events import TickEvents
from tests.unit.admin.fakes import FakeService, error, figures_of, tick_of


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


async def test_events_by_page_and_filter(client: httpx.AsyncClient):
    newest = (await client.get("/events?limit=2")).json()
    assert [e["seq"] for e in newest["events"]] == [5, 6]
    page = (await client.get("/events?after_seq=0&limit=4")).json()
    assert [e["seq"] for e in page["events"]] == [1, 2, 3, 4]
    assert (page["after_seq"], page["last_seq"], page["lost"]) == (4, 6, 0)
    page = (await client.get("/events?after_seq=4&limit=4")).json()
    assert [e["seq"] for e in page["events"]] == [5, 6]
    some = (await client.get("/events?after_seq=0&kind=joined,died")).json()
    assert [e["seq"] for e in some["events"]] == [1, 6]
    assert some["after_seq"] == 6
    assert [
        e["seq"] for e in (await client.get("/events?actor=1&after_seq=0")).json()["events"]
    ] == [2, 6]
    assert (await client.get("/events?correlation=8&after_seq=0")).json()["events"] == []
    about = (await client.get("/entities/101/events")).json()
    assert [e["seq"] for e in about["events"]] == [2, 6]


async def test_events_that_are_lost_are_counted(client: httpx.AsyncClient, service: FakeService):
    del service.ticks[0]
    assert (await client.get("/events?after_seq=0")).json()["lost"] == 3


async def test_a_long_search_lets_others_go_on(client: httpx.AsyncClient, service: FakeService):
    service.ticks = [tick_of(tick, tick, ["moved"]) for tick in range(1, 41)]
    rounds = 0
    seen: list[int] = []
    pages = service.ticks_after

    async def ticks_after(seq: int) -> list[TickEvents]:
        seen.append(rounds)
        return await pages(seq)

    async def others() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    service.ticks_after = ticks_after  # type: ignore[method-assign]  # this engine counts
    going = asyncio.create_task(others())
    assert (await client.get("/events?after_seq=0&kind=died")).json()["after_seq"] == 40
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    assert len(seen) == 21
    assert all(later > before for before, later in pairwise(seen))


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
    for path in ("/health", "/entities", "/events", "/ticks", "/population", "/metrics", "/stream"):
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
        ("/entities?limit=many", "limit", "many"),
        ("/entities?limit=", "limit", "int"),
        ("/entities?limit=1&limit=2", "limit", "once"),
        ("/entities?kind=plyer", "kind", "player"),
        ("/entities?zone=64", "zone", "64"),
        ("/entities?after=-1", "after", ">= 0"),
        ("/entities?where=" + "x" * 300, "where", "256"),
        ("/entities/foo", "who", "player-12"),
        ("/entities/player-%00", "who", "player-12"),
        ("/entities/99999999999999999999", "who", "number"),
        ("/entities/" + "9" * 100, "who", "64"),
        ("/events?kind=movd", "kind", "moved"),
        ("/events?actor=nobody", "actor", "player-12"),
        ("/events?correlation=-1", "correlation", ">= 0"),
        ("/events?after_seq=1.5", "after_seq", "1.5"),
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
