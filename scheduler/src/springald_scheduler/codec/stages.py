"""Stages of the core to `springald.physical.v1`."""

from typing import Final

import pyarrow as pa

from springald.engine.catalog import CatalogEntry, SqlQuery
from springald.engine.session import ENGINE_NAME
from springald.physical.v1 import physical_pb2 as pb
from springald.type.v1 import type_pb2
from springald.types import scalar_to_proto, schema_to_proto
from springald_scheduler.core.graph import (
    Exchange,
    ExchangeKind,
    FileTarget,
    FragmentFormat,
    Operator,
    Repeats,
    Stage,
    StageGraph,
)
from springald_scheduler.core.records import UploadLocation

_EXCHANGE_KINDS: Final = {
    ExchangeKind.HASH: pb.EXCHANGE_KIND_HASH,
    ExchangeKind.SINGLE: pb.EXCHANGE_KIND_SINGLE,
    ExchangeKind.BROADCAST: pb.EXCHANGE_KIND_BROADCAST,
    ExchangeKind.SORTED: pb.EXCHANGE_KIND_SORTED,
    ExchangeKind.FORWARD: pb.EXCHANGE_KIND_FORWARD,
    ExchangeKind.RESULT: pb.EXCHANGE_KIND_RESULT,
}
_REPEATS: Final[dict[Repeats, pb.Repeats.ValueType]] = {
    Repeats.UNKNOWN: pb.REPEATS_UNSPECIFIED,
    Repeats.ALWAYS: pb.REPEATS_ALWAYS,
    Repeats.NEVER: pb.REPEATS_NEVER,
}
_FRAGMENT_FORMATS: Final = {
    FragmentFormat.PHYSICAL_PLAN: pb.FRAGMENT_FORMAT_PHYSICAL_PLAN,
    FragmentFormat.SQL: pb.FRAGMENT_FORMAT_SQL,
}
FILE_FORMAT_NAMES: Final = {
    pb.FILE_FORMAT_PARQUET: "parquet",
    pb.FILE_FORMAT_CSV: "csv",
    pb.FILE_FORMAT_JSON: "json",
    pb.FILE_FORMAT_ARROW: "arrow",
}
_FILE_FORMATS: Final = {name: number for number, name in FILE_FORMAT_NAMES.items()}


def graph_to_proto(graph: StageGraph) -> pb.StageGraph:
    """Writes a stage graph for people and tools: without what its fragments hold."""
    return pb.StageGraph(
        stages=[stage_to_proto(stage, for_people=True) for stage in graph.stages],
        decisions=graph.decisions,
    )


def stage_to_proto(stage: Stage, *, for_people: bool = False) -> pb.Stage:
    """Writes a stage; for people without its fragment's payload.

    Raises:
        InvalidArgumentError: Its schema is nested too deep.
    """
    return pb.Stage(
        stage_id=stage.stage_id,
        fragment=_fragment_to_proto(stage, for_people=for_people),
        inputs=[
            pb.StageInput(
                stage_id=leaf.stage_id,
                kind=_EXCHANGE_KINDS[leaf.kind],
                partition_count=leaf.partition_count,
            )
            for leaf in stage.inputs
        ],
        output=_exchange_to_proto(stage.output),
        partition_count=stage.partition_count,
        sliceable=stage.sliceable,
        single_task_reason=stage.single_task_reason,
        operators=[_operator_to_proto(operator) for operator in stage.operators],
        schema=schema_from_ipc(stage.schema),
        upload_ids=stage.upload_ids,
        decisions=stage.decisions,
        inline_rows_bytes_max=stage.inline_rows_bytes_max,
        repeats=_REPEATS[stage.repeats],
        writes_files=_target_to_proto(stage.writes_files),
        commits_files=_target_to_proto(stage.commits_files),
    )


def upload_to_proto(location: UploadLocation) -> pb.UploadedTable:
    """Writes where the rows of an upload lie."""
    return pb.UploadedTable(
        upload_id=location.upload_id,
        schema=schema_from_ipc(location.schema),
        rows=location.rows,
        bytes=location.bytes,
        executor_id=location.executor_id,
        flight_address=location.flight_address,
        partition_count=location.partition_count,
    )


def options_to_proto(options: tuple[tuple[str, str], ...]) -> list[pb.Option]:
    """Writes names and values."""
    return [pb.Option(name=name, value=value) for name, value in options]


def schema_from_ipc(schema: bytes) -> type_pb2.Schema | None:
    """Writes a schema in IPC form as its message; none for a schema that is not known before."""
    return schema_to_proto(pa.ipc.read_schema(pa.py_buffer(schema))) if schema else None


def _exchange_to_proto(exchange: Exchange) -> pb.Exchange:
    return pb.Exchange(
        kind=_EXCHANGE_KINDS[exchange.kind],
        partition_count=exchange.partition_count,
        keys=exchange.keys,
        ordering=exchange.ordering,
    )


def _target_to_proto(target: FileTarget | None) -> pb.FileTarget | None:
    if target is None:
        return None
    return pb.FileTarget(folder=target.folder, file_name=target.file_name, write_id=target.write_id)


def _fragment_to_proto(stage: Stage, *, for_people: bool) -> pb.EngineFragment:
    fragment, payload = stage.fragment, b""
    if not for_people:
        payload = fragment.payload
        if isinstance(fragment.query, SqlQuery):
            payload = _query_to_proto(fragment.query).SerializeToString()
    return pb.EngineFragment(
        engine=ENGINE_NAME,
        engine_version=fragment.engine_version,
        format=_format_to_proto(stage),
        payload=payload,
    )


def _format_to_proto(stage: Stage) -> pb.FragmentFormat.ValueType:
    """An executor that knows nothing of files to write refuses these formats."""
    if stage.writes_files is not None:
        return pb.FRAGMENT_FORMAT_WRITE
    if stage.commits_files is not None:
        return pb.FRAGMENT_FORMAT_COMMIT
    return _FRAGMENT_FORMATS[stage.fragment.format]


def _query_to_proto(query: SqlQuery) -> pb.SqlFragment:
    return pb.SqlFragment(
        sql=query.sql,
        catalog=[_entry_to_proto(entry) for entry in query.catalog],
        parameters=[
            pb.BoundParameter(name=name, value=scalar_to_proto(scalar))
            for name, scalar in query.parameters
        ],
        settings=options_to_proto(query.settings),
        substrait_plan=query.substrait_plan,
    )


def _entry_to_proto(entry: CatalogEntry) -> pb.CatalogEntry:
    message = pb.CatalogEntry(name=entry.name)
    if entry.arrow_stream:
        message.arrow_stream = entry.arrow_stream
    elif entry.statement:
        message.statement = entry.statement
    elif entry.upload_id:
        # Where it lies stands in the stage's definition.
        message.upload.upload_id = entry.upload_id
    else:
        message.files.format = _FILE_FORMATS[entry.format]
        message.files.path = entry.path
        message.files.options.extend(options_to_proto(entry.options))
    return message


def _operator_to_proto(operator: Operator) -> pb.Operator:
    return pb.Operator(
        node_id=operator.node_id,
        name=operator.name,
        detail=operator.detail,
        input_node_ids=operator.input_node_ids,
        rows_estimated=operator.rows_estimated,
    )
