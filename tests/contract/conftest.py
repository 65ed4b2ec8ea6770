"""Engines behind both kinds of link."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.link_kit import Engine, over_memory, over_socket, seated


@pytest.fixture(params=[over_memory, over_socket], ids=["memory", "socket"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    async with seated(request.param, tmp_path) as engine:
        yield engine


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Engine]:
    async with seated(over_socket, tmp_path) as engine:
        yield engine
