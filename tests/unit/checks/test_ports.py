"""Whether the ports of a run are free, and who is named when they are not."""

import os
import socket
import subprocess
import sys

import pytest

from console.checks import ports
from console.checks.base import Asked
from console.checks.ports import Holder, Port
from tests.machine import ports_of_a_base

OTHER_ADDRESS = """
import signal, socket, sys
with socket.create_server(("127.0.0.2", int(sys.argv[1]))):
    print("listens", flush=True)
    signal.pause()
"""


def test_free_ports() -> None:
    found = ports.judge(ports.Seen((Port("admin", 8000), Port("gateway", 8766))))
    assert [(one.name, one.status, one.cure) for one in found] == [
        ("port 8000", "ok", ""),
        ("port 8766", "ok", ""),
    ]


def test_ports_that_are_picked() -> None:
    (found,) = ports.judge(ports.read(Asked(None, 0)))
    assert (found.name, found.status) == ("ports", "ok")


def test_a_port_that_a_stranger_holds() -> None:
    holder = Holder(4711, "python3 -m http.server")
    port = Port("admin", 8000, "in use", (holder,))
    (found,) = ports.judge(ports.Seen((port,), 9000))
    assert found.status == "fail"
    assert "process 4711 (python3 -m http.server)" in found.found
    assert found.cure == "kill 4711; or name others: --port-base 9000"


@pytest.mark.parametrize(
    ("holders", "said"),
    [
        ((Holder(1, "/sbin/init"),), "process 1 (/sbin/init)"),
        ((Holder(1, "/sbin/init"), Holder(7, "sshd")), "processes 1 (/sbin/init), 7 (sshd)"),
        ((Holder(9, "nginx", "www-data"),), "process 9 (nginx, of user www-data)"),
        ((Holder(8, "a"), Holder(9, "", "ann")), "processes 8 (a), 9 (?, of user ann)"),
        (tuple(Holder(n, "w") for n in range(11, 21)), "18 (w) and 2 more"),
    ],
)
def test_nobody_is_told_to_kill_what_is_not_theirs(holders: tuple[Holder, ...], said: str) -> None:
    (found,) = ports.judge(ports.Seen((Port("admin", 8000, "in use", holders),), 9000))
    assert f"{said}; admin needs it" in found.found
    assert found.cure == "name others: --port-base 9000"


def test_several_that_share_a_socket_are_all_named() -> None:
    holders = (Holder(8, "gunicorn"), Holder(9, "gunicorn"))
    (found,) = ports.judge(ports.Seen((Port("admin", 8000, "in use", holders),), 9000))
    assert found.found == "held by processes 8 (gunicorn), 9 (gunicorn); admin needs it"
    assert found.cure == "kill 8 9; or name others: --port-base 9000"


HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid inode"
ANY6 = "0" * 32
MAPPED = "0000000000000000FFFF0000"


def row(address: str, inode: int, state: str = "0A") -> str:
    return f"   0: {address} 00000000:0000 {state} 0:0 00:0 0 0 0 {inode} 1 0 100 0 0 10 0"


@pytest.mark.skipif(sys.byteorder == "big", reason="these tables are of a little-endian machine")
@pytest.mark.parametrize(
    ("table", "table6", "found"),
    [
        ([row("0100007F:1F40", 1), row("0200007F:1F40", 2)], [], {"1"}),
        ([row("00000000:1F40", 3), row("0500A8C0:1F40", 2)], [], {"3"}),
        ([row("0100007F:1F40", 1, "01"), row("0100007F:1F41", 2)], [], set()),
        ([], [row(f"{ANY6}:1F40", 4)], {"4"}),
        ([], [row(f"{'0' * 24}01000000:1F40", 5)], set()),  # ::1
        ([], [row(f"{MAPPED}0100007F:1F40", 6), row(f"{MAPPED}0200007F:1F40", 2)], {"6"}),
        ([], [row(f"{MAPPED}00000000:1F40", 7)], {"7"}),
        ([row("0100007F:1F40", 1)], [row(f"{ANY6}:1F40", 4)], {"1"}),  # "::" for IPv6 alone
        ([row("00000000:1F40", 1), row("0100007F:1F40", 2)], [], {"1", "2"}),  # SO_REUSEPORT
        (["", "nonsense"], [""], set()),
    ],
)
def test_only_sockets_in_the_way_count(
    table: list[str], table6: list[str], found: set[str]
) -> None:
    tables = ("\n".join([HEAD, *rows]) for rows in (table, table6))
    assert ports.inodes(8000, *tables) == found


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1"])
def test_a_holder_is_found_by_every_address_that_is_in_the_way(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ports_of_a_base() as base, socket.socket(family) as server:
        try:
            server.bind((address, base))
        except OSError as problem:
            pytest.skip(f"{address} is not to be had here: {problem.strerror}")
        server.listen()
        (port, *_) = ports.read(Asked(None, base)).ports
    assert [holder.pid for holder in port.holders] == [os.getpid()]


def test_who_has_the_same_port_of_another_address_is_not_named() -> None:
    innocent = [sys.executable, "-P", "-c", OTHER_ADDRESS]
    with ports_of_a_base(0) as base:
        with subprocess.Popen([*innocent, str(base)], stdout=subprocess.PIPE) as child:
            try:
                assert child.stdout is not None
                assert child.stdout.readline() == b"listens\n"
                (port, *_) = ports.read(Asked(None, base)).ports
            finally:
                child.kill()
        assert [holder.pid for holder in port.holders] == [os.getpid()]


def test_all_that_share_an_inherited_socket_are_found() -> None:
    with ports_of_a_base() as base, socket.create_server(("127.0.0.1", base)) as server:
        heir = subprocess.Popen(["sleep", "60"], pass_fds=[server.fileno()])
        try:
            (port, *_) = ports.read(Asked(None, base)).ports
        finally:
            heir.kill()
            heir.wait()
        assert {holder.pid for holder in port.holders} == {os.getpid(), heir.pid}


def test_a_port_whose_holder_is_not_to_be_seen() -> None:
    (found,) = ports.judge(ports.Seen((Port("admin", 80, "Permission denied"),)))
    assert (found.status, found.cure) == ("fail", "name others: --port-base 0")
    assert "Permission denied" in found.found


def test_a_port_of_a_run_of_ours() -> None:
    port = Port("gateway", 8766, "in use", (Holder(4711, "python"),), "market")
    (found,) = ports.judge(ports.Seen((port,), 9000))
    assert found.status == "warn"
    assert "seedstorm stop market" in found.cure


def test_the_default_ports_and_those_of_a_base() -> None:
    assert ports.numbers(None) == (8000, 8765, 8766)
    assert ports.numbers(9000) == (9000, 9001, 9002)
    assert ports.numbers(0) == ()


def test_who_holds_a_port_is_read_from_proc() -> None:
    with ports_of_a_base(1) as base:
        seen = ports.read(Asked(None, base))
    assert [bool(port.problem) for port in seen.ports] == [False, True, False]
    (holder,) = seen.ports[1].holders
    assert holder.pid == os.getpid()
    assert holder.command
    assert not holder.stranger
    assert seen.free_base


def test_a_connection_that_is_being_closed_holds_no_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # this end closes first and stays in TIME_WAIT
    (first, *_) = ports.read(Asked(None, port)).ports
    assert not first.problem
