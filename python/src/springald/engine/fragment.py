"""A stage's fragment: the template that the planner makes, and the plan that one task runs.

In a template, leaves that read another stage's output, or rows that a client uploaded, list marker
paths instead of files. `prepare` keeps what a task's partitions need and puts real files there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine import sinks
from springald.engine.plan_view import PlanNode
from springald.engine.slicing import slice_plan
from springald.errors import InternalError

_EXCHANGE_MARKER: Final = re.compile(r"springald-exchange/(\d+)/(\d+)\.arrow")
_UPLOAD_MARKER: Final = re.compile(r"springald-upload/([^/]+)/(\d+)\.arrow")


@dataclass(frozen=True, slots=True)
class FileRange:
    """Bytes of a local Arrow file: exactly the blocks of one partition, or of several neighbours.

    Attributes:
        path: The absolute path.
        start: The first byte; 0 for the file's first block, because the schema comes before it.
        end: The byte after the last one.
        size: The whole file's size in bytes.
    """

    path: str
    start: int
    end: int
    size: int


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A table's file as it was when the query was planned; times in nanoseconds since 1970."""

    path: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Needs:
    """What the leaves of a task read.

    Attributes:
        exchanges: For each input number, the partitions that are read, ascending.
        uploads: For each upload id, the partitions that are read, ascending.
        files: The tables' files.
    """

    exchanges: dict[int, list[int]]
    uploads: dict[str, list[int]]
    files: list[ScannedFile]


def exchange_path(input_number: int, partition: int) -> str:
    """Returns the marker for one partition of the input with that number."""
    return f"springald-exchange/{input_number}/{partition}.arrow"


def exchange_input(path: str) -> int | None:
    """Returns the input number that a path marks, if it marks one."""
    match = _EXCHANGE_MARKER.fullmatch(path)
    return int(match.group(1)) if match else None


def upload_path(upload_id: str, partition: int) -> str:
    """Returns the marker for one partition of an upload."""
    return f"springald-upload/{upload_id}/{partition}.arrow"


def upload_of(path: str) -> tuple[str, int] | None:
    """Returns the upload and partition that a path marks, if it marks one."""
    match = _UPLOAD_MARKER.fullmatch(path)
    return (match.group(1), int(match.group(2))) if match else None


def needs(payload: bytes, partitions: Sequence[int]) -> Needs:
    """Returns what a task over some partitions of a fragment reads, so that it can be fetched."""
    exchanges: dict[int, set[int]] = {}
    uploads: dict[str, set[int]] = {}
    files: dict[str, ScannedFile] = {}
    for scan in _scans(slice_plan(pv.parse(payload), partitions)):
        for group in pv.scan_conf(scan).file_groups:
            for file in group.files:
                if match := _EXCHANGE_MARKER.fullmatch(file.path):
                    exchanges.setdefault(int(match.group(1)), set()).add(int(match.group(2)))
                elif marked := upload_of(file.path):
                    uploads.setdefault(marked[0], set()).add(marked[1])
                else:
                    path = "/" + file.path.lstrip("/")
                    files[path] = ScannedFile(path, file.size, file.last_modified_ns)
    return Needs(
        {number: sorted(read) for number, read in exchanges.items()},
        {upload: sorted(read) for upload, read in uploads.items()},
        list(files.values()),
    )


def prepare(
    payload: bytes,
    partitions: Sequence[int],
    inputs: Sequence[Mapping[int, Sequence[FileRange]]],
    uploads: Mapping[str, Mapping[int, Sequence[FileRange]]],
    staging: str = "",
) -> bytes:
    """Turns a template into the serialised plan of one task.

    Running all partitions of the prepared plan is the task.

    Args:
        payload: The template.
        partitions: The fragment's partitions that the task runs, ascending.
        inputs: For each input, its files by partition; an absent partition is empty.
        uploads: For each upload, its files by partition.
        staging: Where a sink writes to, if the template ends in one.

    Raises:
        InternalError: The template does not decode, or marks what was not handed over.
    """
    root = slice_plan(pv.parse(payload), partitions)
    for scan in _scans(root):
        conf = pv.scan_conf(scan)
        filled = [_fill(group, inputs, uploads) for group in conf.file_groups]
        if any(filled):
            scan.body = pb.FileScanNode(base_conf=conf.SerializeToString())
    if root.kind in pv.SINK_KINDS:
        root = sinks.placed(root, staging)
    return pv.serialize(root)


def _scans(root: PlanNode) -> list[PlanNode]:
    return [node for node in root.walk() if node.kind in pv.FILE_SCAN_KINDS]


def _fill(
    group: pb.FileGroup,
    inputs: Sequence[Mapping[int, Sequence[FileRange]]],
    uploads: Mapping[str, Mapping[int, Sequence[FileRange]]],
) -> bool:
    """Puts real files in the place of markers; returns False for a group without any."""
    ranges: list[FileRange] = []
    for file in group.files:
        if match := _EXCHANGE_MARKER.fullmatch(file.path):
            number = int(match.group(1))
            if number >= len(inputs):
                raise InternalError(f"a fragment reads inputs it was given: got number {number}")
            ranges.extend(inputs[number].get(int(match.group(2)), ()))
        elif marked := upload_of(file.path):
            if marked[0] not in uploads:
                raise InternalError(f"a fragment reads uploads it was given: got {marked[0]}")
            ranges.extend(uploads[marked[0]].get(marked[1], ()))
        else:
            return False
    del group.files[:]
    group.files.extend(_file(each) for each in ranges)
    return True


def _file(each: FileRange) -> pb.PartitionedFile:
    return pb.PartitionedFile(
        path=each.path.lstrip("/"),
        size=each.size,
        range=pb.FileRange(start=each.start, end=each.end),
    )
