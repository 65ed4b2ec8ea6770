"""Scenarios: what is read, and the one line that a mistake gets."""

import os
from pathlib import Path

import pytest

from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import SCENARIO_BYTES_MAX
from engine.protocol.policy import PolicyChange, PolicyScope
from engine.protocol.scenario import Stage
from engine.protocol.scenario_file import Known, parse_scenario, read_scenario


def _refuse_zero(metric: str, condition: str) -> None:
    if condition == "zero":
        raise UserError(f"thresholds.{metric}: found 'zero'")


def _refuse_seven(change: PolicyChange, where: str) -> None:
    if change.priority == 7:
        raise UserError(f"{where}.priority: found 7")


KNOWN = Known(
    behaviours=("wanderer", "trader", "raider", "cheater"),
    faults=("disconnect-storm",),
    check_fault=lambda *_: None,
    check_threshold=_refuse_zero,
    policies=("speed", "reach"),
    check_policy=_refuse_seven,
)

WHOLE = """
format = 1
name = "market day"
seed = 9
warm_up = "5s"
[target]
driver = "seed"
[population]
players = 50
mix = { wanderer = 6, trader = 3 }
npcs = 20
[[stage]]
executor = "ramping-players"
to = 40
over = "30s"
[[stage]]
executor = "constant-players"
[[fault]]
name = "disconnect-storm"
at = "1m"
hold = "20s"
[fault.scope]
players_pct = 30
[fault.params]
how = "rst"
[thresholds]
"latency_ms.p99" = "< 150"
"""


def test_every_part_is_read():
    scenario = parse_scenario(WHOLE, "f.toml", KNOWN)
    assert scenario.name == "market day"
    assert scenario.warm_up_s == 5.0
    assert scenario.stages == (
        Stage("ramping-players", 40, 30.0),
        Stage("constant-players", 50, 0.0),
    )
    (fault,) = scenario.faults
    assert (fault.at_s, fault.hold_s, fault.scope, fault.params) == (
        60.0,
        20.0,
        {"players_pct": 30.0},
        {"how": "rst"},
    )
    assert scenario.thresholds == {"latency_ms.p99": "< 150"}


def test_without_stages_it_ramps_and_holds():
    assert parse_scenario("format = 1", "f", KNOWN).stages == (
        Stage("ramping-players", 1000, 10.0),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("format = 2", "format: found 2"),
        ("format = '1'", "format: found '1'"),
        ("name = 'x'", "format: found nothing; allowed is a whole number"),
        ("format = ", "not TOML"),
        ("a = " + "[" * 100_000, "not TOML"),
        (
            "format=1\nsead=3",
            "did you mean 'seed'?; allowed: format, name, seed",
        ),
        ("format=1\nsead=3", "sead: no such field"),
        ("format=1\n[population]\nplyers=3", "population.plyers: no such field"),
        (
            "format=1\n[population]\nplayers=-3",
            "population.players: found -3; allowed is a whole",
        ),
        ("format=1\n[population]\nplayers='a'", "found 'a'"),
        ("format=1\n[population]\nplayers=1e9", "population.players"),
        ("format=1\n[population.mix]\nwizard=1", "population.mix.wizard: found 'wizard'"),
        (
            "format=1\n[population.mix]\nwanderer=-1",
            "population.mix.wanderer: found -1; allowed",
        ),
        ("format=1\n[population.mix]\nwanderer=0", "every weight is 0"),
        ("format=1\n[[stage]]\nexecutor='manul'", "did you mean 'manual'?"),
        ("format=1\n[[stage]]\nto=3", "stage[0]"),
        ("format=1\n[[stage]]\nexecutor='manual'\nover='-1s'", "stage[0].over: found '-1s'"),
        ("format=1\nwarm_up='soon'", "warm_up: found 'soon'"),
        ("format=1\n[[fault]]\nname='x'\nat='1s'", "fault[0].name: found 'x'"),
        (
            "format=1\n[[fault]]\nname='disconnect-storm'\nat='1s'\nhold='0s'",
            "a fault always ends",
        ),
        (
            "format=1\n[[fault]]\nname='disconnect-storm'\nat='1s'\nhold='2h'",
            "at most 3600s",
        ),
        (
            "format=1\n[[fault]]\nname='disconnect-storm'\nat='1s'\n[fault.scope]\nplayers_pc=3",
            "did you mean 'players_pct'?",
        ),
        (
            (
                "format=1\n[[fault]]\nname='disconnect-storm'\nat='1s'\n"
                "[fault.scope]\nplayers_pct=3\ncount=2"
            ),
            "players_pct and count; allowed is one",
        ),
        ("format=1\n[target]\nurl='ws://x'", "only the embedded world"),
        ("format=1\n[target]\ndriver='sed'", "target.driver: found 'sed'"),
        ("format=1\n[thresholds]\nx='zero'", "thresholds.x: found 'zero'"),
        ("format=1\n[thresholds]\nx=1", "thresholds"),
        ("format=1\nstage=3", "stage: found 3; allowed is a list"),
        ("format=1\n[[stage]]\nto=3", "stage[0].executor: found nothing; allowed is text"),
        (
            "format=1\n[[policy]]\nname='reach'\n[policy.scope]\nroles=['king']",
            "policy[0].scope.roles[0]: found 'king'; allowed is one of narrator, operator, player",
        ),
        ("format=1\nseed=0xffffffffffffffffffff", "seed: found a number of more than 64 bits"),
        ("format=1\nseed=1979-05-27", "seed: found 1979-05-27; allowed is a whole number"),
    ],
)
def test_a_mistake_gets_one_line(text, said):
    with pytest.raises(UserError) as caught:
        parse_scenario(text, "f.toml", KNOWN)
    message = caught.value.message
    assert said in message
    assert message.startswith("f.toml: ")
    assert "\n" not in message
    assert "`" not in message, "no type's own name"
    assert len(message) < 400
    assert caught.value.exit_code is ExitCode.USAGE


def test_hostile_text_is_made_printable():
    scenario = parse_scenario('format=1\nname="\\u001b[31mred"', "f", KNOWN)
    assert "\x1b" not in scenario.name
    with pytest.raises(UserError) as caught:
        parse_scenario('format=1\n"\\u001b[31m"=1', "f", KNOWN)
    assert "\x1b" not in caught.value.message


def test_files_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(UserError, match="cannot be read"):
        read_scenario(tmp_path / "missing.toml", KNOWN)
    with pytest.raises(UserError, match="cannot be read"):
        read_scenario(tmp_path, KNOWN)
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"name = '\xe9'")
    with pytest.raises(UserError, match="not UTF-8 at byte 8"):
        read_scenario(latin, KNOWN)
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (SCENARIO_BYTES_MAX + 1))
    with pytest.raises(UserError, match="larger than"):
        read_scenario(large, KNOWN)


def test_a_mark_at_the_beginning_of_a_file_is_no_part_of_it(tmp_path: Path):
    path = tmp_path / "f.toml"
    path.write_bytes(b"\xef\xbb\xbfformat = 1\nseed = 3\n")
    scenario, text = read_scenario(path, KNOWN)
    assert (scenario.seed, text) == (3, "format = 1\nseed = 3\n")


def test_what_is_no_file_is_refused_at_once(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path, word in (
        (tmp_path / "pipe", "a named pipe"),
        (tmp_path, "a folder"),
        (Path("/dev/zero"), "a device"),
    ):
        with pytest.raises(UserError, match=f"cannot be read: it is {word}"):
            read_scenario(path, KNOWN)


def test_a_pipe_that_was_handed_over_is_read():
    reader, writer = os.pipe()
    os.write(writer, b"format = 1\nseed = 5\n")
    os.close(writer)
    try:
        assert read_scenario(Path(f"/dev/fd/{reader}"), KNOWN)[0].seed == 5
    finally:
        os.close(reader)


def test_the_scope_of_a_fault_names_an_archetype_of_the_mix():
    text = (
        "format=1\n[population.mix]\nwanderer=1\ntrader=1\n"
        "[[fault]]\nname='disconnect-storm'\nat='1s'\n[fault.scope]\narchetype='{}'"
    )
    assert parse_scenario(text.format("trader"), "f", KNOWN).faults[0].scope == {
        "archetype": "trader"
    }
    for name in ("dragon", "raider"):
        with pytest.raises(UserError) as caught:
            parse_scenario(text.format(name), "f", KNOWN)
        said = f"fault[0].scope.archetype: found '{name}'; allowed: wanderer, trader"
        assert said in caught.value.message


def test_policies_are_set_and_files_are_found_beside_the_scenario() -> None:
    text = """
format = 1
[[policy]]
name = "speed"
enabled = false
priority = 12
[[policy]]
name = "dragons"
file = "mine/dragons.py"
params = { n = 4 }
scope = { zones = [1, 2], roles = ["player"], kinds = ["attack"], entities = [100007] }
"""
    scenario = parse_scenario(text, "s.toml", KNOWN, Path("/storms"))
    speed, dragons = scenario.policies
    assert speed.change == PolicyChange("speed", enabled=False, priority=12)
    assert (speed.file, dragons.file) == ("", "/storms/mine/dragons.py")
    assert dragons.change.params == {"n": 4}
    assert dragons.change.scope == PolicyScope((1, 2), ("attack",), (100_007,), ("player",))


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (
            'name = "sped"',
            "policy[0].name: found 'sped'; allowed: speed, reach; did you mean 'speed'",
        ),
        ('name = "speed"\npriority = 7', "policy[0].priority: found 7"),
        ('name = "speed"\npriority = -1', "policy[0].priority"),
        ('name = "speed"\nenabled = "no"', "policy[0].enabled"),
        ('name = "speed"\nparms = {}', "policy[0].parms: no such field; did you mean 'params'?"),
        (
            'name = "speed"\nscope = { zone = [1] }',
            "policy[0].scope.zone: no such field; did you mean 'zones'?",
        ),
        ('name = "speed"\nscope = { zones = [64] }', "policy[0].scope.zones[0]"),
        ('name = "speed"\nscope = { kinds = ["mvoe"] }', "policy[0].scope.kinds[0]"),
        (
            'name = "speed"\nfile = "a.py"',
            "policy[0].name: 'speed' is built in; give the one in a.py",
        ),
        ('name = "speed"\n[[policy]]\nname = "speed"', "policy[1].name: 'speed' stands here twice"),
        ('file = "a.py"', "policy[0]"),
        ('name = "x"\nfile = "a\\u0000.py"', "policy[0].file: found '/a"),
        ('name = "x"\nfile = "a\\u001b[2J.py"', "policy[0].file: found '/a"),
        ('name = "x"\nfile = "a\\n.py"', "allowed: a path of at most"),
    ],
)
def test_what_is_wrong_with_a_policy_is_told(policy: str, words: str) -> None:
    with pytest.raises(UserError) as told:
        parse_scenario(f"format = 1\n[[policy]]\n{policy}\n", "s.toml", KNOWN)
    assert words in told.value.message
    assert "\n" not in told.value.message
