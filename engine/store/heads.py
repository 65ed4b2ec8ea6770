"""``StreamHeads``: the newest version of every stream, and whether events go on from it."""

import numpy as np

from engine.protocol.events import entity_name
from engine.protocol.limits import STREAM_ID_MAX
from engine.store.base import Conflict, LogReader
from engine.world.arrays import Array, rank_in_group
from engine.world.checkpoint import stream_versions
from engine.world.events import logged_streams


class StreamHeads:
    """Versions by stream, 4 bytes for each id; memory of ids that do not occur stays untouched."""

    def __init__(self) -> None:
        self._newest: Array = np.zeros(STREAM_ID_MAX + 1, np.uint32)

    def newest(self, stream: int) -> int:
        """Return the newest version of a stream, 0 when it has no event yet."""
        return int(self._newest[stream])

    def check(self, streams: Array, versions: Array) -> None:
        """Refuse events whose versions do not go on without a gap.

        Args:
            streams: Of a tick's events, in order, (n,).
            versions: Theirs, (n,).

        Raises:
            Conflict: One is not the next of its stream.
        """
        if len(streams) and int(streams.max()) > STREAM_ID_MAX:
            raise Conflict(f"stream {streams.max()}; the highest is {STREAM_ID_MAX}")
        expected = self._newest[streams] + rank_in_group(streams) + 1
        wrong = np.flatnonzero(versions != expected)
        if len(wrong):
            row = wrong[0]
            stream = int(streams[row])
            raise Conflict(
                f"event {row} of the tick has version {versions[row]} of stream {stream} "
                f"({entity_name(stream)}); the next version is {expected[row]}"
            )

    def advance(self, streams: Array, versions: Array) -> None:
        """Take in events that are stored: of a stream that occurs often the last one counts."""
        self._newest[streams] = versions


def heads_of(log: LogReader) -> StreamHeads:
    """Return the newest versions of a log's streams: of a checkpoint and the events after it.

    A checkpoint that is damaged is passed over.

    Raises:
        ValueError: An event is damaged.
    """
    heads = StreamHeads()
    first = 0
    for tick in reversed(log.checkpoint_ticks()):
        try:
            data = log.checkpoint_at(tick)
            streams, versions = stream_versions(data or b"")
            if int(streams.max()) <= STREAM_ID_MAX:
                heads.advance(streams, versions)
                first = tick
                break
        except ValueError:
            continue  # an older one does as well, or none
    for record in log.ticks(first):
        if record.count:
            heads.advance(*logged_streams(record.events, record.count))
    return heads
