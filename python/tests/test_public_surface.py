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
        "describe_plan",
        "execute_plan",
        "executors",
        "from_arrow",
        "from_pandas",
        "from_polars",
        "from_pydict",
        "from_pylist",
        "jobs",
        "profile",
        "range",
        "read_arrow",
        "read_csv",
        "read_empty",
        "read_json",
        "read_parquet",
        "read_table",
        "register",
        "register_arrow",
        "register_csv",
        "register_json",
        "register_parquet",
        "register_table",
        "register_view",
        "scheduler_version",
        "session_id",
        "sql",
        "table",
        "table_function",
        "tables",
        "url",
    },
    "DataFrame": {
        "aggregate",
        "alias",
        "cache",
        "cast",
        "col",
        "collect",
        "collect_column",
        "column",
        "columns",
        "count",
        "cross_join",
        "cube",
        "describe",
        "distinct",
        "distinct_on",
        "drop",
        "except_",
        "except_all",
        "execute",
        "execute_stream",
        "explain",
        "fill_nan",
        "fill_null",
        "filter",
        "find_qualified_columns",
        "group_by",
        "grouping_sets",
        "head",
        "intersect",
        "into_view",
        "join",
        "join_on",
        "limit",
        "parse_sql_expr",
        "rename",
        "repartition",
        "repartition_by_hash",
        "rollup",
        "sample",
        "schema",
        "select",
        "select_exprs",
        "show",
        "sort",
        "sort_by",
        "sql",
        "tail",
        "to_arrow",
        "to_arrow_table",
        "to_batches",
        "to_pandas",
        "to_plan",
        "to_polars",
        "to_pydict",
        "to_pylist",
        "transform",
        "union",
        "union_by_name",
        "union_distinct",
        "unnest_columns",
        "window",
        "with_column",
        "with_column_renamed",
        "with_columns",
        "with_parameters",
        "write_csv",
        "write_json",
        "write_parquet",
    },
    "Expr": {
        "abs",
        "acos",
        "acosh",
        "alias",
        "array_dims",
        "array_distinct",
        "array_empty",
        "array_length",
        "array_ndims",
        "array_pop_back",
        "array_pop_front",
        "arrow_typeof",
        "ascii",
        "asin",
        "asinh",
        "atan",
        "atanh",
        "between",
        "bit_length",
        "btrim",
        "build",
        "cardinality",
        "cast",
        "cbrt",
        "ceil",
        "char_length",
        "character_length",
        "chr",
        "column",
        "cos",
        "cosh",
        "cot",
        "degrees",
        "distinct",
        "empty",
        "exp",
        "factorial",
        "fill_nan",
        "fill_null",
        "filter",
        "flatten",
        "floor",
        "from_unixtime",
        "ilike",
        "in_list",
        "in_subquery",
        "initcap",
        "is_distinct_from",
        "is_nan",
        "is_not_distinct_from",
        "is_not_null",
        "is_null",
        "isnan",
        "iszero",
        "length",
        "like",
        "list_dims",
        "list_distinct",
        "list_length",
        "list_ndims",
        "literal",
        "ln",
        "log10",
        "log2",
        "lower",
        "ltrim",
        "md5",
        "null_treatment",
        "octet_length",
        "order_by",
        "over",
        "partition_by",
        "radians",
        "reverse",
        "rlike",
        "rtrim",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "signum",
        "similar_to",
        "sin",
        "sinh",
        "sort",
        "sqrt",
        "string_literal",
        "tan",
        "tanh",
        "to_hex",
        "trim",
        "try_cast",
        "upper",
        "window_frame",
    },
    "FrameSchema": set(),
    "GroupedData": {
        "agg",
        "count",
        "max",
        "mean",
        "min",
        "sum",
    },
    "SortExpr": {
        "ascending",
        "expr",
        "nulls_first",
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
PUBLIC["WindowFrame"] = {"get_frame_units", "get_lower_bound", "get_upper_bound"}
PUBLIC["SessionContext"] = PUBLIC["Connection"]
FUNCTIONS = {"col", "column", "connect", "lit", "literal"}
MODULES = {"expr", "functions"}
# Between modules of the client; a user has no use for them.
INTERNAL = {
    "ask_to_stop", "finish", "from_proto", "node", "offsets", "parameters", "session", "to_proto",
    "wait_ready",
}  # fmt: skip
ERRORS = {"BugError", "CallerError", "ClusterError", "DataError", "SpringaldError"}
IMPORT_S_MAX = 0.4


def test_public_surface_names_are_listed() -> None:
    """What a user may rely on is what is listed, no less and no more."""
    named = PUBLIC.keys() | FUNCTIONS | MODULES | ERRORS | {"__version__"}
    assert set(springald.__all__) == named
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
        "springald.DataFrame; springald.col; springald.functions.sum; "
        "heavy = {'datafusion', 'pandas', 'polars', 'pyarrow._flight', 'pyarrow.compute', "
        "'pyarrow.csv', 'pyarrow.parquet', 'rich', 'springald_scheduler', 'typer'}; "
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
