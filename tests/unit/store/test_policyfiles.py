"""Users' policies as a capsule keeps them."""

import os
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from console.cli import main
from engine.protocol.errors import UserError
from engine.protocol.limits import POLICY_FILE_BYTES_MAX
from engine.protocol.policy import PolicyFile
from engine.store.policyfiles import load_policies, read_policy_file

GOOD = """
from dataclasses import dataclass
from engine.extend import deny, policy

@dataclass
class Limit:
    gold: int = 5

@policy("no-dragons", kinds=("trade",))
def POLICY(intent, world):
    return deny("no") if world.target.gold > Limit().gold else None
"""


def kept(folder: Path, text: str, name: str = "") -> PolicyFile:
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies/0-mine.py").write_text(text)
    return PolicyFile("policies/0-mine.py", blake3(text.encode()).hexdigest(), "/my/mine.py", name)


def test_a_policy_is_loaded_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (made,) = load_policies(tmp_path, [kept(tmp_path, GOOD, "no-dragons")])
    assert (made.name, made.scope.kinds, made.priority) == ("no-dragons", ("trade",), 50)
    assert [path.name for path in (tmp_path / "policies").iterdir()] == ["0-mine.py"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"/my/mine.py: found no POLICY; it must define POLICY = policy"),
        ("POLICY = 7", r"/my/mine.py: found POLICY = 7; it must define"),
        ("x = 1\ny = x +", r"/my/mine.py, line 2: SyntaxError: invalid syntax"),
        ("\n\nraise KeyError('a\\x1bb')", r"/my/mine.py, line 3: KeyError: "),
        ("import nothing_of_that_name", r"line 1: ModuleNotFoundError"),
        (GOOD.replace('"trade"', '"tarde"'), r"line 9: ValueError: kinds: found \('tarde',\)"),
        ("x = '\0'", r"/my/mine.py"),
        ("import sys; sys.exit(3)", r"/my/mine.py, line 1: SystemExit: 3"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_a_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as told:
        load_policies(tmp_path, [kept(tmp_path, text)])
    assert told.value.message.isprintable()


def test_another_name_than_the_scenario_s(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="called 'no-dragons', the scenario calls it 'dragons'"):
        load_policies(tmp_path, [kept(tmp_path, GOOD, "dragons")])


def test_a_file_that_was_changed_is_not_run(tmp_path: Path) -> None:
    listed = kept(tmp_path, GOOD)
    kept(tmp_path, "raise SystemExit")
    with pytest.raises(UserError, match="changed since the run began"):
        load_policies(tmp_path, [listed])


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_policy_file(tmp_path / "none.py")
    with pytest.raises(UserError, match=r"^--policy: .*cannot be read: it is a folder; name a"):
        read_policy_file(tmp_path, "--policy")
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(UserError, match="it is a named pipe"):
        read_policy_file(tmp_path / "pipe.py")
    with pytest.raises(UserError, match="it is a device"):
        read_policy_file(Path("/dev/zero"))
    with pytest.raises(UserError, match=r"^policy 'x': file: [^\0]*: no file has such a name"):
        read_policy_file(tmp_path / "a\0\x1b.py", "policy 'x': file")
    (tmp_path / "large.py").write_bytes(b"#" * (POLICY_FILE_BYTES_MAX + 1))
    with pytest.raises(UserError, match="larger than"):
        read_policy_file(tmp_path / "large.py")


@pytest.mark.parametrize(
    "file",
    ["/etc/passwd", "../x.py", "policies/../x.py", "policies/a/b.py", "policies/x.py\n", "mine.py"],
)
def test_a_manifest_names_copies_in_one_folder_only(file: str) -> None:
    good = msgspec.json.encode(PolicyFile("policies/0-x_y.py", "", ""))
    assert msgspec.json.decode(good, type=PolicyFile).file == "policies/0-x_y.py"
    with pytest.raises(msgspec.ValidationError, match=r"\$\.file"):
        msgspec.json.decode(msgspec.json.encode(PolicyFile(file, "", "")), type=PolicyFile)


def test_an_origin_is_never_told_raw(tmp_path: Path) -> None:
    listed = msgspec.structs.replace(kept(tmp_path, "POLICY = 1"), origin="/my/\x1b[2Jmine.py")
    with pytest.raises(UserError, match="found POLICY = 1") as told:
        load_policies(tmp_path, [listed])
    assert told.value.message.isprintable()


def test_the_example_of_the_documentation_is_a_policy(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "policies.md").read_text()
    example = text.partition("```python\n")[2].partition("```")[0]
    (made,) = load_policies(tmp_path, [kept(tmp_path, example, "no-dragons")])
    assert made.help == "Dragons are left alone, and nobody buys more than five at once."
    assert made.priority == 48


def _validated(
    capsys: pytest.CaptureFixture[str], folder: Path, name: str
) -> tuple[int, tuple[str, str]]:
    file = folder / "s.toml"
    file.write_text(f'format = 1\n[[policy]]\nname = "mine"\nfile = "{name}"\n')
    code = main(["scenario", "validate", str(file)])
    return code, capsys.readouterr()


def test_a_scenario_whose_policy_file_is_none_is_not_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text("x = 1\ny = x +")
    os.mkfifo(tmp_path / "pipe.py")
    for name, said in (
        ("missing.py", "missing.py: cannot be read: No such file"),
        ("broken.py", "broken.py, line 2: SyntaxError"),
        ("pipe.py", "pipe.py: cannot be read: it is a named pipe"),
    ):
        code, (out, err) = _validated(capsys, tmp_path, name)
        assert (code, out) == (2, "")
        assert f"s.toml: policy file {tmp_path}/{said}" in err


def test_a_scenario_that_needs_code_says_so_and_runs_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text("raise SystemExit(77)")
    code, (out, _) = _validated(capsys, tmp_path, "mine.py")
    assert code == 0
    assert "ok: " in out
    assert "it names code (mine.py): read that, and run it with --allow-code" in out
