"""An engine that is not there, and a client at its doors without a socket."""

from collections.abc import AsyncIterator

import httpx
import pytest

from engine.admin.app import make_app
from engine.admin.gate import Gate
from engine.admin.stream import Streams
from tests.unit.admin.fakes import FakeService, tick_of


@pytest.fixture
def service() -> FakeService:
    service = FakeService()
    service.ticks = [
        tick_of(1, 1, ["joined", "moved", "moved"]),
        tick_of(2, 4, ["moved"]),
        tick_of(4, 5, ["moved", "died"]),
    ]
    return service


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[httpx.AsyncClient]:
    gate = Gate(make_app(service, "1.2.3", Streams()), "127.0.0.1")
    transport = httpx.ASGITransport(gate)  # type: ignore[arg-type]  # an ASGI application, by Litestar's types
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client
