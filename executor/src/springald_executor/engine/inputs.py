"""Brings what a task reads to where the engine can read it: local files and ranges in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from springald.engine.fragment import FileRange, Needs
from springald.errors import InternalError
from springald_executor.core.model import (
    ExchangeKind,
    LocalInput,
    OutputsWanted,
    RemoteInput,
    RemoteUpload,
    StoredFile,
    TaskInput,
    TaskRequest,
    UploadWanted,
)
from springald_executor.shuffle.orders import Fetched, Fetcher, FetchOrder, Look, Selection
from springald_executor.shuffle.space import Space
from springald_executor.shuffle.uploads import divided
from springald_executor.shuffle.verify import check_blocks
from springald_executor.shuffle.writer import block_bytes

Ranges = dict[int, list[FileRange]]


@dataclass(slots=True)
class GatheredInputs:
    """All that a task reads, here.

    Attributes:
        exchanges: For each input, its files by partition.
        uploads: For each upload, its files by partition.
        upload_paths: For each upload, its file.
        copies: Broadcast outputs that were fetched whole, by the attempt that made them.
        looks: What was looked at in files that are read in place.
        scratch: Files that were fetched for this task alone.
        bytes_local: Bytes that are read in place, here or from another executor of the host.
        bytes_remote: Bytes that were fetched.
    """

    exchanges: list[Ranges] = field(default_factory=list)
    uploads: dict[str, Ranges] = field(default_factory=dict)
    upload_paths: dict[str, str] = field(default_factory=dict)
    copies: dict[str, StoredFile] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    scratch: list[StoredFile] = field(default_factory=list)
    bytes_local: int = 0
    bytes_remote: int = 0


@dataclass(frozen=True, slots=True)
class _Fetch:
    """An order, and for which input, or upload, it is.

    The attempts are those whose rows lie under the number of the attempt instead of the partition.
    """

    order: FetchOrder
    input_number: int = -1
    upload: RemoteUpload | None = None
    attempts: tuple[str, ...] = ()


def gather(
    request: TaskRequest, needs: Needs, space: Space, fetcher: Fetcher | None
) -> GatheredInputs:
    """Fetches what lies elsewhere, and lists all files that the task reads.

    Args:
        request: The task.
        needs: What its leaves read.
        space: Where fetched files are put.
        fetcher: Who fetches; none if everything lies here.

    Raises:
        InputError: An input could not be had, or is damaged.
        OutOfDiskError: There is no room for one.
    """
    found = GatheredInputs(exchanges=[{} for _ in request.inputs])
    fetches: list[_Fetch] = []
    for number, read in needs.exchanges.items():
        if number >= len(request.inputs):
            raise InternalError(f"a fragment reads inputs of its stage: got number {number}")
        each = request.inputs[number]
        if each.told is not None and not set(read) <= set(each.told):
            raise InternalError(f"a task is told of all that it reads: got {each.told} for {read}")
        _add_local(each, read, found.exchanges[number], found)
        fetches.extend(_orders(request, number, each, read))
    for upload_id in needs.uploads:
        upload = request.uploads.get(upload_id)
        if upload is None:
            raise InternalError(f"a fragment reads uploads of its stage: got {upload_id}")
        if isinstance(upload, StoredFile):
            found.looks.append(check_blocks(upload, upload.blocks, ""))
            _add_upload(upload_id, _as_planned(upload, upload_id, request), found)
        else:
            fetches.append(_upload_order(upload))
    if fetches:
        _fetch(fetches, space, fetcher, found)
    return found


def _add_local(
    each: TaskInput, partitions: Sequence[int], ranges: Ranges, found: GatheredInputs
) -> None:
    for output in each.outputs:
        if isinstance(output, LocalInput):
            found.looks.append(check_blocks(output.file, partitions, output.task_id))
            for partition in partitions:
                listed = list(file_ranges(output.file, partition))
                found.bytes_local += sum(part.end - part.start for part in listed)
                ranges.setdefault(partition, []).extend(listed)


def _as_planned(file: StoredFile, upload_id: str, request: TaskRequest) -> StoredFile:
    """Returns an upload with as many partitions as plans count on, also if it was handed over."""
    places = [each for each in request.stage.uploads if each.upload_id == upload_id]
    count = places[0].partition_count if places else len(file.blocks)
    return file if len(file.blocks) in (0, count) else divided(file, count)


def _add_upload(upload_id: str, file: StoredFile, found: GatheredInputs) -> None:
    found.uploads[upload_id] = {number: list(file_ranges(file, number)) for number in file.blocks}
    found.upload_paths[upload_id] = file.path


def file_ranges(file: StoredFile, partition: int) -> Iterator[FileRange]:
    """Yields where the rows of a partition lie, for the engine."""
    for start, end in file.ranges(partition):
        yield FileRange(file.path, start, end, file.size)


def _orders(
    request: TaskRequest, number: int, each: TaskInput, partitions: Sequence[int]
) -> Iterator[_Fetch]:
    """Yields one order for each executor that holds rows of an input."""
    by_address: dict[str, list[RemoteInput]] = {}
    for output in each.outputs:
        if isinstance(output, RemoteInput) and output.partitions:
            by_address.setdefault(output.address, []).append(output)
    gathered = block_bytes(request.memory_bytes, len(partitions))
    for address, outputs in by_address.items():
        whole = each.kind is ExchangeKind.BROADCAST
        picked = _pick(outputs, set(partitions), by_attempt=whole)
        if not picked:
            continue
        wanted = tuple((selection.task_id, partition) for selection, partition in picked)
        order = FetchOrder(
            address=address,
            wanted=OutputsWanted(request.stage.job_id, wanted),
            selections=tuple(selection for selection, _ in picked),
            name=f"input-{number}-{address.replace(':', '-').replace('/', '-')}.arrow",
            gather_bytes=gathered,
        )
        attempts = tuple(output.task_id for output in outputs) if whole else ()
        yield _Fetch(order, input_number=number, attempts=attempts)


def _pick(
    outputs: Sequence[RemoteInput], partitions: set[int], *, by_attempt: bool
) -> list[tuple[Selection, int]]:
    """Returns what is fetched, with its partition, in the order in which it lies in the file."""
    picked = [
        (Selection(output.task_id, part.rows, number if by_attempt else part.number), part.number)
        for number, output in enumerate(outputs)
        for part in output.partitions
        if part.number in partitions
    ]
    return sorted(picked, key=lambda each: each[0].partition)


def _upload_order(upload: RemoteUpload) -> _Fetch:
    order = FetchOrder(
        address=upload.address,
        wanted=UploadWanted(upload.upload_id),
        selections=(),
        name=f"upload-{upload.upload_id}.arrow",
        gather_bytes=1,  # a copy has the blocks of the original
    )
    return _Fetch(order, upload=upload)


def _fetch(
    fetches: Sequence[_Fetch], space: Space, fetcher: Fetcher | None, found: GatheredInputs
) -> None:
    if fetcher is None:
        raise InternalError("everything lies in the process that reads it: got remote inputs")
    for each, fetched in zip(
        fetches, fetcher.fetch([each.order for each in fetches], space), strict=True
    ):
        if fetched.in_place:
            found.bytes_local += sum(_bytes_listed(file) for file in fetched.files)
            found.looks += fetched.looks or ()
        else:
            found.bytes_remote += sum(file.size for file in fetched.files)
        _add_fetched(each, fetched, found)


def _add_fetched(each: _Fetch, fetched: Fetched, found: GatheredInputs) -> None:
    if each.upload is not None:
        (file,) = fetched.files
        _add_upload(each.upload.upload_id, divided(file, each.upload.partition_count), found)
        found.scratch.append(file)
        return
    for file in fetched.files:
        if each.attempts:
            found.copies.update(_copies(each.attempts, file))
        else:
            found.scratch.append(file)
            _extend(found.exchanges[each.input_number], file)
    for task_id in each.attempts:
        if task_id not in found.copies:  # it has no rows
            found.copies[task_id] = replace(fetched.files[0], blocks={})
        _extend(found.exchanges[each.input_number], found.copies[task_id])


def _copies(attempts: Sequence[str], file: StoredFile) -> Iterator[tuple[str, StoredFile]]:
    """Yields, of a file with the rows of attempts under their numbers, a file for each of them."""
    for number, blocks in file.blocks.items():
        yield attempts[number], replace(file, blocks={0: blocks})


def _bytes_listed(file: StoredFile) -> int:
    return sum(part.bytes for part in file.partitions())


def _extend(ranges: Ranges, file: StoredFile) -> None:
    for partition in file.blocks:
        ranges.setdefault(partition, []).extend(file_ranges(file, partition))


def as_mappings(
    found: GatheredInputs,
) -> tuple[list[Mapping[int, Sequence[FileRange]]], dict[str, Mapping[int, Sequence[FileRange]]]]:
    """Returns the inputs and uploads as a fragment takes them."""
    return list(found.exchanges), dict(found.uploads)
