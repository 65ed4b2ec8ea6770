"""The whole state as bytes, and its hash."""

from typing import Final

import msgspec
import numpy as np
from blake3 import blake3
from msgspec import Struct

from engine.world.arrays import Array
from engine.world.cascade import Frontier
from engine.world.events import EVENT_DTYPE
from engine.world.lineage import STEP_DTYPE
from engine.world.oracle import Told, pack_told, unpack_told
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
        pending_steps: The reactions that they came from, as in ``Frontier``.
        told: Broken invariants, as ``pack_told`` packs them.
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
    goods_supply: int
    pending_steps: bytes
    told: bytes
    standing: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Checkpoint)


def take(
    state: State,
    tick: int,
    next_seq: int,
    pending: Frontier,
    told: dict[str, Told],
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
            goods_supply=state.goods_supply,
            pending_steps=pending.steps.tobytes(),
            told=pack_told(told),
            standing=standing,
        )
    )


def load(data: bytes, capacity: int) -> tuple[Checkpoint, State, Frontier, dict[str, Told]]:
    """Return the checkpoint, its state, its frontier and the broken invariants.

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
    state.goods_supply = saved.goods_supply
    pending = Frontier(
        np.frombuffer(saved.pending, EVENT_DTYPE),
        np.frombuffer(saved.pending_seqs, np.uint64),
        np.frombuffer(saved.pending_steps, STEP_DTYPE),
    )
    return saved, state, pending, unpack_told(saved.told)


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


def stored_standing(data: bytes) -> bytes:
    """Return how the policies stood, as ``Standing.pack`` packs it.

    Raises:
        ValueError: The bytes are no checkpoint.
    """
    return _decoder.decode(data).standing


def state_hash(
    state: State,
    tick: int,
    next_seq: int,
    pending: Frontier,
    told: dict[str, Told],
    standing: bytes,
) -> bytes:
    """Return the blake3 of everything that the next tick depends on (32 bytes)."""
    head = (
        tick,
        next_seq,
        state.count,
        state.supply,
        state.treasury,
        state.world_version,
        state.goods_supply,
    )
    parts = [number.to_bytes(8, "little", signed=True) for number in head]
    parts += [state.columns[name][: state.count].tobytes() for name, _ in COLUMNS]
    parts += [pending.rows.tobytes(), pending.seqs.tobytes(), pending.steps.tobytes()]
    parts.append(pack_told(told))
    parts.append(standing)
    if state.names:
        parts.append(_encoder.encode(sorted(state.names.items())))
    # In one piece: blake3 works on many blocks side by side.
    return blake3(b"".join(parts)).digest()
