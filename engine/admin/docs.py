"""What ``/openapi.json`` says besides what follows from the handlers."""

from typing import Final

from litestar.openapi import ResponseSpec

from engine.protocol.limits import (
    ADMIN_BODY_BYTES_MAX,
    STREAM_EVENTS_PER_MESSAGE_MAX,
    STREAM_LAG_EVENTS_MAX,
)
from engine.protocol.refusal import ErrorBody

Responses = dict[int, ResponseSpec]


def _error(text: str) -> ResponseSpec:
    return ResponseSpec(ErrorBody, description=text, generate_examples=False)


OPEN: Final[Responses] = {
    400: _error("A parameter is wrong or unknown: `field` names it."),
    403: _error("The Host or Origin header is foreign: `forbidden`."),
}
GONE: Final[Responses] = {503: _error("There is no world now: `gone`.")}
NO_SUCH: Final[Responses] = {404: _error("There is no such thing: `not_found`.")}
NEVER: Final[Responses] = {422: _error("The log has no such tick (yet): `invalid`.")}
CHANGE: Final[Responses] = {
    **OPEN,
    401: _error("The token is missing or wrong: `unauthorized`."),
    409: _error("Not in the run's present state: `conflict`."),
    413: _error(f"The body is larger than {ADMIN_BODY_BYTES_MAX} bytes: `too_large`."),
    422: _error("Well-formed, but not to be done: `invalid`."),
    429: _error("Too often, or too many at once: `too_often`, `busy`."),
    503: _error("The world is gone or did not answer: `gone`, `deadline`."),
}

DESCRIPTION: Final = f"""\
The admin interface of one run. Reading is free and does not disturb the world; a change
carries `Authorization: Bearer TOKEN`, the token being in the file `token` of the run's
folder. Every error is `{{"error": {{"code", "message", "field"?}}}}`. Lists come in pages.
A request whose `Host` or `Origin` is not this machine's is refused.

## WebSocket `/stream`

`/stream?topics=events,ticks,violations,story,faults&after_seq=&kinds=`

`topics`: what to tell; `events` without it. `after_seq`: first everything after that event
(0: from the very first), then what happens; without it only what happens from now on. It
concerns events and violations; the other topics begin now. `kinds`: kinds of events, with
commas between them, that `events` tells.

The server sends text messages, each a JSON object with a `type`; the client sends nothing.

- `hello`: first of all. `run`, `interval_ms`, `topics`, `after_seq` (where it begins),
  `last_seq` (the newest event), and with the topic `faults` those that are armed now, if
  any: `armed`, each with `tick` and `fault` as in a message `fault`. What changes after
  that is told.
- `events`: events of one tick, in order: `tick`, `first_seq`, `last_seq`, `events` (as in
  `GET /events`). `first_seq` to `last_seq` is what the message accounts for, so that each
  begins where the one before, or a gap, ended; with `kinds` the events in it are fewer, and
  before a gap there may be none. A tick of more than {STREAM_EVENTS_PER_MESSAGE_MAX} events
  comes in several messages.
- `violations`: of one tick: `tick`, `violations` (`seq`, `tick`, `policy`, `actor`,
  `reason`, `critical`).
- `ticks`: figures of ticks, oldest first: `ticks` (as in `GET /ticks`).
- `beat`: `beat` (as in `GET /story/beats`).
- `fault`: `number`, `what` (`armed`, `cleared`, `recovered`), `tick` (the newest one when it
  was told, shortly after it happened), `fault` (as in `GET /faults`).
- `live`: everything up to `last_seq` was told; what follows happens now.
- `gap`: something cannot be told: `topic`, `first` and `last` (sequence numbers of events;
  ticks; numbers of beats or of faults' news), `count`, `why` (`slow`: a live client was more
  than {STREAM_LAG_EVENTS_MAX} events behind; `lost`: it is nowhere to be had).
- `ended`: the last one: `exit_code`, `text`.

Order is kept within a topic. A client that stops reading is cut off.
"""
