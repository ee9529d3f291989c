"""The engine alone: one process, as many partitions as the others have slots."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
from datafusion import RuntimeEnvBuilder, SessionConfig, SessionContext
from datafusion.dataframe import DataFrame

from benchmarks.places.session import Answer, Session, Setup


class EnginePlace:
    """DataFusion with a fair spill pool; its sessions share one context, as threads would."""

    def __init__(self, setup: Setup) -> None:
        """Makes the context; only the partitions differ from the engine's defaults."""
        config = SessionConfig().with_target_partitions(setup.partitions or setup.cores)
        spill = Path(tempfile.mkdtemp(prefix="spill-", dir=setup.scratch))
        runtime = RuntimeEnvBuilder().with_fair_spill_pool(setup.memory_bytes)
        self._context = SessionContext(config, runtime.with_disk_manager_specified(spill))
        for name, folder in setup.tables.items():
            self._context.register_parquet(name, f"{folder}/")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Opens a session."""
        yield _EngineSession(self._context)

    def versions(self) -> Mapping[str, str]:
        """Names the engine."""
        return {"datafusion": version("datafusion"), "pyarrow": version("pyarrow")}


class _EngineSession:
    def __init__(self, context: SessionContext) -> None:
        self._context = context

    def query(self, sql: str) -> Answer:
        frame = self._context.sql(sql)
        return Answer(_batches(frame), frame.schema())

    def count(self, answer: Answer) -> None:
        """The engine alone puts nothing through exchanges of ours."""


def _batches(frame: DataFrame) -> Iterator[pa.RecordBatch]:
    for batch in frame.execute_stream():
        yield batch.to_pyarrow()


@contextmanager
def start(setup: Setup) -> Iterator[EnginePlace]:
    """Starts the engine."""
    yield EnginePlace(setup)
