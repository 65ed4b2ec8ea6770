"""A world that writes is killed with SIGKILL at random moments; its log tells the whole truth."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from engine.indexer.work import Indexer
from engine.protocol.events import Event, correlation_of
from engine.protocol.limits import NPC_ID_BASE, PLAYER_ID_BASE
from engine.store.reading import LogFile
from engine.store.search import Wanted, search
from engine.store.verify import verify
from engine.world.inputs import TickInputs
from tests.integration.killed_world import CONFIG, Killed, index_of

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
KILLS = 50


def _kill(folder: Path, kills: int) -> Killed:
    seed = int.from_bytes(os.urandom(3), "big")
    print(f"seed {seed}")
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "tests.integration.killed_world"),
            *(str(folder), str(seed), str(kills)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stdout[-500:]} {done.stderr[-2000:]}"
    return msgspec.json.decode(done.stdout, type=Killed)


def _check(killed: Killed, log: LogFile) -> None:
    records = list(log.ticks())
    newest = records[-1]
    for tick, seq, state_hash in killed.acknowledged:
        if tick < 0:
            continue  # a world that had not begun
        assert tick <= newest.tick, f"tick {tick} was acknowledged and is gone"
        assert (records[tick].last_seq, records[tick].hash.hex()) == (seq, state_hash)
    # A life goes on after the newest tick that was acknowledged, or one that was not yet.
    told = Counter(tick for tick, _, _ in killed.acknowledged)
    assert max(told) <= newest.tick <= max(told) + 1
    roots: Counter[int] = Counter()
    sent = set()
    seq = 1
    for tick, record in enumerate(records):
        assert (record.tick, record.first_seq) == (tick, seq), "a gap or a fork"
        seq += record.count
        rows = record.block().rows
        own = rows[(rows["cause"] == 0) & (rows["correlation"] > 0)]
        roots.update(own["correlation"].tolist())
        intents = TickInputs.unpack(record.inputs).intents
        pairs = zip(intents["player"].tolist(), intents["seq"].tolist(), strict=True)
        sent |= {correlation_of(player, number) for player, number in pairs}
    assert set(roots) == sent, "an intent without a verdict, or a verdict without an intent"
    assert set(roots.values()) == {1}, "a command was applied twice"
    done = verify(log, CONFIG)
    assert done.equal, done
    assert done.ticks == len(records)


def _check_index(killed: Killed, log: Path, events: list[Event]) -> None:
    """An index that was killed as often goes on where it was, and finds what is in the log."""
    assert killed.anew == "", "an index was thrown away"
    indexer = Indexer(log, index_of(log), lambda why: pytest.fail(why))
    begun = indexer.index.position
    while indexer.step(0.0, at_once=True):
        pass
    indexer.close()
    assert begun > 0, "an index that was never built proves nothing"
    for who in (PLAYER_ID_BASE + 7, NPC_ID_BASE + 7):
        found, searched = [], 0
        while searched < len(events):  # one search looks at a bounded part
            wanted = Wanted(((("stream", who), ("actor", who)),), after_seq=searched)
            part = search(log, index_of(log), wanted, 10**6, newest=False)
            assert part.indexed_seq == len(events)
            found += part.events
            searched = len(events) if part.complete else part.searched
        assert found == [e for e in events if who in {e.stream, e.actor}]


def _kill_and_check(folder: Path, kills: int) -> None:
    killed = _kill(folder, kills)
    assert killed.lives == kills
    assert 0 < killed.wordless < kills, "nobody was killed in recovery, or everybody"
    log = LogFile(folder / "events.db")
    try:
        _check(killed, log)
        last = log.last()
        assert last is not None
        assert last.tick > kills, "worlds that never ticked prove nothing"
        events = log.events(0, 10**9)
    finally:
        log.close()
    _check_index(killed, folder / "events.db", events)


def test_fifty_kills(tmp_path: Path) -> None:
    _kill_and_check(tmp_path, KILLS)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_thousand_kills(tmp_path: Path) -> None:
    _kill_and_check(tmp_path, 1000)
