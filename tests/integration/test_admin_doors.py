"""The doors on a real socket, with a client that means harm, and no engine behind them."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
import websockets

from engine.admin import stream, wires
from engine.admin.doors import AdminDoors
from engine.link.listening import listen
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.feed import Ended
from engine.protocol.limits import ADMIN_SEND_BUFFER_BYTES
from tests.unit.admin.fakes import TOKEN, FakeService, tick_of

pytestmark = pytest.mark.integration

PATIENCE_S = 20.0


def listener(port: int = 0) -> socket.socket:
    return listen("127.0.0.1", port, "admin API", send_buffer_bytes=ADMIN_SEND_BUFFER_BYTES)


@asynccontextmanager
async def doors(service: FakeService) -> AsyncIterator[int]:
    """Open doors and yield their port."""
    own = AdminDoors(service, "127.0.0.1", "1")
    bound = listener()
    port: int = bound.getsockname()[1]
    await own.open(bound)
    try:
        yield port
    finally:
        await own.aclose()


@pytest.fixture
def service() -> FakeService:
    service = FakeService()
    service.ticks = [tick_of(1, 1, ["joined", "moved"])]
    return service


@pytest.fixture
async def port(service: FakeService) -> AsyncIterator[int]:
    async with doors(service) as port:
        yield port


async def raw(port: int, data: bytes) -> bytes:
    """Send bytes and return everything that comes until the connection closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            return await until_closed(reader)
    finally:
        writer.close()


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    came = b""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            came += data
    return came


async def answers(port: int) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200


async def until_answered(port: int) -> None:
    """Ask again and again until there is room."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(AssertionError):
                await answers(port)
                break
            await asyncio.sleep(0.01)


def code_in(answer: bytes) -> str:
    found: str = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])["error"]["code"]
    return found


def test_a_port_that_is_taken_is_named():
    with listener() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError) as caught:
            listener(port)
    assert caught.value.exit_code == ExitCode.USAGE
    assert str(port) in caught.value.message
    assert "--port-base" in caught.value.message


def test_a_port_that_is_none_is_explained():
    with pytest.raises(UserError, match="--port-base"):
        listener(70_000)


@pytest.mark.parametrize(
    "data",
    [
        b"not http at all\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 400_000 + b"\r\n\r\n",
        b"POST /marks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -3\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
    ],
    ids=["no-http", "no-host", "two-hosts", "long-head", "bad-length", "tls"],
)
async def test_what_is_no_request_gets_an_error_of_our_shape(port: int, data: bytes):
    answer = await raw(port, data)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert code_in(answer) == "bad_request"
    await answers(port)


async def test_an_old_request_without_a_host_is_refused(port: int):
    answer = await raw(port, b"GET /health HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert code_in(answer) == "forbidden"


async def test_a_request_that_never_ends_is_cut_off(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wires, "ADMIN_REQUEST_S_MAX", 0.3)
    head = b"POST /marks HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    own = f"Authorization: Bearer {TOKEN}\r\n".encode()
    async with doors(service) as port:
        assert await raw(port, b"") == b""
        assert await raw(port, head) == b""
        assert await raw(port, head + own + b"Content-Length: 100\r\n\r\n{") == b""
        # Also the second request of a connection, dribbled a byte at a time.
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"running" in await reader.readuntil(b"}")
        gone = asyncio.ensure_future(until_closed(reader))
        async with asyncio.timeout(PATIENCE_S):
            while not gone.done():
                with contextlib.suppress(ConnectionError):
                    writer.write(b"G")
                await asyncio.wait({gone}, timeout=0.05)
        writer.close()


async def test_a_second_request_that_came_with_the_first_and_never_ends_is_cut_off(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wires, "ADMIN_REQUEST_S_MAX", 0.3)
    whole = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    begun = (
        f"POST /marks HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Length: 100\r\n\r\n{"
    ).encode()
    async with doors(service) as port:
        answer = await raw(port, whole + begun)
        assert answer.count(b"HTTP/1.1 200 ") == 1
        assert answer.endswith(b"}")
        # Half a head is cut off sooner or later, too: who is idle is let go.
        monkeypatch.setattr(wires, "ADMIN_REQUEST_S_MAX", 0.1)
        assert (await raw(port, whole + whole + begun)).count(b"HTTP/1.1 200 ") == 2


async def test_who_asks_to_close_and_does_not_read_is_cut_off(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wires, "ADMIN_CLOSE_S", 0.3)
    monkeypatch.setattr(wires, "ADMIN_CONNECTIONS_MAX", 1)
    # Far more than what the kernel keeps for a client that does not read.
    service.ticks = [tick_of(1, 1, ["said"] * 500, dict.fromkeys(range(500), "x" * 20_000))]
    async with doors(service) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(
            b"GET /events?limit=500 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        )
        assert b"200" in await reader.readline()
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport reads
        # There is room for one: others are answered as soon as this one is gone.
        await until_answered(port)
        writer.transport.abort()


async def test_a_large_body_is_refused_unread_and_its_sender_hears_it(
    port: int, service: FakeService
):
    body = b"x" * 900_000
    head = (
        f"POST /marks HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    # The connection lives on: the second request is answered as if nothing had been.
    answer = await raw(
        port,
        head + body + b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    )
    refused, _, second = answer.partition(b"}}")
    assert refused.startswith(b"HTTP/1.1 413 ")
    assert code_in(refused + b"}}") == "too_large"
    assert second.startswith(b"HTTP/1.1 200 ")
    assert service.commands == []


async def test_who_goes_on_sending_after_that_is_cut_off(port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /marks HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
    )
    sent = 0
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_S):
            while sent < 64 * 1024 * 1024:
                writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                await writer.drain()
                sent += 65536
    # The kernel's buffers hold some megabytes; what was read of it is far less.
    assert sent < 32 * 1024 * 1024
    writer.close()
    with contextlib.suppress(ConnectionError):
        await reader.read()
    await answers(port)


async def test_connections_are_bounded(service: FakeService, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wires, "ADMIN_CONNECTIONS_MAX", 3)
    async with doors(service) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        answer = await raw(port, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert code_in(answer) == "busy"
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        await until_answered(port)


async def test_streams_are_bounded(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "STREAMS_MAX", 1)
    async with websockets.connect(f"ws://127.0.0.1:{port}/stream") as first:
        await first.recv()
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(f"ws://127.0.0.1:{port}/stream")
        assert caught.value.response.status_code == 429


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/stream", {"Origin": "http://evil.example"}, 403, "forbidden"),
        ("/stream", {"Host": "evil.example"}, 403, "forbidden"),
        ("/stream?topics=evnts", {}, 400, "bad_request"),
        ("/nope", {}, 404, "not_found"),
        ("/health", {}, 404, "not_found"),
    ],
)
async def test_upgrades_that_are_not_granted(
    port: int, path: str, headers: dict[str, str], status: int, code: str
):
    lines = {"Host": f"127.0.0.1:{port}"} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    answer = await raw(
        port,
        f"GET {path} HTTP/1.1\r\n{head}Connection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode(),
    )
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert code_in(answer) == code


async def test_a_stream_tells_what_happens_and_the_end(port: int, service: FakeService):
    async with websockets.connect(f"ws://127.0.0.1:{port}/stream?after_seq=0") as client:

        async def next_message() -> dict[str, Any]:
            message = await asyncio.wait_for(client.recv(), PATIENCE_S)
            assert isinstance(message, str)
            found: dict[str, Any] = msgspec.json.decode(message)
            return found

        assert [(await next_message())["type"] for _ in range(3)] == ["hello", "events", "live"]
        service.ticks.append(tick_of(2, 3, ["died"]))
        service.change()
        assert (await next_message())["events"][0]["kind"] == "died"
        service.ended = Ended(0, "held")
        service.change()
        assert await next_message() == {"type": "ended", "exit_code": 0, "text": "held"}
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await next_message()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001


@pytest.mark.parametrize("said", ["hello", b"\x00", "x" * 100_000])
async def test_a_stream_only_tells(port: int, said: str | bytes):
    async with websockets.connect(f"ws://127.0.0.1:{port}/stream") as client:
        await client.recv()
        await client.send(said)
        await asyncio.wait_for(client.wait_closed(), PATIENCE_S)
        assert client.close_code in {1008, 1009}
    await answers(port)


async def test_a_client_that_never_reads_is_let_go_of(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream, "STREAM_STALL_S_MAX", 0.3)
    monkeypatch.setattr(wires, "ADMIN_CLOSE_S", 0.2)
    # Far more than what the kernel and the transport keep for it.
    service.ticks = [tick_of(n, 1 + 500 * n, ["moved"] * 500) for n in range(1000)]
    async with doors(service) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(
            b"GET /stream?after_seq=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        assert b"101" in await reader.readline()
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport reads
        async with asyncio.timeout(PATIENCE_S):
            while len(tasks := _named("stream-tell")) == 0:
                await asyncio.sleep(0.01)
            await asyncio.wait(tasks)
        await answers(port)
        writer.transport.abort()


def _named(name: str) -> set["asyncio.Task[Any]"]:
    return {task for task in asyncio.all_tasks() if task.get_name() == name}


async def test_the_doors_close_soon_whoever_is_there(service: FakeService):
    own = AdminDoors(service, "127.0.0.1", "1")
    bound = listener()
    port = bound.getsockname()[1]
    await own.open(bound)
    idle = await asyncio.open_connection("127.0.0.1", port)
    half = await asyncio.open_connection("127.0.0.1", port)
    half[1].write(b"POST /marks HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    follower = await websockets.connect(f"ws://127.0.0.1:{port}/stream")
    await follower.recv()
    began_s = asyncio.get_running_loop().time()
    await own.aclose()
    await own.aclose()
    # About a second is promised; the machine may be busy.
    assert asyncio.get_running_loop().time() - began_s < 10.0
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await follower.wait_closed()
    for _, writer in (idle, half):
        writer.close()


async def test_nothing_is_written_to_a_terminal(
    service: FakeService, capfd: pytest.CaptureFixture[str]
):
    service.fails = True
    async with doors(service) as port, httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 503
        await raw(port, b"nonsense\r\n\r\n")
        logging.getLogger("uvicorn.error").error("a complaint")
    assert capfd.readouterr() == ("", "")
    assert "a complaint" in str(service.notes)
    assert "secret of the inside" in str(service.notes)


async def test_head_is_answered_as_get_but_for_the_body(service: FakeService):
    async with doors(service) as port, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{port}/health"
        got, head = await client.get(url), await client.head(url)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(got.content))
        assert (await client.head(f"http://127.0.0.1:{port}/nowhere")).status_code == 404
        # The connection is as good as new.
        assert (await client.get(url)).status_code == 200
