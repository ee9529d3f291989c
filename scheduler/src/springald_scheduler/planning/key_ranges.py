"""Reads Parquet scans range by range of a key, where the files' row groups hold disjoint ranges.

Several scans can be read in the same ranges, so that rows with equal keys come out of the same
partition of each. A row group that straddles a boundary is read on either side of it, and filtered.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.plan_view import PlanNode
from springald_scheduler.planning.columns import scanned_column, width
from springald_scheduler.planning.row_groups import RowGroup, row_groups

_TWICE_READ_MAX: Final = 0.25
"""How much of all bytes may be read twice for ranges to gain."""

_UNEVEN_MAX: Final = 1.5
"""How many times the mean the largest partition may have."""

_BATCH_ROWS: Final = 8192
_SELECTIVITY_PERCENT: Final = 20
"""What the engine itself writes into a filter, unless it is told otherwise."""

_BITS: Final = {
    "int8": 8, "int16": 16, "int32": 32, "int64": 64, "date32": 32,
    "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a scan, without the range that a partition reads of it."""

    template: pb.PartitionedFile
    groups: tuple[RowGroup, ...]


@dataclass(frozen=True, slots=True)
class KeyedScan:
    """A scan of Parquet files that tell where the values of a column lie.

    Attributes:
        scan: The operator.
        column: The column among those that the scan puts out.
        name: The column's name.
        type: The column's type, by its name in the plan view.
        files: The files with their row groups.
    """

    scan: PlanNode
    column: int
    name: str
    type: str
    files: tuple[_File, ...]

    @property
    def size(self) -> int:
        """Bytes of all row groups."""
        return sum(group.size for _, group in self._groups())

    def _groups(self) -> Iterator[tuple[_File, RowGroup]]:
        return ((file, group) for file in self.files for group in file.groups)

    def boundaries(self, partitions: int) -> list[int]:
        """Returns keys at which about equally many bytes lie in each of the partitions.

        They are fewer than wanted where too few row groups begin a range of their own.
        """
        ordered = sorted((group for _, group in self._groups()), key=lambda g: (g.low, g.high))
        before = list(accumulate((group.size for group in ordered), initial=0))
        highest = list(accumulate((group.high for group in ordered), max))
        starts = [
            place for place in range(1, len(ordered)) if highest[place - 1] < ordered[place].low
        ]
        found: list[int] = []
        for number in range(1, partitions):
            wanted = before[-1] * number / partitions
            if starts:
                nearest = min(starts, key=lambda place: abs(before[place] - wanted))
                found.append(ordered[nearest].low)
        return sorted(set(found))

    def read(self, boundaries: Sequence[int]) -> tuple[PlanNode, list[int]]:
        """Returns what reads the scan's rows in ranges, and the bytes of each.

        Partition p has the rows from boundary p - 1 on and before boundary p.
        """
        parts = [_Part(*limits) for limits in _limits(boundaries)]
        for file, group in self._groups():
            first = bisect_right(boundaries, group.low)
            last = bisect_right(boundaries, group.high)
            for number in range(first, last + 1):
                parts[number].add(file, group, straddles=first != last)
        sizes = [part.size for part in parts]
        if not any(part.straddled for part in parts):
            return self._scan([part.files() for part in parts]), sizes
        branches = [self._branch(part) for part in parts]
        return PlanNode("union", pb.ManyInputNode(), branches), sizes

    def _branch(self, part: "_Part") -> PlanNode:
        scan = self._scan([part.files()])
        condition = self._condition(part)
        if not part.straddled or condition is None:
            return scan
        body = pb.FilterExecNode(
            expr=condition,
            default_filter_selectivity=_SELECTIVITY_PERCENT,
            projection=list(range(width(scan) or 0)),
            batch_size=_BATCH_ROWS,
        )
        return PlanNode("filter", body, [scan])

    def _condition(self, part: "_Part") -> bytes | None:
        key = pv.column(self.name, self.column)
        low = None if part.low is None else pv.binary(key, "GtEq", self._literal(part.low))
        high = None if part.high is None else pv.binary(key, "Lt", self._literal(part.high))
        return pv.binary(low, "And", high) if low and high else low or high

    def _literal(self, value: int) -> bytes:
        literal = pb.IntegerValue(**{self.type: value}).SerializeToString()
        return pb.PhysicalExprNode(literal=literal).SerializeToString()

    def _scan(self, groups: Sequence[Sequence[pb.PartitionedFile]]) -> PlanNode:
        conf = pv.scan_conf(self.scan)
        conf.ClearField("output_partitioning")
        conf.ClearField("file_groups")
        conf.file_groups.extend(pb.FileGroup(files=files) for files in groups)
        return pv.with_scan_conf(self.scan, conf)


class _Part:
    """The row groups of one partition, whose keys are at least `low` and less than `high`."""

    def __init__(self, low: int | None, high: int | None) -> None:
        self.low = low
        self.high = high
        self.straddled = False
        self.size = 0
        self._runs: list[tuple[_File, int, int]] = []

    def add(self, file: _File, group: RowGroup, *, straddles: bool) -> None:
        """Adds a row group; neighbours in a file are read as one range."""
        self.straddled |= straddles
        self.size += group.size
        start = group.start
        if self._runs and self._runs[-1][0] is file and self._runs[-1][2] == start:
            start = self._runs.pop()[1]
        self._runs.append((file, start, group.end))

    def files(self) -> list[pb.PartitionedFile]:
        """Returns the parts of files to read."""
        found = []
        for file, start, end in self._runs:
            part = pb.PartitionedFile()
            part.CopyFrom(file.template)
            part.range.start, part.range.end = start, end
            found.append(part)
        return found


def keyed_scan(scan: PlanNode, column: int) -> KeyedScan | None:
    """Returns a scan as one that can be read by ranges of a column that it puts out.

    Returns nothing if its files do not tell where the column's values lie, or if more is asked of
    it than all the rows in any order.
    """
    if scan.kind != "parquet_scan":
        return None
    conf = pv.scan_conf(scan)
    if conf.output_ordering or conf.HasField("limit") or conf.object_store_url != "file:///":
        return None
    number = scanned_column(scan, column)
    columns = pb.Schema.FromString(conf.schema).columns
    if number is None or number >= len(columns):
        return None
    kind = pb.IntegerType.FromString(columns[number].arrow_type).WhichOneof("kind")
    files = _files(conf, columns[number].name) if kind else None
    if not kind or not files or not all(_fits(group, kind) for f in files for group in f.groups):
        return None
    name = _put_out_name(conf, column, columns[number].name)
    return KeyedScan(scan, column, name, kind, tuple(files))


def shared_boundaries(
    scans: Sequence[KeyedScan], partitions: int, *, always: bool
) -> list[int] | None:
    """Returns boundaries by which all scans can be read, or nothing if that would not gain.

    The largest scan decides. It does not gain if too many row groups are read twice, or if the
    partitions are too uneven; `always` asks for it all the same.
    """
    boundaries = max(scans, key=lambda scan: scan.size).boundaries(partitions)
    if len(boundaries) != partitions - 1:
        return None
    if always:
        return boundaries
    sizes = [scan.read(boundaries)[1] for scan in scans]
    once = sum(scan.size for scan in scans)
    each = [sum(parts) for parts in zip(*sizes, strict=True)]
    if sum(each) > once * (1 + _TWICE_READ_MAX) or max(each) > _UNEVEN_MAX * sum(each) / len(each):
        return None
    return boundaries


def _limits(boundaries: Sequence[int]) -> Iterator[tuple[int | None, int | None]]:
    ends = [None, *boundaries, None]
    return pairwise(ends)


def _fits(group: RowGroup, kind: str) -> bool:
    """True if a type has the values of a row group; reading others of a file's own type fails."""
    unsigned = kind.startswith("u")
    least = 0 if unsigned else -(1 << (_BITS[kind] - 1))
    return least <= group.low and group.high < least + (1 << _BITS[kind])


def _put_out_name(conf: pb.FileScanExecConf, column: int, own: str) -> str:
    if conf.HasField("projection_exprs"):
        return conf.projection_exprs.projections[column].alias
    return own


def _files(conf: pb.FileScanExecConf, column: str) -> list[_File] | None:
    templates: dict[str, pb.PartitionedFile] = {}
    covered: dict[str, int] = {}
    for file in (file for group in conf.file_groups for file in group.files):
        covered[file.path] = covered.get(file.path, 0) + pv.bytes_read(file)
        if file.path not in templates:
            template = pb.PartitionedFile()
            template.CopyFrom(file)
            template.ClearField("range")
            template.ClearField("statistics")
            templates[file.path] = template
    found: list[_File] = []
    for path, template in templates.items():
        if covered[path] != template.size:
            return None
        location = "/" + path.lstrip("/")
        groups = row_groups(location, template.size, template.last_modified_ns, column)
        if groups is None:
            return None
        found.append(_File(template, groups))
    return found
