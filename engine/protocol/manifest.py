"""``manifest.json`` of a capsule: what a run was made from. Read and written in this form."""

import msgspec
from msgspec import Struct

from engine.protocol.errors import UserError
from engine.protocol.explaining import explain, malformed
from engine.protocol.policy import PolicyFile

MANIFEST_NAME = "manifest.json"
MANIFEST_FORMAT = 1


class WorldShape(Struct, frozen=True):
    """What a world is made from; with the stored inputs it gives the same world again.

    Attributes:
        seed: Seed of every random stream.
        npcs: Number of NPCs.
        nodes: Number of resource nodes.
        capacity: Entities there is room for.
        interval_ms: Tick interval.
        policies: Users' policies, copied into the capsule.
    """

    seed: int
    npcs: int
    nodes: int
    capacity: int
    interval_ms: int
    policies: tuple[PolicyFile, ...] = ()


class Manifest(Struct, frozen=True):
    """What is needed of a manifest to re-run its run; it holds more, for people.

    Attributes:
        format: ``MANIFEST_FORMAT`` of the writer.
        run: The run's name.
        epoch_ms: World time of tick 0.
        versions: Of Python and of packages.
        world: None in a manifest from before version 0.2.
    """

    format: int
    run: str
    epoch_ms: int
    versions: dict[str, str] = {}
    world: WorldShape | None = None


_decoder = msgspec.json.Decoder(Manifest)


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Return what a manifest says.

    Args:
        data: The file.
        where: Its path, for the message.

    Raises:
        UserError: It is none, or one of a newer version.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise UserError(f"{where}: no manifest of a run: {malformed(problem)}") from problem
    version = document.get("format") if isinstance(document, dict) else None
    if isinstance(version, int) and version > MANIFEST_FORMAT:
        raise UserError(
            f"{where}: manifest of format {version}, from a newer SeedStorm; "
            f"this one reads format {MANIFEST_FORMAT}: update it"
        )
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError as problem:
        field, text = explain(problem, document, Manifest)
        told = f"{field}: {text}" if field else text
        raise UserError(f"{where}: no manifest of a run: {told}") from problem
