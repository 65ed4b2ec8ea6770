"""Every bound of the system, by name.

What would exceed a bound is dropped, refused or cut, counted, and told; nothing
grows with the length of a run or with what a stranger sends.
"""

from typing import Final

# --- the world -------------------------------------------------------------
TICK_INTERVAL_MS: Final = 100
TICKS_CATCH_UP_MAX: Final = 10
"""Late ticks that are run back to back; more than that are skipped and told."""
MAP_TILES: Final = 256
ZONES_PER_SIDE: Final = 8
ZONES: Final = ZONES_PER_SIDE * ZONES_PER_SIDE
CELL_TILES: Final = 8
"""Side of an interest cell, in tiles: a player sees its own cell and the eight around it."""
CELLS_PER_SIDE: Final = MAP_TILES // CELL_TILES
CELLS: Final = CELLS_PER_SIDE * CELLS_PER_SIDE
POSITION_UNITS_PER_TILE: Final = 256
"""Positions are integers: 1/256 of a tile."""
POSITION_MAX: Final = MAP_TILES * POSITION_UNITS_PER_TILE - 1

NODE_ID_BASE: Final = 1
NPC_ID_BASE: Final = 100_000
PLAYER_ID_BASE: Final = 1_000_000
"""Player number n (from squad and index) is entity ``PLAYER_ID_BASE + n``."""
GUEST_ID_BASE: Final = 2_000_000
"""Players whose name is not of the form ``player-N`` get ids from here, in order of joining."""
GUESTS_MAX: Final = 1000
"""Guests of one world, whether still there or not: they never take the room of players."""
PLAYERS_MAX: Final = 100_000
NPCS_MAX: Final = 50_000
NODES_MAX: Final = 50_000
CASCADE_DEPTH_MAX: Final = 8
CASCADE_EVENTS_PER_TICK_MAX: Final = 50_000
LOGGED_BYTES_MAX: Final = 256 * 1024 * 1024
"""One block of the log (a tick's inputs or events, a checkpoint), decompressed."""

# --- the player gateway ----------------------------------------------------
GATEWAY_FRAME_BYTES_MAX: Final = 16 * 1024
GATEWAY_FRAME_BYTES_READ_MAX: Final = 64 * 1024
"""Up to here an oversized frame is read, so that the player is told ``bye``; a larger one
is refused at its header, with the reason in the close frame alone."""
GATEWAY_READ_BUFFER_BYTES: Final = 2048
GATEWAY_SEND_BUFFER_BYTES: Final = 16 * 1024
"""SO_SNDBUF of a player's socket, so that a client that never reads is noticed."""
GATEWAY_CONNECTIONS_MAX: Final = 20_000
HELLO_TIMEOUT_S: Final = 5.0
SLOW_READER_CLOSE_S: Final = 5.0
GATEWAY_CLOSE_S: Final = 1.0
"""How long a client that was told ``bye`` has to close its end before it is cut off."""
GATEWAY_FRAMES_PER_S_MAX: Final = 500
"""Frames of one player in one second, of whatever kind; more is ``too fast`` and closed."""
UPDATE_STRIDE_MAX: Final = 5
"""Under load a quiet player is sent an update in at least one of this many ticks."""
INTENTS_QUEUED_PER_PLAYER_MAX: Final = 32
INTENTS_PER_TICK_MAX: Final = 100_000
SEQ_MAX: Final = 2**31 - 1
ORDER_SEQ_BASE: Final = SEQ_MAX
"""Operators' orders have sequence numbers above this, so that no player's own is taken."""
NAME_CHARS_MAX: Final = 32
SAY_CHARS_MAX: Final = 200

# --- the assault -----------------------------------------------------------
UNANSWERED_TIMEOUT_S: Final = 10.0
COMMANDS_IN_FLIGHT_PER_PLAYER_MAX: Final = 128
CONNECTS_IN_FLIGHT_MAX: Final = 64
COMMANDS_PER_S_PER_PLAYER_MAX: Final = 50.0
SATURATED_LATENESS_MS: Final = 20.0
SATURATED_CONSECUTIVE_S: Final = 3
REPORTS_PER_S_MAX: Final = 4
SQUADS_MAX: Final = 64
FILES_SPARE: Final = 64
"""Files that a process keeps open besides its players' sockets."""

# --- the link --------------------------------------------------------------
LINK_FRAME_BYTES_MAX: Final = 8 * 1024 * 1024
LINK_REQUEST_BYTES_MAX: Final = 256 * 1024
LINK_CALLS_IN_FLIGHT_MAX: Final = 64
LINK_CONSOLES_MAX: Final = 16
NOTICES_QUEUED_MAX: Final = 1024
QUERY_DEADLINE_S_MAX: Final = 30.0
PAGE_ROWS_MAX: Final = 500
PAGE_ROWS_DEFAULT: Final = 50
LEASE_S: Final = 15.0
"""A console that has not been heard of for this long no longer holds faults armed."""

# --- hub and feed ----------------------------------------------------------
SNAPSHOTS_PER_S: Final = 4
EVENT_TAIL_MAX: Final = 500
EVENTS_PER_SNAPSHOT_MAX: Final = 60
EVENTS_RING_MAX: Final = 200_000
"""Newest events that the hub can be asked for."""
POLICIES_MAX: Final = 128
VIOLATION_TAIL_MAX: Final = 200
SERIES_SECONDS_MAX: Final = 240
HEATMAP_SIDE: Final = 32
WATCHERS_MAX: Final = 16
"""Watchers of the world's event batches."""
WATCHER_BACKLOG_BYTES_MAX: Final = 4 * 1024 * 1024
BATCHES_KEPT_UNWATCHED_MAX: Final = 20
"""Newest event batches that wait for a world's first watcher."""
CHILD_FRAME_BYTES_MAX: Final = 32 * 1024 * 1024
CHILD_GRACE_S: Final = 5.0
DRAIN_S: Final = 5.0
"""Commands in flight at the end of a run are waited for this long."""
CHILD_RESTARTS_MAX: Final = 5
CHILD_START_S_MAX: Final = 45.0
CHILD_STEADY_S: Final = 60.0
"""A child that ran for this long has its restarts forgiven."""
TELEMETRY_ROWS_QUEUED_MAX: Final = 10_000
LOG_BYTES_MAX: Final = 64 * 1024 * 1024
FREE_BYTES_MIN: Final = 64 * 1024 * 1024
"""A run does not begin with less disk space, and tells when less is left."""
UNATTENDED_S_MAX: Final = 1800.0

# --- the story -------------------------------------------------------------
BEAT_CHARS_MAX: Final = 240
BEAT_EVENTS_MAX: Final = 16
BEAT_CAST_MAX: Final = 8
BEATS_PER_POST_MAX: Final = 32
BEATS_KEPT_MAX: Final = 1000
"""Newest beats that the hub can be asked for; telemetry.db has all."""
BEAT_TAIL_MAX: Final = 60

# --- faults ----------------------------------------------------------------
FAULT_HOLD_S_DEFAULT: Final = 60.0
FAULT_HOLD_S_MAX: Final = 3600.0
FAULTS_ARMED_MAX: Final = 32
FAULTS_KEPT_MAX: Final = 256
"""Newest faults of a run that the hub and the squads remember; telemetry.db has all."""
FAULTS_SHOWN_MAX: Final = 48
ACKS_REMEMBERED_MAX: Final = 12
"""Newest acknowledgements of each player, for whoever looks into it."""
LOAD_CHANGES_PER_S_MAX: Final = 2

# --- scenario, filter, command line ----------------------------------------
SCENARIO_BYTES_MAX: Final = 1024 * 1024
STAGES_MAX: Final = 100
THRESHOLDS_MAX: Final = 100
DURATION_S_MAX: Final = 7 * 24 * 3600.0
FILTER_CHARS_MAX: Final = 256
FILTER_TERMS_MAX: Final = 16
MARK_CHARS_MAX: Final = 200
RUN_NAME_CHARS_MAX: Final = 64
