"""Every limit that both sides of the protocol share, with its unit as the name's last word."""

from typing import Final

PROTOCOL_MAJOR: Final = 1
PROTOCOL_MINOR: Final = 1

BATCH_PROTOCOL_MINOR: Final = 1
"""From this minor version on executors take several messages in one."""

RELEASES_PROTOCOL_MINOR: Final = 1
"""From this minor version on schedulers release several jobs in one call."""

RELEASED_PER_CALL_MAX: Final = 1_000
"""Jobs that one call may release beside what it is for."""

MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
"""A control message, in both directions."""

LOCAL_MEMORY_BYTES_MIN: Final = 1024 * 1024
"""What local mode deals out to tasks, at least."""

STATEMENT_BYTES_MAX: Final = 4 * 1024 * 1024
"""The text of one statement."""

INLINE_ROWS_BYTES_MAX: Final = 4 * 1024 * 1024
"""Rows that travel inside a job update."""

ERROR_MESSAGE_BYTES_MAX: Final = 16 * 1024
"""The text of an error."""

ENGINE_MESSAGE_BYTES_MAX: Final = 16 * 1024
"""The engine's own words in an error."""

PLAN_BYTES_MAX: Final = 8 * 1024 * 1024
"""A plan that is no SQL text."""

PLAN_NODES_MAX: Final = 20_000
"""Relations and expressions of a plan together."""

RELATION_DEPTH_MAX: Final = 200
"""Nested relations of a plan."""

EXPRESSION_DEPTH_MAX: Final = 100
"""Nested expressions of a plan, those round a subquery included."""

PLAN_INLINE_ROWS_BYTES_MAX: Final = 2 * 1024 * 1024
"""Rows inside of a plan."""

CUBE_EXPRESSIONS_MAX: Final = 12
"""Grouping expressions of a cube, which has two to the power of it grouping sets."""

SQL_DEPTH_MAX: Final = 50
"""Nested expressions or queries in a statement: where the engine's parser stops."""

FRAGMENT_DEPTH_MAX: Final = 45
"""Nested operators in one fragment: the engine's decoder stops at 49 (protobuf's 100 levels)."""

PARTITIONS_MAX: Final = 1_024
"""Partitions that a query is planned for: each task has an output for each of them."""

TYPE_DEPTH_MAX: Final = 32
"""Nested data types in a schema."""

SCALAR_BYTES_MAX: Final = 256 * 1024 * 1024
"""The arrays that one scalar becomes: nulls of wide types are short on the wire only."""

OPERATION_ID_CHARACTERS_MAX: Final = 64
"""A client's name for a job."""

TICKET_LIFETIME_MS: Final = 24 * 60 * 60 * 1000
"""How long a Flight ticket opens what it names."""

SESSION_LEASE_MS: Final = 10 * 60 * 1000
"""How long a session lives without a call."""

SESSION_KEEP_INTERVAL_MS: Final = 60 * 1000
"""How often a client tells that its session is alive."""

HEARTBEAT_INTERVAL_MS: Final = 1_000
"""How often an executor tells that it is alive."""

EXECUTOR_SILENCE_MS_MAX: Final = 10_000
"""How long an executor may be silent before it is declared lost."""

NO_EXECUTOR_MS_MAX: Final = 60_000
"""How long a job waits while there is no executor at all."""

UNWATCHED_JOB_MS_MAX: Final = 60_000
"""How long a running job lives while nobody watches it."""

JOBS_REMEMBERED_MAX: Final = 1_000
"""How many released jobs a scheduler can still describe."""

ETCD_CALL_MS_MAX: Final = 2_000
"""How long one member of etcd may take to answer one call."""

ETCD_PROBE_INTERVAL_MS: Final = 10_000
"""How often a connection to etcd is probed; etcd takes one every 5 s amiss."""

ETCD_PROBE_ANSWER_MS_MAX: Final = 5_000
"""How long such a probe may go unanswered."""
