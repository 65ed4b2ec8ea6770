"""A run that was started over SSH, and a link that is cut or stalls."""

import asyncio
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.link import places
from engine.link.places import RunEntry
from engine.link.socket import SocketLink
from engine.protocol.feed import Snapshot
from engine.protocol.limits import LEASE_S
from tests.integration import ssh_kit
from tests.integration.hub_process import QUICK, children_of, is_alive, until
from tests.integration.ssh_kit import PATIENCE_S, Host, Wire, free_port, own_host, shared_folder
from tests.machine import MARGIN_S, is_good_end, read_summary
from tests.terminal.pty_screen import PtyScreen

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

STALL_S = 10.0
PLAYERS = 20  # of the quick scenario


@pytest.fixture
def host() -> Iterator[Host]:
    with tempfile.TemporaryDirectory(prefix="sshd") as folder, own_host(Path(folder)) as host:
        yield host


def _start(host: Host, tmp_path: Path, wire: Wire) -> PtyScreen:
    (tmp_path / "quick.toml").write_text(QUICK)
    return host.seedstorm(tmp_path, wire, "run", "quick.toml", "--port-base", "0")


def _quit(pty: PtyScreen, capsule: Path) -> None:
    pty.press("q")
    pty.wait_for("Quit?")
    pty.press("\r")
    code = pty.wait_exit()
    summary = read_summary(capsule)
    assert (code, is_good_end(summary)) == (summary.exit_code, True), summary.reasons


async def _watch(
    entry: RunEntry, holds: Callable[[Snapshot], bool], patience_s: float = PATIENCE_S
) -> list[Snapshot]:
    """Look at a run without holding a lease, until a snapshot satisfies ``holds``."""
    link = await SocketLink.connect(entry.socket_path)
    seen: list[Snapshot] = []
    try:
        async with asyncio.timeout(patience_s):
            while not (seen and holds(seen[-1])):
                await link.wait()
                link.take_notices()
                assert link.ended is None
                if (snapshot := link.take_snapshot()) is not None:
                    seen.append(snapshot)
    finally:
        await link.aclose()
    return seen


async def test_a_link_that_is_cut_leaves_the_run_and_reverts_the_fault(
    host: Host, tmp_path: Path
) -> None:
    with Wire(host.port) as wire:
        with _start(host, tmp_path, wire) as pty:
            pty.wait_for(f"{PLAYERS}/{PLAYERS}")
            pty.press("!")
            pty.wait_for("disconnect-storm")
            pty.press("d")
            pty.press("\r")  # a third of the players, for a minute
            pty.wait_for(f"14/{PLAYERS}")
            (entry,) = places.running()
            sessions = list(children_of(host.pid))
            before = (await _watch(entry, lambda s: bool(s.faults)))[-1]
            wire.cut()
            assert pty.wait_exit() == 255  # how ssh says that its link is gone
        await until(lambda: not any(map(is_alive, sessions)), "the session is over")
        assert places.running() == [entry]
        # Nobody holds a lease now: the fault reverts when it is over, long before its minute is.
        seen = await _watch(
            entry, lambda s: s.faults[0].cleared_at_s is not None, LEASE_S + 2 * MARGIN_S
        )
        (fault,) = seen[-1].faults
        assert fault.cleared_why == "lease over"
        assert fault.cleared_at_s is not None
        assert fault.cleared_at_s - before.at_s <= LEASE_S + MARGIN_S
        # Ten ticks a second are due; a loaded machine may leave some out.
        assert seen[-1].tick.tick - before.tick.tick > LEASE_S * 10 / 2
        await _watch(entry, lambda s: s.players.connected == PLAYERS)
    with Wire(host.port) as wire, host.seedstorm(tmp_path, wire, "attach") as pty:
        pty.wait_for(f"{PLAYERS}/{PLAYERS}", "running")
        _quit(pty, Path(entry.capsule))
    (told,) = read_summary(Path(entry.capsule)).faults
    assert (told.name, told.affected) == ("disconnect-storm", 6)
    assert told.cleared_at_s == pytest.approx(fault.cleared_at_s, abs=0.1)
    await until(lambda: not is_alive(entry.pid), "the hub's exit")
    assert places.running() == []


async def test_a_link_that_stalls_delays_no_player(host: Host, tmp_path: Path) -> None:
    with Wire(host.port) as wire, _start(host, tmp_path, wire) as pty:
        pty.wait_for(f"{PLAYERS}/{PLAYERS}")
        (entry,) = places.running()
        with host.held_up():
            first = (await _watch(entry, lambda s: s.players.connected == PLAYERS))[-1]
            seen = await _watch(entry, lambda s: s.at_s >= first.at_s + STALL_S)
        assert all(snapshot.players.connected == PLAYERS for snapshot in seen)
        pty.wait_for(f"{PLAYERS}/{PLAYERS}", "running")
        _quit(pty, Path(entry.capsule))
    summary = read_summary(Path(entry.capsule))
    assert summary.console is not None
    assert summary.console.frames_skipped > 0, "the console was never held up"
    db = sqlite3.connect(Path(entry.capsule) / "telemetry.db")
    (sent,) = db.execute(
        "select sum(commands_per_s) from seconds where at_s > ? and at_s <= ?",
        (first.at_s, first.at_s + STALL_S),
    ).fetchone()
    db.close()
    # One command a second is due for each player: no busy machine loses half of ten seconds.
    assert sent > PLAYERS * STALL_S / 2
    assert summary.commands.unanswered == 0
    assert places.running() == []


def test_the_self_check_knows_that_it_is_over_ssh(host: Host, tmp_path: Path) -> None:
    with (
        Wire(host.port) as wire,
        host.seedstorm(tmp_path, wire, "check", "--port-base", "0") as pty,
    ):
        assert pty.wait_exit() == 0
        assert "esc waits 100 ms" in pty.text


def test_a_folder_made_for_hosts_goes_with_the_last_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "sshd"
    with shared_folder(folder):
        with shared_folder(folder):
            assert folder.is_dir()
        assert folder.is_dir()
    assert not folder.exists()
    folder.mkdir()
    with shared_folder(folder):
        pass
    assert list(folder.iterdir()) == []


def test_a_host_whose_port_is_lost_takes_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as quicker:
        ports = iter([quicker.getsockname()[1], free := free_port()])
        monkeypatch.setattr(ssh_kit, "free_port", lambda: next(ports))
        with own_host(tmp_path) as host:
            assert host.port == free


def test_where_ci_asks_for_it_nothing_is_skipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEEDSTORM_REQUIRE_SSH", "1")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="no sshd or ssh"), own_host(tmp_path):
        pass
