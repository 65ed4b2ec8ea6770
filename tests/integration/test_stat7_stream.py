"""The stream's door and its clients, good and bad, over a world that is made up."""

import asyncio
import socket

import pytest
import websockets
from websockets.frames import Frame, Opcode

from engine.protocol.errors import ExitCode, UserError
from engine.stat7.stream import Stream
from tests.integration.stat7_kit import (
    WAIT_S,
    Moving,
    Watcher,
    raw_client,
    streaming,
    watching,
)

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.stat7.stream._PERIOD_S", 0.05)


async def _goes_on(watcher: Watcher) -> None:
    for _ in range(3):
        await watcher.expect("coordinates_updated")


async def _status(port: int, path: str = "/", **headers: str) -> tuple[int, str]:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with websockets.connect(
            f"ws://127.0.0.1:{port}{path}", proxy=None, additional_headers=headers
        ):
            pass
    body = refused.value.response.body
    return refused.value.response.status_code, (body or b"").decode()


async def test_everyone_is_told_the_same_in_the_same_order():
    async with (
        streaming(Moving(30)) as stream,
        watching(stream.port) as one,
        watching(stream.port) as two,
    ):
        await one.expect("experiment_start")
        await two.expect("experiment_start")
        both = (await two.expect("coordinates_updated"))["data"]["tick"]
        for watcher in (one, two):
            await watcher.until(lambda m: m["data"].get("tick", 0) > both + 10)

        def since(watcher: Watcher) -> list[object]:
            return [m for m in watcher.seen if both <= m["data"].get("tick", 0) <= both + 10]

        assert since(one)[-5:] == since(two)[-5:]
        assert len(since(two)) >= 5


async def test_foreign_names_pages_and_paths_are_refused():
    async with streaming(Moving(1)) as stream:
        port = stream.port
        assert await _status(port, "/play") == (404, "STAT7 is at /\n")
        status, said = await _status(port, Origin="https://evil.example")
        assert (status, said) == (403, "pages of this Origin may not connect\n")
        assert (await _status(port, Origin="null"))[0] == 403
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        assert b"403 Forbidden" in answer
        assert b"this Host is not served here" in answer
        async with watching(port, origin="http://localhost:8000") as page:
            await _goes_on(page)


async def test_more_clients_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.protocol.limits.STAT7_CLIENTS_MAX", 1)
    async with streaming(Moving(1)) as stream:
        async with watching(stream.port) as first:
            await first.expect("experiment_start")
            assert await _status(stream.port) == (503, "too many clients\n")
            await _goes_on(first)
        async with asyncio.timeout(WAIT_S):
            while stream.clients:
                await asyncio.sleep(0.01)
        async with watching(stream.port) as second:
            await _goes_on(second)


async def test_what_a_client_says_is_ignored_and_noted():
    engine = Moving(1)
    async with streaming(engine) as stream, watching(stream.port) as client:
        for said in ("{", '{"type": "start_experiment"}', b"\x00\xff", "\U0001f9ed" * 100):
            await client.socket.send(said)
        # No UTF-8 in a text frame: a reader would have to refuse it, this one does not look.
        client.socket.transport.write(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True))
        await _goes_on(client)
        assert "ignored: this stream only tells" in await engine.said("sent 1 bytes")
        assert len(engine.lines) == 1


async def test_a_message_beyond_the_bound_closes_its_sender_alone():
    engine = Moving(1)
    async with (
        streaming(engine) as stream,
        watching(stream.port) as good,
        watching(stream.port) as bad,
    ):
        await bad.expect("experiment_start")
        await bad.socket.send("x" * 5000)
        assert (await bad.closed())[0] == 1009
        await engine.said("is gone: 1009")
        await _goes_on(good)


async def test_a_client_that_floods_is_closed_alone():
    engine = Moving(1)
    async with (
        streaming(engine) as stream,
        watching(stream.port) as good,
        watching(stream.port) as bad,
    ):
        await bad.expect("experiment_start")

        async def flood() -> None:
            while True:
                await bad.socket.ping()

        flooding = asyncio.create_task(flood())
        await engine.said("sends too much")
        await asyncio.gather(flooding, return_exceptions=True)
        await _goes_on(good)


@pytest.mark.parametrize(
    ("bound", "value", "reason"),
    [
        ("STAT7_BACKLOG_BYTES_MAX", 300_000, "too much waits for it"),
        ("STAT7_STALLED_S_MAX", 0.5, "it took nothing for"),
    ],
)
async def test_a_reader_that_stalls_is_closed_and_another_goes_on(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: float, reason: str
):
    monkeypatch.setattr(f"engine.stat7.client.{bound}", value)
    monkeypatch.setattr("engine.stat7.client.STAT7_CLOSE_S", WAIT_S)
    engine = Moving(1000)
    async with streaming(engine) as stream, watching(stream.port) as good:
        with await raw_client(stream.port) as stalled:
            reading = asyncio.create_task(good.closed())
            await engine.said(reason)
            read = await _drained(stalled)
            assert reason.encode() in read[-150:], "what was in the socket, then why"
            before = len(good.seen)
            async with asyncio.timeout(WAIT_S):
                while len(good.seen) < before + 5:
                    await asyncio.sleep(0.01)
            assert not reading.done()
        await stream.aclose()
        assert await reading == (1001, "the run is over")


async def _drained(connection: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    read = b""
    async with asyncio.timeout(WAIT_S):
        while data := await loop.sock_recv(connection, 65536):
            read += data
    return read


async def test_a_stalled_reader_that_does_not_go_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.stat7.client.STAT7_STALLED_S_MAX", 0.2)
    monkeypatch.setattr("engine.stat7.client.STAT7_CLOSE_S", 0.2)
    engine = Moving(1000)
    async with streaming(engine) as stream:
        with await raw_client(stream.port):
            await engine.said("it took nothing for")
            async with asyncio.timeout(WAIT_S):
                while stream._open:
                    await asyncio.sleep(0.01)


async def test_the_end_is_told_and_waits_for_nobody_who_never_reads():
    engine = Moving(1000)
    async with streaming(engine) as stream, watching(stream.port) as good:
        with await raw_client(stream.port):
            await _goes_on(good)
            await asyncio.wait_for(stream.finish({"verdict": "held"}), WAIT_S)
        assert await good.closed() == (1001, "the run is over")
        assert good.seen[-1]["event_type"] == "experiment_completed"
        assert good.seen[-1]["data"]["verdict"] == "held"
        assert stream._open == {}


async def test_a_fault_of_our_own_is_told_and_logged():
    engine = Moving(1)
    async with streaming(engine) as stream, watching(stream.port) as client:
        await _goes_on(client)
        engine.broken = True
        assert (await client.closed())[0] == 1011
        assert "the world is upside down" in await engine.said("stat7 failure")


async def test_a_port_in_use_is_told_with_the_flag_that_moves_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stream = Stream(Moving(1))
        with pytest.raises(UserError) as caught:
            stream.bind("127.0.0.1", port)
        await stream.aclose()
    assert caught.value.exit_code == ExitCode.USAGE
    for word in (str(port), "STAT7", "--port-base"):
        assert word in caught.value.message
