"""What players and the world say to each other, over real sockets."""

import asyncio
from pathlib import Path

import pytest

from engine.protocol import gateway as wire
from engine.protocol.limits import GUEST_ID_BASE, INTENTS_QUEUED_PER_PLAYER_MAX, PLAYER_ID_BASE
from tests.integration.gateway_kit import Running, player, running_world

pytestmark = pytest.mark.integration

CODECS = pytest.mark.parametrize("options", ["", "?codec=json"])


def entities(delta: wire.Delta) -> dict[int, wire.SeenEntity]:
    return {entity.id: entity for cell in delta.cells for entity in cell.entities}


@CODECS
async def test_a_player_joins_acts_and_sees(options: str):
    async with running_world() as world, player(world, options) as ada:
        welcome = await ada.hello("player-12")
        assert welcome.player == PLAYER_ID_BASE + 12
        assert welcome.interval_ms == 50
        assert welcome.seq == 0
        delta = await ada.expect(wire.Delta)
        me = entities(delta)[welcome.player]
        assert (me.x, me.y) == (welcome.x, welcome.y)
        ack = await ada.ask(seq=1, kind="move", x=welcome.x + 60, y=welcome.y)
        assert (ack.seq, ack.verdict, ack.reason) == (1, "permit", None)
        assert ack.event is not None
        assert ack.tick > welcome.tick
        while delta.tick < ack.tick:
            delta = await ada.expect(wire.Delta)
        assert entities(delta)[welcome.player].x == welcome.x + 60


async def test_welcome_comes_first_and_ticks_never_go_back():
    async with running_world() as world, player(world) as ada:
        await ada.hello("player-1")
        assert isinstance(ada.seen[0], wire.Welcome)
        ticks = [(await ada.expect(wire.Delta)).tick for _ in range(5)]
        assert ticks == sorted(set(ticks))


@CODECS
async def test_ping_is_answered_with_pong(options: str):
    async with running_world() as world, player(world, options) as ada:
        await ada.send(wire.Ping())
        assert await ada.expect(wire.Notice) == wire.Notice(text="pong")
        waiter = await ada.socket.ping(b"control")
        await asyncio.wait_for(waiter, 10)


async def test_a_resent_command_is_acknowledged_again_and_applied_once():
    async with running_world() as world, player(world) as ada:
        welcome = await ada.hello("player-1")
        first = await ada.ask(seq=1, kind="move", x=welcome.x, y=welcome.y - 50)
        again = await ada.ask(seq=1, kind="move", x=welcome.x, y=welcome.y - 100)
        assert (again.seq, again.verdict, again.event) == (1, "permit", first.event)
        delta = await ada.expect(wire.Delta)
        while delta.tick < again.tick:
            delta = await ada.expect(wire.Delta)
        assert first.verdict == "permit"
        assert entities(delta)[welcome.player].y == welcome.y - 50


def _ruling(ack: wire.Ack) -> tuple[object, ...]:
    return ack.verdict, ack.reason, ack.event


async def test_a_resent_command_gets_the_verdict_it_had_also_after_a_restart(tmp_path: Path):
    database = str(tmp_path / "events.db")
    async with running_world(database=database) as world, player(world) as ada:
        welcome = await ada.hello("player-1")
        denied = await ada.ask(seq=1, kind="attack", target=1)
        far = welcome.x - 1900 if welcome.x > 1900 else welcome.x + 1900
        await ada.ask(seq=2, kind="move", x=far, y=welcome.y)
        cut = await ada.ask(seq=3, kind="move", x=welcome.x, y=welcome.y)
        assert (denied.verdict, cut.verdict) == ("deny", "mutate")
        assert None not in (*_ruling(denied), *_ruling(cut))
        for first in (denied, cut):
            assert _ruling(await ada.ask(seq=first.seq, kind="rest")) == _ruling(first)
    async with running_world(database=database) as world, player(world) as ada:
        await ada.hello("player-1", welcome.resume_token)
        for first in (denied, cut):
            assert _ruling(await ada.ask(seq=first.seq, kind="rest")) == _ruling(first)


async def test_a_command_sent_twice_at_once_is_acknowledged_once():
    async with running_world() as world, player(world) as ada:
        await ada.hello("player-1")
        for _ in range(3):
            await ada.send(wire.Intent(seq=1, kind="rest"))
        await ada.send(wire.Intent(seq=2, kind="say", text="done"))
        seqs = [(await ada.expect(wire.Ack)).seq for _ in range(2)]
        assert seqs in ([1, 2], [1, 1])  # the tick may fall between them
        while seqs[-1] != 2:
            seqs.append((await ada.expect(wire.Ack)).seq)
        assert len(seqs) <= 4


async def test_denials_say_the_policy_and_the_reason():
    async with running_world() as world, player(world) as ada:
        await ada.hello("player-1")
        ack = await ada.ask(seq=1, kind="attack", target=4_000_000)
        assert ack.verdict == "deny"
        assert ack.reason is not None
        assert ":" in ack.reason


async def test_a_guest_has_an_id_of_its_own_and_names_are_told_apart():
    async with running_world() as world, player(world) as ada, player(world) as bob:
        assert (await ada.hello("Ada")).player == GUEST_ID_BASE
        assert (await bob.hello("player-007")).player == GUEST_ID_BASE + 1


async def test_a_name_that_is_connected_is_refused_without_its_token():
    async with running_world() as world, player(world) as ada, player(world) as thief:
        await ada.hello("player-1")
        await thief.send(wire.Hello(name="player-1"))
        bye = await thief.expect(wire.Bye)
        assert "player-1" in bye.reason
        assert (await thief.closed()).rcvd is not None
        assert (await ada.ask(seq=1, kind="rest")).seq == 1
        report = await world.report_where(lambda report: report.bad_frames)
        assert report.bad_frames == {"name_taken": 1}


@pytest.mark.parametrize("connected", [True, False])
async def test_a_wrong_token_is_refused(connected: bool):
    async with running_world() as world, player(world) as ada, player(world) as thief:
        if connected:
            await ada.hello("player-1")
        await thief.send(wire.Hello(name="player-1", resume="0" * 32))
        assert "token" in (await thief.expect(wire.Bye)).reason


async def test_the_right_token_takes_the_player_over_from_a_dead_connection():
    async with running_world() as world, player(world) as old, player(world) as new:
        welcome = await old.hello("player-1")
        await old.ask(seq=5, kind="move", x=welcome.x, y=welcome.y - 50)
        again = await new.hello("player-1", welcome.resume_token)
        assert again.player == welcome.player
        assert (again.seq, again.x, again.y) == (5, welcome.x, welcome.y - 50)
        assert again.resume_token == welcome.resume_token
        assert "another connection" in (await old.expect(wire.Bye)).reason
        assert (await new.ask(seq=6, kind="rest")).verdict == "permit"
        assert (await world.report_where(lambda report: report.connected == 1)).connected == 1


async def test_a_player_that_left_comes_back_with_its_name():
    async with running_world() as world:
        async with player(world) as ada:
            first = await ada.hello("Ada")
            await ada.ask(seq=1, kind="rest")
        await world.report_where(lambda report: report.connected == 0)
        async with player(world) as ada:
            second = await ada.hello("Ada")
            assert (second.player, second.seq) == (first.player, 1)


async def test_others_see_a_player_leave():
    async with running_world() as world, player(world) as ada:
        async with player(world) as bob:
            gone = (await bob.hello("player-2")).player
            await ada.hello("player-1")
        await world.report_where(lambda report: report.connected == 1)
        assert await _row(world, gone) == 0


async def _row(world: Running, entity: int) -> int:
    """Return how often the events since the start left ``entity`` connected."""
    from engine.world.events import Code, EventBlock

    connected = 0
    for _ in range(3):
        await world.report()
    for batch in world.batches:
        block = EventBlock.unpack(batch.first_seq, batch.columns, batch.texts)
        for row in block.rows[block.rows["stream"] == entity]:
            connected += int(row["kind"] in (Code.JOINED, Code.RESUMED))
            connected -= int(row["kind"] in (Code.LEFT, Code.DISCONNECTED))
    return connected


async def test_many_commands_at_once_are_all_answered_and_those_too_many_denied():
    async with running_world() as world, player(world) as ada, player(world) as bob:
        await ada.hello("player-1")
        await bob.hello("player-2")
        count = 4 * INTENTS_QUEUED_PER_PLAYER_MAX
        for seq in range(1, count + 1):
            await ada.send(wire.Intent(seq=seq, kind="rest"))
        assert (await bob.ask(seq=1, kind="say", text="still here")).verdict == "permit"
        acks = [await ada.expect(wire.Ack) for _ in range(count)]
        assert {ack.seq for ack in acks} == set(range(1, count + 1))
        assert any(ack.reason == "gateway: too fast" for ack in acks)
