"""The tree of one event's causes and effects, as rows. Pure."""

from typing import Final

from msgspec import Struct

from console.figures import count
from console.lines import Line, clean, left, right
from console.select.lists import EVENT_LOOKS, QUIET, event_text
from engine.protocol.events import Event, entity_name
from engine.protocol.query import ChainAnswer

INDENT: Final = 3
WIDE: Final = 90
"""From here on a row has the event's number, too."""
KIND_WIDTH: Final = 15


class Node(Struct, frozen=True):
    """One event of the tree.

    Attributes:
        event: The event.
        branch: What is drawn before it: the lines from its cause.
        is_asked: Whether it is the event that was asked for.
    """

    event: Event
    branch: str
    is_asked: bool


def tree(chain: ChainAnswer, depth_max: int) -> list[Node]:
    """Return the events as a tree: the root at the top, effects below their cause.

    Args:
        chain: Causes, event and effects.
        depth_max: From this depth on nothing is indented further.
    """
    below: dict[int, list[Event]] = {}
    for event in (*chain.causes[1:], chain.event, *chain.effects):
        if event.cause:
            below.setdefault(event.cause, []).append(event)
    root = chain.causes[0] if chain.causes else chain.event
    nodes: list[Node] = []
    # The event, what its effects are indented by, and what it is drawn with itself.
    rest: list[tuple[Event, str, str]] = [(root, "", "")]
    while rest:
        event, before, branch = rest.pop()
        nodes.append(Node(event, branch, event.seq == chain.event.seq))
        some = below.get(event.seq, [])
        # A log that is damaged may go in circles; what was drawn is not drawn again.
        below.pop(event.seq, None)
        deep = len(before) >= depth_max * INDENT
        for effect in reversed(some):
            last = effect is some[-1]
            after = before if deep else before + ("   " if last else "│  ")
            stem = before[:-INDENT] if deep else before
            rest.append((effect, after, stem + ("└─ " if last else "├─ ")))
    return nodes


def chain_lines(nodes: list[Node], inner: int) -> list[Line]:
    """Return a line for each event: tick, kind, who did it to whom, what it says."""
    heads = [len(node.branch) + 2 + len(_kind(node.event)) for node in nodes]
    # Where deep branches would push everything aside, they alone stand out.
    head = min(max(heads, default=0), max(KIND_WIDTH, inner // 2))
    return [_line(node, inner, head) for node in nodes]


def _line(node: Node, inner: int, head: int) -> Line:
    event = node.event
    mark, role = EVENT_LOOKS.get(event.kind, QUIET)
    when = right(str(event.tick), 7) + " "
    if inner >= WIDE:
        when = right(str(event.seq), 10) + " " + when
    who, whom = _who(event), _whom(event)
    says = event_text(event).removeprefix(whom).strip()
    return (
        ("▸" if node.is_asked else " ", "accent"),
        (when, "faint"),
        (node.branch, "faint"),
        (f"{mark} ", role),
        (left(_kind(event), max(0, head - len(node.branch) - 2)) + "  ", role),
        (who, "bright" if node.is_asked else "text"),
        (f" → {whom}" if whom else "", "text"),
        (f"  {says}" if says else "", "dim"),
    )


def _kind(event: Event) -> str:
    return clean(event.kind, 20).replace("_", " ")


def chain_note(chain: ChainAnswer) -> str:
    """Return in words how much there is."""
    causes, effects = len(chain.causes), len(chain.effects)
    return (
        f"{count(causes)} cause{'' if causes == 1 else 's'}, "
        f"{count(effects)} effect{'' if effects == 1 else 's'}"
    )


def plain_chain(chain: ChainAnswer) -> str:
    """Return the tree as lines of text, for copying."""
    return "\n".join(
        f"{node.event.seq:>10} tick {node.event.tick:>6} {node.branch}{node.event.kind} "
        f"{_who(node.event)}{' -> ' + _whom(node.event) if _whom(node.event) else ''} "
        f"{event_text(node.event).removeprefix(_whom(node.event)).strip()}".rstrip()
        for node in tree(chain, len(chain.causes) + len(chain.effects) + 1)
    )


def looks_into(event: Event) -> int | None:
    """Return whom to look into for more of an event: who did it, else whom it is about.

    None for what is about the world itself.
    """
    return event.actor or event.stream or None


def _who(event: Event) -> str:
    return entity_name(event.actor or event.stream)


def _whom(event: Event) -> str:
    """Return to whom it was done; of what has no target, whom it is about when another did it."""
    whom = event.target or (event.stream if event.actor else 0)
    return entity_name(whom) if whom and whom != (event.actor or event.stream) else ""
