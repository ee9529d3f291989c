"""Every limit that only a client has, with its unit as the name's last word."""

from typing import Final

PORT_DEFAULT: Final = 50050
"""Where a scheduler listens unless it is told otherwise."""

CONNECT_MS_MAX: Final = 5_000
"""How long opening a session may take before the scheduler counts as not reachable."""

ELECTION_MS_MAX: Final = 15_000
"""How long opening a session goes on among several schedulers of which none leads yet."""

CALL_MS_MAX: Final = 60_000
"""How long one call may take; planning and listing many files are the slow ones."""

CLOSE_MS_MAX: Final = 2_000
"""How long saying goodbye may take: closing a session, releasing a result."""

RELEASE_HELD_MS: Final = 200
"""How long giving up a result whose rows have come waits for a statement to go with."""

SCHEDULER_AWAY_MS_MAX: Final = 60_000
"""How long calls are made again, and jobs attached to again, while no scheduler can be reached."""

JOBS_LISTED_MAX: Final = 1_000
"""How many jobs a list may ask for."""

BACKOFF_FIRST_MS: Final = 50
"""The wait before the second try; it doubles from try to try."""

BACKOFF_MS_MAX: Final = 500
"""The longest wait between two tries."""

KEEPALIVE_INTERVAL_MS: Final = 30_000
"""How often an idle channel to the scheduler is probed."""

KEEPALIVE_INTERVAL_OF_SEVERAL_MS: Final = 10_000
"""The same where there are other schedulers to turn to."""

KEEPALIVE_ANSWER_OF_SEVERAL_MS_MAX: Final = 5_000
"""How long such a probe may go unanswered before another scheduler is asked."""

FLIGHT_KEEPALIVE_INTERVAL_MS: Final = 310_000
"""How often an idle Flight channel is probed: servers by default resent it below five minutes."""

KEEPALIVE_ANSWER_MS_MAX: Final = 20_000
"""How long a probe may go unanswered before the channel counts as broken."""

RECONNECT_MS_MAX: Final = 1_000
"""The longest wait between two attempts of a channel to connect."""

UPLOAD_MS_MAX: Final = 60 * 60 * 1000
"""How long sending the rows of one table may take."""

INLINE_TABLE_BYTES_MAX: Final = 64 * 1024
"""Rows in memory up to this size travel inside a plan; larger ones are sent to the cluster once."""

UPLOAD_BLOCK_BYTES_MAX: Final = 8 * 1024 * 1024
"""Rows are sent in blocks of about this size."""

PREFETCH_BATCHES_MAX: Final = 4
"""Batches of a result that are fetched before they are asked for."""

IN_PLACE_BYTES_MIN: Final = 4 * 1024 * 1024
"""A part of a result from this size on is worth asking whether its file lies on this host."""

LOCATE_MS_MAX: Final = 5_000
"""How long an executor may take to say where a part lies, before its rows are fetched instead."""

ROWS_SILENCE_MS_MAX: Final = 20_000
"""How long a Flight server may leave a reader without the next rows, before they count as lost."""

SHOW_ROWS_DEFAULT: Final = 20
"""Rows that `show()` prints."""

HTML_ROWS_MAX: Final = 20
"""Rows of a DataFrame in a notebook."""

CELL_CHARACTERS_MAX: Final = 200
"""Characters of one value in a printed table."""

CARET_CHARACTERS_MAX: Final = 160
"""Characters of a long line that are shown round a caret."""

PROCESS_READY_MS_MAX: Final = 60_000
"""How long a process of a local cluster may take until it serves."""

PROCESS_STOP_MS_MAX: Final = 10_000
"""How long a process of a local cluster may take to stop before it is killed."""

GROUP_END_MS_MAX: Final = 500
"""How long to wait for the end of what a process of a local cluster left behind."""

EXECUTORS_BACK_MS_MAX: Final = 30_000
"""How long executors may take to find a restarted scheduler."""

READY_POLL_MS: Final = 10
"""How often a local cluster looks whether a process is ready."""

LOG_TAIL_LINES: Final = 20
"""Lines of a log that stand in an error."""
