"""Types of rows between stages: what a fragment puts out, and how it lies in a shuffle file.

A physical plan does not tell its schema. It is found by joining the fragment, with all its scans
emptied, to a placeholder row that finds no partner: the one row of nulls that comes out has the
fragment's types, without any data being read.

In a file, dictionaries are written as plain values (an Arrow file takes one dictionary a column)
and views as plain strings (a view gathered by a join keeps whole input buffers alive, which would
be written too). Projections at the end of the producer and at the start of the consumer convert.
"""

from typing import Final

import pyarrow as pa
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.modes import JoinType
from springald.engine.plan_view import PlanNode

_ABSENT: Final = b"\x08\x02\x12\x00"
_INTEGERS: Final = range(3, 11)
_INT64_ONE: Final = b"\x38\x01"
_EMPTY_TABLE: Final = "springald_types"


def output_schema(context: SessionContext, fragment: PlanNode) -> pa.Schema:
    """Returns the schema of a fragment's rows; every top-level field is nullable.

    Raises:
        Exception: The engine refuses the fragment.
    """
    nothing = pv.node(
        "global_limit",
        pb.GlobalLimitExecNode(fetch=0),
        pv.node("merge", None, emptied(fragment)),
    )
    lonely = pv.node("placeholder_row", pb.SchemaLeafNode(schema=b""))
    join = pb.NestedLoopJoinExecNode(join_type=JoinType.RIGHT)
    probe = PlanNode("nested_loop_join", join, [nothing, lonely])
    plan = ExecutionPlan.from_bytes(context, pv.serialize(probe))
    batches = [batch.to_pyarrow() for batch in context.execute(plan, 0)]
    return nullable(batches[0].schema.remove_metadata())


def nullable(schema: pa.Schema) -> pa.Schema:
    """Returns the schema with every top-level field nullable and without metadata of fields."""
    return pa.schema([pa.field(field.name, field.type) for field in schema])


def emptied(fragment: PlanNode) -> PlanNode:
    """Returns the plan with nothing in its leaves but the one row of a `SELECT` without a table.

    The value of a scalar subquery that another stage computes is 1 if it is an integer, because a
    count that were absent would be refused, and absent otherwise.
    """
    match fragment.kind:
        case kind if kind in pv.FILE_SCAN_KINDS:
            conf = pv.scan_conf(fragment)
            groups = len(conf.file_groups)
            conf.ClearField("file_groups")
            conf.ClearField("output_partitioning")
            conf.file_groups.extend(pb.FileGroup() for _ in range(groups))
            return pv.with_scan_conf(fragment, conf)
        case "memory_scan":
            body = pb.MemoryScanExecNode()
            body.CopyFrom(fragment.body)
            body.partitions[:] = [b""] * len(body.partitions)
            return PlanNode(fragment.kind, body)
        case "generate_series":
            return PlanNode("empty", pb.SchemaLeafNode(schema=fragment.body.schema))
        case "scalar_subquery":
            plan, *values = fragment.children
            children = [emptied(plan), *(_one(value) or emptied(value) for value in values)]
            return PlanNode(fragment.kind, fragment.body, children)
    return PlanNode(fragment.kind, fragment.body, [emptied(child) for child in fragment.children])


def _one(value: PlanNode) -> PlanNode | None:
    """Returns a row that holds 1, if a plan reads a single integer from another stage."""
    if value.kind != "arrow_scan":
        return None
    column = pb.Schema.FromString(pv.scan_conf(value).schema).columns[0]
    if column.arrow_type[0] >> 3 not in _INTEGERS:
        return None
    one = pb.PhysicalExprNode(literal=_INT64_ONE).SerializeToString()
    body = pb.ProjectionExecNode(expr=[pv.cast(one, column.arrow_type)], expr_name=[column.name])
    row = pv.node("placeholder_row", pb.SchemaLeafNode(schema=b""))
    return PlanNode("projection", body, [row])


class SchemaEncoder:
    """Writes Arrow schemas as the engine's own schema messages, by letting the engine do it."""

    def __init__(self) -> None:
        """Makes an engine session of its own, so that no table of a user is in the way."""
        self._context = SessionContext()
        self._known: dict[bytes, pb.Schema] = {}

    def encode(self, schema: pa.Schema) -> pb.Schema:
        """Returns the engine's message of a schema; names may repeat, fields are by position."""
        key = schema.serialize().to_pybytes()
        if key not in self._known:
            self._known[key] = self._encode(schema)
        message = pb.Schema()
        message.CopyFrom(self._known[key])
        return message

    def _encode(self, schema: pa.Schema) -> pb.Schema:
        by_position = pa.schema(
            [field.with_name(f"c{number}") for number, field in enumerate(schema)]
        )
        empty = pa.RecordBatch.from_pylist([], schema=by_position)
        self._context.register_record_batches(_EMPTY_TABLE, [[empty]])
        try:
            scan = self._context.table(_EMPTY_TABLE).execution_plan().to_bytes(self._context)
        finally:
            self._context.deregister_table(_EMPTY_TABLE)
        message = pb.Schema.FromString(pb.MemoryScanExecNode.FromString(_body(scan)).schema)
        for field, original in zip(message.columns, schema, strict=True):
            field.name = original.name
        return message


def _body(plan: bytes) -> bytes:
    wrapper = pb.PhysicalPlanNode.FromString(plan)
    return bytes(getattr(wrapper, str(wrapper.WhichOneof("kind"))))


def arrow_leaf(schema: pb.Schema, groups: list[list[str]]) -> PlanNode:
    """Returns a scan of Arrow files with exactly this schema; a group is a partition's paths."""
    columns = len(schema.columns)
    statistics = pb.Statistics(
        num_rows=_ABSENT, total_byte_size=_ABSENT, column_stats=[b""] * columns
    )
    conf = pb.FileScanExecConf(
        file_groups=[
            pb.FileGroup(files=[pb.PartitionedFile(path=path) for path in group])
            for group in groups
        ],
        schema=schema.SerializeToString(),
        projection=range(columns),
        statistics=statistics.SerializeToString(),
        object_store_url="file:///",
        constraints=b"",
    )
    return PlanNode("arrow_scan", pb.FileScanNode(base_conf=conf.SerializeToString()))


def converted(
    child: PlanNode, current: pa.Schema, target: pa.Schema, encoder: SchemaEncoder
) -> PlanNode:
    """Returns the child with its columns cast to the target's types, where they differ."""
    if [field.type for field in current] == [field.type for field in target]:
        return child
    types = encoder.encode(target)
    expressions = []
    for index, (have, want) in enumerate(zip(current, target, strict=True)):
        expression = pv.column(have.name, index)
        if have.type != want.type:
            expression = pv.cast(expression, types.columns[index].arrow_type)
        expressions.append(expression)
    body = pb.ProjectionExecNode(expr=expressions, expr_name=[field.name for field in target])
    return PlanNode("projection", body, [child])
