"""Reads and writes the engine's serialised physical plans, one operator at a time.

A plan becomes a tree of `PlanNode`s. Only what `springald.datafusion.v55` names is looked at;
everything else is kept as it came. Reading and writing are iterative, so that depth costs no stack,
and sub-plans are opaque bytes to protobuf, so that its 100-level limit does not apply here
(the engine's own decoder still has it: `limits.FRAGMENT_DEPTH_MAX`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import DecodeError, Message

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.errors import InternalError

LEAF_KINDS: Final = frozenset({
    "parquet_scan", "csv_scan", "json_scan", "avro_scan", "arrow_scan",
    "empty", "placeholder_row", "generate_series", "memory_scan", "explain",
})  # fmt: skip

FILE_SCAN_KINDS: Final = frozenset({
    "parquet_scan", "csv_scan", "json_scan", "avro_scan", "arrow_scan",
})  # fmt: skip

SINK_KINDS: Final = frozenset({"parquet_sink", "csv_sink", "json_sink"})

_BODIES: Final[dict[str, type[Message]]] = {
    "aggregate": pb.AggregateExecNode,
    "analyze": pb.AnalyzeExecNode,
    "cross_join": pb.TwoInputNode,
    "empty": pb.SchemaLeafNode,
    "filter": pb.FilterExecNode,
    "generate_series": pb.GenerateSeriesNode,
    "global_limit": pb.GlobalLimitExecNode,
    "hash_join": pb.HashJoinExecNode,
    "interleave": pb.ManyInputNode,
    "local_limit": pb.LocalLimitExecNode,
    "memory_scan": pb.MemoryScanExecNode,
    "merge": pb.CoalescePartitionsExecNode,
    "nested_loop_join": pb.NestedLoopJoinExecNode,
    "placeholder_row": pb.SchemaLeafNode,
    "projection": pb.ProjectionExecNode,
    "repartition": pb.RepartitionExecNode,
    "scalar_subquery": pb.ScalarSubqueryExecNode,
    "sort": pb.SortExecNode,
    "sort_merge_join": pb.TwoInputNode,
    "sort_preserving_merge": pb.SortPreservingMergeExecNode,
    "symmetric_hash_join": pb.TwoInputNode,
    "union": pb.ManyInputNode,
    "window": pb.WindowAggExecNode,
    **dict.fromkeys(FILE_SCAN_KINDS, pb.FileScanNode),
    **dict.fromkeys(SINK_KINDS, pb.FileSinkExecNode),
}

_CHILD_FIELDS: Final[dict[type[Message], tuple[str, ...]]] = {
    pb.TwoInputNode: ("left", "right"),
    pb.HashJoinExecNode: ("left", "right"),
    pb.NestedLoopJoinExecNode: ("left", "right"),
    pb.ManyInputNode: ("inputs",),
    pb.ScalarSubqueryExecNode: ("input", "subqueries"),
}


@dataclass(slots=True)
class PlanNode:
    """One operator.

    Attributes:
        kind: The operator's field name in `PhysicalPlanNode`, for example `hash_join`.
        body: The operator's own message, without its sub-plans.
        children: The sub-plans, in the order in which the engine lists them.
        position: Where it stood in the plan that was parsed, from 0, parents first, left to right;
            -1 for an operator that was made since.
    """

    kind: str
    body: Any
    children: list["PlanNode"] = field(default_factory=list)
    position: int = field(default=-1, compare=False)

    def walk(self) -> Iterator["PlanNode"]:
        """Yields this node and all below it, parents first, left to right."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def depth(self) -> int:
        """Returns how many operators lie on the longest way down, this one included."""
        deepest, stack = 0, [(self, 1)]
        while stack:
            node, level = stack.pop()
            deepest = max(deepest, level)
            stack.extend((child, level + 1) for child in node.children)
        return deepest


def node(kind: str, body: Message | None = None, *children: PlanNode) -> PlanNode:
    """Makes an operator; without a body it has default fields."""
    return PlanNode(kind, _body_class(kind)() if body is None else body, list(children))


def parse(data: bytes) -> PlanNode:
    """Reads a serialised plan.

    Raises:
        InternalError: The bytes are not a plan of the pinned engine version.
    """
    root = _read_one(data)
    root.position = position = 0
    pending = [(raw, root) for raw in reversed(_take_children(root))]
    while pending:
        raw, parent = pending.pop()
        child = _read_one(raw)
        child.position = position = position + 1
        parent.children.append(child)
        pending.extend((below, child) for below in reversed(_take_children(child)))
    return root


def _read_one(raw: bytes) -> PlanNode:
    try:
        wrapper = pb.PhysicalPlanNode.FromString(raw)
    except DecodeError as error:
        message = f"a fragment is a serialised plan: got {len(raw)} bytes that do not decode"
        raise InternalError(message) from error
    kind = wrapper.WhichOneof("kind")
    if kind is None:
        message = "every operator is known to the plan view: got one of an unknown kind"
        raise InternalError(f"{message}; the engine is not the pinned version")
    return PlanNode(kind, _body_class(kind).FromString(getattr(wrapper, kind)))


def _body_class(kind: str) -> type[Message]:
    return _BODIES.get(kind, pb.SingleInputNode)


def _take_children(parent: PlanNode) -> list[bytes]:
    """Moves the sub-plans out of the body, so that it is small while the tree is worked on."""
    if parent.kind in LEAF_KINDS:
        return []
    taken: list[bytes] = []
    for name in _CHILD_FIELDS.get(type(parent.body), ("input",)):
        value = getattr(parent.body, name)
        taken.extend([value] if isinstance(value, bytes) else value)
        parent.body.ClearField(name)
    return taken


def serialize(root: PlanNode) -> bytes:
    """Writes a tree as the engine reads it; the tree is left as it was."""
    written: list[bytes] = []
    # From right to left and from the leaves up, so that an operator's first input lies on top.
    for current in reversed(list(root.walk())):
        written.append(_write_one(current, [written.pop() for _ in current.children]))
    return written.pop()


def _write_one(current: PlanNode, children: list[bytes]) -> bytes:
    body = current.body
    if children:
        body = type(body)()
        body.CopyFrom(current.body)
        remaining = list(children)
        for name in _CHILD_FIELDS.get(type(body), ("input",)):
            if isinstance(getattr(body, name), bytes):
                setattr(body, name, remaining.pop(0))
            else:
                getattr(body, name).extend(remaining)
    wrapper = pb.PhysicalPlanNode()
    setattr(wrapper, current.kind, body.SerializeToString())
    return wrapper.SerializeToString()


def scan_conf(scan: PlanNode) -> pb.FileScanExecConf:
    """Returns a copy of a file scan's configuration."""
    return pb.FileScanExecConf.FromString(scan.body.base_conf)


def bytes_read(file: pb.PartitionedFile) -> int:
    """Returns how many bytes of a file a scan reads: all, or those of a range."""
    return file.range.end - file.range.start if file.HasField("range") else file.size


def with_scan_conf(scan: PlanNode, conf: pb.FileScanExecConf) -> PlanNode:
    """Returns the scan with another configuration."""
    body = pb.FileScanNode()
    body.CopyFrom(scan.body)
    body.base_conf = conf.SerializeToString()
    return PlanNode(scan.kind, body)


def forget_file_statistics(root: PlanNode) -> None:
    """Drops what is known of single files, which may be many times longer than their names.

    They spare a task the footer of a file that its predicate rules out. Files with a declared order
    keep them, because the engine believes in the order only if they show it.
    """
    for scan in (node for node in root.walk() if node.kind in FILE_SCAN_KINDS):
        conf = scan_conf(scan)
        if not conf.output_ordering:
            for group in conf.file_groups:
                for file in group.files:
                    file.ClearField("statistics")
            scan.body = with_scan_conf(scan, conf).body


def column(name: str, index: int) -> bytes:
    """Returns the serialised expression that reads a column."""
    expression = pb.PhysicalExprNode(column=pb.PhysicalColumn(name=name, index=index))
    return expression.SerializeToString()


def column_read(expression: bytes) -> int | None:
    """Returns the index of the column that an expression is, or nothing if it is more."""
    parsed = pb.PhysicalExprNode.FromString(expression)
    return parsed.column.index if parsed.WhichOneof("kind") == "column" else None


def binary(left: bytes, operator: str, right: bytes) -> bytes:
    """Returns the serialised expression of an operator, by the engine's name, such as `GtEq`."""
    body = pb.PhysicalBinaryExprNode(l=left, r=right, op=operator)
    return pb.PhysicalExprNode(binary_expr=body).SerializeToString()


def cast(expression: bytes, arrow_type: bytes) -> bytes:
    """Returns the serialised expression that converts another one to an engine type."""
    conversion = pb.PhysicalCastNode(expr=expression, arrow_type=arrow_type)
    return pb.PhysicalExprNode(cast=conversion).SerializeToString()


def hash_repartition(child: PlanNode, keys: Sequence[bytes], partitions: int) -> PlanNode:
    """Returns an operator that sends the child's rows to partitions by the hash of the keys."""
    spread = pb.PhysicalHashRepartition(hash_expr=keys, partition_count=partitions)
    body = pb.RepartitionExecNode(partitioning=pb.Partitioning(hash=spread))
    return PlanNode("repartition", body, [child])


def is_hash_repartition(candidate: PlanNode) -> bool:
    """True for the operator that `hash_repartition` makes."""
    return (
        candidate.kind == "repartition"
        and candidate.body.partitioning.WhichOneof("method") == "hash"
    )
