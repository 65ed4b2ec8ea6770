"""Opens databases to read beside their writer."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import apsw


class Closing(ABC):
    """Is closed at the end of a ``with``."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close; afterwards nothing else may be called."""


def open_to_read(path: Path, busy_ms: int) -> apsw.Connection:
    """Return a connection that never writes; also what a writer holds open can be read.

    Args:
        path: A database with a write-ahead log.
        busy_ms: How long a reader waits for a lock.

    Raises:
        apsw.Error: It cannot be opened.
    """
    flags = apsw.SQLITE_OPEN_READONLY
    if path.with_name(path.name + "-wal").exists():
        db = apsw.Connection(str(path), flags=flags)
    else:
        # Nobody writes it. Opened like the others, a reader would make the files of a writer,
        # and being one that never writes could not take them away again.
        uri = f"file:{quote(str(path))}?immutable=1"
        db = apsw.Connection(uri, flags=flags | apsw.SQLITE_OPEN_URI)
    db.set_busy_timeout(busy_ms)
    return db
