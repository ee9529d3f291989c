"""Definitions of stages, from messages."""

from typing import Final

from springald.errors import MessageGarbledError
from springald.executor.v1 import executor_pb2 as pb
from springald.limits import INLINE_ROWS_BYTES_MAX
from springald.physical.v1 import physical_pb2 as physical
from springald.types import schema_from_proto
from springald_executor.codec.sizes import partitions_from_proto
from springald_executor.core.model import (
    ExchangeKind,
    FileTarget,
    Fragment,
    FragmentFormat,
    InputDefinition,
    OutputLocation,
    Partition,
    Repeats,
    StageDefinition,
    UploadLocation,
)

_KINDS: Final[dict[int, ExchangeKind]] = {
    physical.EXCHANGE_KIND_HASH: ExchangeKind.HASH,
    physical.EXCHANGE_KIND_SINGLE: ExchangeKind.SINGLE,
    physical.EXCHANGE_KIND_BROADCAST: ExchangeKind.BROADCAST,
    physical.EXCHANGE_KIND_SORTED: ExchangeKind.SORTED,
    physical.EXCHANGE_KIND_FORWARD: ExchangeKind.FORWARD,
    physical.EXCHANGE_KIND_RESULT: ExchangeKind.RESULT,
}
_REPEATS: Final[dict[int, Repeats]] = {
    physical.REPEATS_ALWAYS: Repeats.ALWAYS,
    physical.REPEATS_NEVER: Repeats.NEVER,
}
_FORMATS: Final[dict[int, FragmentFormat]] = {
    physical.FRAGMENT_FORMAT_PHYSICAL_PLAN: FragmentFormat.PHYSICAL_PLAN,
    physical.FRAGMENT_FORMAT_SQL: FragmentFormat.SQL,
    physical.FRAGMENT_FORMAT_WRITE: FragmentFormat.PHYSICAL_PLAN,
    physical.FRAGMENT_FORMAT_COMMIT: FragmentFormat.PHYSICAL_PLAN,
}


def stage_from_proto(message: pb.DefineStage) -> StageDefinition:
    """Reads a definition.

    Raises:
        MessageGarbledError: It names an exchange or a format that this version does not know.
        InvalidArgumentError: Its schema breaks a rule of the contract.
    """
    stage = message.stage
    inputs = _inputs(message)
    if len(stage.inputs) != len(inputs):
        wanted, got = len(stage.inputs), len(inputs)
        raise MessageGarbledError(f"each input has its locations: got {got} for {wanted} inputs")
    schema = schema_from_proto(stage.schema)
    return StageDefinition(
        job_id=message.job_id,
        stage_id=stage.stage_id,
        fragment=_fragment(stage.fragment),
        inputs=tuple(
            InputDefinition(_kind(leaf.kind), outputs, sliced)
            for leaf, (outputs, sliced) in zip(stage.inputs, inputs, strict=True)
        ),
        output=_kind(stage.output.kind),
        output_partitions=stage.output.partition_count,
        schema=bytes(schema.serialize().to_pybytes()),
        settings=tuple((each.name, each.value) for each in message.settings),
        uploads=tuple(_upload(each) for each in message.uploads),
        operator_count=len(stage.operators),
        profile=message.profile,
        repeats=_REPEATS.get(stage.repeats, Repeats.UNKNOWN),
        inline_rows_bytes_max=min(stage.inline_rows_bytes_max, INLINE_ROWS_BYTES_MAX),
        writes_files=_target(stage, physical.FRAGMENT_FORMAT_WRITE, "writes_files"),
        commits_files=_target(stage, physical.FRAGMENT_FORMAT_COMMIT, "commits_files"),
    )


def _target(
    stage: physical.Stage, form: physical.FragmentFormat.ValueType, field: str
) -> FileTarget | None:
    """Returns where files go; a fragment that writes tells it, and no other one does."""
    is_told = stage.HasField(field)  # type: ignore[arg-type]
    if is_told != (stage.fragment.format == form):
        raise MessageGarbledError(
            f"a stage has {field} if its fragment is for it: got a fragment of format "
            f"{stage.fragment.format} {'with' if is_told else 'without'} it"
        )
    if not is_told:
        return None
    target = getattr(stage, field)
    if not target.folder or not target.write_id:
        raise MessageGarbledError(f"{field} has a folder and a write id: got {target}")
    return FileTarget(target.folder, target.file_name, target.write_id)


def _fragment(message: physical.EngineFragment) -> Fragment:
    if message.format not in _FORMATS:
        raise MessageGarbledError(f"a fragment has a known format: got {message.format}")
    version = f"{message.engine} {message.engine_version}"
    return Fragment(_FORMATS[message.format], message.payload, version)


def _kind(kind: int) -> ExchangeKind:
    if kind not in _KINDS:
        raise MessageGarbledError(f"an exchange has a known kind: got {kind}")
    return _KINDS[kind]


def _inputs(message: pb.DefineStage) -> list[tuple[tuple[OutputLocation, ...], bool]]:
    """Reads for each input where its outputs lie, in either of two forms, and if it is sliced."""
    if message.sources:
        return [(tuple(map(_source, each.outputs)), each.sliced) for each in message.sources]
    return [(tuple(map(_location, each.outputs)), False) for each in message.inputs]


def _source(message: pb.OutputSource) -> OutputLocation:
    return OutputLocation(
        task_id=message.task_id,
        executor_id=message.executor_id,
        address=message.flight_address,
        partitions=partitions_from_proto(message.sizes),
    )


def _location(message: pb.OutputLocation) -> OutputLocation:
    return OutputLocation(
        task_id=message.task_id,
        executor_id=message.executor_id,
        address=message.flight_address,
        partitions=tuple(
            Partition(part.partition, part.rows, part.bytes) for part in message.partitions
        ),
    )


def _upload(message: physical.UploadedTable) -> UploadLocation:
    return UploadLocation(
        upload_id=message.upload_id,
        executor_id=message.executor_id,
        address=message.flight_address,
        rows=message.rows,
        partition_count=max(1, message.partition_count),
    )
