"""Between messages and core types: nothing is lost, and nothing is there twice."""

from array import array
from dataclasses import replace

import pyarrow as pa
import pytest

from springald.codec.errors import error_to_proto
from springald.engine.catalog import CatalogEntry, SqlQuery
from springald.errors import (
    ERROR_BY_CODE,
    ClusterError,
    InvalidArgumentError,
    MessageGarbledError,
    Position,
    SpringaldError,
)
from springald.executor.v1 import executor_pb2 as pb
from springald.physical.v1 import physical_pb2 as physical
from springald.types import schema_from_proto
from springald_scheduler.codec.executors import action_to_proto, event_from_proto
from springald_scheduler.codec.failures import (
    failure_from_error,
    failure_from_proto,
    failure_to_error,
    failure_to_proto,
)
from springald_scheduler.codec.stages import graph_to_proto, stage_to_proto
from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.graph import (
    Exchange,
    ExchangeKind,
    FileTarget,
    Fragment,
    FragmentFormat,
    Operator,
    Stage,
    StageGraph,
    StageInput,
)
from springald_scheduler.core.records import OutputLocation, UploadLocation
from springald_scheduler.core.sizes import InputSlice, Sizes

SCHEMA = pa.schema([("a", pa.int64())], metadata={"springald:result_schema": b"\x00\xff"})
IPC = bytes(SCHEMA.serialize().to_pybytes())
FRAGMENT = Fragment(FragmentFormat.PHYSICAL_PLAN, b"plan", "55.0.0")
STAGE = Stage(
    stage_id=2,
    fragment=FRAGMENT,
    inputs=(StageInput(1, ExchangeKind.SORTED, 3),),
    output=Exchange(ExchangeKind.RESULT, 4, ("k",), ("o",)),
    partition_count=4,
    operators=(Operator("s2/o1", "SortExec", "by k", ("s2/o2",)),),
    schema=IPC,
    upload_ids=("u1",),
)
SLICE = InputSlice(range(1, 2), (Sizes(range(2), array("Q", [0, 2]), array("Q", [0, 30])),))


@pytest.mark.parametrize("kind", ERROR_BY_CODE.values(), ids=lambda kind: kind.code)
def test_failure_of_each_code_is_its_error(kind: type[SpringaldError]) -> None:
    """P6.1: what the core keeps is what was raised, and what is told."""
    error = kind(
        "m", node_id="n", position=Position(2, 5), executor_id="e1", engine_message="engine"
    )
    failure = failure_from_error(error)
    again = failure_to_error(failure)
    assert type(again) is kind
    assert failure_from_error(again) == failure
    assert failure_to_proto(failure) == error_to_proto(error)
    assert failure_from_proto(error_to_proto(error)) == failure


def test_failure_of_unknown_code_keeps_its_fault() -> None:
    """P6.2: a code of a later version passes through."""
    failure = Failure("CODE_399", "m", retryable=True, fault="cluster")
    error = failure_to_error(failure)
    assert (type(error), error.code, error.retryable) == (ClusterError, "CODE_399", True)
    assert failure_from_proto(failure_to_proto(failure)) == failure


def test_stage_is_written_whole() -> None:
    """All of a stage reaches executors, its schema's metadata too."""
    message = stage_to_proto(STAGE)
    assert message.fragment == physical.EngineFragment(
        engine="datafusion",
        engine_version="55.0.0",
        format=physical.FRAGMENT_FORMAT_PHYSICAL_PLAN,
        payload=b"plan",
    )
    assert message.inputs[0].kind == physical.EXCHANGE_KIND_SORTED
    assert list(message.output.keys) + list(message.output.ordering) == ["k", "o"]
    assert (message.sliceable, message.partition_count) == (True, 4)
    assert message.operators[0].input_node_ids == ["s2/o2"]
    assert list(message.upload_ids) == ["u1"]
    schema = schema_from_proto(message.schema)
    assert schema.equals(SCHEMA, check_metadata=True)


@pytest.mark.parametrize("kind", ExchangeKind)
def test_exchange_of_each_kind_is_written(kind: ExchangeKind) -> None:
    """Every exchange that the planner knows has its number in the contract."""
    stage = Stage(1, FRAGMENT, (), Exchange(kind, 1), 1)
    name = physical.ExchangeKind.Name(stage_to_proto(stage).output.kind)
    assert name == f"EXCHANGE_KIND_{kind.name}"


def test_stage_for_people_has_no_payload() -> None:
    """What people see of a stage is small."""
    message = graph_to_proto(StageGraph((STAGE,), decisions=("one",)))
    assert message.stages[0].fragment.payload == b""
    assert list(message.decisions) == ["one"]


def test_stage_of_a_whole_query_carries_it() -> None:
    """A plan that the engine cannot serialise travels as its text and catalog."""
    query = SqlQuery(
        "SELECT 1",
        (
            CatalogEntry("v", statement="CREATE VIEW v AS SELECT 1"),
            CatalogEntry("f", format="csv", path="/f", options=(("a", "b"),)),
            CatalogEntry("u", upload_id="u1"),
        ),
    )
    stage = Stage(
        stage_id=1,
        fragment=Fragment(FragmentFormat.SQL, b"", "55.0.0", query),
        inputs=(),
        output=Exchange(ExchangeKind.RESULT, 1),
        partition_count=1,
        single_task_reason="it cannot be cut",
    )
    message = stage_to_proto(stage)
    fragment = physical.SqlFragment.FromString(message.fragment.payload)
    assert (fragment.sql, message.sliceable) == ("SELECT 1", False)
    view, files, upload = fragment.catalog
    assert view.statement == "CREATE VIEW v AS SELECT 1"
    assert (files.files.format, files.files.path) == (physical.FILE_FORMAT_CSV, "/f")
    assert files.files.options[0] == physical.Option(name="a", value="b")
    assert upload.upload.upload_id == "u1"
    assert not message.HasField("schema")


def test_stage_that_writes_has_a_format_of_its_own() -> None:
    """An executor that knows nothing of files to write refuses it instead of running it."""
    target = FileTarget("/f", "n", "w")
    told = physical.FileTarget(folder="/f", file_name="n", write_id="w")
    writes = stage_to_proto(replace(STAGE, writes_files=target))
    assert writes.fragment.format == physical.FRAGMENT_FORMAT_WRITE
    assert (writes.writes_files, writes.HasField("commits_files")) == (told, False)
    commits = stage_to_proto(replace(STAGE, commits_files=target))
    assert commits.fragment.format == physical.FRAGMENT_FORMAT_COMMIT
    assert (commits.commits_files, commits.HasField("writes_files")) == (told, False)


def test_stage_with_schema_too_deep_is_refused() -> None:
    """A schema that cannot travel is an error of its stage."""
    data_type = pa.int64()
    for _ in range(40):
        data_type = pa.list_(data_type)
    deep = bytes(pa.schema([("a", data_type)]).serialize().to_pybytes())
    stage = Stage(1, FRAGMENT, (), Exchange(ExchangeKind.RESULT, 1), 1, schema=deep)
    with pytest.raises(InvalidArgumentError):
        stage_to_proto(stage)


def test_definition_of_a_sliced_input_tells_no_sizes() -> None:
    """What a task reads is told to it alone, so that a definition does not grow with partitions."""
    output = OutputLocation("j1/s1/t1#1", "e2", "e2:1", Sizes.of([(1, 2, 3)]))
    life = (on.TimePassed(), "e1", "a")
    message = action_to_proto(do.DefineStage(*life, "j1", STAGE, ((output,),), sliced=(True,)))
    assert message is not None
    (source,) = message.define_stage.sources
    assert source.sliced
    assert not source.outputs[0].HasField("sizes")


def test_sizes_with_columns_of_different_lengths_are_garbled() -> None:
    """Rows of one partition must not be taken for those of another."""
    for columns in ({"rows": [1]}, {"numbers": [1, 2], "rows": [1], "bytes": [1]}):
        sizes = pb.Sizes(**columns)
        finished = pb.TaskFinished(task_id="t", sizes=sizes)
        with pytest.raises(MessageGarbledError):
            event_from_proto(pb.ConnectRequest(task_finished=finished), "e1", "a")


def test_definition_tells_where_everything_lies() -> None:
    """Tasks learn the places of their inputs and uploads, and the session's settings."""
    output = OutputLocation("j1/s1/t1#1", "e2", "e2:1", Sizes.of([(1, 2, 3)]))
    upload = UploadLocation("u1", IPC, 5, 50, "e3", "e3:1", 2)
    action = do.DefineStage(
        on.TimePassed(), "e1", "a", "j1", STAGE, ((output,),), (("k", "v"),), (upload,), (False,)
    )
    message = action_to_proto(action)
    assert message is not None
    define = message.define_stage
    assert define.job_id == "j1"
    (place,) = define.sources[0].outputs
    assert (place.task_id, place.executor_id, place.flight_address) == ("j1/s1/t1#1", "e2", "e2:1")
    assert place.sizes == pb.Sizes(numbers=[1], rows=[2], bytes=[3])
    assert not define.sources[0].sliced
    assert define.settings[0] == physical.Option(name="k", value="v")
    assert (define.uploads[0].executor_id, define.uploads[0].partition_count) == ("e3", 2)
    assert schema_from_proto(define.uploads[0].schema).names == ["a"]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            do.LaunchTask(on.TimePassed(), "e1", "a", "j1/s1/t1#1", "j1", 1, range(2, 4), 2),
            pb.ConnectResponse(
                launch_task=pb.LaunchTask(
                    task_id="j1/s1/t1#1", job_id="j1", stage_id=1, partitions=[2, 3], slots=2
                )
            ),
        ),
        (
            do.LaunchTask(
                on.TimePassed(), "e1", "a", "t", "j1", 1, range(1, 2), 1, (SLICE, InputSlice())
            ),
            pb.ConnectResponse(
                launch_task=pb.LaunchTask(
                    task_id="t",
                    job_id="j1",
                    stage_id=1,
                    partitions=[1],
                    slots=1,
                    slices=[
                        pb.InputSlice(partitions=[1], sizes=[pb.Sizes(rows=[0, 2], bytes=[0, 30])]),
                        pb.InputSlice(),
                    ],
                )
            ),
        ),
        (
            do.CancelTask(on.TimePassed(), "e1", "a", "j1/s1/t1#1"),
            pb.ConnectResponse(cancel_task=pb.CancelTask(task_id="j1/s1/t1#1")),
        ),
        (
            do.ReleaseJobFiles(on.TimePassed(), "e1", "a", "j1"),
            pb.ConnectResponse(release_job=pb.ReleaseJob(job_id="j1")),
        ),
        (
            do.ReleaseUpload(on.TimePassed(), "e1", "a", "u1"),
            pb.ConnectResponse(release_upload=pb.ReleaseUpload(upload_id="u1")),
        ),
        (do.AcceptExecutor(on.TimePassed(), "e1", "a"), None),
    ],
)
def test_action_is_written_as_its_message(
    action: do.ToExecutor, message: pb.ConnectResponse | None
) -> None:
    """Each order to an executor has one message."""
    assert action_to_proto(action) == message


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (
            pb.ConnectRequest(heartbeat=pb.Heartbeat(running_task_ids=["t"])),
            on.ExecutorHeard("e1", "a", ("t",)),
        ),
        (
            pb.ConnectRequest(task_started=pb.TaskStarted(task_id="t")),
            on.TaskStarted("e1", "a", "t"),
        ),
        (
            pb.ConnectRequest(
                task_finished=pb.TaskFinished(
                    task_id="t", sizes=pb.Sizes(rows=[0, 2], bytes=[0, 30])
                )
            ),
            on.TaskFinished("e1", "a", "t", SLICE.sizes[0]),
        ),
        (
            pb.ConnectRequest(
                task_finished=pb.TaskFinished(
                    task_id="t",
                    partitions=[physical.PartitionStatistics(partition=1, rows=2, bytes=3)],
                    bytes_read_local=4,
                    bytes_read_remote=5,
                    elapsed_ms=6,
                )
            ),
            on.TaskFinished("e1", "a", "t", Sizes.of([(1, 2, 3)]), 4, 5, 6),
        ),
        (
            pb.ConnectRequest(
                task_failed=pb.TaskFailed(
                    task_id="t",
                    error=error_to_proto(ERROR_BY_CODE["FETCH_FAILED"]("m")),
                    lost_task_id="o",
                )
            ),
            on.TaskFailed("e1", "a", "t", Failure("FETCH_FAILED", "m", retryable=True), "o"),
        ),
        (
            pb.ConnectRequest(drain_requested=pb.DrainRequested(reason="r")),
            on.ExecutorDrainRequested("e1", "a", "r"),
        ),
        (
            pb.ConnectRequest(
                upload_stored=pb.UploadStored(upload_id="u", rows=1, bytes=2, partition_count=3)
            ),
            on.UploadStored("e1", "a", "u", 1, 2, 3),
        ),
        (pb.ConnectRequest(), None),
    ],
)
def test_message_is_read_as_its_event(message: pb.ConnectRequest, event: on.Event | None) -> None:
    """Each report of an executor is one event."""
    assert event_from_proto(message, "e1", "a") == event
