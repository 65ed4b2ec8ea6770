"""STAT7 over a real engine: world, squad and hub in this process, a plain client outside."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.hub.embedded import Embedded
from engine.protocol.address import BitChain, address, uri
from engine.protocol.command import ArmFault, ClearFault, Scope, SetPlayers, Stop
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.feed import Notice
from engine.protocol.limits import STAT7_FAILURES_MAX
from engine.protocol.scenario import Scenario, Stage
from engine.stat7.coordinates import Sheet, derive
from tests.integration.stat7_kit import WAIT_S, Message, Watcher, watching
from tests.machine import ports_of_a_base
from tests.unit.hub.fakes import run_spec

pytestmark = pytest.mark.integration

PLAYERS = 10


def _spec(tmp_path: Path, **changes: object):
    stages = (Stage("constant-players", PLAYERS, 0.0),)
    scenario = Scenario(warm_up_s=0.0, players=PLAYERS, npcs=150, stages=stages)
    return run_spec(tmp_path, scenario=scenario, **changes)


def _id(message: Message) -> str:
    return str(message["data"]["bitchain"]["id"])


def _created(message: Message, prefix: str = "") -> bool:
    return message["event_type"] == "bitchain_created" and _id(message).startswith(prefix)


def _check_chain(message: Message) -> None:
    data = message["data"]
    raw = dict(data["bitchain"])
    raw["coordinates"] = raw.pop("stat7_coordinates")
    chain = msgspec.convert(raw, BitChain)
    assert (address(chain), uri(chain)) == (data["address"], data["stat7_uri"])


def _check_updates(watcher: Watcher, announced: set[str]) -> None:
    """Every update names what was announced before it; nothing is announced twice."""
    for message in watcher.seen:
        if message["event_type"] == "bitchain_created":
            assert _id(message) not in announced
            announced.add(_id(message))
        elif message["event_type"] == "coordinates_updated":
            updates = message["data"]["updates"]
            assert 0 < len(updates) <= 1000
            assert {row[0] for row in updates} <= announced
            assert {row[0] for row in message["data"].get("realms", [])} <= announced


async def test_a_run_from_a_newcomers_history_to_its_end(tmp_path: Path):
    engine = Embedded(_spec(tmp_path))
    link = await engine.start()
    try:
        stat7 = engine.engine.stat7
        ports = json.loads((tmp_path / "runs" / "r1" / "ports.json").read_text())
        assert ports["stat7"] == stat7.port
        async with watching(stat7.port) as first:
            await first.until(lambda m: _created(m, f"player-{PLAYERS - 1}"))
            async with watching(stat7.port) as watcher:
                announced_before = set(stat7.board.names)
                history = [await watcher.next() for _ in range(100)]
                assert all(map(_created, history))
                names = [_id(message) for message in history]
                assert names == stat7.board.names[-100:]
                assert (await watcher.next())["event_type"] == "experiment_start"
                await _follow_a_storm(watcher, link)
                await first.expect("experiment_completed")
                assert await watcher.closed() == (1001, "the run is over")
        for message in watcher.seen + first.seen:
            assert message["experiment_id"] == "r1"
            if _created(message):
                _check_chain(message)
        watcher.seen = watcher.seen[101:]
        _check_updates(watcher, announced_before)
        last = watcher.seen[-1]
        assert last["event_type"] == "experiment_completed"
        assert last["data"]["verdict"] in ("held", "invalid")
    finally:
        await engine.aclose()


async def _follow_a_storm(watcher: Watcher, link) -> None:
    """New players appear, once a second they move; a fault comes, goes and is recovered from."""
    assert (await link.call(SetPlayers(PLAYERS + 5))).ok
    await watcher.until(lambda m: _created(m, f"player-{PLAYERS + 4}"))
    ticks = [(await watcher.expect("coordinates_updated"))["data"]["tick"] for _ in range(3)]
    # A second is 10 ticks; on a busy machine a look may be late, never early by much.
    assert all(later - earlier >= 5 for earlier, later in pairwise(ticks))
    storm = ArmFault("disconnect-storm", Scope(count=5), {"how": "rst"}, hold_s=60.0)
    assert (await link.call(storm)).ok
    armed = await watcher.expect("fault")
    assert armed["data"]["name"] == "disconnect-storm"
    assert armed["data"]["phase"] == "armed"
    assert (await link.call(ClearFault(armed["data"]["id"]))).ok
    phases = [(await watcher.expect("fault"))["data"]["phase"] for _ in range(2)]
    assert phases == ["cleared", "recovered"]
    assert (await link.call(Stop())).ok


async def test_the_operator_is_told_when_the_stream_fails_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    failures = 2

    def fails_at_first(*arguments: Any) -> Sheet:
        nonlocal failures
        if failures:
            failures -= 1
            raise ValueError("upside\x1b down")
        return derive(*arguments)

    monkeypatch.setattr("engine.stat7.board.derive", fails_at_first)
    engine = Embedded(_spec(tmp_path))
    link = await engine.start()
    told: list[str] = []
    try:
        async with watching(engine.engine.stat7.port) as watcher:
            await watcher.expect("coordinates_updated")
        async with asyncio.timeout(WAIT_S):
            while len(told) < 2:
                link.take_snapshot()
                notices = [item for item in link.take_notices() if isinstance(item, Notice)]
                told += [notice.text for notice in notices if notice.kind == "problem"]
                await link.wait()
    finally:
        ended = await engine.aclose()
    assert [text.split(";")[0] for text in told] == [
        f"STAT7 failed and tries again ({number} of {STAT7_FAILURES_MAX}): "
        "ValueError: upside\N{REPLACEMENT CHARACTER} down"
        for number in (1, 2)
    ]
    assert ended is not None
    assert ended.text.split(":")[0] in {"held", "invalid"}
    assert "Traceback" in (tmp_path / "runs" / "r1" / "engine.log").read_text()


async def test_a_port_in_use_ends_the_start(tmp_path: Path):
    with ports_of_a_base(1) as base, pytest.raises(UserError) as caught:
        await Embedded(_spec(tmp_path, port_base=base)).start()
    assert caught.value.exit_code == ExitCode.USAGE
    assert f"port {base + 1} (STAT7)" in caught.value.message
    assert list((tmp_path / "runs").iterdir()) == []
