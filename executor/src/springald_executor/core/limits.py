"""Every limit of an executor, with its unit as the name's last word."""

from typing import Final

BLOCK_BYTES_MIN: Final = 1024 * 1024
"""Rows of a partition are gathered to this size before they are appended: opening a range costs
0.3 ms, so small blocks read slowly."""

BLOCK_BYTES_FLOOR: Final = 64 * 1024
"""The least that rows are gathered to when a task has many partitions and little memory."""

GATHER_SHARE_DIVISOR: Final = 8
"""Gathering all partitions may take this part of a task's memory."""

MEMORY_FILE_BYTES_MIN: Final = 256 * 1024
"""A file starts in memory if at least this much of its grant is left."""

UPLOAD_BLOCK_ROWS_MAX: Final = 64 * 1024
"""Rows in a block of an upload."""

UPLOAD_PARTITION_BYTES: Final = 4 * 1024 * 1024
"""An upload gets a partition for each of these, so that several tasks can read it."""

UPLOAD_PARTITIONS_MAX: Final = 64
"""Partitions of one upload."""

DRAIN_THREADS_MAX: Final = 1024
"""Outputs of one hash exchange, which are all drained at once, a thread each."""

DRAIN_STOP_MS_MAX: Final = 500
"""How long other outputs of a failed task may take to notice; then their engine is given up."""

FETCH_CALLS_MAX: Final = 16
"""Calls to other executors that a task has open at the same time."""

FETCH_SILENCE_MS_MAX: Final = 10_000
"""How long a peer may send nothing before a fetch has failed: as long as an executor may be silent
before the scheduler takes it for lost."""

LOCATE_MS_MAX: Final = 5_000
"""How long a peer may take to say where its files lie, before their rows are fetched instead."""

PEER_KEEPALIVE_MS: Final = 10_000
"""How often a silent peer is probed while rows are fetched from it."""

TICKET_LIFETIME_MS: Final = 10 * 60 * 1000
"""How long a ticket from an executor to its peer can be shown."""

CONTEXTS_MAX: Final = 8
"""Engine sessions that an engine process keeps, one for each set of settings."""

ENGINES_READY_MAX: Final = 8
"""Engine processes that are kept ready, if there are as many slots: each takes about 100 MB."""

ENGINE_START_MS_MAX: Final = 60_000
"""How long an engine process may take until it is ready."""

ENGINE_STARTS_FAILED_MAX: Final = 3
"""Engine processes in a row that may die before they are ready, if none ever was."""

ENGINE_RESTARTS_FAILED_MAX: Final = 20
"""The same where one was ready before: what kills them now (somebody's memory) may pass."""

ENGINE_SEND_BYTES_MAX: Final = 64 * 1024
"""A task up to this size is sent to its engine at once: it fits into the socket's buffer, so that
nobody waits for an engine that does not read."""

ENGINE_GROWN_BYTES_MAX: Final = 1024 * 1024 * 1024
"""An idle engine process that holds more than this, and more than the part of its last task's share
that is named next, is replaced. So is one that leaves too little for its next task."""

ENGINE_GROWN_SHARE_DIVISOR: Final = 2
"""An idle engine process may hold this part of its last task's share of memory."""

ENGINE_BASE_BYTES: Final = 512 * 1024 * 1024
"""What an engine process may take beside its task's share of memory."""

ENGINE_OVERRUN_PERCENT: Final = 150
"""How far an engine process may outgrow its share before it is killed: the engine does not count
all that it allocates."""

ABANDON_MS: Final = 1_500
"""How long local mode waits for a stopped task to notice, before it goes on without it."""

DRAIN_S_DEFAULT: Final = 30.0
"""How long an executor that is to leave waits for its tasks, and for readers of what they made, in
seconds: as long as Kubernetes waits by default."""

FAREWELL_MS_MAX: Final = 5_000
"""How long a leaving executor waits until its last messages are sent and its servers stopped."""

SCHEDULER_KEEPALIVE_MS: Final = 10_000
"""How often the stream to the scheduler is probed, which may be paused while another one leads."""

SCHEDULER_PROBE_MS_MAX: Final = 5_000
"""How long a probe may go unanswered before the stream counts as broken."""

RECONNECT_FIRST_MS: Final = 100
"""The first wait before the scheduler is called again; each further one doubles."""

RECONNECT_MS_MAX: Final = 1_000
"""The longest wait before the scheduler is called again."""

RECONNECT_TOLD_MS: Final = 60_000
"""How often it is said that the scheduler still cannot be reached, for the same reason."""
