"""A client of a real engine's doors."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
import websockets

from engine.hub.plan import NODES
from engine.protocol.limits import GUESTS_MAX
from engine.protocol.spec import RunSpec
from engine.store.recover import recover
from engine.store.sqlite import SqliteStore
from engine.world.world import World, WorldConfig

PATIENCE_S = 45.0


class Doors:
    """The doors of the run in ``capsule``."""

    def __init__(self, capsule: Path) -> None:
        self.ports: dict[str, int] = msgspec.json.decode((capsule / "ports.json").read_bytes())
        self.own = {"authorization": f"Bearer {(capsule / 'token').read_text()}"}
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.ports['admin']}", timeout=PATIENCE_S
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.http.aclose()

    async def get(self, path: str, status: int = 200) -> Any:
        """Return the JSON at a path."""
        answer = await self.http.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def change(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """Change something and return the answer."""
        answer = await self.http.request(method, path, json=body, headers=self.own)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Ask again and again until the answer satisfies ``holds``."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                answer = (await self.http.get(path)).json()
                if holds(answer):
                    return answer
                await asyncio.sleep(0.02)

    def follow(self, query: str = "", **options: Any) -> websockets.connect:
        """Return a connection to the stream."""
        return websockets.connect(f"ws://127.0.0.1:{self.ports['admin']}/stream?{query}", **options)


async def next_of(client: websockets.ClientConnection, *types: str) -> dict[str, Any]:
    """Return the stream's next message of one of some types."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message: dict[str, Any] = msgspec.json.decode(await client.recv())
            if message["type"] in types:
                return message


def recovered(capsule: Path, spec: RunSpec) -> World:
    """Return the world that the log of a run gives; every stored hash is compared."""
    scenario = spec.scenario
    config = WorldConfig(
        seed=scenario.seed,
        npcs=scenario.npcs,
        nodes=NODES,
        capacity=scenario.npcs + NODES + spec.players_max + GUESTS_MAX,
    )
    store = SqliteStore(capsule / "events.db")
    try:
        return recover(store, config).world
    finally:
        store.close()
