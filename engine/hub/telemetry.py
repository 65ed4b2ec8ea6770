"""``telemetry.db``: a row a second, faults, outages, beats, operators' commands, notes.

Rows are collected and written once a second in one transaction without waiting for the
disk: what a power cut may cost here is telemetry, not events.
"""

from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec

from engine.hub.fold import Second
from engine.protocol.command import Command, Reply
from engine.protocol.feed import FaultView, Notice, OutageView
from engine.protocol.limits import TELEMETRY_ROWS_QUEUED_MAX
from engine.protocol.story import Beat

_TABLES = """
CREATE TABLE seconds (at_s INTEGER PRIMARY KEY, players REAL, commands_per_s REAL,
  events_per_s REAL, tick_ms_p99 REAL, latency_ms_p50 REAL, latency_ms_p99 REAL,
  violations_per_s REAL, send_lateness_ms_p99 REAL, send_lateness_ms_max REAL, cpu_pct REAL);
CREATE TABLE faults (id TEXT PRIMARY KEY, name TEXT, scope TEXT, armed_at_s REAL, hold_s REAL,
  planned INTEGER, affected INTEGER, cleared_at_s REAL, cleared_why TEXT, recovered_at_s REAL,
  side TEXT, detected_at_s REAL, down_s REAL);
CREATE TABLE outages (child TEXT, lost_at_s REAL, why TEXT, back_at_s REAL,
  PRIMARY KEY (child, lost_at_s));
CREATE TABLE commands (at_s REAL, console INTEGER, command TEXT, ok INTEGER, reply TEXT);
CREATE TABLE beats (number INTEGER PRIMARY KEY, at_s REAL, tick INTEGER, kind TEXT, text TEXT,
  events TEXT, cast TEXT);
CREATE TABLE notes (at_s REAL, kind TEXT, text TEXT, bad INTEGER);
"""
_Row = tuple[str, tuple[object, ...]]


class Telemetry:
    """The writer of one run's ``telemetry.db``.

    Args:
        path: The file; it must not exist yet.
        failed: Told once, in a line, when the file cannot be written any more.

    Raises:
        apsw.Error: The file cannot be made.
    """

    def __init__(self, path: Path, failed: Callable[[str], None]) -> None:
        self._failed = failed
        self._rows: list[_Row] = []
        self._connection: apsw.Connection | None = apsw.Connection(str(path))
        path.chmod(0o600)
        for pragma in ("journal_mode = WAL", "synchronous = OFF"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self._connection.execute(_TABLES).fetchall()

    def second(self, second: Second) -> None:
        """Keep a second."""
        self._put(
            "INSERT INTO seconds VALUES (?,?,?,?,?,?,?,?,?,?,?)", msgspec.structs.astuple(second)
        )

    def command(self, at_s: float, console: int, command: Command, reply: Reply) -> None:
        """Keep what an operator did and was told."""
        text = msgspec.json.encode(command).decode()
        self._put(
            "INSERT INTO commands VALUES (?,?,?,?,?)", (at_s, console, text, reply.ok, reply.text)
        )

    def note(self, notice: Notice) -> None:
        """Keep a notice."""
        self._put(
            "INSERT INTO notes VALUES (?,?,?,?)",
            (notice.at_s, notice.kind, notice.text, notice.bad),
        )

    def beat(self, beat: Beat) -> None:
        """Keep a beat; its events and cast as JSON lists."""
        events, who = (msgspec.json.encode(list(ids)).decode() for ids in (beat.events, beat.cast))
        self._put(
            "INSERT INTO beats VALUES (?,?,?,?,?,?,?)",
            (beat.number, beat.at_s, beat.tick, beat.kind, beat.text, events, who),
        )

    def fault(self, fault: FaultView) -> None:
        """Keep a fault as it stands; a later call replaces it."""
        self._put(
            "INSERT OR REPLACE INTO faults VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                fault.id,
                fault.name,
                fault.scope,
                fault.armed_at_s,
                fault.hold_s,
                fault.planned,
                fault.affected,
                fault.cleared_at_s,
                fault.cleared_why,
                fault.recovered_at_s,
                fault.side,
                fault.detected_at_s,
                fault.down_s,
            ),
        )

    def outage(self, outage: OutageView) -> None:
        """Keep an outage as it stands; a later call replaces it."""
        self._put(
            "INSERT OR REPLACE INTO outages VALUES (?,?,?,?)",
            (outage.child, outage.lost_at_s, outage.why, outage.back_at_s),
        )

    def flush(self) -> None:
        """Write what has been kept; a disk that is full costs the telemetry, not the run."""
        rows, self._rows = self._rows, []
        if self._connection is None or not rows:
            return
        try:
            with self._connection:
                for statement, values in rows:
                    self._connection.execute(statement, values)
        except apsw.Error as problem:
            self._connection.close(force=True)
            self._connection = None
            self._failed(f"telemetry.db cannot be written, the series ends here: {problem}")

    def close(self) -> None:
        """Write the rest and close."""
        self.flush()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _put(self, statement: str, values: tuple[object, ...]) -> None:
        if self._connection is not None and len(self._rows) < TELEMETRY_ROWS_QUEUED_MAX:
            self._rows.append((statement, values))
