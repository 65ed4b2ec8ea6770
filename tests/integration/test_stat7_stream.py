"""The stream's door and its clients, good and bad, over a world that is made up."""

import asyncio
import contextlib
import socket

import pytest
from websockets.frames import Frame, Opcode

from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import STAT7_FAILURES_MAX
from engine.stat7.stream import Stream
from tests.integration.stat7_kit import (
    WAIT_S,
    Moving,
    Watcher,
    answer_to,
    raw_client,
    streaming,
    upgrade,
    watching,
)

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.stat7.stream._PERIOD_S", 0.05)


async def _goes_on(watcher: Watcher) -> None:
    for _ in range(3):
        await watcher.expect("coordinates_updated")


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


@pytest.mark.parametrize(
    ("request_", "status", "code", "hint"),
    [
        (upgrade("/play"), 404, "not_found", "nothing is at '/play'; STAT7 is at /"),
        (upgrade("//["), 400, "bad_request", "found '//['; allowed is /"),
        (upgrade(Origin="https://evil.example"), 403, "forbidden", "pages of this Origin"),
        (upgrade(Origin="null"), 403, "forbidden", "pages of this Origin"),
        (upgrade(Host="evil.example"), 403, "forbidden", "this Host is not served here"),
        (upgrade(Upgrade="h2c"), 400, "bad_request", "Upgrade header: h2c"),
        (upgrade(Sec_WebSocket_Key="short"), 400, "bad_request", "Sec-WebSocket-Key"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400, "bad_request", "WebSocket client"),
        (upgrade().replace(b"GET", b"POST"), 405, "method_not_allowed", "method: POST"),
        (upgrade("/" + "x" * 9000), 413, "too_large", "no more than 8192"),
        (upgrade(X="x" * 9000), 413, "too_large", "no more than 8192"),
        (b"not http at all\r\n\r\n", 400, "bad_request", "not http at all"),
        (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 400, "bad_request", "Host"),
        (upgrade(Content_Length="5"), 400, "bad_request", "request body"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400, "bad_request", "request"),
    ],
)
async def test_who_is_not_let_in_is_told_why_in_the_contracts_shape(
    request_: bytes, status: int, code: str, hint: str
):
    async with streaming(Moving(1)) as stream:
        found, error = await answer_to(stream.port, request_)
        assert (found, error["code"]) == (status, code)
        assert hint in error["message"]
        async with watching(stream.port, origin="http://localhost:8000") as page:
            await _goes_on(page)


async def test_a_request_that_breaks_off_is_answered_nothing():
    async with streaming(Moving(1)) as stream:
        reader, writer = await asyncio.open_connection("127.0.0.1", stream.port)
        writer.write(b"GET / HT")
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
        writer.close()


async def test_connections_that_say_nothing_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.protocol.limits.STAT7_CONNECTIONS_MAX", 5)
    engine = Moving(1)
    async with streaming(engine) as stream, watching(stream.port) as good:
        await good.expect("experiment_start")
        bare = [await asyncio.open_connection("127.0.0.1", stream.port) for _ in range(4)]
        reader, writer = await asyncio.open_connection("127.0.0.1", stream.port)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
        writer.close()
        assert "was cut off: 5 connections" in await engine.said("cut off")
        assert len(stream._open) == 5
        await _goes_on(good)
        for _, writer in bare:
            writer.close()
        async with asyncio.timeout(WAIT_S):
            while len(stream._open) > 1:
                await asyncio.sleep(0.01)
        async with watching(stream.port) as second:
            await _goes_on(second)


async def test_a_flood_before_the_handshake_is_cut_off():
    async with streaming(Moving(1)) as stream:
        _, writer = await asyncio.open_connection("127.0.0.1", stream.port)
        sent = 0
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(WAIT_S):
                while sent < 64 * 1024 * 1024:
                    writer.write(b"X: " + b"x" * 4000 + b"\r\n")
                    await writer.drain()
                    sent += 4005
        # The kernel's buffers hold some megabytes; what was read of it is far less.
        assert sent < 32 * 1024 * 1024
        writer.close()
        async with asyncio.timeout(WAIT_S):
            while stream._open:
                await asyncio.sleep(0.01)


async def test_more_clients_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.protocol.limits.STAT7_CLIENTS_MAX", 1)
    async with streaming(Moving(1)) as stream:
        async with watching(stream.port) as first:
            await first.expect("experiment_start")
            status, error = await answer_to(stream.port, upgrade())
            assert (status, error["code"]) == (429, "busy")
            assert error["message"] == "1 clients are told, the most allowed"
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


async def test_a_second_that_fails_is_told_and_the_next_one_goes_on():
    engine = Moving(1)
    async with streaming(engine) as stream, watching(stream.port) as client:
        await _goes_on(client)
        engine.broken = 2
        assert "the world is upside down" in await engine.said("stat7 failure")
        async with asyncio.timeout(WAIT_S):
            while engine.broken:
                await asyncio.sleep(0.01)
        await _goes_on(client)
        async with watching(stream.port) as other:
            await _goes_on(other)
    assert engine.problems == [
        f"STAT7 failed and tries again ({n} of {STAT7_FAILURES_MAX}): "
        "RuntimeError: the world is upside down; see engine.log"
        for n in (1, 2)
    ]


async def test_slow_readers_are_closed_while_the_telling_fails(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.stat7.client.STAT7_STALLED_S_MAX", 0.2)
    monkeypatch.setattr("engine.protocol.limits.STAT7_FAILURES_MAX", 10**6)
    engine = Moving(1000)
    async with streaming(engine) as stream:
        with await raw_client(stream.port):
            async with asyncio.timeout(WAIT_S):
                while not any(client._stuck_since_s for client in stream._watching):
                    await asyncio.sleep(0.01)
            engine.broken = 10**6
            await engine.said("it took nothing for")


async def test_a_stream_that_fails_again_and_again_is_closed_and_says_so():
    engine = Moving(1)
    async with streaming(engine) as stream, watching(stream.port) as client:
        await _goes_on(client)
        bare = await asyncio.open_connection("127.0.0.1", stream.port)
        engine.broken = 10**6
        assert await client.closed() == (1011, "a fault of our own; see engine.log")
        assert await asyncio.wait_for(bare[0].read(), WAIT_S) == b""
        bare[1].close()
        assert len(engine.problems) == STAT7_FAILURES_MAX + 1
        assert engine.problems[-1].startswith(f"STAT7 is closed, it failed {len(engine.problems)}")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", stream.port)
        # The run's own end finds nothing left to do.
        await asyncio.wait_for(stream.finish({}), WAIT_S)


async def test_failures_are_forgiven_in_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.protocol.limits.STAT7_STEADY_S", 0.0)
    engine = Moving(1)
    async with streaming(engine) as stream, watching(stream.port) as client:
        engine.broken = STAT7_FAILURES_MAX + 3
        await _goes_on(client)
    assert {text.split(": ")[0] for text in engine.problems} == {
        f"STAT7 failed and tries again (1 of {STAT7_FAILURES_MAX})"
    }


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
