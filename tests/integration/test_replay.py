"""``seedstorm replay``: recordings verified and asked, also those that are none."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.cli import main
from engine.hub.capsule import Capsule
from engine.hub.plan import world_shape
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.spec import PolicySource
from engine.store.base import TickRecord
from engine.store.policyfiles import config_of
from engine.store.sqlite import SqliteStore
from engine.world.inputs import TickInputs
from engine.world.world import World
from tests.integration.cli_kit import RUN, command_of, started
from tests.integration.hub_process import PATIENCE_S
from tests.sim.tampered import chain_anew
from tests.specs import at_once, small_run

TICKS = 25


def _record(runs: Path, run: str, **spec_changes: Any) -> Path:
    """Make a capsule whose log the world alone wrote; return its folder."""
    spec = small_run(runs, run, scenario=at_once(3, npcs=15), **spec_changes)
    capsule = Capsule.create(spec)
    world = World.create(config_of(world_shape(spec, capsule.policies), capsule.path))
    store = SqliteStore(Path(capsule.database))
    for tick in range(TICKS):
        names = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(3)] if not tick else []
        rows = [(PLAYER_ID_BASE + n, tick, 5, 0, 0, 0, 0) for n in range(3)] if tick else []
        inputs = TickInputs.of(rows, joins=names)
        store.append(TickRecord.of(world.step(inputs), inputs))
        if tick == 9:
            store.checkpoint(world.tick, world.checkpoint())
    store.close()
    return capsule.path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one recording."""
    runs = tmp_path_factory.mktemp("runs")
    _record(runs, "20260101-000000-storm")
    return runs


@pytest.fixture
def runs(recorded: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may spoil."""
    return Path(shutil.copytree(recorded, tmp_path / "runs"))


def _replay(capsys: pytest.CaptureFixture[str], runs: Path, *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["replay", *words, "--runs-dir", str(runs)])
    out, err = capsys.readouterr()
    return code, out, err


def test_an_equal_recording(capsys: pytest.CaptureFixture[str], recorded: Path) -> None:
    for name in ("20260101-000000-storm", "2026", str(recorded / "20260101-000000-storm")):
        code, out, err = _replay(capsys, recorded, name, "--verify")
        assert code == 0
        assert out.startswith("20260101-000000-storm: equal: 25 ticks from 0, ")
        assert out.count("\n") == 1
        assert "x real time" in err


def test_as_json_and_from_a_checkpoint(capsys: pytest.CaptureFixture[str], recorded: Path) -> None:
    code, out, _ = _replay(capsys, recorded, "2026", "--verify", "--json", "--from-checkpoint")
    told = json.loads(out)
    assert code == 0
    assert (told["equal"], told["from_tick"], told["ticks"]) == (True, 10, 15)
    assert told["difference"] is None
    assert told["times_real"] > 0


def _spoil(runs: Path, sql: str, *values: object, forged: bool = False) -> None:
    """Change a log; ``forged``: by somebody who knows about the checks."""
    file = runs / "20260101-000000-storm" / "events.db"
    database = sqlite3.connect(file)
    with database:
        database.execute(sql, values)
    database.close()
    if forged:
        chain_anew(file)


def test_another_hash(capsys: pytest.CaptureFixture[str], runs: Path) -> None:
    _spoil(runs, "UPDATE ticks SET hash = ? WHERE tick = 7", bytes(32), forged=True)
    code, out, _ = _replay(capsys, runs, "2026", "--verify")
    assert code == 5
    assert out.startswith("20260101-000000-storm: DIFFERS at tick 7, hash: the state's hash is ")
    assert "before tick 10: the hash is damaged" in out


def test_the_inputs_of_another_tick(capsys: pytest.CaptureFixture[str], runs: Path) -> None:
    _spoil(runs, "UPDATE ticks SET inputs = (SELECT inputs FROM ticks WHERE tick = 5) "
                 "WHERE tick = 7", forged=True)  # fmt: skip
    code, out, _ = _replay(capsys, runs, "2026", "--verify", "--json")
    told = json.loads(out)["difference"]
    assert code == 5
    assert told["tick"] == 7
    assert {each["entity"] for each in told["fields"]} >= {"player-0", "player-1", "player-2"}
    assert {"entity": "player-0", "field": "last_seq", "found": 6, "stored": 7} in told["fields"]


def test_a_check_that_was_changed(capsys: pytest.CaptureFixture[str], runs: Path) -> None:
    """Nothing that is stepped would differ, and still the log is not what was written."""
    _spoil(runs, 'UPDATE ticks SET "check" = ? WHERE tick = 7', bytes(16))
    code, out, _ = _replay(capsys, runs, "2026", "--verify")
    assert code == 5
    assert out.startswith(
        "20260101-000000-storm: DIFFERS at tick 7, log: tick 7 of the log is damaged: "
    )
    assert "the last good tick is 6" in out


def test_a_log_whose_end_was_cut_off_is_held_against_the_summary(
    capsys: pytest.CaptureFixture[str], runs: Path
) -> None:
    run = runs / "20260101-000000-storm"
    told = json.loads(_replay(capsys, runs, "2026", "--verify", "--json")[1])
    summary = {"state_hash": told["state_hash"], "events": {"stored": told["events"]}, "more": 1}
    (run / "summary.json").write_text(json.dumps(summary))
    assert _replay(capsys, runs, "2026", "--verify")[0] == 0
    _spoil(runs, "DELETE FROM ticks WHERE tick >= 20")
    code, out, _ = _replay(capsys, runs, "2026", "--verify")
    assert code == 5
    assert "DIFFERS at tick 20, log: the log ends at tick 19 with state " in out
    assert f"the run's summary knows state '{told['state_hash'][:12]}'" in out
    assert "its end is gone" in out
    (run / "summary.json").unlink()
    shorter = json.loads(_replay(capsys, runs, "2026", "--verify", "--json")[1])
    assert shorter["equal"], "nobody knows of more"


def test_a_log_that_knows_more_than_the_summary_is_equal(
    capsys: pytest.CaptureFixture[str], runs: Path
) -> None:
    run = runs / "20260101-000000-storm"
    for at in ("0", "13"):
        then = json.loads(_replay(capsys, runs, "2026", "--at", at, "--json")[1])
        summary = {"state_hash": then["state_hash"], "events": {"stored": then["events"]}}
        (run / "summary.json").write_text(json.dumps(summary))
        assert _replay(capsys, runs, "2026", "--verify")[0] == 0


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b"\xff", b'{"events": 3}', b"[" * 5_000_000, None]
)
def test_a_summary_that_is_none_is_told(
    capsys: pytest.CaptureFixture[str], runs: Path, content: bytes | None
) -> None:
    summary = runs / "20260101-000000-storm" / "summary.json"
    if content is None:
        summary.mkdir()
    else:
        summary.write_bytes(content)
    code, out, err = _replay(capsys, runs, "2026", "--verify")
    assert code == 5, err
    assert "log: where it ended is not known: summary.json is" in out
    assert out.count("\n") == 1


def test_a_damaged_page(capsys: pytest.CaptureFixture[str], runs: Path) -> None:
    file = runs / "20260101-000000-storm" / "events.db"
    data = bytearray(file.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    file.write_bytes(data)
    code, out, err = _replay(capsys, runs, "2026", "--verify")
    assert code == 5, (out, err)
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (lambda run: (run / "manifest.json").write_text("{}"), 2, "no manifest of a run"),
        (lambda run: (run / "manifest.json").write_text("[1]"), 2, "found a list of 1; allowed"),
        (lambda run: (run / "manifest.json").write_text("["), 2, "it is cut off in the middle"),
        (lambda run: (run / "manifest.json").write_text("[" * 200_000), 2, "nested too deep"),
        (lambda run: (run / "manifest.json").write_text('{"format": "x"}'), 2, "format: found 'x'"),
        (lambda run: (run / "manifest.json").write_bytes(b"\xff\xfe"), 2, "no manifest of a run"),
        (lambda run: (run / "manifest.json").write_text('{"format": 9}'), 2, "newer SeedStorm"),
        (
            lambda run: (run / "manifest.json").write_text(
                '{"format": 1, "run": "x", "epoch_ms": 0}'
            ),
            2,
            "recorded by an older SeedStorm",
        ),
        (lambda run: (run / "events.db").unlink(), 2, "its world never began"),
        (lambda run: (run / "events.db").write_bytes(b""), 2, "events.db"),
        (lambda run: (run / "events.db").write_text("x" * 5000), 2, "events.db"),
    ],
)
def test_what_is_no_recording(
    capsys: pytest.CaptureFixture[str],
    runs: Path,
    spoil: Callable[[Path], object],
    code: int,
    said: str,
) -> None:
    spoil(runs / "20260101-000000-storm")
    found, out, err = _replay(capsys, runs, "2026", "--verify")
    assert (found, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1, "one line for a person"


@pytest.mark.parametrize("words", [("--verify",), ("--at", "3"), ("--at", "99")])
def test_nothing_of_a_manifest_reaches_the_terminal_raw(
    capsys: pytest.CaptureFixture[str], runs: Path, words: tuple[str, ...]
) -> None:
    path = runs / "20260101-000000-storm" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"run": "storm\x1b]0;mine\x07\x9b"}))
    _, out, err = _replay(capsys, runs, "2026", *words)
    assert "storm\N{REPLACEMENT CHARACTER}]0;mine" in out + err
    assert all(line.isprintable() for line in (out + err).splitlines())
    manifest["world"]["policies"] = [{"file": "a\x1b.py", "blake3": "", "origin": "", "name": ""}]
    path.write_text(json.dumps(manifest))
    code, out, err = _replay(capsys, runs, "2026", *words)
    assert (code, out) == (2, "")
    assert "world.policies[0].file" in err
    assert err.removesuffix("\n").isprintable()


@pytest.mark.parametrize(
    ("what", "value", "said"),
    [("format", 99, "newer SeedStorm"), ("rules", 99, "newer SeedStorm"), ("rules", 1, "rules 1")],
)
def test_a_log_of_another_version(
    capsys: pytest.CaptureFixture[str], runs: Path, what: str, value: int, said: str
) -> None:
    _spoil(runs, "UPDATE meta SET value = ? WHERE name = ?", value, what)
    code, _, err = _replay(capsys, runs, "2026", "--verify")
    assert code == 2
    assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope", "--verify"], "no run called 'nope'"),
        (["20260101-000000-strm", "--verify"], "did you mean '20260101-000000-storm'?"),
        (["./nope", "--verify"], "is no capsule of a run: there is no such folder"),
        ([__file__, "--verify"], "is no capsule of a run: it is no folder"),
        (["/", "--verify"], "is no capsule of a run: it has no manifest.json"),
        (["", "--verify"], "is no capsule of a run"),
        (["2026"], "give either --verify or --at TICK"),
        (["2026", "--verify", "--at", "3"], "give either --verify or --at TICK"),
        (["2026", "--at", "3", "--from-checkpoint"], "give --verify"),
        (["2026", "--verify", "--entity", "npc-1"], "give --at TICK"),
        (["2026", "--at", "26"], "--at: found 26; 20260101-000000-storm has 25 ticks"),
        (["2026", "--at", "-1"], "allowed is 0 to 24"),
        (["2026", "--at", "many"], "--at"),
        (["2026", "--at", "3", "--entity", "dragon"], "--entity: found 'dragon'"),
        (["2026", "--at", "3", "--entity", "player-7"], "was not in 20260101-000000-storm"),
    ],
)
def test_what_cannot_be_asked(
    capsys: pytest.CaptureFixture[str], recorded: Path, words: list[str], said: str
) -> None:
    code, out, err = _replay(capsys, recorded, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1, "one line for a person"


def test_names_that_begin_alike(capsys: pytest.CaptureFixture[str], runs: Path) -> None:
    shutil.copytree(runs / "20260101-000000-storm", runs / "20260102-000000-storm")
    code, _, err = _replay(capsys, runs, "2026", "--verify")
    assert code == 2
    assert "several runs begin with '2026': 20260101-000000-storm, 20260102-000000-storm" in err
    assert _replay(capsys, runs, "20260102", "--verify")[0] == 0


def test_what_was_true(capsys: pytest.CaptureFixture[str], recorded: Path) -> None:
    code, out, _ = _replay(capsys, recorded, "2026", "--at", "1")
    assert code == 0
    assert "after tick 1 (0.1 s)" in out
    assert "players                         3" in out
    code, out, _ = _replay(capsys, recorded, "2026", "--at", "0", "--json")
    assert json.loads(out)["figures"]["players"] == 3
    code, out, _ = _replay(capsys, recorded, "2026", "--at", "24", "--entity", "player-1", "--json")
    told = json.loads(out)
    assert (code, told["name"], told["fields"]["last_seq"]) == (0, "player-1", 24)
    code, out, _ = _replay(capsys, recorded, "2026", "--at", "9", "--entity", "1000001")
    assert "after tick 9: player-1\n" in out


NO_REST = """
from pathlib import Path
from engine.extend import deny, permit, policy

Path({told!r}).write_text("run")

@policy("no-rest", kinds=("rest",))
def no_rest(asked, look):
    return deny("no rest today")

POLICY = no_rest
"""


def test_users_code_is_run_only_when_it_is_allowed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told, mine = tmp_path / "told", tmp_path / "mine.py"
    mine.write_text(NO_REST.format(told=str(told)))
    source = PolicySource(str(mine))
    capsule = _record(tmp_path / "runs", "20260102-000000-strict", policies=(source,))
    allowed = {}
    for tick in range(TICKS):
        words = ("2026", "--at", str(tick), "--json")
        code, allowed[tick], err = _replay(capsys, tmp_path / "runs", *words, "--allow-code")
        assert code == 0, err
    told.unlink()
    code, out, err = _replay(capsys, tmp_path / "runs", "2026", "--verify")
    assert (code, out) == (2, "")
    assert "--allow-code" in err
    for tick in range(TICKS):
        code, out, err = _replay(capsys, tmp_path / "runs", "2026", "--at", str(tick), "--json")
        assert (code, out) == (0, allowed[tick]), err
    code, out, _ = _replay(capsys, tmp_path / "runs", "2026", "--at", "7", "--entity", "player-1")
    assert (code, "player-1" in out) == (0, True)
    assert not told.exists(), "it was run although nobody said so"
    db = sqlite3.connect(capsule / "events.db")
    db.execute("DELETE FROM checkpoints")
    db.commit()
    db.close()
    code, out, err = _replay(capsys, tmp_path / "runs", "2026", "--at", "7")
    assert (code, out) == (2, "")
    assert "its events alone do not tell what was true at tick 7" in err
    assert "--allow-code" in err
    assert not told.exists(), "it was run although nobody said so"
    code, out, _ = _replay(capsys, tmp_path / "runs", "2026", "--verify", "--allow-code")
    assert code == 0, out
    assert told.exists()
    (copy,) = (capsule / "policies").glob("*.py")
    copy.write_text(copy.read_text() + "# changed")
    code, _, err = _replay(capsys, tmp_path / "runs", "2026", "--verify", "--allow-code")
    assert (code, "its hash differs" in err) == (2, True)


@pytest.mark.integration
def test_a_run_that_goes_on_is_verified_to_where_it_is(tmp_path: Path) -> None:
    with started(tmp_path, *RUN, "--duration", "6s", until="players 10/10") as run:
        command, env = command_of(tmp_path, "replay", "2", "--verify", "--json")
        live = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert live.returncode == 0, live.stderr
        run.communicate(timeout=PATIENCE_S)
    told = json.loads(live.stdout)
    assert told["equal"]
    assert told["ticks"] > 5
    after = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    whole = json.loads(after.stdout)
    assert (after.returncode, whole["equal"], whole["went_on"]) == (0, True, False)
    assert whole["ticks"] > told["ticks"]
    (summary,) = tmp_path.glob("seedstorm/runs/*/summary.json")
    assert json.loads(summary.read_text())["state_hash"] == whole["state_hash"]
