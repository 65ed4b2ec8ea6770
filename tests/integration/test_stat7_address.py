"""``seedstorm stat7 address`` as scripts use it: lines in, lines out, one clear line on stderr."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

COMMAND = [sys.executable, "-P", "-m", "console", "stat7", "address"]
PATIENCE_S = 60.0
VECTORS = Path(__file__).parents[1] / "vectors" / "stat7_addresses.json"
CASES = json.loads(VECTORS.read_text())
LINE = json.dumps(CASES[0]["bitchain"]).encode()
RIGHT = f"{CASES[0]['address']} {CASES[0]['uri']}"


def _run(lines: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        COMMAND, input=lines, capture_output=True, timeout=PATIENCE_S, check=False
    )


def test_every_vector_under_either_name_of_its_coordinates():
    lines = []
    for case in CASES:
        chain = dict(case["bitchain"])
        lines.append(json.dumps(chain))
        chain["stat7_coordinates"] = chain.pop("coordinates")
        lines.append(json.dumps(chain, ensure_ascii=False))
    result = _run("\n".join(lines).encode())
    assert (result.returncode, result.stderr) == (0, b"")
    expected = [f"{case['address']} {case['uri']}" for case in CASES for _ in (1, 2)]
    assert result.stdout.decode().splitlines() == expected


@pytest.mark.parametrize("lines", [b"", b"\n", b" \r\n\n"])
def test_no_lines_no_addresses(lines: bytes):
    result = _run(lines)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"nonsense", "line 3: found what is no JSON at column 1"),
        (b"\xff\xfe", "line 3: found byte 0xff at position 1; allowed is UTF-8"),
        (LINE.replace(b'"lineage"', b'"linage"'), "line 3: coordinates.linage: unknown key"),
        (LINE.replace(b'"void"', b'"lost"'), 'line 3: coordinates.realm: found "lost"'),
        (LINE.replace(b"2025-10-30T12:34:56.252Z", b"today"), "line 3: created_at: found 'today'"),
        (LINE.replace(b"2025-10-30", b"0001-01-01").replace(b"Z", b"+14:00"), "line 3: created_at"),
        (LINE[:-1] + b"," + b" " * 2**20 + b"}", "line 3: found more than 1048576 bytes"),
        (b"[" * 2**20, "line 3: nested too deeply"),
    ],
    ids=["json", "utf8", "key", "realm", "time", "no-utc", "long", "deep"],
)
def test_a_bad_line_is_named_and_those_before_it_were_answered(bad: bytes, said: str):
    result = _run(LINE + b"\n\n" + bad + b"\n" + LINE)
    assert result.returncode == 2
    assert result.stdout.decode() == RIGHT + "\n"
    (line,) = result.stderr.decode().splitlines()
    assert line.startswith("seedstorm: ")
    assert said in line


def test_each_line_is_answered_before_the_next_is_there():
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(3):
            process.stdin.write(LINE + b"\n")
            process.stdin.flush()
            assert process.stdout.readline().decode() == RIGHT + "\n"
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(PATIENCE_S) == 0


def test_a_reader_that_has_enough_is_left_in_peace():
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(LINE + b"\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.stdout.close()
        process.stdin.write(LINE + b"\n")
        process.stdin.flush()
        assert process.stderr.read() == b""
        process.wait(PATIENCE_S)
