"""Engine sessions whose settings cannot make a distributed answer wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from datafusion import RuntimeEnvBuilder, SessionConfig, SessionContext

ENGINE_NAME: Final = "datafusion"

PINNED_SETTINGS: Final[dict[str, str]] = {
    # Sibling partitions of a scan would read each other's files, also when only one of them runs.
    "datafusion.execution.enable_file_stream_work_stealing": "false",
    # A repartition without keys cannot be cut, and hides the partitions below it.
    "datafusion.optimizer.enable_round_robin_repartition": "false",
    # An interleave needs children that declare their hash partitioning, which a read leaf cannot.
    "datafusion.optimizer.prefer_existing_union": "true",
    # A filter's producer and consumer may part: the scan would wait for ever or lose the filter.
    "datafusion.optimizer.enable_dynamic_filter_pushdown": "false",
    "datafusion.optimizer.enable_join_dynamic_filter_pushdown": "false",
    "datafusion.optimizer.enable_topk_dynamic_filter_pushdown": "false",
    "datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown": "false",
    # An exchange that keeps an order per output partition is not offered.
    "datafusion.optimizer.prefer_existing_sort": "false",
    # The engine pushes a LIMIT through window functions into the aggregate below, which then leaves
    # out groups that the window counts: a wrong answer in one process too.
    "datafusion.optimizer.enable_topk_aggregation": "false",
    # The engine takes files of one folder for rows of one hash, and joins them with rows that are
    # hashed: it leaves out rows, in one process too.
    "datafusion.optimizer.preserve_file_partitions": "0",
    # Operators that the engine cannot serialise.
    "datafusion.optimizer.enable_piecewise_merge_join": "false",
    "datafusion.optimizer.enable_window_topn": "false",
    # Springald finds names and locations in a statement, and must read it as the engine does.
    "datafusion.sql_parser.dialect": "generic",
    "datafusion.sql_parser.enable_ident_normalization": "true",
    "datafusion.catalog.information_schema": "true",
}
"""What no session may change. Each entry says which wrong answer or hang it prevents."""

DEFAULT_SETTINGS: Final[dict[str, str]] = {
    # Build sides up to this size are sent to every task instead of shuffling both sides.
    "datafusion.optimizer.hash_join_single_partition_threshold": str(100 * 1024 * 1024),
    "datafusion.optimizer.hash_join_single_partition_threshold_rows": str(4 * 1024 * 1024),
}
"""Where Springald starts from other defaults than the engine; a session may change them."""

PROTECTED_PREFIXES: Final = ("datafusion.catalog.", "datafusion.runtime.")
"""Settings of the process rather than of the session."""


def make_context(
    settings: Mapping[str, str],
    *,
    partitions: int,
    memory_bytes: int | None = None,
    spill_dir: Path | None = None,
) -> SessionContext:
    """Makes an engine session.

    Args:
        settings: The session's own settings by name; pinned ones win over them.
        partitions: How many partitions plans are made for.
        memory_bytes: The size of the fair spill pool; no limit if absent.
        spill_dir: Where operators spill; the system's temporary folder if absent.
    """
    config = SessionConfig().with_target_partitions(partitions)
    for name, value in {**DEFAULT_SETTINGS, **settings, **PINNED_SETTINGS}.items():
        config = config.set(name, value)
    runtime = RuntimeEnvBuilder()
    if memory_bytes is not None:
        runtime = runtime.with_fair_spill_pool(memory_bytes)
    if spill_dir is not None:
        runtime = runtime.with_disk_manager_specified(spill_dir)
    else:
        runtime = runtime.with_disk_manager_os()
    context = SessionContext(config, runtime)
    # A folder is listed whenever a query is planned: a listing that is kept tells nothing of files
    # that came, went or changed.
    context.sql("SET datafusion.runtime.list_files_cache_limit = '0K'")
    return context
