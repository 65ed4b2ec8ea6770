"""What a terminal can do, and what the check says about it."""

import pytest

from console.checks import terminal
from console.checks.base import Finding

GOOD = {"TERM": "xterm-256color", "LANG": "en_GB.UTF-8", "COLORTERM": "truecolor"}


def judged(columns: int = 120, rows: int = 40, **environ: str) -> dict[str, Finding]:
    known = {name: value for name, value in {**GOOD, **environ}.items() if value != "unset"}
    found = terminal.judge(terminal.Seen(True, columns, rows, known))
    return {one.name: one for one in found}


def test_no_terminal_is_no_fault() -> None:
    (found,) = terminal.judge(terminal.Seen(is_terminal=False))
    assert found.status == "ok"
    assert "progress lines" in found.found


def test_a_good_terminal() -> None:
    found = judged()
    assert {one.status for one in found.values()} == {"ok"}
    assert found["colours"].found == "16 million colours"
    assert found["size"].found == "120 x 40"
    assert "esc waits 25 ms" in found["terminal"].found


@pytest.mark.parametrize("term", ["dumb", "unset", "unknown"])
def test_a_poor_terminal(term: str) -> None:
    found = judged(TERM=term)["terminal"]
    assert found.status == "warn"
    assert "export TERM=" in found.cure


def test_over_ssh_and_in_tmux() -> None:
    found = judged(SSH_CONNECTION="a b", TMUX="/tmp/tmux", TERM="tmux-256color")
    assert "esc waits 100 ms" in found["terminal"].found
    assert "seedstorm attach" in found["terminal"].found
    assert "escape-time" in found["terminal"].found
    assert found["colours"].found == "256 colours"


@pytest.mark.parametrize(
    ("environ", "in_screen"),
    [
        ({"STY": "1234.pts-0.box", "TERM": "screen.xterm-256color"}, True),
        ({"STY": "1234.pts-0.box", "TERM": "xterm-256color"}, True),
        ({"SSH_CONNECTION": "a b", "TERM": "screen-256color"}, False),  # from inside tmux there
        ({"TMUX": "/tmp/tmux", "TERM": "screen-256color"}, False),
    ],
)
def test_screen_is_known_by_its_session(environ: dict[str, str], in_screen: bool) -> None:
    assert ("in screen" in judged(**environ)["terminal"].found) == in_screen


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"NO_COLOR": "1"}, "none: NO_COLOR is set"),
        ({"TERM": "vt100"}, "none: the terminal has none"),
        ({"TERM": "linux", "COLORTERM": "unset"}, "16 colours"),
        ({"COLORTERM": "unset"}, "256 colours"),
    ],
)
def test_colours(environ: dict[str, str], said: str) -> None:
    found = judged(**environ)["colours"]
    assert found.status == "ok"
    assert said in found.found


@pytest.mark.parametrize(("columns", "rows"), [(79, 24), (80, 23), (20, 3)])
def test_a_small_terminal(columns: int, rows: int) -> None:
    found = judged(columns, rows)["size"]
    assert (found.status, found.cure) == ("warn", "make it 80 x 24 or larger")


@pytest.mark.parametrize(
    ("environ", "status", "said"),
    [
        ({"LC_CTYPE": "C.utf8"}, "ok", "LC_CTYPE=C.utf8"),
        ({"LC_CTYPE": "UTF-8"}, "ok", "LC_CTYPE=UTF-8"),
        ({"LANG": "de_DE.UTF-8@euro"}, "ok", "LANG=de_DE.UTF-8@euro"),
        ({"LC_ALL": "C"}, "warn", "LC_ALL=C"),
        ({"LANG": "de_DE.ISO-8859-1"}, "warn", "LANG=de_DE.ISO-8859-1"),
        ({"LANG": "unset"}, "warn", "none is set"),
    ],
)
def test_locales(environ: dict[str, str], status: str, said: str) -> None:
    found = judged(**environ)["locale"]
    assert found.status == status
    assert said in found.found
    assert ("C.UTF-8" in found.cure) == (status == "warn")


@pytest.mark.parametrize(
    ("environ", "cure"),
    [
        ({"LANG": "unset"}, "export LANG=C.UTF-8"),
        ({"LANG": "C"}, "export LANG=C.UTF-8"),
        ({"LC_CTYPE": "POSIX"}, "export LC_CTYPE=C.UTF-8"),
        ({"LC_ALL": "", "LC_CTYPE": "POSIX"}, "export LC_CTYPE=C.UTF-8"),
        ({"LC_ALL": "C", "LC_CTYPE": "C.UTF-8"}, "export LC_ALL=C.UTF-8"),
    ],
)
def test_the_variable_that_decides_is_set(environ: dict[str, str], cure: str) -> None:
    assert judged(**environ)["locale"].cure == cure
    name, _, value = cure.removeprefix("export ").partition("=")
    assert judged(**{**environ, name: value})["locale"].status == "ok"


def test_an_environment_cannot_write_to_the_terminal() -> None:
    found = judged(TERM="x\x1b]52;c;aGk=\x07", LANG="\x1b[2J")
    assert "\x1b" not in "".join(one.found for one in found.values())
