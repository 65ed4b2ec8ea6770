"""What the stream tells, and when: announcements, changes, faults, newcomers."""

import re

import msgspec
import pytest

from engine.protocol.address import BitChain, address, uri
from engine.protocol.feed import FaultView
from engine.protocol.limits import STAT7_HISTORY_MAX
from engine.stat7.board import Board
from engine.stat7.chains import bit_chains, place_name
from engine.stat7.coordinates import PLACES
from tests.unit.stat7.kit import (
    PLAYER_ID,
    RUN,
    happened,
    look,
    messages,
    node,
    npc,
    of_type,
    player,
)

NOW_MS = 1_700_000_123_456


def _tell(board: Board, now, *, watched=True):
    return messages(*board.tell(now, NOW_MS, watched=watched))


def _ids(found):
    return [message["data"]["bitchain"]["id"] for message in of_type(found, "bitchain_created")]


def _updates(found):
    """Return every update by id, and every realm."""
    updates, realms = {}, {}
    for message in of_type(found, "coordinates_updated"):
        updates.update({row[0]: row[1:] for row in message["data"]["updates"]})
        realms.update({row[0]: row[1:] for row in message["data"].get("realms", [])})
    return updates, realms


def test_the_envelope_is_the_contracts():
    board = Board(RUN)
    board.take_events([happened(4, {"kind": "joined", "stream": PLAYER_ID + 12})])
    found = _tell(board, look(7, player(12, faction=2, hp=50)))
    message = next(m for m in found if m["data"]["bitchain"]["id"] == "player-12")
    assert list(message) == ["event_type", "timestamp", "data", "experiment_id", "metadata"]
    assert message["event_type"] == "bitchain_created"
    assert message["timestamp"] == "2023-11-14T22:15:23.456Z"
    assert message["experiment_id"] == "r1"
    assert message["metadata"] == {
        "visualization_type": "point_cloud",
        "color": "#f39c12",
        "size": 2.0,
    }
    data = message["data"]
    assert set(data) == {
        *("bitchain", "address", "stat7_uri", "coordinates", "entity_type", "realm")
    }
    chain = data["bitchain"]
    assert set(chain) == {
        *("created_at", "entity_type", "id", "realm", "stat7_coordinates", "state")
    }
    assert chain["stat7_coordinates"] == data["coordinates"]
    assert data["coordinates"] == {
        "adjacency": ["faction-2"],
        "density": 0.0,
        "horizon": "genesis",
        "lineage": 1,
        "realm": "faculty",
        "resonance": 0.0,
        "velocity": 0.0,
    }
    # Tick 4 of a world that began at 22:13:20.
    assert chain["created_at"] == "2023-11-14T22:13:20.400Z"
    assert (chain["state"]["hp"], chain["state"]["faction"]) == (50, "grove")


def test_every_kind_has_its_type_realm_and_look():
    found = _tell(Board(RUN), look(1, node(3), npc(7), player(1), player(2, alive=0)))
    expected = {
        "node-3": ("artifact", "data", "#3498db", 1.5),
        "npc-7": ("agent", "narrative", "#e74c3c", 2.0),
        "player-1": ("agent", "faculty", "#f39c12", 2.0),
        "player-2": ("agent", "void", "#34495e", 2.0),
        "zone-63": ("horizon", "system", "#2ecc71", 1.8),
        "faction-0": ("concept", "pattern", "#1abc9c", 1.0),
    }
    for message in found:
        data, metadata = message["data"], message["metadata"]
        seen = (data["entity_type"], data["realm"], metadata["color"], metadata["size"])
        assert seen == expected.pop(data["bitchain"]["id"], seen)
    assert expected == {}


def test_addresses_and_uris_follow_from_what_was_sent():
    found = _tell(Board(RUN), look(1, node(0), npc(0), *(player(n, xp=n) for n in range(20))))
    assert len(found) == PLACES + 22
    for message in found:
        raw = dict(message["data"]["bitchain"])
        raw["coordinates"] = raw.pop("stat7_coordinates")
        chain = msgspec.convert(raw, BitChain)
        assert address(chain) == message["data"]["address"]
        assert uri(chain) == message["data"]["stat7_uri"]


def test_everything_is_announced_once_and_before_it_is_updated():
    board = Board(RUN)
    assert len(_ids(_tell(board, look(1, node(0))))) == PLACES + 1
    found = _tell(board, look(11, node(0), npc(0)))
    assert _ids(found) == ["npc-0"]
    assert found[0]["event_type"] == "bitchain_created"
    assert _ids(_tell(board, look(21, node(0), npc(0, x=900)))) == []
    assert board.names[-2:] == ["node-0", "npc-0"]


def test_only_what_changed_is_updated():
    board = Board(RUN)
    world = [node(0, x=9000), npc(0, x=9000), npc(1, x=64 * 256, hp=40)]
    _tell(board, look(1, *world))
    assert _tell(board, look(11, *world)) == []
    world[2]["hp"] = 90  # half of +50/100 in a second
    updates, realms = _updates(_tell(board, look(21, *world)))
    assert updates["npc-1"] == [0.0, 0.25, 0.0, "genesis", 64.0, 0.0]
    assert set(updates) == {"npc-1", "faction-0"}
    assert realms == {}
    updates, _ = _updates(_tell(board, look(31, *world)))
    assert updates["npc-1"][1] == 0.0, "it changes no more"


def test_the_dead_move_to_the_void_and_return_with_another_life():
    board = Board(RUN)
    _tell(board, look(1, player(0)))
    _, realms = _updates(_tell(board, look(11, player(0, alive=0, hp=0))))
    assert realms == {"player-0": ["void", 1]}
    updates, realms = _updates(_tell(board, look(21, player(0, lives=2))))
    assert realms == {"player-0": ["faculty", 2]}
    assert "player-0" in updates


def test_updates_are_cut_into_bounded_messages(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.stat7.board.STAT7_UPDATES_PER_MESSAGE_MAX", 7)
    board = Board(RUN)
    _tell(board, look(1, *(npc(n) for n in range(20))))
    found = _tell(board, look(11, *(npc(n, x=300) for n in range(20))))
    sizes = [len(message["data"]["updates"]) for message in found]
    assert max(sizes) == 7
    assert len(_updates(found)[0]) == sum(sizes)


def test_a_newcomer_finds_the_newest_hundred_watched_or_not():
    for watched in (True, False):
        board = Board(RUN)
        _tell(board, look(1, node(0)), watched=watched)
        _tell(board, look(11, node(0), *(player(n) for n in range(150))), watched=watched)
        history = messages(*board.history)
        assert _ids(history) == [f"player-{n}" for n in range(50, 150)]
        (welcome,) = messages(board.welcome((), NOW_MS))
        assert welcome["event_type"] == "experiment_start"
        assert (welcome["experiment_id"], welcome["data"]["bitchains"]) == ("r1", PLACES + 151)


def test_whoever_comes_first_is_told_where_everything_is():
    board = Board(RUN)
    world = [node(0), npc(0)]
    _tell(board, look(1, *world))
    board.nobody_watches()
    updates, realms = _updates(_tell(board, look(11, *world)))
    assert set(updates) == set(realms) == set(board.names)


@pytest.mark.parametrize("watched", [True, False])
def test_what_fails_half_way_is_gone_on_with(monkeypatch: pytest.MonkeyPatch, watched: bool):
    """Every bit-chain is announced once, with what it would have had; no change is left out."""
    ids = [place_name(row) for row in range(PLACES)] + [f"player-{number}" for number in range(30)]
    joins = [{"kind": "joined", "stream": PLAYER_ID + number} for number in range(30)]
    board = Board(RUN)
    board.take_events([happened(4, *joins)])
    calls = 0

    def fails_once(*arguments):
        nonlocal calls
        calls += 1
        if calls == (2 if watched else 1):
            raise RuntimeError("half-way")
        return bit_chains(*arguments)

    monkeypatch.setattr("engine.stat7.board.bit_chains", fails_once)
    first, second = (look(tick, *map(player, range(30))) for tick in (5, 15))
    with pytest.raises(RuntimeError):
        _tell(board, first, watched=watched)
    assert board.has_new(first.columns["id"])
    _tell(board, second, watched=watched)
    told = messages(*board.history)
    assert _ids(told) == ids[-len(told) :]
    assert len(told) == min(len(ids), STAT7_HISTORY_MAX)
    assert board.names == ids
    assert not board.has_new(second.columns["id"])
    stamps = {m["data"]["bitchain"]["created_at"] for m in told if m["data"]["realm"] == "faculty"}
    assert stamps == {"2023-11-14T22:13:20.400Z"}


def test_changes_that_could_not_be_told_are_told_later(monkeypatch: pytest.MonkeyPatch):
    board = Board(RUN)
    _tell(board, look(1, npc(0, hp=100)))

    def fails(*_):
        raise RuntimeError("half-way")

    with monkeypatch.context() as broken:
        broken.setattr("engine.stat7.board.update_rows", fails)
        with pytest.raises(RuntimeError):
            _tell(board, look(11, npc(0, x=512)))
    updates, _ = _updates(_tell(board, look(21, npc(0, x=512))))
    assert updates["npc-0"][-2:] == [2.0, 0.0]


def test_nothing_is_made_while_nobody_watches_and_nothing_is_new():
    board = Board(RUN)
    world = look(1, node(0))
    assert board.has_new(world.columns["id"])
    _tell(board, world, watched=False)
    assert not board.has_new(world.columns["id"])
    assert _tell(board, look(11, node(0, goods=3)), watched=False) == []


def test_another_world_is_told_from_its_start():
    board = Board(RUN)
    _tell(board, look(50, node(0), npc(0)))
    found = _tell(board, look(2, node(0)))
    assert len(_ids(found)) == PLACES + 1


def _fault(**changes):
    return msgspec.structs.replace(FaultView("f1", "latency", "all players", 3.0, 60.0), **changes)


def test_a_fault_is_told_when_it_is_armed_cleared_and_recovered_from():
    board = Board(RUN)

    def told(*faults):
        return [
            (message["data"]["id"], message["data"]["phase"], message["data"]["at_s"])
            for message in messages(*board.tell_faults(faults, NOW_MS))
        ]

    assert told() == []
    assert told(_fault()) == [("f1", "armed", 3.0)]
    assert told(_fault(affected=9)) == []
    second = _fault(id="f2", cleared_at_s=5.0, recovered_at_s=6.0)
    assert told(_fault(), second) == [
        *(("f2", "armed", 3.0), ("f2", "cleared", 5.0), ("f2", "recovered", 6.0))
    ]
    assert told(_fault(cleared_at_s=8.0)) == [("f1", "cleared", 8.0)]
    (welcome,) = messages(board.welcome((_fault(), second), NOW_MS))
    assert [fault["id"] for fault in welcome["data"]["faults"]] == ["f1"]


def test_the_end_is_told_with_the_verdict():
    (last,) = messages(Board(RUN).farewell({"verdict": "held"}, NOW_MS))
    assert last["event_type"] == "experiment_completed"
    assert last["data"] == {"run": "r1", "bitchains": 0, "verdict": "held"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", last["timestamp"])
    assert set(last["metadata"]) == {"visualization_type", "color", "size"}
