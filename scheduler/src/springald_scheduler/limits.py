"""Every limit that only a scheduler has, with its unit as the name's last word."""

from typing import Final

STREAMS_MAX: Final = 2_048
"""Executors and followed jobs together; each takes a thread."""

CALL_THREADS_MAX: Final = 32
"""Calls that are answered at the same time, beside the streams."""

PLANNING_MS_MAX: Final = 30_000
"""How long one statement may be planned."""

PLANNER_THREADS_MAX: Final = 16
"""Statements that are being planned, or wait for the planner, at the same time."""

UPLOAD_STORED_MS_MAX: Final = 10_000
"""How long an executor's word that an upload is stored may take after the client's."""

UPLOAD_ASSIGNED_SLACK_MS: Final = 5_000
"""How much later than the core a caller gives up that waits for a place for its upload."""

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

PINGS_INTERVAL_MS_MIN: Final = 10_000
"""How often clients and executors may probe an idle connection."""

PROBE_INTERVAL_MS: Final = 30_000
"""How often a quiet connection is probed from this side."""

PROBE_ANSWER_MS_MAX: Final = 20_000
"""How long a probe may go unanswered before the connection counts as broken."""
