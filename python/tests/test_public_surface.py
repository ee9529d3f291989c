"""The public names, in one place: what is listed here stays."""

import inspect
import subprocess
import sys
import time

import springald
from springald import errors

PUBLIC = {
    "Connection": {
        "cancel_job",
        "close",
        "deregister_table",
        "executors",
        "jobs",
        "profile",
        "register",
        "register_arrow",
        "register_csv",
        "register_json",
        "register_parquet",
        "scheduler_version",
        "session_id",
        "sql",
        "table",
        "tables",
        "url",
    },
    "DataFrame": {
        "collect",
        "columns",
        "count",
        "execute",
        "explain",
        "head",
        "limit",
        "schema",
        "show",
        "sql",
        "to_arrow",
        "to_arrow_table",
        "to_batches",
        "to_pandas",
        "to_polars",
        "to_pydict",
        "to_pylist",
    },
    "Job": {
        "cancel",
        "error",
        "explain",
        "graph",
        "id",
        "on_progress",
        "operation_id",
        "profile",
        "progress",
        "release",
        "result",
        "result_batches",
        "statement",
        "statistics",
        "status",
        "wait",
        "waiting_reason",
    },
    "LocalCluster": {
        "add_executor",
        "close",
        "connect",
        "executors",
        "restart_scheduler",
        "scheduler",
        "url",
    },
    "ClusterProcess": {"is_alive", "kill", "log", "pid", "terminate", "wait"},
    "ExecutorProcess": {
        "executor_id",
        "flight_address",
        "is_alive",
        "kill",
        "log",
        "pid",
        "terminate",
        "wait",
    },
    "JobStatus": {"CANCELLED", "FAILED", "QUEUED", "RUNNING", "SUCCEEDED", "is_final"},
    "Progress": {
        "fraction",
        "stages_finished",
        "stages_total",
        "tasks_finished",
        "tasks_running",
        "tasks_total",
    },
    "JobStatistics": {
        "bytes_shuffled",
        "decisions",
        "elapsed_ms",
        "job_id",
        "progress",
        "stages",
        "status",
        "tasks",
        "tasks_per_executor",
    },
    "StageStatistics": {
        "bytes_out",
        "bytes_read_local",
        "bytes_read_remote",
        "bytes_shuffled",
        "elapsed_ms",
        "rows_out",
        "stage_id",
        "tasks",
        "tasks_finished",
    },
    "TaskStatistics": {
        "bytes_out",
        "bytes_read_local",
        "bytes_read_remote",
        "elapsed_ms",
        "executor_id",
        "partitions",
        "rows_out",
        "stage_id",
        "state",
        "task_id",
    },
    "JobProfile": {
        "decisions",
        "elapsed_ms",
        "error",
        "job_id",
        "stages",
        "statement",
        "status",
        "to_arrow",
        "to_json",
        "to_text",
    },
    "StageProfile": {
        "bytes_out",
        "bytes_read_local",
        "bytes_read_remote",
        "bytes_shuffled",
        "bytes_spilled",
        "decisions",
        "elapsed_ms",
        "exchange",
        "keys",
        "operators",
        "output_partitions",
        "partitions",
        "reads",
        "rows_in",
        "rows_out",
        "single_task_reason",
        "stage_id",
        "task_ms",
        "tasks",
        "tasks_finished",
    },
    "OperatorProfile": {
        "bytes_scanned",
        "bytes_spilled",
        "depth",
        "detail",
        "details",
        "inputs",
        "name",
        "node_id",
        "rows_estimated",
        "rows_in",
        "rows_out",
        "spill_count",
        "task_ms",
        "tasks",
        "total_ms",
    },
    "Spread": {"max", "median", "min"},
    "TableInfo": {"kind", "name", "schema"},
    "JobInfo": {
        "elapsed_ms",
        "error",
        "id",
        "operation_id",
        "progress",
        "session_id",
        "statement",
        "status",
        "submitted",
        "waiting_reason",
    },
    "ExecutorInfo": {
        "flight_address",
        "id",
        "memory_bytes",
        "pid",
        "silent_ms",
        "slots",
        "slots_free",
        "state",
    },
}
FUNCTIONS = {"connect"}
# Between modules of the client; a user has no use for them.
INTERNAL = {"ask_to_stop", "finish", "from_proto", "wait_ready"}
ERRORS = {"BugError", "CallerError", "ClusterError", "DataError", "SpringaldError"}
IMPORT_S_MAX = 0.4


def test_public_surface_names_are_listed() -> None:
    """What a user may rely on is what is listed, no less and no more."""
    assert set(springald.__all__) == PUBLIC.keys() | FUNCTIONS | ERRORS | {"__version__"}
    for kind, names in PUBLIC.items():
        assert _public_names(getattr(springald, kind)) - INTERNAL == names, kind


def test_public_surface_signatures_are_kept() -> None:
    """The calls of the first day keep their parameters."""
    assert list(inspect.signature(springald.connect).parameters) == ["url", "settings"]
    assert list(inspect.signature(springald.LocalCluster).parameters)[:2] == ["executors", "slots"]
    assert springald.__version__ == "0.1.0"
    assert errors.SpringaldError is springald.SpringaldError


def test_public_surface_every_callable_has_a_docstring() -> None:
    """Whoever asks for help gets some."""
    for kind, names in PUBLIC.items():
        for name in names:
            attribute = inspect.getattr_static(getattr(springald, kind), name, None)
            if callable(attribute) or isinstance(attribute, property):
                assert inspect.getdoc(attribute), f"{kind}.{name}"


def test_import_thin_client_is_light() -> None:
    """Importing, and connecting with, the client loads no engine, and no library before its use."""
    code = (
        "import sys, time; start = time.process_time(); import springald; springald.connect; "
        "took = time.process_time() - start; "
        "heavy = {'datafusion', 'pandas', 'polars', 'pyarrow._flight', 'rich', 'typer'}; "
        "print(took, sorted(heavy & sys.modules.keys()))"
    )
    best_s = IMPORT_S_MAX
    deadline = time.monotonic() + 30
    while best_s >= IMPORT_S_MAX and time.monotonic() < deadline:
        ran = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        took, _, heavy = ran.stdout.partition(" ")
        assert heavy.strip() == "[]"
        best_s = min(best_s, float(took))
    assert best_s < IMPORT_S_MAX


def _public_names(kind: type) -> set[str]:
    classes = [base for base in kind.__mro__ if base.__module__.startswith("springald.")]
    return {name for base in classes for name in vars(base) if not name.startswith("_")}
