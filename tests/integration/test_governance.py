"""Governance of a real engine: changed through the doors, audited, replayed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.hub.embedded import embedded
from engine.protocol.errors import UserError
from engine.protocol.policy import PolicyChange
from engine.protocol.scenario import PolicyStep
from engine.protocol.spec import PolicySource
from engine.store.recording import open_recording
from tests.integration.admin_kit import Doors
from tests.specs import at_once, small_run

pytestmark = pytest.mark.integration

PEACE = """
from engine.extend import deny, mutate, policy

def judge(intent, world):
    "Nobody is to be attacked, and nobody speaks loudly."
    if intent.kind == "say":
        return mutate("quietly", text=intent.text.lower()) if intent.text.isupper() else None
    if world.target is not None and world.target.gold < 0:
        raise ValueError("no such purse")
    return deny("peace")

POLICY = policy("peace", kinds=("attack", "say"), priority=22)(judge)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ss") as folder:
        yield Path(folder)


async def test_a_run_that_is_governed_otherwise(folder: Path) -> None:
    (folder / "peace.py").write_text(PEACE)
    scenario = msgspec.structs.replace(
        at_once(npcs=20), policies=(PolicyStep(PolicyChange("rate", params={"burst": 5})),)
    )
    spec = small_run(folder, scenario=scenario, players_max=50)
    spec = msgspec.structs.replace(spec, policies=(PolicySource(str(folder / "peace.py")),))
    async with embedded(spec), Doors(folder / "r1") as doors:
        await doors.until("/health", lambda health: health["players"] == 10)
        page = await doors.get("/governance/policies")
        found = {policy["name"]: policy for policy in page["policies"]}
        assert len(found) == 14
        assert found["rate"]["params"] == {"burst": 5}
        assert found["peace"]["scope"]["kinds"] == ["attack", "say"]
        assert not found["peace"]["built_in"]
        assert [p["priority"] for p in page["policies"]] == sorted(
            p["priority"] for p in page["policies"]
        )

        told = await doors.change(
            "POST", "/governance/policies/peace", {"scope": {"kinds": ["say"]}}
        )
        assert told["text"].startswith("peace: scope say (tick ")
        (changed,) = (await doors.get("/events?kind=policy_changed&limit=1"))["events"]
        assert changed["text"] == "peace: scope say"
        body = {"entity": "npc-1", "kind": "say", "text": "HALT"}
        said = await doors.change("POST", "/commands", body)
        assert (said["verdict"], said["reason"]) == ("mutate", "peace: quietly")
        lines = {"kind": "attack", "target": "player-1"}
        denied = await doors.change("POST", "/npcs/npc-2/directives", lines)
        assert denied["reason"].startswith("directive-scope: no directive to attack")
        denied = await doors.change("POST", "/npcs/player-2/directives", {"kind": "rest"})
        assert denied["reason"] == "role: a narrator does not command player-2"
        wrong = await doors.change("POST", "/governance/policies/paece", {"enabled": True}, 404)
        assert "did you mean 'peace'?" in wrong["error"]["message"]
        wrong = await doors.change("POST", "/governance/policies/sanity", {"enabled": False}, 422)
        assert "keeps the world whole" in wrong["error"]["message"]

        (row,) = (await doors.get("/governance/audit?policy=peace&actor=npc-1"))["rows"]
        assert (row["verdict"], row["event"], row["role"]) == ("mutate", said["event"], "operator")
        assert row["evaluated"][:5] == ["role", "rate", "dead-actor", "sanity", "peace"]
        page = await doors.get("/governance/audit?verdict=deny&policy=role&after=0")
        assert [each["reason"] for each in page["rows"]] == [denied["reason"]]
        wrong = await doors.get("/governance/audit?verdict=denied", 400)
        assert wrong["error"]["field"] == "verdict"
        wrong = await doors.get("/governance/audit?policy=paece", 400)
        assert wrong["error"]["field"] == "policy"

    kept = folder / "r1" / "policies" / "0-peace.py"
    assert kept.read_text() == PEACE
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    with (
        open_recording(folder / "r1") as recording,
        pytest.raises(UserError, match=r"policies/0-peace\.py.*--allow-code"),
    ):
        recording.verify(lambda _: None, from_checkpoint=False)
    with open_recording(folder / "r1", allow_code=True) as recording:
        done = recording.verify(lambda _: None, from_checkpoint=False)
    assert done.equal, done.difference


@pytest.mark.parametrize(
    ("text", "step", "words"),
    [
        ("POLICY = 1", None, "found POLICY = 1; it must define POLICY"),
        (
            PEACE.replace('"peace"', '"speed"'),
            None,
            "there is another policy called 'speed' (built in)",
        ),
        (PEACE, PolicyChange("peace", params={"n": 1}), "peace.params.n: unknown parameter"),
        (PEACE, PolicyChange("paece"), "its policy is called 'peace', the scenario calls it"),
    ],
)
async def test_what_is_wrong_is_told_before_the_run_begins(
    folder: Path, text: str, step: PolicyChange | None, words: str
) -> None:
    (folder / "peace.py").write_text(text)
    policies = (PolicyStep(step, str(folder / "peace.py")),) if step else ()
    scenario = msgspec.structs.replace(at_once(npcs=2), policies=policies)
    spec = small_run(folder, scenario=scenario, players_max=50)
    if step is None:
        sources = (PolicySource(str(folder / "peace.py")),)
        spec = msgspec.structs.replace(spec, policies=sources)
    with pytest.raises(UserError) as told:
        async with embedded(spec):
            pass
    assert words in told.value.message
    assert told.value.exit_code == 2
    assert not (folder / "r1").exists()
