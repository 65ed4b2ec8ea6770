"""What can be changed: the token, bodies and errors, without a socket."""

import httpx
import pytest

from engine.protocol.child import WorldOrderDone
from engine.protocol.command import (
    ArmFault,
    ClearFault,
    Mark,
    Panic,
    Reply,
    Scope,
    SetPlayers,
    SetPolicy,
    SetRate,
)
from engine.protocol.limits import ADMIN_BODY_BYTES_MAX, ORDER_SEQ_BASE
from engine.protocol.policy import PolicyChange, PolicyScope
from engine.protocol.query import Refused
from engine.protocol.story import Judged, TurnedAway
from tests.unit.admin.fakes import OWN, TOKEN, FakeService, error


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
        ("/faults", b"[]", "", "found a list of 0; allowed is an object with name, params, scope"),
        ("/faults", b"null", "", "found null; allowed is an object"),
        ("/faults", b'{"nme": "x"}', "nme", "did you mean 'name'?; allowed: name, params, scope"),
        ("/faults", b"{}", "name", "found nothing; allowed is text of 1 to 64 characters"),
        ("/faults", b'{"name": 3}', "name", "found 3; allowed is text of 1 to 64 characters"),
        ("/faults", b'{"name": "x", "hold_s": "3"}', "hold_s", "found '3'; allowed is a number"),
        (
            "/faults",
            b'{"name": "x", "hold_s": -3}',
            "hold_s",
            "found -3; allowed is a number above 0, at most 3600",
        ),
        ("/faults", b'{"name": "x", "hold_s": NaN}', "body", "no JSON"),
        (
            "/faults",
            b'{"name": "x", "scope": {"zone2": 1}}',
            "scope.zone2",
            "no such field; did you mean 'zone'?; "
            "allowed: players_pct, count, zone, archetype, ids",
        ),
        (
            "/faults",
            b'{"name": "x", "scope": {"zone": 64}}',
            "scope.zone",
            "found 64; allowed is a whole number from 0 to 63 or null",
        ),
        (
            "/faults",
            b'{"name": "x", "scope": {"ids": [1, "y"]}}',
            "scope.ids[1]",
            "found 'y'; allowed is a whole number from 0 to 4294967295",
        ),
        (
            "/faults",
            b'{"name": "x", "params": {"a": [1]}}',
            "params.a",
            "found a list of 1; allowed is text, a whole number, a number or true or false",
        ),
        # What is wrong further on is not looked at.
        ("/faults", b'{"name": "x", "hold_s": 0, "x', "hold_s", "allowed is a number above 0"),
        ("/faults", b'{"name": "x", "seed": 1e999}', "seed", "a whole number from 0 to"),
        ("/load", b"{}", "players", "rate"),
        ("/load", b'{"players": true}', "players", "found true; allowed is a whole number"),
        ("/load", b'{"players": 1.5}', "players", "found 1.5; allowed is a whole number from 0 to"),
        ("/load", b'{"players": -1}', "players", "found -1; allowed is a whole number from 0 to"),
        ("/marks", b'{"text": ""}', "text", "found ''; allowed is text of 1 to 200 characters"),
        (
            "/marks",
            b'{"text": "' + b"x\\u001b" * 150 + b'"}',
            "text",
            "x\N{REPLACEMENT CHARACTER}'... (300 characters); allowed is text of 1 to 200",
        ),
        (
            "/commands",
            b'{"entity": "player-1", "kind": "mvoe"}',
            "kind",
            "found 'mvoe'; allowed is one of attack, gather, move, rest, say, trade; "
            "did you mean 'move'?",
        ),
        (
            "/commands",
            b'{"entity": [1], "kind": "rest"}',
            "entity",
            "found a list of 1; allowed is",
        ),
        ("/commands", b'{"entity": "nobody", "kind": "rest"}', "entity", "player-12"),
        ("/commands", b'{"entity": -1, "kind": "rest"}', "entity", "player-12"),
        (
            "/commands",
            b'{"entity": 1, "kind": "move", "x": 256, "y": 1}',
            "x",
            "found 256; allowed is a number at least 0, below 256",
        ),
        ("/commands", b'{"entity": 1, "kind": "attack", "target": "x"}', "target", "player-12"),
        ("/story/beats", b'{"beats": []}', "beats", "found a list of 0; allowed is a list of 1 to"),
        ("/story/beats", b'{"beats": {}}', "beats", "found an object; allowed is a list of 1 to"),
        ("/story/beats", b'{"beats": [{"tick": 1}]}', "beats[0].kind", "found nothing; allowed is"),
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
    assert service.roles == ["operator"]
    assert intent.target == 1_000_003
    for code, status in (("gone", 503), ("deadline", 503), ("busy", 429), ("not_found", 404)):
        service.order_answer = Refused(code, "why not")
        error(await client.post("/commands", json=body, headers=OWN), status, code)
    service.order_answer = WorldOrderDone(4, 13, "permit", "", 100)
    assert (await client.post("/commands", json=body, headers=OWN)).json()["verdict"] == "permit"


async def test_a_directive_comes_from_the_narrator(client: httpx.AsyncClient, service: FakeService):
    body = {"kind": "say", "text": "halt"}
    answer = await client.post("/npcs/npc-7/directives", json=body, headers=OWN)
    assert answer.json()["entity"] == 100_007
    assert (service.orders[0][1].text, service.roles) == ("halt", ["narrator"])
    error(await client.post("/npcs/npc-7/directives", json=body), 401, "unauthorized")
    told = await client.post("/npcs/nobody/directives", json=body, headers=OWN)
    assert error(told, 400, "bad_request")["field"] == "who"


async def test_a_policy_is_changed(client: httpx.AsyncClient, service: FakeService):
    body = {"enabled": False, "params": {"burst": 3}, "scope": {"zones": [1], "roles": ["player"]}}
    answer = await client.post("/governance/policies/rate", json=body, headers=OWN)
    assert answer.json() == {"text": "done"}
    scope = PolicyScope(zones=(1,), roles=("player",))
    wish = PolicyChange("rate", enabled=False, params={"burst": 3}, scope=scope)
    assert service.commands == [SetPolicy(wish)]
    error(await client.post("/governance/policies/rate", json=body), 401, "unauthorized")


@pytest.mark.parametrize(
    ("body", "field", "hint"),
    [
        (b"{}", "body", "found nothing to change; allowed: enabled, priority, params, scope"),
        (b'{"enabled": "no"}', "enabled", "found 'no'"),
        (b'{"priority": 1001}', "priority", "found 1001; allowed is"),
        (b'{"scope": {"zone": [1]}}', "scope.zone", "did you mean 'zones'?"),
        (b'{"scope": {"zones": [64]}}', "scope.zones[0]", "below 64"),
        (b'{"scope": {"kinds": ["mvoe"]}}', "scope.kinds[0]", "move"),
        (b'{"params": {"burst": [1]}}', "params.burst", "a whole number"),
        (
            b'{"params": {"words": ["dragon"]}}',
            "params.words",
            "found a list of 1; allowed",
        ),
        (b'{"params": {"words": ["dragon"]}}', "params.words", "one text, with commas between"),
        (b'{"parms": {}}', "parms", "did you mean 'params'?"),
    ],
)
async def test_a_change_that_is_none(
    client: httpx.AsyncClient, service: FakeService, body: bytes, field: str, hint: str
):
    found = await client.post("/governance/policies/rate", content=body, headers=OWN)
    told = error(found, 400, "bad_request")
    assert told["field"] == field
    assert hint in told["message"]
    assert service.commands == []


async def test_a_policy_that_there_is_not(client: httpx.AsyncClient, service: FakeService):
    service.replies = [
        Reply(ok=False, text="no policy 'x'", code="not_found"),
        Reply(ok=False, text="params.x: found 1", code="bad_request"),
    ]
    for status, code in ((404, "not_found"), (422, "invalid")):
        answer = await client.post("/governance/policies/x", json={"enabled": True}, headers=OWN)
        error(answer, status, code)
