"""The admin doors of real engines: in one process, and with processes that are killed."""

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.admin import stream
from engine.hub import engine, eventlog
from engine.hub.embedded import embedded
from engine.protocol.events import entity_id
from engine.protocol.limits import SEQ_MAX
from engine.protocol.spec import HubFailed, RunSpec
from engine.store.sqlite import SqliteStore
from tests.integration.admin_kit import PATIENCE_S, Doors, next_of, recovered
from tests.integration.hub_process import Place
from tests.machine import is_good_end, ports_of_a_base, read_summary
from tests.specs import at_once, small_run

pytestmark = pytest.mark.integration


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ss") as folder:
        yield Path(folder)


def spec_in(folder: Path, npcs: int = 200) -> RunSpec:
    return small_run(folder, scenario=at_once(npcs=npcs), players_max=50)


@asynccontextmanager
async def running(folder: Path, npcs: int = 200) -> AsyncIterator[Doors]:
    """Run an engine in this loop, with all its players in, and end it in order."""
    async with embedded(spec_in(folder, npcs)), Doors(folder / "r1") as doors:
        await doors.until("/health", lambda health: health["players"] == 10)
        yield doors


async def test_everything_that_can_be_read(folder: Path) -> None:
    async with running(folder) as doors:
        assert set(doors.ports) >= {"admin", "gateway"}
        health = await doors.get("/health")
        assert (health["status"], health["run"], health["pid"]) == ("running", "r1", os.getpid())
        page = await doors.get("/entities?kind=player&sort=-id&limit=4")
        assert [e["name"] for e in page["entities"]] == [f"player-{n}" for n in (9, 8, 7, 6)]
        assert page["total"] == 10
        rest = await doors.get(f"/entities?kind=player&sort=-id&after={page['after']}")
        assert len(rest["entities"]) == 6
        assert rest["after"] is None
        zone = page["entities"][0]["zone"]
        near = await doors.get(f"/entities?zone={zone}&where=kind=player")
        assert 1_000_009 in [e["id"] for e in near["entities"]]
        one = await doors.get("/entities/player-9")
        assert one["entity"]["name"] == "player-9"
        assert one["events"][0]["kind"] == "joined"
        assert await doors.get("/entities/1000009/events?limit=1&kind=joined")
        assert "npc-9999" in (await doors.get("/entities/npc-9999", 404))["error"]["message"]
        there = await doors.get("/population")
        total = sum(map(sum, there["squares"]))
        assert total == sum(there["zones"])
        assert total >= 10
        ticks = (await doors.until("/ticks?last=3", lambda found: len(found["rows"]) == 3))["rows"]
        assert [row["tick"] for row in ticks] == list(range(ticks[0]["tick"], ticks[0]["tick"] + 3))
        assert [f["name"] for f in (await doors.get("/faults"))["menu"]]
        assert (await doors.get("/story/beats"))["rows"] == []
        assert "seedstorm_tick_ms" in (await doors.http.get("/metrics")).text
        assert "r1" in (await doors.http.get("/")).text
        assert (await doors.get("/openapi.json"))["openapi"].startswith("3.1")


async def test_everything_that_can_be_changed(folder: Path) -> None:
    async with running(folder) as doors, doors.follow("topics=faults,story") as client:
        await next_of(client, "hello")
        storm = {"name": "disconnect-storm", "params": {"how": "rst"}, "scope": {"count": 5}}
        fault = await doors.change("POST", "/faults", storm | {"hold_s": 60})
        armed = await next_of(client, "fault")
        assert (armed["what"], armed["fault"]["id"]) == ("armed", fault["id"])
        async with doors.follow("topics=faults") as newcomer:
            (known,) = (await next_of(newcomer, "hello"))["armed"]
            assert (known["tick"], known["fault"]["id"]) == (armed["tick"], fault["id"])
        await doors.until("/health", lambda health: health["players"] == 5)
        await doors.change("DELETE", f"/faults/{fault['id']}")
        assert (await next_of(client, "fault"))["what"] == "cleared"
        assert (await next_of(client, "fault"))["what"] == "recovered"
        await doors.change("DELETE", f"/faults/{fault['id']}", status=404)
        await doors.change("POST", "/faults", {"name": "disconnect-strm"}, 404)
        await doors.change("POST", "/faults", storm | {"params": {"how": "politely"}}, 422)
        await doors.change("DELETE", "/faults")
        await doors.change("POST", "/load", {"players": 12, "rate": 2})
        await doors.change("POST", "/load", {"players": 13}, 429)
        await doors.until("/health", lambda health: health["players"] == 12)
        await doors.change("POST", "/marks", {"text": "here"})
        joined = (await doors.get("/events?after_seq=0&kind=joined&limit=1"))["events"][0]
        beat = {
            "tick": joined["tick"],
            "kind": "arrival",
            "text": "player-0 came.",
            "events": [joined["seq"]],
            "cast": [joined["actor"]],
        }
        await doors.change("POST", "/story/beats", {"beats": [beat]})
        assert (await next_of(client, "beat"))["beat"]["text"] == "player-0 came."
        assert (await doors.get("/story/beats"))["beats"] == 1
    log = (folder / "r1" / "engine.log").read_text()
    assert '"here"' in log
    assert (folder / "r1" / "token").read_text() not in log


async def test_catching_up_is_gapless_and_equals_the_store(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So small that most of it has to come from the log.
    monkeypatch.setattr(eventlog, "EVENTS_RING_MAX", 60)
    events: list[dict[str, Any]] = []
    kinds: list[str] = []
    async with running(folder) as doors:
        await doors.until("/health", lambda health: health["tick"] >= 25)
        async with doors.follow("after_seq=0&topics=events,ticks") as client:
            live_at = 0
            while not live_at or events[-1]["seq"] < live_at + 50:
                message = await next_of(client, "hello", "events", "live", "gap", "ticks")
                kinds.append(message["type"])
                if message["type"] == "events":
                    assert message["first_seq"] == (events[-1]["seq"] if events else 0) + 1
                    events += message["events"]
                    assert message["last_seq"] == events[-1]["seq"]
                    assert {event["tick"] for event in message["events"]} == {message["tick"]}
                elif message["type"] == "live":
                    live_at = message["last_seq"]
    assert kinds[0] == "hello"
    assert kinds.count("live") == 1
    assert "gap" not in kinds
    store = SqliteStore(folder / "r1" / "events.db")
    stored = msgspec.to_builtins(store.events(0, len(events)))
    store.close()
    assert events == stored


async def test_pages_of_events_go_back_to_the_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "EVENTS_RING_MAX", 60)
    async with running(folder) as doors:
        await doors.until("/health", lambda health: health["tick"] >= 20)
        seqs: list[int] = []
        while len(seqs) < 300:
            page = await doors.get(f"/events?after_seq={seqs[-1] if seqs else 0}&limit=70")
            assert page["lost"] == 0
            seqs += [event["seq"] for event in page["events"]]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_a_slow_client_is_told_a_gap_and_harms_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lag = 1000
    monkeypatch.setattr(stream, "STREAM_LAG_EVENTS_MAX", lag)
    monkeypatch.setattr(engine, "ADMIN_SEND_BUFFER_BYTES", 4096)
    async with running(folder, npcs=2000) as doors:  # some 200 events a tick
        with socket.create_connection(("127.0.0.1", doors.ports["admin"])) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
            slow.setblocking(False)
            async with doors.follow("", sock=slow, max_queue=1, close_timeout=1) as client:
                await next_of(client, "hello")
                # What the buffers between hold is some hundred kB; until then nobody is slow.
                begun = (await doors.get("/health"))["tick"]
                await doors.until("/health", lambda health: health["tick"] > begun + 20)
                last = gap = None
                while gap is None or last is None or last["last_seq"] < gap["last"] + 400:
                    message = await next_of(client, "events", "gap")
                    if message["type"] == "gap":
                        gap = message
                        assert gap["why"] == "slow"
                        assert last is not None
                        assert gap["first"] == last["last_seq"] + 1
                        assert gap["count"] == gap["last"] - gap["first"] + 1 > lag
                        last = {"last_seq": gap["last"]}
                    else:
                        assert last is None or message["first_seq"] == last["last_seq"] + 1
                        last = message
        assert (await doors.get("/health"))["players"] == 10


async def test_nothing_that_is_sent_disturbs_the_world(folder: Path) -> None:
    async with running(folder) as doors:
        before = await doors.get("/health")
        for path in (
            "/entities?limit=x",
            "/entities/%00",
            "/events?kind=",
            "/nope",
            "/ticks?last=0",
        ):
            answer = await doors.http.get(path)
            assert answer.status_code in {200, 400, 404}, path
        for body in (b"", b"{", b"[]", b'{"name": 1}', b"\xff", b"{" * 60_000, b"x" * 70_000):
            for path in ("/faults", "/load", "/commands", "/marks", "/story/beats"):
                answer = await doors.http.post(path, content=body, headers=doors.own)
                assert answer.status_code in {400, 413}, (path, body[:20])
                assert set(answer.json()["error"]) <= {"code", "message", "field"}
                answer = await doors.http.post(path, content=body)
                assert answer.status_code == 401
        after = await doors.until("/health", lambda health: health["tick"] > before["tick"] + 10)
        assert (after["status"], after["players"]) == ("running", 10)
    summary = read_summary(folder / "r1")
    assert is_good_end(summary), summary.reasons


async def test_commands_are_governed_stored_and_recovered(folder: Path) -> None:
    done: list[dict[str, Any]] = []
    async with running(folder) as doors, doors.follow("kinds=said,denied") as client:
        await next_of(client, "hello")
        for body in (
            {"entity": "player-3", "kind": "say", "text": "by\x1b order"},
            {"entity": "npc-7", "kind": "say", "text": "me too"},
            {"entity": 1_000_004, "kind": "move", "x": 1, "y": 1},
            {"entity": "node-1", "kind": "rest"},
            {"entity": "npc-7", "kind": "attack", "target": "player-49"},
        ):
            done.append(await doors.change("POST", "/commands", body))
            told: list[dict[str, Any]] = []
            while done[-1]["event"] not in [event["seq"] for event in told]:
                told += (await next_of(client, "events"))["events"]
            (event,) = [event for event in told if event["seq"] == done[-1]["event"]]
            assert event["tick"] == done[-1]["tick"]
            assert event["actor"] == done[-1]["entity"]
            assert event["correlation"] == done[-1]["correlation"]
            found = await doors.get(f"/events?correlation={event['correlation']}")
            assert [e["seq"] for e in found["events"]] == [event["seq"]]
        await doors.change("POST", "/commands", {"entity": "player-49", "kind": "rest"}, 404)
        # The player's own sequence goes on where it was: its next commands are answered.
        mark = (await doors.get("/health"))["tick"]
        await doors.until("/health", lambda health: health["tick"] > mark + 15)
    assert [d["verdict"] for d in done] == ["permit", "permit", "deny", "deny", "deny"]
    assert [d["reason"].partition(":")[0] for d in done[2:]] == ["speed", "dead-actor", "sanity"]
    summary = read_summary(folder / "r1")
    assert summary.commands.unanswered == 0
    assert summary.commands.sent == summary.commands.acknowledged
    world = recovered(folder / "r1", spec_in(folder))
    assert world.hash.hex() == summary.state_hash
    row = world.state.row_of(entity_id("player-3") or 0)
    assert row is not None
    assert 0 < world.state.last_seq[row] <= SEQ_MAX
    npc = world.state.row_of(entity_id("npc-7") or 0)
    assert npc is not None
    assert world.state.last_seq[npc] == 0
    store = SqliteStore(folder / "r1" / "events.db")
    (said,) = store.events(done[0]["event"] - 1, 1)
    store.close()
    assert said.text == "by\N{REPLACEMENT CHARACTER} order"


async def test_the_doors_answer_while_the_world_is_dead() -> None:
    with Place() as place:
        spec = place.spec()
        run = await place.start(spec)
        async with Doors(Path(run.ready.capsule)) as doors:
            await doors.until("/health", lambda health: health["players"] == 20)
            first = await doors.change("POST", "/commands", {"entity": "npc-3", "kind": "rest"})
            async with doors.follow("after_seq=0") as client:
                world = run.child("engine.server")
                assert (await doors.get("/health"))["pid"] == world
                os.kill(world, signal.SIGKILL)
                down = await doors.until("/health", lambda health: health["pid"] != world)
                assert (down["status"], down["pid"]) == ("world down", 0)
                assert (await doors.get("/entities", 503))["error"]["code"] == "gone"
                assert (await doors.get("/population", 503))["error"]["code"] == "gone"
                body = {"entity": "npc-3", "kind": "rest"}
                refused = await doors.change("POST", "/commands", body, 503)
                assert refused["error"]["code"] == "gone"
                assert (await doors.get("/events?limit=1"))["events"]
                assert (await doors.http.get("/metrics")).text.count("seedstorm_world_up 0") == 1
                back = await doors.until("/health", lambda health: health["status"] == "running")
                assert back["pid"] not in {0, world}
                second = await doors.change("POST", "/commands", body)
                assert second["tick"] > first["tick"]
                assert second["correlation"] == first["correlation"] + 1
                # One unbroken chain, through the death and the recovery.
                last = 0
                while last < second["event"]:
                    message = await next_of(client, "events", "gap")
                    assert message["type"] == "events"
                    assert message["first_seq"] == last + 1
                    last = message["last_seq"]
            for one in (first, second):
                page = await doors.get(
                    f"/events?correlation={one['correlation']}&after_seq={one['event'] - 1}"
                )
                assert page["events"][0]["seq"] == one["event"]
        ended = await run.end()
        summary = read_summary(Path(ended.capsule))
        world_again = recovered(Path(ended.capsule), spec)
        assert world_again.hash.hex() == summary.state_hash


async def test_the_end_is_told_to_those_that_follow() -> None:
    with Place() as place:
        run = await place.start(place.spec())
        async with Doors(Path(run.ready.capsule)) as doors, doors.follow() as client:
            await next_of(client, "hello")
            ending = asyncio.create_task(run.end())
            ended = await next_of(client, "ended")
            await asyncio.wait_for(client.wait_closed(), PATIENCE_S)
            assert client.close_code == 1001
            told = await ending
        summary = read_summary(Path(told.capsule))
        assert is_good_end(summary), summary.reasons
        assert ended["exit_code"] == summary.exit_code


@pytest.mark.parametrize("offset", [0, 2], ids=["admin", "gateway"])
async def test_a_port_that_is_taken_ends_the_start(offset: int) -> None:
    with Place() as place, ports_of_a_base(offset) as base:
        process = place.spawn(place.spec(port_base=base))
        failed = await place.first_word(process)
        assert isinstance(failed, HubFailed)
        assert failed.exit_code == 2
        assert f"port {base + offset}" in failed.message
        assert "--port-base" in failed.message
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 2
        assert list((place.base / "runs").iterdir()) == []


async def test_a_world_that_hangs_is_told_and_so_is_its_going_on() -> None:
    with Place() as place:
        run = await place.start(place.spec())
        await run.watch(lambda s: s.players.connected == s.players.target > 0, "players play")
        async with Doors(Path(run.ready.capsule)) as doors:
            pid = run.child("engine.server")
            os.kill(pid, signal.SIGSTOP)
            try:
                await doors.until("/health", lambda told: told["status"] == "world stalled")
                await run.watch(lambda s: s.world.stalled_s > 0, "the console knows")
            finally:
                os.kill(pid, signal.SIGCONT)
            await doors.until("/health", lambda told: told["status"] == "running")
        await run.watch(lambda _: any("ticks again" in text for text in run.said("problem")), "on")
        assert any("has not ticked for" in text for text in run.said("problem"))
        await run.end()
