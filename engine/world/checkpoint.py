"""The whole state as bytes, and its hash."""

from typing import Final

import msgspec
import numpy as np
from blake3 import blake3
from msgspec import Struct

from engine.world.arrays import Array
from engine.world.cascade import Frontier
from engine.world.events import EVENT_DTYPE
from engine.world.state import COLUMNS, State

CHECKPOINT_FORMAT: Final = 2


class Checkpoint(Struct, frozen=True):
    """Everything a world needs to go on.

    Attributes:
        format: ``CHECKPOINT_FORMAT`` of the writer.
        layout: Name and type of the columns, in order.
        tick: The next tick.
        next_seq: ``seq`` of the next event.
        count: Rows.
        columns: The columns' first ``count`` values, one after another.
        pending: Events whose reactions are still to come.
        pending_seqs: Their ``seq``.
        cell_versions: As in ``State``.
        standing: How the policies stand.
    """

    format: int
    layout: tuple[tuple[str, str], ...]
    tick: int
    next_seq: int
    count: int
    columns: bytes
    supply: int
    treasury: int
    world_version: int
    names: dict[int, str]
    pending: bytes
    pending_seqs: bytes
    cell_versions: bytes
    seed: int
    interval_ms: int
    standing: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Checkpoint)


def take(
    state: State,
    tick: int,
    next_seq: int,
    pending: Frontier,
    seed: int,
    interval_ms: int,
    standing: bytes,
) -> bytes:
    """Return the state as bytes."""
    count = state.count
    return _encoder.encode(
        Checkpoint(
            format=CHECKPOINT_FORMAT,
            layout=COLUMNS,
            tick=tick,
            next_seq=next_seq,
            count=count,
            columns=b"".join(state.columns[name][:count].tobytes() for name, _ in COLUMNS),
            supply=state.supply,
            treasury=state.treasury,
            world_version=state.world_version,
            names=state.names,
            pending=pending.rows.tobytes(),
            pending_seqs=pending.seqs.tobytes(),
            cell_versions=state.cell_versions.tobytes(),
            seed=seed,
            interval_ms=interval_ms,
            standing=standing,
        )
    )


def load(data: bytes, capacity: int) -> tuple[Checkpoint, State, Frontier]:
    """Return the checkpoint, its state and its frontier.

    Raises:
        ValueError: The bytes are no checkpoint that this version reads, or hold more
            entities than there is room for.
    """
    saved = _decoder.decode(data)
    if saved.format != CHECKPOINT_FORMAT or saved.layout != COLUMNS:
        raise ValueError(
            f"checkpoint of format {saved.format}; this version reads {CHECKPOINT_FORMAT}"
        )
    if saved.count > capacity:
        raise ValueError(f"checkpoint of {saved.count} entities; there is room for {capacity}")
    state = State(capacity)
    state.count = saved.count
    offset = 0
    for name, dtype in COLUMNS:
        values = np.frombuffer(saved.columns, dtype, saved.count, offset)
        state.columns[name][: saved.count] = values
        offset += values.nbytes
    state.reindex()
    state.supply, state.treasury = saved.supply, saved.treasury
    state.world_version = saved.world_version
    state.names = dict(saved.names)
    state.cell_versions[:] = np.frombuffer(saved.cell_versions, np.int64)
    rows = np.frombuffer(saved.pending, EVENT_DTYPE)
    return saved, state, Frontier(rows, np.frombuffer(saved.pending_seqs, np.uint64))


def stream_versions(data: bytes) -> tuple[Array, Array]:
    """Return every stream of a checkpoint and its newest version, (n,) each; 0 is the world's.

    Raises:
        ValueError: The bytes are no checkpoint.
    """
    saved = _decoder.decode(data)
    found: dict[str, Array] = {"id": np.zeros(0, np.uint32), "version": np.zeros(0, np.int64)}
    offset = 0
    for name, dtype in saved.layout:
        values = np.frombuffer(saved.columns, dtype, saved.count, offset)
        offset += values.nbytes
        if name in found:
            found[name] = values
    ids, versions = found["id"], found["version"]
    if len(ids) != len(versions):
        raise ValueError("a checkpoint without streams or without their versions")
    return np.append(ids, np.uint32(0)), np.append(versions, saved.world_version)


def state_hash(state: State, tick: int, next_seq: int, pending: Frontier, standing: bytes) -> bytes:
    """Return the blake3 of everything that the next tick depends on (32 bytes)."""
    head = (tick, next_seq, state.count, state.supply, state.treasury, state.world_version)
    parts = [number.to_bytes(8, "little", signed=True) for number in head]
    parts += [state.columns[name][: state.count].tobytes() for name, _ in COLUMNS]
    parts += [pending.rows.tobytes(), pending.seqs.tobytes(), standing]
    if state.names:
        parts.append(_encoder.encode(sorted(state.names.items())))
    # In one piece: blake3 works on many blocks side by side.
    return blake3(b"".join(parts)).digest()
