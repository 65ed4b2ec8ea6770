"""The tree of a chain."""

from console.lines import line_width, plain
from console.select.chain import chain_lines, chain_note, plain_chain, tree
from engine.protocol.events import Event
from engine.protocol.query import ChainAnswer
from tests.ui.fake_chain import chain


def _chain(seq: int = 100) -> ChainAnswer:
    answer = chain(seq, 1000)
    assert isinstance(answer, ChainAnswer)
    return answer


def test_the_root_is_on_top_and_effects_stand_below_their_cause():
    answer = _chain()
    nodes = tree(answer, 50)
    assert len(nodes) == len(answer.causes) + 1 + len(answer.effects)
    depth = {0: -1}
    place = {}
    for at, node in enumerate(nodes):
        event = node.event
        depth[event.seq] = depth[event.cause] + 1
        assert len(node.branch) == 3 * depth[event.seq]
        if event.cause:
            assert place[event.cause] < at
        place[event.seq] = at
    assert [node.event.seq for node in nodes if node.is_asked] == [100]
    assert nodes[0].event == answer.causes[0]
    assert chain_note(answer) == "2 causes, 15 effects"


def test_deep_effects_are_indented_no_further():
    events = [Event(seq, 1, "attacked", 7, seq, 7, cause=seq - 1) for seq in range(1, 40)]
    nodes = tree(ChainAnswer((), events[0], tuple(events[1:])), 4)
    assert [node.event.seq for node in nodes] == list(range(1, 40))
    assert max(len(node.branch) for node in nodes) == 12


def test_a_chain_in_a_circle_ends():
    one, other = Event(1, 1, "died", 7, 1, cause=2), Event(2, 1, "died", 7, 2, cause=1)
    assert len(tree(ChainAnswer((one,), other, (one,)), 9)) <= 4


def test_rows_name_who_and_whom_once():
    answer = _chain()
    texts = [plain(line) for line in chain_lines(tree(answer, 9), 88)]
    assert "attacked" in texts[0]
    assert texts[0].count("npc-7") == 1
    assert "player-12 → npc-7" in texts[2]  # died: who did it, and whose death it is
    assert texts[2].startswith("▸")
    columns = {text.index("npc-2") for text in texts if "npc-2" in text}
    assert len(columns) == 1
    copied = plain_chain(answer).splitlines()
    assert len(copied) == len(texts)
    assert all(line_width(((line, ""),)) < 120 for line in copied)
