"""Keys: the contract's, and the user's own."""

from pathlib import Path

import pytest

from console.keymap import default_keymap, key_name, keys_path, load_keymap
from console.lineedit import LineEdit
from engine.protocol.errors import UserError


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("1", "page_1"), ("6", "page_6"), ("7", "page_7"), ("8", None),
        ("tab", "panel_next"), ("j", "down"),
        ("!", "fault"), ("U", "undo"), ("ctrl+g", "panic"), ("+", "load_up"), ("=", "load_exact"),
        ("{", "rate_down"), ("space", "freeze"), ("q", "quit"), ("ctrl+c", "quit"), ("?", "help"),
        ("D", "detach"), ("y", "copy"), ("m", "mark"), ("/", "filter"), ("G", "bottom"),
    ],
)  # fmt: skip
def test_the_keys_of_the_contract(key, action):
    assert default_keymap().action(key) == action


def test_no_key_is_bound_twice():
    keys = [key for binding in default_keymap().bindings for key in binding.keys]
    assert len(keys) == len(set(keys))


def test_names_of_keys():
    assert key_name("plus", "+") == "+"
    assert key_name("space", " ") == "space"
    assert key_name("ctrl+g", "\x07") == "ctrl+g"
    assert key_name("escape", "\x1b") == "escape"


def test_where_the_file_is():
    assert keys_path({"HOME": "/h"}) == Path("/h/.config/seedstorm/keys.toml")
    assert keys_path({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}) == Path("/x/seedstorm/keys.toml")
    assert keys_path({"HOME": "/h", "XDG_CONFIG_HOME": "rel"}) == Path(
        "/h/.config/seedstorm/keys.toml"
    )


def test_no_file_means_the_defaults(tmp_path: Path):
    assert load_keymap(tmp_path / "keys.toml").action("q") == "quit"


def test_a_key_given_to_another_action_is_taken_from_the_first(tmp_path: Path):
    path = tmp_path / "keys.toml"
    path.write_text('[keys]\nzoom = "q"\npanic = ["f9", "ctrl-x"]\n')
    keymap = load_keymap(path)
    assert keymap.action("q") == "zoom"
    assert keymap.action("z") is None
    assert keymap.action("ctrl+c") == "quit"
    assert keymap.action("ctrl+x") == "panic"
    assert keymap.key("panic") == "f9"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[keys]\npanik = 'x'", "keys.panik: no such action; did you mean 'panic'"),
        (b"[keys]\npanic = 3", "keys.panic: found 3; allowed is a key or a list"),
        (b"[keys]\npanic = 'x'\nzoom = 'x'", "keys.zoom: 'x' is already given to 'panic'"),
        (b"[colours]\n", "unknown; allowed is the table"),
        (b"keys = 3", "keys: allowed is a table"),
        (b"[keys\n", "Expected"),
        (b"\xff\xfe", "not UTF-8"),
        (b"#" * 70_000, "larger than"),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(tmp_path: Path, text: bytes, says: str):
    path = tmp_path / "keys.toml"
    path.write_bytes(text)
    with pytest.raises(UserError) as caught:
        load_keymap(path)
    assert says in caught.value.message
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


def test_editing_a_line():
    edit = LineEdit("30", 2, fresh=True)
    assert edit.key("5").text == "5"
    assert edit.key("right").key("5").text == "305"
    assert edit.key("backspace").text == ""
    assert LineEdit("a b c", 5).key("ctrl+w").text == "a b "
    assert LineEdit("abc", 1).key("delete").text == "ac"
    assert LineEdit("abc", 1).key("ctrl+u") == LineEdit("bc", 0)
    assert LineEdit("", 0, chars_max=3).typed("abcdef").text == "abc"
    assert LineEdit().typed("a\x1b[2Jb\nc").text == "a\N{REPLACEMENT CHARACTER}[2Jb c"
    assert LineEdit().key("f5") == LineEdit()
