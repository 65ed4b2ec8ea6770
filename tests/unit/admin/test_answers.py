"""Parameters, bodies and errors, without a socket."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from engine.admin.app import make_app
from engine.admin.gate import Gate
from engine.admin.stream import Streams
from engine.protocol.child import WorldOrderDone
from engine.protocol.command import (
    ArmFault,
    ClearFault,
    Mark,
    Panic,
    Reply,
    Scope,
    SetPlayers,
    SetRate,
)
from engine.protocol.limits import ADMIN_BODY_BYTES_MAX, ORDER_SEQ_BASE, PAGE_ROWS_MAX
from engine.protocol.query import EntitiesQuery, FaultsAnswer, PopulationAnswer, Refused
from engine.protocol.story import Judged, TurnedAway
from tests.unit.admin.fakes import TOKEN, FakeService, figures_of, tick_of

OWN = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def service() -> FakeService:
    service = FakeService()
    service.ticks = [
        tick_of(1, 1, ["joined", "moved", "moved"]),
        tick_of(2, 4, ["moved"]),
        tick_of(4, 5, ["moved", "died"]),
    ]
    return service


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[httpx.AsyncClient]:
    gate = Gate(make_app(service, "1.2.3", Streams()), "127.0.0.1")
    transport = httpx.ASGITransport(gate)  # type: ignore[arg-type]  # an ASGI application, by Litestar's types
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


def error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the error after checking its shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    assert set(body["error"]) <= {"code", "message", "field"}
    assert body["error"]["code"] == code
    assert "Traceback" not in answer.text
    found: dict[str, Any] = body["error"]
    return found


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
    assert service.queries[-1] == EntitiesQuery("hp<99 zone=3 kind=player", "-gold", 2, 0)
    assert [e["name"] for e in page["entities"]] == ["player-12", "npc-7"]
    assert (page["tick"], page["total"], page["after"]) == (5, 3, 2)
    assert (await client.get("/entities?after=1")).json()["after"] is None


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


async def test_changes_need_the_token(client: httpx.AsyncClient, service: FakeService):
    attempts = (
        ("POST", "/faults"),
        ("DELETE", "/faults"),
        ("DELETE", "/faults/f1"),
        ("POST", "/load"),
        ("POST", "/commands"),
        ("POST", "/marks"),
        ("POST", "/story/beats"),
    )
    wrong = ("", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer é")
    for method, path in attempts:
        for value in wrong:
            headers = {"authorization": value.encode()} if value else {}
            answer = await client.request(method, path, headers=headers, content=b"{}")
            message = error(answer, 401, "unauthorized")["message"]
            assert TOKEN not in message.replace("Bearer TOKEN", "")
            assert answer.headers["www-authenticate"] == "Bearer"
    # A token in the address would end in logs: it does not count.
    error(await client.post(f"/marks?token={TOKEN}", json={"text": "x"}), 401, "unauthorized")
    assert service.commands == []
    assert TOKEN not in str(service.notes)


async def test_changes_are_carried_out(client: httpx.AsyncClient, service: FakeService):
    service.replies = [Reply(ok=True, text="f1: storm", id="f1")]
    fault = {"name": "storm", "params": {"how": "rst"}, "scope": {"count": 3}, "hold_s": 2}
    answer = await client.post("/faults", json=fault, headers=OWN)
    assert answer.json() == {"text": "f1: storm", "id": "f1"}
    await client.delete("/faults/f1", headers={"authorization": f"bearer {TOKEN}"})
    await client.delete("/faults", headers=OWN)
    await client.post("/load", json={"players": 12, "rate": 2.5}, headers=OWN)
    await client.post("/marks", json={"text": "now"}, headers=OWN)
    assert service.commands == [
        ArmFault("storm", Scope(count=3), {"how": "rst"}, 2.0),
        ClearFault("f1"),
        Panic(),
        SetPlayers(12),
        SetRate(2.5),
        Mark("now"),
    ]
    beats = {"beats": [{"tick": 1, "kind": "death", "text": "npc-7 fell", "events": [3]}]}
    told = await client.post("/story/beats", json=beats, headers=OWN)
    whole = {"text": "beats taken: 1", "taken": 1, "known": 0, "turned_away": []}
    assert told.json() == whole
    # What was judged is no error, whatever the judgement; each reason is there.
    service.judged = Judged("beats taken: 0; …", 0, 0, (TurnedAway(0, "event 3 is unknown"),))
    told = await client.post("/story/beats", json=beats, headers=OWN)
    assert told.status_code == 200
    assert told.json()["turned_away"] == [{"beat": 0, "why": "event 3 is unknown"}]
    service.judged = Refused("bad_request", "found 33 beats")
    error(await client.post("/story/beats", json=beats, headers=OWN), 400, "bad_request")


async def test_a_half_done_load_says_so(client: httpx.AsyncClient, service: FakeService):
    service.replies = [
        Reply(ok=True, text="12 players"),
        Reply(ok=False, text="at most 2 a second", code="too_often"),
    ]
    answer = await client.post("/load", json={"players": 12, "rate": 2.5}, headers=OWN)
    message = error(answer, 429, "too_often")["message"]
    assert message == "at most 2 a second (done before: 12 players)"


@pytest.mark.parametrize(
    ("code", "status"),
    [("bad_request", 422), ("not_found", 404), ("conflict", 409), ("too_often", 429)],
)
async def test_refused_changes(
    client: httpx.AsyncClient, service: FakeService, code: str, status: int
):
    service.replies = [Reply(ok=False, text="why not", code=code)]
    found = error(
        await client.post("/faults", json={"name": "x"}, headers=OWN),
        status,
        "invalid" if code == "bad_request" else code,
    )
    assert found["message"] == "why not"


@pytest.mark.parametrize(
    ("path", "body", "field", "hint"),
    [
        ("/faults", b"", "body", "JSON object"),
        ("/faults", b"{", "body", "no JSON"),
        ("/faults", b"\xff\xfe", "body", "no JSON"),
        ("/faults", b"[]", "", "object"),
        ("/faults", b"null", "", "object"),
        ("/faults", b'{"nme": "x"}', "nme", "name"),
        ("/faults", b'{"name": 3}', "name", "str"),
        ("/faults", b'{"name": "x", "hold_s": "3"}', "hold_s", "float"),
        ("/faults", b'{"name": "x", "hold_s": -3}', "hold_s", "> 0"),
        ("/faults", b'{"name": "x", "hold_s": NaN}', "body", "no JSON"),
        ("/faults", b'{"name": "x", "scope": {"cnt": 1}}', "scope", "cnt"),
        ("/load", b"{}", "players", "rate"),
        ("/load", b'{"players": true}', "players", "int"),
        ("/load", b'{"players": 1.5}', "players", "int"),
        ("/load", b'{"players": -1}', "players", ">= 0"),
        ("/marks", b'{"text": ""}', "text", "1"),
        ("/commands", b'{"entity": "player-1", "kind": "fly"}', "kind", "attack"),
        ("/commands", b'{"entity": "nobody", "kind": "rest"}', "entity", "player-12"),
        ("/commands", b'{"entity": -1, "kind": "rest"}', "entity", "player-12"),
        ("/commands", b'{"entity": 1, "kind": "move", "x": 256, "y": 1}', "x", "256"),
        ("/commands", b'{"entity": 1, "kind": "attack", "target": "x"}', "target", "player-12"),
        ("/story/beats", b'{"beats": []}', "beats", "1"),
        ("/story/beats", b'{"beats": [{"tick": 1}]}', "beats[0]", "kind"),
    ],
)
async def test_wrong_bodies_are_explained(
    client: httpx.AsyncClient, service: FakeService, path: str, body: bytes, field: str, hint: str
):
    found = error(await client.post(path, content=body, headers=OWN), 400, "bad_request")
    assert found.get("field", "") == field
    assert hint in found["message"]
    assert service.commands == []
    assert service.orders == []


async def test_a_body_that_is_too_large(client: httpx.AsyncClient):
    body = b'{"text": "' + b"x" * ADMIN_BODY_BYTES_MAX + b'"}'
    error(await client.post("/marks", content=body, headers=OWN), 413, "too_large")


async def test_a_command_and_its_verdict(client: httpx.AsyncClient, service: FakeService):
    body = {"entity": "npc-7", "kind": "move", "x": 1.5, "y": 2, "target": "player-3"}
    answer = await client.post("/commands", json=body, headers=OWN)
    assert answer.json() == {
        "entity": 100_007,
        "verdict": "deny",
        "reason": "rate: x",
        "tick": 12,
        "event": 99,
        "correlation": 100_007 << 32 | (ORDER_SEQ_BASE + 3),
    }
    ((entity, intent),) = service.orders
    assert (entity, intent.kind, intent.x, intent.y) == (100_007, "move", 384, 512)
    assert intent.target == 1_000_003
    for code, status in (("gone", 503), ("deadline", 503), ("busy", 429), ("not_found", 404)):
        service.order_answer = Refused(code, "why not")
        error(await client.post("/commands", json=body, headers=OWN), status, code)
    service.order_answer = WorldOrderDone(4, 13, "permit", "", 100)
    assert (await client.post("/commands", json=body, headers=OWN)).json()["verdict"] == "permit"


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
