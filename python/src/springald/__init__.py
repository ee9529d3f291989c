"""Springald: distributed SQL and DataFrames on Apache Arrow.

Example:
    >>> import springald
    >>> with springald.LocalCluster(executors=2) as cluster:  # doctest: +SKIP
    ...     with cluster.connect() as con:
    ...         con.sql("SELECT 1 AS one").show()
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Final

from springald.errors import BugError, CallerError, ClusterError, DataError, SpringaldError

if TYPE_CHECKING:
    from springald import expr, functions
    from springald.client import Connection, connect
    from springald.cluster import LocalCluster
    from springald.cluster_process import ClusterProcess, ExecutorProcess
    from springald.context import SessionContext
    from springald.dataframe import DataFrame, FrameSchema, GroupedData
    from springald.dataframe.write_options import DataFrameWriteOptions
    from springald.expr import Expr, SortExpr, WindowFrame, col, column, lit, literal
    from springald.job import Job
    from springald.job_profile import JobProfile, OperatorProfile, Spread, StageProfile
    from springald.job_statistics import JobStatistics, StageStatistics, TaskStatistics
    from springald.listings import ExecutorInfo, JobInfo, TableInfo
    from springald.progress import JobStatus, Progress

    __version__: str

# gRPC writes about every connection that ends to standard error, and a person's terminal is not the
# place for that. It reads this once, when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

__all__ = [
    "BugError",
    "CallerError",
    "ClusterError",
    "ClusterProcess",
    "Connection",
    "DataError",
    "DataFrame",
    "DataFrameWriteOptions",
    "ExecutorInfo",
    "ExecutorProcess",
    "Expr",
    "FrameSchema",
    "GroupedData",
    "Job",
    "JobInfo",
    "JobProfile",
    "JobStatistics",
    "JobStatus",
    "LocalCluster",
    "OperatorProfile",
    "Progress",
    "SessionContext",
    "SortExpr",
    "Spread",
    "SpringaldError",
    "StageProfile",
    "StageStatistics",
    "TableInfo",
    "TaskStatistics",
    "WindowFrame",
    "__version__",
    "col",
    "column",
    "connect",
    "expr",
    "functions",
    "lit",
    "literal",
]

# Scheduler, executors and engine processes import this package too, and need none of these: they
# are loaded when they are first named.
_HOMES: Final = {
    "ClusterProcess": "cluster_process",
    "Connection": "client",
    "DataFrame": "dataframe",
    "DataFrameWriteOptions": "dataframe.write_options",
    "ExecutorInfo": "listings",
    "ExecutorProcess": "cluster_process",
    "Expr": "expr",
    "FrameSchema": "dataframe",
    "GroupedData": "dataframe",
    "Job": "job",
    "JobInfo": "listings",
    "JobProfile": "job_profile",
    "JobStatistics": "job_statistics",
    "JobStatus": "progress",
    "LocalCluster": "cluster",
    "OperatorProfile": "job_profile",
    "Progress": "progress",
    "SessionContext": "context",
    "SortExpr": "expr",
    "Spread": "job_profile",
    "StageProfile": "job_profile",
    "StageStatistics": "job_statistics",
    "TableInfo": "listings",
    "TaskStatistics": "job_statistics",
    "WindowFrame": "expr",
    "col": "expr",
    "column": "expr",
    "connect": "client",
    "lit": "expr",
    "literal": "expr",
}
_MODULES: Final = frozenset({"expr", "functions"})


def __getattr__(name: str) -> object:
    """Loads a public name from the module where it lives."""
    if name == "__version__":
        found: object = import_module("springald.version").springald_version()
    elif name in _MODULES:
        found = import_module(f"springald.{name}")
    elif name in _HOMES:
        found = getattr(import_module(f"springald.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'springald' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Names what is public, loaded or not."""
    return sorted({*globals(), *__all__})
