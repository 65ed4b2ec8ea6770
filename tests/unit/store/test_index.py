"""The index: what it says, what it survives, and what it is thrown away for."""

import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from engine.protocol.limits import INDEX_BLOCK_ENTRIES, INDEX_FAN_IN
from engine.store import index as store_index
from engine.store.finding import Finder
from engine.store.index import Index
from engine.store.lookup import Lookup
from engine.store.postings import Damaged, Packer
from engine.store.segments import DIMENSIONS, NOTHING_AT_ZERO
from tests.unit.store.index_kit import Busy, fill, make_index, ticks_of


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Busy]:
    world = Busy(tmp_path)
    world.run(80)
    yield world
    world.close()


def test_every_key_of_every_dimension_has_its_events(busy: Busy):
    make_index(busy)
    with Finder(busy.path) as log, Lookup(busy.index_path, log) as lookup:
        assert lookup.position == busy.events[-1].seq
        assert len({segment.tier for segment in lookup.segments}) == 2
        for dimension in DIMENSIONS:
            expected: dict[int, list[int]] = {}
            for tick in ticks_of(busy.path):
                for row, key in enumerate(tick.rows[dimension].tolist()):
                    expected.setdefault(key, []).append(tick.first_seq + row)
            if dimension in NOTHING_AT_ZERO:
                expected.pop(0, None)
            for key, seqs in expected.items():
                lookup.blocks_read = 0
                found = [lookup.any_of([(dimension, key)], each) for each in lookup.segments]
                assert np.concatenate(found).tolist() == seqs, (dimension, key)


@pytest.mark.parametrize("keys", [1, 7, 5000])
def test_blocks_give_back_what_was_put_in(keys: int):
    chance = np.random.default_rng(keys)
    count, base = 3 * INDEX_BLOCK_ENTRIES + 17, 2**40
    key = np.sort(chance.integers(0, keys, count) * 2**33)
    seq = np.sort(chance.choice(10 * count, count, replace=False)) + base
    order = np.lexsort((chance.permutation(count), key))
    keyed = key[order]
    seqs = np.concatenate([np.sort(chance.permutation(seq)[keyed == k]) for k in np.unique(keyed)])
    packer = Packer()
    got = [
        packer.unpack(block.data, block.first_key, base) for block in packer.pack(keyed, seqs, base)
    ]
    assert np.concatenate([k for k, _ in got]).tolist() == keyed.tolist()
    assert np.concatenate([s for _, s in got]).tolist() == seqs.tolist()


def test_damaged_blocks_are_noticed():
    packer = Packer()
    numbers = np.arange(1000, dtype=np.int64)
    (block,) = packer.pack(numbers, numbers, 0)
    for at in range(len(block.data)):
        wrong = bytearray(block.data)
        wrong[at] ^= 0x55
        try:
            keys, seqs = packer.unpack(bytes(wrong), 0, 0)
        except Damaged:
            continue
        # A frame's header may say the same in two ways.
        assert keys.tolist() == seqs.tolist() == numbers.tolist()
    for wrong in (b"", block.data[:-1], packer._compressor.compress(b"\x01\x01\x00")):
        with pytest.raises(Damaged):
            packer.unpack(bytes(wrong), 0, 0)


def test_it_goes_on_where_it_was(busy: Busy):
    make_index(busy, up_to=busy.events[-1].seq // 2)
    with Finder(busy.path) as log:
        index = Index(busy.index_path, log)
    position = index.position
    assert not index.why_anew
    assert 0 < position <= busy.events[-1].seq // 2
    fill(index, busy.path, up_to=2**40, ticks_each=1)
    assert index.position == busy.events[-1].seq
    index.close()


def test_segments_are_merged_and_nothing_is_left_behind(busy: Busy):
    make_index(busy, ticks_each=1)
    db = apsw.Connection(str(busy.index_path))
    tiers = [tier for (tier,) in db.execute("SELECT tier FROM segments ORDER BY first_seq")]
    assert tiers == sorted(tiers, reverse=True)
    assert tiers.count(0) < INDEX_FAN_IN
    known = {row[0] for row in db.execute("SELECT id FROM segments")}
    assert {row[0] for row in db.execute("SELECT DISTINCT segment FROM blocks")} == known
    db.close()


def _foreign(busy: Busy, folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    world = Busy(other, seed=6)
    world.run(60)
    make_index(world)
    world.close()
    (other / "index.db").replace(busy.index_path)


def _altered(sql: str):
    def alter(busy: Busy, folder: Path) -> None:
        db = apsw.Connection(str(busy.index_path))
        db.execute(sql).fetchall()
        db.close()

    return alter


def _torn(busy: Busy, folder: Path) -> None:
    data = bytearray(busy.index_path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 9000] = bytes(9000)
    busy.index_path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_foreign, "another log"),
        (_altered("UPDATE meta SET value = 9"), "format 9"),
        (_altered("DROP TABLE segments"), "no index"),
        (_altered("DELETE FROM segments WHERE first_seq > 1 AND tier > 0"), "lacks|another"),
        (_altered("UPDATE segments SET hash = x'00'"), "another log"),
        (_torn, ""),
        (lambda busy, _: busy.index_path.write_bytes(b"nonsense" * 4000), ""),
        (lambda busy, _: busy.index_path.write_bytes(b""), "no index"),
    ],
    ids=["foreign", "newer", "no-table", "gap", "hash", "torn", "nonsense", "empty"],
)
def test_what_is_of_no_use_is_made_anew(busy: Busy, tmp_path: Path, spoil, why: str):
    make_index(busy, ticks_each=1)
    spoil(busy, tmp_path)
    with Finder(busy.path) as log:
        with Lookup(busy.index_path, log) as lookup:
            assert lookup.position == 0 or not why
        index = Index(busy.index_path, log)
    assert re.search(why, index.why_anew)
    assert index.why_anew
    assert index.position == 0
    index.close()
    make_index(busy)
    with Finder(busy.path) as log, Lookup(busy.index_path, log) as lookup:
        assert lookup.position == busy.events[-1].seq


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("DELETE FROM blocks WHERE dimension = 3 AND segment > 40", "other entries"),
        ("UPDATE blocks SET segment = 10000 WHERE dimension = 5 AND segment < 18", "other entries"),
        ("UPDATE segments SET counts = x'00'", "how much"),
    ],
)
def test_what_has_not_all_its_entries_is_made_anew(busy: Busy, sql: str, why: str):
    make_index(busy, ticks_each=1)
    _altered(sql)(busy, busy.index_path)
    with Finder(busy.path) as log:
        index = Index(busy.index_path, log)
    assert why in index.why_anew
    assert index.position == 0
    index.close()


def _found(busy: Busy) -> list[list[int]]:
    """Every event of every stream and kind, as a reader finds them."""
    keys = [("stream", key) for key in sorted({event.stream for event in busy.events})]
    keys += [("kind", key) for key in range(12)]
    with Finder(busy.path) as log, Lookup(busy.index_path, log) as lookup:
        return [
            np.concatenate([lookup.any_of([key], each) for each in lookup.segments]).tolist()
            for key in keys
        ]


def test_an_old_version_of_a_page_loses_no_event_in_silence(busy: Busy):
    make_index(busy, up_to=busy.events[-1].seq // 2, ticks_each=1)
    old = busy.index_path.read_bytes()
    make_index(busy, ticks_each=1)
    new, whole = busy.index_path.read_bytes(), _found(busy)
    size = 8192
    spoilt = 0
    for at in range(size, min(len(old), len(new)), size):
        if old[at : at + size] == new[at : at + size]:
            continue
        busy.index_path.write_bytes(new[:at] + old[at : at + size] + new[at + size :])
        with Finder(busy.path) as log:
            index = Index(busy.index_path, log)
        index.close()
        if index.why_anew:
            spoilt += 1
        else:
            assert _found(busy) == whole
    assert spoilt > 1


def test_what_is_folded_in_is_synced(busy: Busy):
    with Finder(busy.path) as log:
        index = Index(busy.index_path, log)
    assert index._db.execute("PRAGMA synchronous").fetchall() == [(1,)]
    index.close()


def test_a_folder_where_the_index_should_be_is_said(busy: Busy):
    busy.index_path.mkdir()
    with Finder(busy.path) as log, pytest.raises(OSError, match=r"index\.db"):
        Index(busy.index_path, log)


def test_it_can_be_begun_anew_while_others_read(busy: Busy):
    make_index(busy)
    with Finder(busy.path) as log:
        index = Index(busy.index_path, log)
        with Lookup(busy.index_path, log) as lookup:
            index.begin_anew("a test says so")
            segment = lookup.segments[0]
            assert len(lookup.any_of([("kind", busy_kind(busy))], segment))
        with Lookup(busy.index_path, log) as lookup:
            assert lookup.position == 0
            assert not lookup.damage
    assert index.why_anew == "a test says so"
    index.close()


@pytest.mark.parametrize("when", ["made", "opened"])
def test_a_disk_that_is_full_when_it_is_begun_anew_ends_nothing(
    busy: Busy, monkeypatch: pytest.MonkeyPatch, when: str
):
    make_index(busy)
    with Finder(busy.path) as log:
        index = Index(busy.index_path, log)
    real = store_index._connect

    def full(path: Path) -> apsw.Connection:
        if (path == busy.index_path) == (when == "opened"):
            raise apsw.FullError("database or disk is full")
        return real(path)

    with monkeypatch.context() as patched:
        patched.setattr(store_index, "_connect", full)
        with pytest.raises(OSError, match="full"):
            index.begin_anew("a test says so")
        assert not index.why_anew
        if when == "opened":
            assert index.position == 0
            with pytest.raises(OSError, match="full"):
                fill(index, busy.path, up_to=2**40, ticks_each=4)
    if when == "made":
        assert index.position == busy.events[-1].seq
        index.begin_anew("a test says so")
    fill(index, busy.path, up_to=2**40, ticks_each=4)
    assert index.position == busy.events[-1].seq
    index.close()
    with Finder(busy.path) as log, Lookup(busy.index_path, log) as lookup:
        assert lookup.position == busy.events[-1].seq


def test_a_file_that_fails_while_it_is_written_is_said(busy: Busy, monkeypatch: pytest.MonkeyPatch):
    with Finder(busy.path) as log:
        index = Index(busy.index_path, log)
    assert index._db is not None
    monkeypatch.setattr(index, "_write", lambda *_: index._db.close())
    with pytest.raises((OSError, Damaged)):
        fill(index, busy.path, up_to=2**40, ticks_each=4)
    monkeypatch.undo()
    with pytest.raises((OSError, Damaged)):
        fill(index, busy.path, up_to=2**40, ticks_each=4)
    index.begin_anew("it failed")
    fill(index, busy.path, up_to=2**40, ticks_each=4)
    assert index.position == busy.events[-1].seq
    index.close()


def busy_kind(busy: Busy) -> int:
    return int(ticks_of(busy.path)[1].rows["kind"][0])


def test_an_interrupted_add_leaves_a_whole_index(busy: Busy, monkeypatch: pytest.MonkeyPatch):
    make_index(busy, up_to=busy.events[-1].seq // 2)
    with Finder(busy.path) as log:
        index = Index(busy.index_path, log)
    position, whole = index.position, index._write
    calls = 0

    def break_off(*args: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return whole(*args)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(index, "_write", break_off)
    with pytest.raises(KeyboardInterrupt):
        fill(index, busy.path, up_to=2**40, ticks_each=2)
    assert index.position == position
    monkeypatch.undo()
    index.close()
    with Finder(busy.path) as log:
        again = Index(busy.index_path, log)
        assert (again.why_anew, again.position) == ("", position)
        fill(again, busy.path, up_to=2**40, ticks_each=2)
        again.close()
        with Lookup(busy.index_path, log) as lookup:
            assert lookup.position == busy.events[-1].seq


def test_a_full_disk_is_said_and_tried_again(busy: Busy):
    with Finder(busy.path) as log:
        index = Index(busy.index_path, log)
    ((pages,),) = index._db.execute("PRAGMA page_count").fetchall()
    index._db.execute(f"PRAGMA max_page_count = {pages + 1}").fetchall()
    busy.run(200)
    with pytest.raises(OSError, match="full"):
        fill(index, busy.path, up_to=2**40, ticks_each=4)
    position = index.position
    index._db.execute("PRAGMA max_page_count = 100000").fetchall()
    fill(index, busy.path, up_to=2**40, ticks_each=4)
    assert index.position == busy.events[-1].seq > position
    index.close()


def test_readers_of_a_closed_log_and_index_leave_no_files(busy: Busy, tmp_path: Path):
    make_index(busy)
    busy.close()
    before = sorted(path.name for path in tmp_path.iterdir())
    assert before == ["events.db", "index.db"]
    with Finder(busy.path) as log, Lookup(busy.index_path, log) as lookup:
        assert lookup.position == busy.events[-1].seq
    assert sorted(path.name for path in tmp_path.iterdir()) == before
