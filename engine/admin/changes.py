"""What an operator may change, with the run's token."""

from typing import Annotated, Final

from litestar import delete, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter

from engine.admin.call import Call, Who, entity_of, needs_token
from engine.admin.docs import CHANGE, NO_SUCH
from engine.admin.errors import Problem, of_refusal, of_reply
from engine.admin.views import (
    CommandDone,
    Done,
    NewBeats,
    NewCommand,
    NewDirective,
    NewFault,
    NewLoad,
    NewMark,
    NewPolicy,
)
from engine.protocol.command import (
    ArmFault,
    ClearFault,
    Command,
    Mark,
    Panic,
    SetPlayers,
    SetPolicy,
    SetRate,
)
from engine.protocol.events import correlation_of
from engine.protocol.gateway import Intent, Role
from engine.protocol.limits import NAME_IN_PATH_CHARS_MAX, ORDER_SEQ_BASE, POSITION_UNITS_PER_TILE
from engine.protocol.policy import PolicyChange
from engine.protocol.query import Refused
from engine.protocol.story import Judged

_OK: Final = 200
_TOKEN: Final = (needs_token,)
_SECURITY: Final[tuple[dict[str, list[str]], ...]] = ({"token": []},)
_TARGET_MAX: Final = 2**31 - 1


@post(
    "/faults",
    summary="Arm a fault",
    status_code=_OK,
    guards=_TOKEN,
    security=_SECURITY,
    responses=CHANGE | NO_SUCH,
)
async def arm(request: Call, data: JSONBody[NewFault]) -> Done:
    """Arms a fault of the menu; it reverts by itself after ``hold_s``."""
    fault = ArmFault(data.name, data.scope, data.params, data.hold_s, data.ramp_s, data.seed)
    return await _carry_out(request, fault)


@delete(
    "/faults/{fault:str}",
    summary="Revert a fault",
    status_code=_OK,
    guards=_TOKEN,
    security=_SECURITY,
    responses=CHANGE | NO_SUCH,
)
async def clear(
    request: Call,
    fault: Annotated[
        str,
        PathParameter(
            min_length=1, max_length=NAME_IN_PATH_CHARS_MAX, description="Its id, such as f1."
        ),
    ],
) -> Done:
    """Reverts one armed fault."""
    return await _carry_out(request, ClearFault(fault))


@delete(
    "/faults",
    summary="Revert every fault",
    status_code=_OK,
    guards=_TOKEN,
    security=_SECURITY,
    responses=CHANGE,
)
async def clear_all(request: Call) -> Done:
    """Reverts everything that is armed."""
    return await _carry_out(request, Panic())


@post(
    "/load",
    summary="Change the load",
    status_code=_OK,
    guards=_TOKEN,
    security=_SECURITY,
    responses=CHANGE,
)
async def load(request: Call, data: JSONBody[NewLoad]) -> Done:
    """Holds so many players, each at such a rate; suspends the running stage."""
    commands: list[Command] = []
    if data.players is not None:
        commands.append(SetPlayers(data.players))
    if data.rate is not None:
        commands.append(SetRate(data.rate))
    if not commands:
        raise Problem("bad_request", "found neither; allowed are players, rate or both", "players")
    done: list[str] = []
    for command in commands:
        reply = await request.service.command(command)
        if not reply.ok:
            problem = of_reply(reply)
            so_far = f" (done before: {'; '.join(done)})" if done else ""
            raise Problem(problem.code, problem.message + so_far)
        done.append(reply.text)
    return Done("; ".join(done))


@post(
    "/marks",
    summary="Note something",
    status_code=_OK,
    guards=_TOKEN,
    security=_SECURITY,
    responses=CHANGE,
)
async def mark(request: Call, data: JSONBody[NewMark]) -> Done:
    """Puts a note on the time line."""
    return await _carry_out(request, Mark(data.text))


@post(
    "/commands",
    summary="Command an entity",
    status_code=_OK,
    guards=_TOKEN,
    security=_SECURITY,
    responses=CHANGE | NO_SUCH,
)
async def command(request: Call, data: JSONBody[NewCommand]) -> CommandDone:
    """An intent for any player or NPC, governed like any other, taken in by the next tick.

    Answered once it is durable, with the verdict, also when that is ``deny``.
    """
    return await _order(request, entity_of(data.entity, "entity"), data, "operator")


@post(
    "/npcs/{who:str}/directives",
    summary="Direct an NPC",
    status_code=_OK,
    guards=_TOKEN,
    security=_SECURITY,
    responses=CHANGE | NO_SUCH,
)
async def direct(request: Call, who: Who, data: JSONBody[NewDirective]) -> CommandDone:
    """For the narrator: an intent for an NPC, within what the policy directive-scope allows.

    Answered once it is durable, with the verdict, also when that is ``deny``.
    """
    return await _order(request, entity_of(who, "who"), data, "narrator")


@post(
    "/governance/policies/{name:str}",
    summary="Change a policy",
    status_code=_OK,
    guards=_TOKEN,
    security=_SECURITY,
    responses=CHANGE | NO_SUCH,
)
async def set_policy(
    request: Call,
    name: Annotated[
        str,
        PathParameter(
            min_length=1,
            max_length=NAME_IN_PATH_CHARS_MAX,
            description="As in GET /governance/policies.",
        ),
    ],
    data: JSONBody[NewPolicy],
) -> Done:
    """Enables, disables, re-parameterises, re-scopes or re-prioritises a policy.

    Answered once the change is durable; it holds from the tick that the answer names.
    """
    if data == NewPolicy():
        allowed = ", ".join(NewPolicy.__struct_fields__)
        raise Problem("bad_request", f"found nothing to change; allowed: {allowed}", "body")
    change = PolicyChange(name, data.enabled, data.priority, data.params, data.scope)
    return await _carry_out(request, SetPolicy(change))


@post(
    "/story/beats",
    summary="Tell beats",
    status_code=_OK,
    guards=_TOKEN,
    security=_SECURITY,
    responses=CHANGE,
)
async def tell(request: Call, data: JSONBody[NewBeats]) -> Judged:
    """For the narrator: every beat names the events it is told from.

    Each is judged for itself: the answer is 200 also when none was taken, and says which
    were turned away, and why. They would be turned away again.
    """
    judged = request.service.tell_beats(data.beats)
    if isinstance(judged, Refused):
        raise of_refusal(judged)
    return judged


async def _order(
    request: Call, entity: int, data: NewCommand | NewDirective, role: Role
) -> CommandDone:
    target = entity_of(data.target, "target")
    if target > _TARGET_MAX:
        raise Problem("bad_request", f"found {target}; there is no such entity", "target")
    intent = Intent(
        seq=1,  # it gets one of its own in the world
        kind=data.kind,
        x=int(data.x * POSITION_UNITS_PER_TILE),
        y=int(data.y * POSITION_UNITS_PER_TILE),
        target=target,
        amount=data.amount,
        text=data.text,
    )
    done = await request.service.order(entity, intent, role)
    if isinstance(done, Refused):
        raise of_refusal(done)
    return CommandDone(
        entity=entity,
        verdict=done.verdict,
        reason=done.reason,
        tick=done.tick,
        event=done.event,
        correlation=correlation_of(entity, ORDER_SEQ_BASE + done.id),
    )


async def _carry_out(request: Call, wish: Command) -> Done:
    reply = await request.service.command(wish)
    if not reply.ok:
        raise of_reply(reply)
    return Done(reply.text, reply.id)


CHANGES: Final[tuple[HTTPRouteHandler, ...]] = (
    arm,
    clear,
    clear_all,
    load,
    mark,
    command,
    direct,
    set_policy,
    tell,
)
