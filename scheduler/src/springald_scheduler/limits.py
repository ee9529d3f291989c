"""Every limit that only a scheduler has, with its unit as the name's last word."""

from typing import Final

STREAMS_MAX: Final = 2_048
"""Executors and followed jobs together; each takes a thread."""

CALL_THREADS_MAX: Final = 32
"""Calls that are answered at the same time, beside the streams."""

PLANNING_MS_MAX: Final = 30_000
"""How long one statement may be planned."""

PLANNING_BYTES_MAX: Final = 1024 * 1024 * 1024
"""By how many bytes a planning process may grow for one statement."""

PLANNING_LOOK_MS: Final = 20
"""How often a planning process that takes long is looked at: its time and its memory."""

PLANNERS_READY: Final = 2
"""Planning processes that are kept ready, beside those that are stuck in a slow statement."""

PLANNERS_MAX: Final = 8
"""Planning processes at most, so the number of slow statements that delay nobody else's."""

PLANNER_PATIENCE_MS: Final = 250
"""How long a session waits for another one's statement before it is planned elsewhere."""

PLANNER_WAIT_MS_MAX: Final = 30_000
"""How long a statement waits for a planning process while all are busy with others."""

PLANNER_SPARE_MS: Final = 60_000
"""How long a planning process that is not needed is kept."""

PLANS_KEPT_MAX: Final = 1_024
"""Plans that a planning process keeps for queries that come again."""

PLAN_KEPT_BYTES_MAX: Final = 64 * 1024
"""The text and fragments of a plan that is kept."""

PLANS_KEPT_BYTES_MAX: Final = 16 * 1024 * 1024
"""The same of all plans that a planning process keeps."""

WORDS_KEPT_CHARACTERS_MAX: Final = 64 * 1024
"""The text of a statement whose words are not found anew by each who asks for them."""

PLANNER_THREADS_MAX: Final = 16
"""Statements that are being planned, or wait for the planner, at the same time."""

UPLOAD_STORED_MS_MAX: Final = 10_000
"""How long an executor's word that an upload is stored may take after the client's."""

UPLOAD_ASSIGNED_SLACK_MS: Final = 5_000
"""How much later than the core a caller gives up that waits for a place for its upload."""

NEWS_HELD_MS: Final = 100
"""How long a follower's news, but the last, wait for those that replace them."""

STOP_MS_MAX: Final = 2_000
"""How long calls may take to end when the scheduler stops."""

JOBS_LISTED_DEFAULT: Final = 100
"""How many jobs a list has unless it is told otherwise."""

JOBS_LISTED_MAX: Final = 1_000
"""How many jobs a list has at most."""

DEFINITIONS_KEPT_MAX: Final = 32
"""Encoded stage definitions that are kept for the next executor that needs one."""

THREAD_SWITCH_MS: Final = 1
"""How long a thread may compute while another one waits to carry news on."""

GARBAGE_OBJECTS_MIN: Final = 50_000
"""New objects until the interpreter looks for cycles: each full look stops everybody, for 0.1 s
where 100,000 tasks are remembered, and hardly anything here is in a cycle."""

BATCH_BYTES_MIN: Final = 256 * 1024
"""From this size on messages to an executor are not joined by others that wait."""

BATCH_BYTES_MAX: Final = 8 * 1024 * 1024
"""Messages that are larger together are sent one by one."""

PINGS_INTERVAL_MS_MIN: Final = 5_000
"""How often clients and executors may probe an idle connection."""

PROBE_INTERVAL_MS: Final = 30_000
"""How often a quiet connection is probed from this side."""

PROBE_ANSWER_MS_MAX: Final = 20_000
"""How long a probe may go unanswered before the connection counts as broken."""

ETCD_RETRY_MS: Final = 100
"""How long to wait before a watch of etcd is opened again."""

ETCD_PAGE_KEYS: Final = 64
"""Keys that are read from etcd in one answer."""

STATE_MS_MAX: Final = 30_000
"""How long a write of state is tried again before the scheduler gives up."""

STATE_RETRY_FIRST_MS: Final = 20
"""The first wait before such a write is tried again; it doubles each time."""

STATE_RETRY_MS_MAX: Final = 500
"""The longest such wait."""

SERVING_MS_MAX: Final = 20_000
"""How long a call waits for a scheduler that takes up what an earlier process left."""

LEADER_LEASE_MS: Final = 5_000
"""How long a leader that is silent stays one."""

LEADER_LOOK_MS: Final = 500
"""How often a scheduler that waits looks whether somebody leads."""

STATE_OF_SEVERAL_MS_MAX: Final = 60_000
"""The same where another scheduler may take over; mostly the lease ends before."""

STORE_AT_START_MS_MAX: Final = 60_000
"""How long a scheduler that starts waits for a store that does not answer."""

STORE_AT_START_LOOK_MS: Final = 1_000
"""How long it waits between two looks."""

MIRROR_BEHIND_MS_MAX: Final = 2_000
"""How far a waiting scheduler's copy of the records may be behind, before it answers no reads."""

MIRROR_RETRY_MS: Final = 500
"""How long a waiting scheduler waits before it copies the records again."""
