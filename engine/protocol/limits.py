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
ENTITY_ID_MAX: Final = 2**32 - 1
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
CASCADE_PENDING_MAX: Final = 100_000
"""Events whose reactions wait for the next tick; what is more never gets any, and that is told."""
CASCADE_LOOP_MAX: Final = 3
"""How often a chain of reactions comes back to one rule and one entity before it is stopped."""
CASCADE_TRAIL_MAX: Final = 128
"""How many reactions back a loop is looked for."""
CASCADE_CHAIN_MAX: Final = 1024
"""Reactions in one chain, over all its ticks; a longer one is stopped like a loop."""
CASCADE_STEPS_KEPT_MAX: Final = 100_000
"""Reactions that are remembered from tick to tick, so that loops are found."""
RULES_MAX: Final = 250
INVARIANT_REPEAT_TICKS: Final = 50
"""From one report of a broken invariant to its next, whatever happens in between."""
INVARIANT_NAMED_MAX: Final = 64
"""Places in which an invariant is broken that are remembered as told."""
REPLAY_DIFFERENCES_SHOWN_MAX: Final = 20
"""Differing fields that a verification names; the number of the others is told."""
SUMMARY_BYTES_MAX: Final = 4 * 1024 * 1024
"""A ``summary.json`` that is read again; one of a run of days with every fault is far smaller."""
LOGGED_BYTES_MAX: Final = 256 * 1024 * 1024
"""One block of the log (a tick's inputs or events, a checkpoint), decompressed."""
LOG_CHECK_BYTES_MAX: Final = 256 * 1024 * 1024
"""How much of a log, newest first, is looked through for damage before a world goes on."""
CHECKPOINT_TICKS: Final = 300
"""Between two checkpoints of a world."""
CHECKPOINT_EVENTS: Final = 250_000
"""A busy world takes a checkpoint earlier: what a restart steps again stays short."""
CHECKPOINTS_KEPT_MAX: Final = 128
"""Beyond it every second of the older half is dropped: the past is then reached in longer steps."""
STREAM_ID_MAX: Final = 2**22 - 1
"""Entities beyond it have no stream; far above every id that a world gives."""

# --- the index of the log ----------------------------------------------------
INDEX_SEGMENT_EVENTS: Final = 16_384
"""As many new events make a segment of the index, ..."""
INDEX_DELAY_S: Final = 10.0
"""... or fewer after this long; what is newer is searched in the log itself."""
INDEX_FLUSH_S: Final = 3.0
"""At the end of a run the rest is indexed for so long; the log has what is left over."""
INDEX_BLOCK_ENTRIES: Final = 4096
INDEX_FAN_IN: Final = 16
"""As many segments of one size are merged into one of the next."""
INDEX_TIERS: Final = 3
INDEX_BLOCKS_READ_MAX: Final = 2048
"""Blocks of the index that one search reads; its answer says where to go on."""
SEARCH_EVENTS_AT_ONCE: Final = 20_000
"""Events of the hub's memory that one question looks at before the hub does anything else."""
SEARCHES_KEPT_MAX: Final = 16
"""Searches of old events that the hub remembers, for who asks the same again."""
HISTORY_IDLE_S: Final = 60.0
"""A historian that was asked nothing for so long is ended."""
HISTORY_ASKED_MAX: Final = 16
"""Questions that wait for the historian."""
HISTORY_KEPT_MAX: Final = 4
"""Past moments that the hub remembers, for who asks the same again."""
CHAIN_EVENTS_MAX: Final = 500
"""Causes and effects of one event that an answer holds; it says when there are more."""
# --- governance --------------------------------------------------------------

POLICIES_PER_WORLD_MAX: Final = 64
"""Built-in ones and those from files: each has a bit in the audit's masks."""
POLICY_PRIORITY_MAX: Final = 1000
POLICY_CHANGES_PER_TICK_MAX: Final = 64
POLICY_FILE_BYTES_MAX: Final = 256 * 1024
SCOPE_ENTITIES_MAX: Final = 1000
PARAM_CHARS_MAX: Final = 1000
REASON_CHARS_MAX: Final = 120
"""Of a user's policy; the built-in ones are shorter."""
AUDIT_TABLE_TICKS: Final = 100
"""The audit of every so manieth tick names the policies, and of every tick that changed them."""
AUDIT_ROW_BITS: Final = 17
"""Of a row's number in the audit; its tick stands above them."""
AUDIT_TICKS_AT_ONCE: Final = 64
"""Ticks whose audit is fetched at once."""
AUDIT_SEARCH_TICKS_MAX: Final = 1024
"""Ticks that one request for audit rows searches; its answer says where to go on."""

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

# --- STAT7 -------------------------------------------------------------------
CHAIN_LINE_BYTES_MAX: Final = 1024 * 1024
"""One bit-chain as a line of JSON."""
CHAIN_DEPTH_MAX: Final = 64
"""Objects and lists inside one another in a bit-chain's state, itself the first."""
CHAIN_DIGITS_MAX: Final = 1000
"""Of one whole number in a bit-chain."""
STAT7_HISTORY_MAX: Final = 100
"""Newest ``bitchain_created`` that a newcomer is sent."""
STAT7_UPDATES_PER_MESSAGE_MAX: Final = 1000
STAT7_CHAINS_PER_WRITE_MAX: Final = 50
"""Bit-chains that are built and sent before the hub does anything else."""
STAT7_NEAR_MAX: Final = 8
"""Newest others that an entity is adjacent to."""
STAT7_NEAR_TICKS: Final = 100
STAT7_CLIENTS_MAX: Final = 64
STAT7_CONNECTIONS_MAX: Final = 128
"""Clients, and who is still at the door; one more is cut off at once."""
STAT7_FRAME_BYTES_MAX: Final = 4096
"""Of a message that a client sends; a larger one closes its connection."""
STAT7_RECEIVED_BYTES_PER_S_MAX: Final = 16 * 1024
"""What one client sends in one second, of whatever kind; more closes its connection."""
STAT7_RECEIVE_BUFFER_BYTES: Final = 8 * 1024
STAT7_SEND_BUFFER_BYTES: Final = 64 * 1024
"""SO_SNDBUF of a client's socket, so that a reader that stalls is noticed."""
STAT7_BACKLOG_BYTES_MAX: Final = 4 * 1024 * 1024
"""What waits for one client; one that lets more pile up is closed."""
STAT7_STALLED_S_MAX: Final = 10.0
"""A client that took nothing of what waits for it for this long is closed."""
STAT7_OPEN_S: Final = 5.0
STAT7_CLOSE_S: Final = 1.0
"""How long a client that was told why it is closed has to read that before it is cut off."""
STAT7_LOG_LINES_PER_S_MAX: Final = 10
STAT7_FAILURES_MAX: Final = 5
"""Seconds that may fail for a fault of our own; after one more the stream is closed."""
STAT7_STEADY_S: Final = 60.0
"""A stream that went well for this long has its failures forgiven."""

# --- the assault -----------------------------------------------------------
UNANSWERED_TIMEOUT_S: Final = 10.0
COMMANDS_IN_FLIGHT_PER_PLAYER_MAX: Final = 128
CONNECTS_IN_FLIGHT_MAX: Final = 64
COMMANDS_PER_S_PER_PLAYER_MAX: Final = 50.0
SATURATED_LATENESS_MS: Final = 20.0
SATURATED_CONSECUTIVE_S: Final = 3
REPORTS_PER_S_MAX: Final = 4
ERROR_KINDS_MAX: Final = 32
"""Kinds of error told apart; a server that invents reasons fills ``other``."""
CHEAT_KINDS_MAX: Final = 64
"""Policies that cheats are told apart by; what more there are count as ``other``."""
SQUADS_MAX: Final = 64
FILES_SPARE: Final = 64
"""Files that a process keeps open besides its players' sockets."""

# --- the link --------------------------------------------------------------
LINK_FRAME_BYTES_MAX: Final = 8 * 1024 * 1024
LINK_REQUEST_BYTES_MAX: Final = 256 * 1024
LINK_CALLS_IN_FLIGHT_MAX: Final = 64
LINK_CONSOLES_MAX: Final = 16
NOTICES_QUEUED_MAX: Final = 1024
NOTICES_FOR_NEWCOMERS_MAX: Final = 64
"""Newest notices that a console which comes late is told."""
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
EVENT_WATCHES_MAX: Final = 10
"""How often the hub opens the world's event socket again before it gives up."""
EVENT_WATCH_PAUSE_S: Final = 0.5
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

# --- the admin interface ---------------------------------------------------
ADMIN_CONNECTIONS_MAX: Final = 128
ADMIN_HEAD_BYTES_MAX: Final = 16 * 1024
ADMIN_BODY_BYTES_MAX: Final = 64 * 1024
ADMIN_BYTES_DROPPED_MAX: Final = 1024 * 1024
"""What more of a refused body is read and dropped, so that its sender hears the answer."""
ADMIN_REQUEST_S_MAX: Final = 10.0
"""From the first byte of a request to its last; a slower one is cut off."""
ADMIN_IDLE_S_MAX: Final = 15
ADMIN_CLOSE_S: Final = 2.0
"""What is closed and still not gone after this long is cut off."""
ADMIN_SHUTDOWN_S: Final = 1
ADMIN_SEND_BUFFER_BYTES: Final = 256 * 1024
ADMIN_WAITING_BYTES_MAX: Final = 1024 * 1024
"""Unsent bytes of one connection; a client that sends on beyond them is cut off."""
ADMIN_LOG_LINES_MAX: Final = 200
"""Lines of one run's log about what the HTTP server complains of."""
NAME_IN_PATH_CHARS_MAX: Final = 64
STREAMS_MAX: Final = 16
STREAM_LAG_EVENTS_MAX: Final = 50_000
"""A live stream that is further behind is told a gap and goes on with the newest event."""
STREAM_EVENTS_PER_MESSAGE_MAX: Final = 500
STREAM_HEARD_BYTES_MAX: Final = 1024
STREAM_STALL_S_MAX: Final = 30.0
"""A stream whose client has not read for this long is cut off."""
LOG_TICKS_READ_MAX: Final = 64
"""Ticks that one look into the event log fetches."""
LOG_EVENTS_READ_MAX: Final = 20_000
LOG_READERS_MAX: Final = 2
"""Looks into the log and its index that go on at the same time, whoever asks."""
TICKS_READ_AT_ONCE: Final = 256
"""Ticks that are fetched at once by who reads a log from end to end, ..."""
LOG_BYTES_READ_AT_ONCE: Final = 16 * 1024 * 1024
"""... and bytes of them, as stored."""
EVENTS_SEARCH_TICKS_MAX: Final = 1024
"""Ticks that one request for events searches; its answer says where to go on."""
ORDERS_IN_FLIGHT_MAX: Final = 64
ORDER_TIMEOUT_S: Final = 5.0

# --- the story -------------------------------------------------------------
BEAT_CHARS_MAX: Final = 240
BEAT_EVENTS_MAX: Final = 16
BEAT_CAST_MAX: Final = 8
BEATS_PER_POST_MAX: Final = 32
BEATS_KEPT_MAX: Final = 1000
"""Newest beats that the hub can be asked for; telemetry.db has all."""
BEAT_TAIL_MAX: Final = 60
TICKS_PER_BEAT: Final = 10
"""One beat in this many ticks, on average, is what people can follow."""
BEATS_AT_ONCE_MAX: Final = 3
"""Beats that may follow each other closely after a quiet time."""
BEATS_HELD_MAX: Final = 16
"""Stories that wait for their turn in the narrator."""
BEATS_QUEUED_MAX: Final = 256
"""Beats that wait in the narrator until the engine takes them; the oldest go first."""
STORY_BACK_EVENTS_MAX: Final = 150_000
"""How far back a beat reaches for its events; less than the hub keeps, so that it can check."""
STORY_ENTITIES_MAX: Final = 100_000
"""Entities whose last place the narrator knows; who moved the longest ago goes first."""
STORY_PAIRS_MAX: Final = 8192
STORY_FIGURES_MAX: Final = 4096
"""Entities whose deeds the narrator remembers; who did nothing for the longest goes first."""
NARRATOR_GRACE_S: Final = 2.0
"""At the end of a run the narrator has so long to hand in what it has told."""
STREAM_MESSAGE_BYTES_MAX: Final = 1024 * 1024
"""The longest message of the stream that a reader takes."""
ADMIN_ANSWER_BYTES_MAX: Final = 1024 * 1024

# --- faults ----------------------------------------------------------------
SEED_MAX: Final = 2**63 - 1
FAULT_HOLD_S_DEFAULT: Final = 60.0
FAULT_HOLD_S_MAX: Final = 3600.0
FAULTS_ARMED_MAX: Final = 32
HELD_UPDATES_PER_PLAYER_MAX: Final = 64
"""Updates that a fault holds back of one player; only the newest counts anyway."""
FAULTS_KEPT_MAX: Final = 256
"""Newest faults of a run that the hub and the squads remember; telemetry.db has all."""
FAULTS_SHOWN_MAX: Final = 48
ACKS_REMEMBERED_MAX: Final = 12
"""Newest acknowledgements of each player, for whoever looks into it."""
ACK_REASON_CHARS_MAX: Final = 120
ASK_PLAYER_S_MAX: Final = 1.0
"""A squad that has not told of a player within this time is not waited for."""
OUTAGES_SHOWN_MAX: Final = 32
"""Newest spans without a world or a squad that a snapshot tells of."""
LOAD_CHANGES_PER_S_MAX: Final = 2

# --- scenario, filter, command line ----------------------------------------
SCENARIO_BYTES_MAX: Final = 1024 * 1024
STAGES_MAX: Final = 100
THRESHOLDS_MAX: Final = 100
DURATION_S_MAX: Final = 7 * 24 * 3600.0
FILTER_CHARS_MAX: Final = 256
FILTER_TERMS_MAX: Final = 16
MARK_CHARS_MAX: Final = 200
MARKS_SHOWN_MAX: Final = 64
"""Newest marked moments that a snapshot tells of; telemetry.db has all."""
RUN_NAME_CHARS_MAX: Final = 64
PATH_CHARS_MAX: Final = 4096
"""Of a file that a scenario names."""
