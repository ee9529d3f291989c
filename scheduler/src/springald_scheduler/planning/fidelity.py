"""Whether a plan still means the same after the engine has written it down and read it back.

Losses of DataFusion 55, each found without an error from the engine:

- a window function's FILTER and IGNORE NULLS are not written;
- an aggregate over the grouping set of no columns comes back as one without grouping sets;
- a window function that runs over its rows backwards, because they are sorted the other way round,
  comes back as one that runs forwards;
- a series of which no column is read comes back as one whose rows do not fit its schema;
- a scan of Arrow streams comes back as one of Arrow files;
- of the options of CSV and JSON files only some are written, compression for one is not;
- a sink for CSV files that is told no formats writes dates and times as nothing, see
  `springald.engine.sinks`, and sinks forget some options.

A plan that may lose something is planned where it runs instead, or is mended where that is easy.
"""

import re
from collections.abc import Iterable
from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine.plan_view import PlanNode

_LOST: Final = re.compile(
    r"WindowAggExec: .*(?:FILTER \(WHERE|IGNORE NULLS)|AggregateExec: mode=\w+, gby=\[\(\)"
)
_COMPARED: Final = re.compile(
    r"\s*((?:Aggregate|Filter|Sort|Unnest|GlobalLimit|LocalLimit|\w*WindowAgg|\w*Join|"
    r"CoalescePartitions|SortPreservingMerge)Exec\b.*)|\s*DataSourceExec: .*(file_type=\w+)"
)
_DIRECTION: Final = re.compile(r" (ASC|DESC) NULLS (FIRST|LAST)(?=, |$)")
_INT64: Final = b"\x52\x00"
"""The engine's own message of the type Int64."""

_WRITTEN_OPTIONS: Final[dict[str, frozenset[str]]] = {
    "csv": frozenset({
        "has_header", "delimiter", "quote", "escape", "comment", "newlines_in_values",
        "truncated_rows", "null_regex", "schema_infer_max_rec",
    }),
    "json": frozenset({"schema_infer_max_rec"}),
}  # fmt: skip
"""Options that plans carry, or that matter only while a table is made."""
_FORGOTTEN: Final = {
    "parquet": re.compile(r"metadata::|crypto\."),
    "csv": re.compile(r"timestamp_tz_format$|compression_level$"),
    "json": re.compile(r"compression_level$"),
    "arrow": re.compile(r""),
}
"""Options by the beginning of their names; files of Arrow are not written by the engine's sink."""


def loses_meaning(plan_text: str) -> bool:
    """True for a plan with something that the engine is known not to write down."""
    return _LOST.search(plan_text) is not None


def runs_backwards(root: PlanNode) -> bool:
    """True for a plan with a window function that runs over its rows backwards.

    Its name says in which order the statement wants the rows, its keys in which it gets them.
    """
    windows = (node for node in root.walk() if node.kind == "window")
    return any(_is_reversed(raw) for window in windows for raw in window.body.window_expr)


def _is_reversed(window_expression: bytes) -> bool:
    function = pb.PhysicalWindowExprNode.FromString(window_expression)
    if not function.HasField("window_function"):  # an aggregate, whose direction is written
        return False
    _, _, order = function.name.rpartition("ORDER BY [")
    wanted = _DIRECTION.findall(order.rpartition("]")[0])
    return wanted != [_direction(key) for key in function.order_by]


def _direction(key: pb.PhysicalSortExprNode) -> tuple[str, str]:
    return "ASC" if key.asc else "DESC", "FIRST" if key.nulls_first else "LAST"


def mend_series(root: PlanNode) -> bool:
    """Gives each series that lost its column one again, and drops it above; False if it cannot."""
    for series in [node for node in root.walk() if node.kind == "generate_series"]:
        if series.body.schema:
            continue
        if series.body.WhichOneof("args") != "int64_args":
            return False
        column = pb.Field(name="value", arrow_type=_INT64, nullable=False)
        body = pb.GenerateSeriesNode()
        body.CopyFrom(series.body)
        body.schema = pb.Schema(columns=[column]).SerializeToString()
        whole = PlanNode(series.kind, body)
        series.kind, series.body, series.children = "projection", pb.ProjectionExecNode(), [whole]
    return True


def keeps_options(file_format: str, options: Iterable[tuple[str, str]]) -> bool:
    """True if plans that scan files of a format carry all of these options of a table."""
    written = _WRITTEN_OPTIONS.get(file_format)
    names = {name.lower().removeprefix("format.") for name, _ in options}
    if written is None:
        return not any(name.startswith("crypto.") for name in names)
    return names <= written


def lost_when_written(file_format: str, options: Iterable[tuple[str, str]]) -> list[str]:
    """Returns the options of files to be written that a sink forgets when it is written down."""
    names = (name.lower().removeprefix("format.") for name, _ in options)
    return [name for name in names if _FORGOTTEN[file_format].match(name)]


def same_operators(before: str, after: str) -> bool:
    """True if two plan texts have the same operators with the same arguments.

    Projections, and all of leaves but the kind of file, are left out: they are written differently
    without meaning anything else (a union's branches get one more projection when read back).
    """
    return _operators(before) == _operators(after)


def _operators(plan_text: str) -> list[str]:
    matches = (_COMPARED.match(line) for line in plan_text.splitlines())
    return sorted(match.group(1) or match.group(2) for match in matches if match)
