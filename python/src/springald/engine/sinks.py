"""The engine's sinks, which write the rows of a plan into files.

In a template a sink has a marker for its place, and the rows come in by a merge of their
partitions. What the engine has put between the two converts rows to the columns of a table.
"""

from typing import Final
from urllib.parse import quote

import pyarrow as pa

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.plan_view import SINK_KINDS, PlanNode
from springald.engine.schemas import SchemaEncoder, converted
from springald.results import plain_type

WRITTEN: Final = pa.schema(
    [
        pa.field("task_id", pa.string()),
        pa.field("staged", pa.string()),
        pa.field("name", pa.string()),
        pa.field("inode", pa.uint64()),
        pa.field("rows", pa.uint64()),
    ]
)
"""What a task puts out for each file that it wrote: the attempt, where the file lies and is to lie,
both relative to the target's folder, and its inode. The first file tells the rows of all."""

COUNT: Final = pa.schema([pa.field("count", pa.uint64())])
"""What a statement that writes answers with, as the engine does."""

_MARKER: Final = "file:///springald-staging/"

_DAY: Final = "%Y-%m-%d"
_TIME: Final = "%H:%M:%S%.f"
_CSV_FORMATS: Final = {
    "date_format": _DAY,
    "datetime_format": f"{_DAY}T{_TIME}",
    "timestamp_format": f"{_DAY}T{_TIME}",
    "time_format": _TIME,
}
"""How the engine writes times to CSV if nobody asks for a format. It forgets that on the way."""


def with_rows(template: PlanNode, rows: PlanNode) -> PlanNode:
    """Returns what the engine has planned over a table, over rows instead.

    Under a sink they are merged; without one they stay in their partitions.
    """
    if not template.children:
        return rows
    if template.kind in SINK_KINDS:
        rows = pv.node("merge", None, rows)
    (child,) = template.children
    return PlanNode(template.kind, template.body, [with_rows(child, rows)])


def is_partitioned(sink: PlanNode) -> bool:
    """True if values of columns become folders."""
    return bool(_config(sink).table_partition_cols)


def with_stored_types(template: PlanNode, rows: pa.Schema, encoder: SchemaEncoder) -> PlanNode:
    """Returns a template that writes strings and bytes as such, and not as views of them.

    The engine reads a table's columns as views, and would write down that they are: then it cannot
    read these files together with others of the table.

    Args:
        template: What the engine has planned for an INSERT.
        rows: The table's columns.
        encoder: Writes schemas as the engine does.
    """
    is_sink = template.kind in SINK_KINDS
    folders = {each.name for each in _config(template).table_partition_cols} if is_sink else set()
    stored = pa.schema(
        [each if each.name in folders else each.with_type(_stored(each.type)) for each in rows]
    )
    if not is_sink:
        return converted(template, rows, stored, encoder)
    config = _config(template)
    config.output_schema = encoder.encode(stored).SerializeToString()
    child = converted(template.children[0], rows, stored, encoder)
    return _configured(PlanNode(template.kind, template.body, [child]), config)


def _stored(data_type: pa.DataType) -> pa.DataType:
    is_view = pa.types.is_string_view(data_type) or pa.types.is_binary_view(data_type)
    return plain_type(data_type) if is_view else data_type


def marked(sink: PlanNode) -> PlanNode:
    """Returns a sink that is told its place later, and says in words what it would forget."""
    return _at(_with_formats(sink) if sink.kind == "csv_sink" else sink, _MARKER)


def _with_formats(sink: PlanNode) -> PlanNode:
    """Names the formats of times in CSV: without, such columns would be empty."""
    message = pb.CsvSink.FromString(sink.body.sink)
    for name, usual in _CSV_FORMATS.items():
        if not getattr(message.writer_options, name):
            setattr(message.writer_options, name, usual)
    return _with_sink(sink, message.SerializeToString())


def placed(sink: PlanNode, path: str) -> PlanNode:
    """Returns a sink that writes to a path, into many files if it ends with a slash."""
    return _at(sink, f"file://{quote(path)}")


def _at(sink: PlanNode, url: str) -> PlanNode:
    config = _config(sink)
    del config.table_paths[:], config.file_groups[:]
    config.table_paths.append(url)
    return _configured(sink, config)


def _configured(sink: PlanNode, config: pb.FileSinkConfig) -> PlanNode:
    message = pb.FileSink.FromString(sink.body.sink)
    message.config = config.SerializeToString()
    return _with_sink(sink, message.SerializeToString())


def _with_sink(sink: PlanNode, message: bytes) -> PlanNode:
    body = pb.FileSinkExecNode()
    body.CopyFrom(sink.body)
    body.sink = message
    return PlanNode(sink.kind, body, sink.children, sink.position)


def _config(sink: PlanNode) -> pb.FileSinkConfig:
    return pb.FileSinkConfig.FromString(pb.FileSink.FromString(sink.body.sink).config)
