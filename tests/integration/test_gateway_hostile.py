"""Whatever a client sends, it is that client's problem: told, counted, and nobody else's."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

import msgspec
import pytest
import websockets

from engine.protocol import gateway as wire
from engine.protocol import limits
from engine.server.fanout import QUIET_TICKS_MAX
from tests.integration.gateway_kit import WAIT_S, Player, Running, player, running_world

pytestmark = pytest.mark.integration

pack = msgspec.msgpack.encode
HELLO = pack({"type": "hello", "name": "player-1"})


async def bye_of(client: Player) -> str:
    """Return the reason of the bye, after which the connection must end."""
    bye = await client.expect(wire.Bye)
    closed = await client.closed()
    assert closed.rcvd is not None, "no close frame came"
    assert closed.rcvd.reason == bye.reason[:120]
    return bye.reason


async def unaffected(world: Running, hostile: Callable[[], Awaitable[None]]) -> None:
    """Run something hostile beside a player that must notice nothing of it."""
    async with player(world) as bob:
        await bob.hello("player-99")
        await hostile()
        assert (await bob.ask(seq=1, kind="say", text="all well")).verdict == "permit"
        delta = await bob.expect(wire.Delta)
        assert 1 <= (await bob.expect(wire.Delta)).tick - delta.tick <= QUIET_TICKS_MAX


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b"", "malformed"),
        (b"\xc1", "malformed"),
        (b"\x93\x01", "invalid"),
        (b"\xdf\xff\xff\xff\xff", "malformed"),
        (b"\x91" * 10_000, "invalid"),
        (HELLO + b"\x00", "malformed"),
        (pack([]), "invalid"),
        (pack(None), "invalid"),
        (pack({}), "invalid"),
        (pack({"type": "fly"}), "invalid"),
        (pack({"type": 7}), "invalid"),
        (pack({"type": "welcome", "player": 1}), "invalid"),
        (pack({"type": "hello"}), "invalid"),
        (pack({"type": "hello", "name": ""}), "invalid"),
        (pack({"type": "hello", "name": "x" * 33}), "invalid"),
        (pack({"type": "hello", "name": 5}), "invalid"),
        (pack({"type": "hello", "name": "\x1b[2J"}), "bad_name"),
        (pack({"type": "hello", "name": "a", "resume": "y" * 65}), "invalid"),
        (b"\x82\xa4type\xa5hello\xa4name\xa2\xff\xfe", "malformed"),
        (pack({"type": "intent", "seq": 1, "kind": "rest"}), "unexpected"),
    ],
)
async def test_a_bad_first_frame_gets_a_bye_with_a_reason(frame: bytes, kind: str):
    async with running_world() as world, player(world) as mallory:
        await mallory.socket.send(frame)
        assert await bye_of(mallory)
        report = await world.report_where(lambda report: report.bad_frames)
        assert report.bad_frames == {kind: 1}


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "fly"},
        {"kind": 3},
        {"seq": 0},
        {"seq": -1},
        {"seq": 2**31},
        {"seq": "1"},
        {"seq": 1.5},
        {"x": -1},
        {"x": limits.POSITION_MAX + 1},
        {"y": 2**63},
        {"x": float("nan")},
        {"target": -1},
        {"target": 2**31},
        {"amount": 1_000_001},
        {"text": "x" * 201},
        {"text": b"bytes"},
    ],
)
async def test_an_intent_out_of_bounds_gets_a_bye_that_names_the_field(fields: dict[str, object]):
    async with running_world() as world:

        async def hostile() -> None:
            async with player(world) as mallory:
                await mallory.hello("player-1")
                intent = {"type": "intent", "seq": 1, "kind": "move", **fields}
                await mallory.socket.send(pack(intent))
                assert f"$.{next(iter(fields))}" in await bye_of(mallory)

        await unaffected(world, hostile)
        assert (await world.report()).bad_frames == {"invalid": 1}


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "nonsense",
        '{"type":"hello","name":"\ud83d',
        '{"type":"hello","name":"\\ud800"}',
        '{"a":' + "[" * 5000,
        '{"type":"ping","x":' + "[" * 5000 + "]" * 5000 + "}",
        '{"type":"hello","name":"a"} more',
        '{"type":"intent","seq":1e400,"kind":"rest"}',
    ],
)
async def test_bad_json_gets_a_bye(frame: str):
    async with running_world() as world, player(world, "?codec=json") as mallory:
        await mallory.socket.send(frame.encode("utf-8", "surrogatepass"), text=True)
        ended = await mallory.closed()
        assert ended.rcvd is not None
        assert isinstance(mallory.seen[-1], wire.Bye)


@pytest.mark.parametrize(("options", "frame"), [("", '{"type":"ping"}'), ("?codec=json", b"\x80")])
async def test_the_other_codecs_frames_are_refused(options: str, frame: str | bytes):
    async with running_world() as world, player(world, options) as mallory:
        await mallory.socket.send(frame)
        assert "malformed" in await bye_of(mallory)


async def test_a_message_in_parts_is_put_together_and_bounded_as_a_whole():
    async with running_world() as world:
        async with player(world) as ada:
            await ada.socket.send([HELLO[:3], HELLO[3:9], HELLO[9:]])
            assert (await ada.expect(wire.Welcome)).player == limits.PLAYER_ID_BASE + 1
        async with player(world) as mallory:
            await mallory.socket.send([b"\x00" * 4096] * 6)
            assert "oversized" in await bye_of(mallory)


async def test_an_oversized_frame_gets_a_bye():
    async with running_world() as world:

        async def hostile() -> None:
            async with player(world) as mallory:
                await mallory.hello("player-1")
                await mallory.socket.send(b"\x00" * (limits.GATEWAY_FRAME_BYTES_MAX + 1))
                assert "oversized" in await bye_of(mallory)

        await unaffected(world, hostile)
        assert (await world.report()).bad_frames == {"oversized": 1}


async def test_a_gigantic_frame_is_refused_at_its_head_with_the_reason_in_the_close_frame():
    async with running_world() as world:

        async def hostile() -> None:
            async with player(world) as mallory:
                await mallory.hello("player-1")
                with contextlib.suppress(websockets.ConnectionClosed):
                    await mallory.socket.send(b"\x00" * 8_000_000)
                ended = await mallory.closed()
                # The rest of what it sent may turn the close frame into a reset.
                assert ended.rcvd is None or ended.rcvd.code == 1009

        await unaffected(world, hostile)
        report = await world.report_where(lambda report: report.bad_frames)
        assert report.bad_frames == {"oversized": 1}
        assert report.connected <= 1


async def test_a_flood_is_closed_as_too_fast():
    async with running_world() as world:

        async def hostile() -> None:
            async with player(world) as mallory:
                await mallory.hello("player-1")
                ping = wire.encoder.encode(wire.Ping())
                try:
                    for _ in range(3 * limits.GATEWAY_FRAMES_PER_S_MAX):
                        await mallory.socket.send(ping)
                except websockets.ConnectionClosed:
                    return
                await mallory.closed()
                assert mallory.seen[-1] == wire.Bye(reason="too fast")

        await unaffected(world, hostile)
        report = await world.report_where(lambda report: report.bad_frames)
        assert report.bad_frames == {"too_fast": 1}


async def test_who_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "HELLO_TIMEOUT_S", 0.2)
    async with running_world() as world, player(world) as silent, player(world) as ada:
        await ada.hello("player-1")
        assert "hello" in await bye_of(silent)
        assert (await ada.ask(seq=1, kind="rest")).verdict == "permit"


async def test_who_never_upgrades_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "HELLO_TIMEOUT_S", 0.2)
    async with running_world() as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.ready.gateway_port)
        writer.write(b"GET /play HTTP/1.1\r\nHost: localhost\r\n")
        assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
        writer.close()
        await writer.wait_closed()


async def test_who_never_reads_is_closed_and_nobody_else_notices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "SLOW_READER_CLOSE_S", 0.5)
    monkeypatch.setattr(limits, "GATEWAY_CLOSE_S", 0.2)
    async with running_world() as world:

        async def hostile() -> None:
            deaf = socket.socket()
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, ("127.0.0.1", world.ready.gateway_port))
            reader, writer = await asyncio.open_connection(sock=deaf, limit=1024)
            writer.write(UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            writer.transport.pause_reading()
            writer.write(masked(HELLO))
            # Pongs of 125 bytes fill the buffers sooner than frames of a small world.
            writer.write(masked(b"x" * 125, opcode=9) * (limits.GATEWAY_FRAMES_PER_S_MAX - 50))
            report = await world.report_where(lambda report: "slow_reader" in report.bad_frames)
            assert report.frames_skipped > 0
            await world.report_where(lambda report: report.connected == 1)
            writer.transport.abort()

        await unaffected(world, hostile)


UPGRADE = (
    b"GET /play HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def masked(payload: bytes, opcode: int = 2) -> bytes:
    """Return a client's frame; a mask of zeros leaves the payload as it is."""
    return bytes((0x80 | opcode, 0x80 | len(payload))) + bytes(4) + payload


@pytest.mark.parametrize(
    ("garbage", "kind"),
    [
        (b"\xff" * 200, "malformed"),
        (b"\x82\x05hello", "malformed"),
        (b"\x82\xff" + b"\xff" * 20, "malformed"),
        (b"\x82\xff" + (2**40).to_bytes(8, "big") + b"\x00" * 20, "oversized"),
    ],
)
async def test_what_is_no_websocket_frame_is_closed_and_counted(garbage: bytes, kind: str):
    async with running_world() as world:

        async def hostile() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", world.ready.gateway_port)
            writer.write(UPGRADE)
            assert b"101" in await reader.readuntil(b"\r\n\r\n")
            writer.write(garbage)
            await asyncio.wait_for(reader.read(), WAIT_S)
            writer.close()
            await writer.wait_closed()

        await unaffected(world, hostile)
        report = await world.report_where(lambda report: report.bad_frames)
        assert report.bad_frames == {kind: 1}


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("GET /play HTTP/1.1", "Host: evil.example\r\n", b"403"),
        ("GET /play HTTP/1.1", "Host: localhost\r\nOrigin: https://evil.example\r\n", b"403"),
        ("GET /play HTTP/1.1", "", b"403"),
        ("GET /other HTTP/1.1", "Host: localhost\r\n", b"404"),
        ("GET /play?codec=xml HTTP/1.1", "Host: localhost\r\n", b"400"),
        ("POST /play HTTP/1.1", "Host: localhost\r\n", b"400"),
        ("nonsense", "", b"400"),
    ],
)
async def test_requests_that_are_not_ours_are_refused(
    request_line: str, headers: str, status: bytes
):
    async with running_world() as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.ready.gateway_port)
        tail = UPGRADE.partition(b"Upgrade: websocket")[1:]
        writer.write(f"{request_line}\r\n{headers}".encode() + b"".join(tail))
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
        assert answer.split()[1] == status
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:9"])
async def test_pages_of_this_machine_may_connect(origin: str):
    async with running_world() as world, player(world, origin=origin) as ada:
        assert await ada.hello("player-1")


async def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "GATEWAY_CONNECTIONS_MAX", 2)
    async with running_world() as world, player(world) as ada, player(world):
        await ada.hello("player-1")
        with pytest.raises(websockets.InvalidStatus, match="503"):
            async with player(world):
                pass
        assert (await ada.ask(seq=1, kind="rest")).verdict == "permit"


async def test_a_full_world_refuses_newcomers_and_keeps_the_others():
    async with running_world(npcs=5, nodes=5, capacity=12) as world:
        async with player(world) as ada, player(world) as bob, player(world) as eve:
            await ada.hello("player-1")
            await bob.hello("Bob")
            await eve.send(wire.Hello(name="Eve"))
            assert "full" in await bye_of(eve)
            assert (await ada.ask(seq=1, kind="rest")).verdict == "permit"
        async with player(world) as again:
            assert await again.hello("Bob")


async def test_guests_never_take_the_room_of_players(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.protocol.limits.GUESTS_MAX", 2)
    async with running_world(npcs=5, nodes=5, capacity=30) as world:
        for name in ("Ada", "Bob"):
            async with player(world) as guest:
                assert await guest.hello(name)
        async with player(world) as eve, player(world) as ada, player(world) as one:
            await eve.send(wire.Hello(name="Eve"))
            assert "full" in await bye_of(eve)
            assert await ada.hello("Ada")
            assert await one.hello("player-1")


async def test_hostile_words_are_stored_harmless():
    from engine.world.events import EventBlock

    async with running_world() as world, player(world) as mallory:
        await mallory.hello("player-1")
        ack = await mallory.ask(seq=1, kind="say", text="\x1b]0;owned\x07\u202e")
        assert ack.event is not None
        while not (world.batches and world.batches[-1].tick >= ack.tick):
            await world.take()
        batch = next(batch for batch in world.batches if batch.tick == ack.tick)
        block = EventBlock.unpack(batch.first_seq, batch.columns, batch.texts)
        said = block.texts[ack.event - batch.first_seq]
        assert said.isprintable()
        assert "owned" in said
