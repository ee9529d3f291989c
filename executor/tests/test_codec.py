"""Messages of the scheduler as events, and what the core tells as messages."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from springald.error.v1 import error_pb2
from springald.errors import ERROR_BY_CODE, MessageGarbledError, Position, SpringaldError
from springald.executor.v1 import executor_pb2 as pb
from springald.physical.v1 import physical_pb2 as physical
from springald.results import plain_schema, result_schema, with_result_schema
from springald.tickets import verify
from springald.types import schema_to_proto
from springald_executor.codec.events import event_from_proto
from springald_executor.codec.failures import error_from_failure, error_message, failure_from_error
from springald_executor.codec.queries import query_from_payload
from springald_executor.codec.requests import request_from_action
from springald_executor.codec.stages import stage_from_proto
from springald_executor.codec.tickets import ticket_for
from springald_executor.core import actions as ac
from springald_executor.core import events as ev
from springald_executor.core.failures import Failure
from springald_executor.core.model import (
    Block,
    ExchangeKind,
    FileTarget,
    FragmentFormat,
    InputDefinition,
    OperatorFigures,
    OutputLocation,
    OutputsWanted,
    Partition,
    RanOperator,
    StoredFile,
    TaskReport,
    UploadLocation,
    UploadWanted,
)

CAUSE = ev.Event()


def definition(schema: pa.Schema) -> pb.DefineStage:
    """A definition with everything in it."""
    stage = physical.Stage(
        stage_id=2,
        fragment=physical.EngineFragment(
            engine="datafusion",
            engine_version="55.0.0",
            format=physical.FRAGMENT_FORMAT_PHYSICAL_PLAN,
            payload=b"plan",
        ),
        inputs=[physical.StageInput(stage_id=1, kind=physical.EXCHANGE_KIND_HASH)],
        output=physical.Exchange(kind=physical.EXCHANGE_KIND_RESULT, partition_count=3),
        schema=schema_to_proto(schema),
    )
    place = pb.OutputLocation(
        task_id="j1/s1/t1#1",
        executor_id="e1",
        flight_address="h:1",
        partitions=[physical.PartitionStatistics(partition=4, rows=5, bytes=6)],
    )
    upload = physical.UploadedTable(
        upload_id="u1", executor_id="e2", flight_address="h:2", rows=9, partition_count=2
    )
    return pb.DefineStage(
        job_id="j1",
        stage=stage,
        inputs=[pb.InputLocations(outputs=[place])],
        settings=[physical.Option(name="a", value="b")],
        uploads=[upload],
    )


def test_finished_attempt_tells_what_its_operators_measured() -> None:
    """Each column arrives under its name, and a failed attempt tells what is known."""
    details = ((1, "build_input_rows", 6),)
    figures = OperatorFigures((0, 2), (5, 7), (10, 20), (0, 1), (0, 300), (), details)
    told = physical.OperatorFigures(
        positions=[0, 2],
        rows_out=[5, 7],
        compute_ns=[10, 20],
        spill_count=[0, 1],
        spilled_bytes=[0, 300],
        details=[physical.OperatorDetail(position=1, name="build_input_rows", value=6)],
    )
    ran = (RanOperator("FilterExec", "a > 1", (1,)), RanOperator("DataSourceExec", "", ()))
    report = TaskReport(
        StoredFile("f", 60, in_memory=True, blocks={}), figures=figures, operators=ran
    )
    failure = Failure("OUT_OF_MEMORY", "no", figures=figures)
    finished = request_from_action(ac.TellTaskFinished(CAUSE, "j1/s3/t1#1", report), "e1")
    failed = request_from_action(ac.TellTaskFailed(CAUSE, "j1/s3/t1#1", failure), "e1")

    assert finished is not None
    assert failed is not None
    assert finished.task_finished.figures == told
    assert failed.task_failed.figures == told
    assert list(finished.task_finished.operators) == [
        physical.Operator(
            node_id="s3/o0", name="FilterExec", detail="a > 1", input_node_ids=["s3/o1"]
        ),
        physical.Operator(node_id="s3/o1", name="DataSourceExec"),
    ]


def test_stage_definition_says_what_is_to_be_measured() -> None:
    """How many operators there are to match, and whether everything is wanted."""
    message = definition(pa.schema([]))
    message.stage.operators.add(node_id="s2/o0")
    message.profile = True

    stage = stage_from_proto(message)

    assert (stage.operator_count, stage.profile) == (1, True)


def test_stage_definition_is_read_whole() -> None:
    """Everything that a task needs of its stage arrives, the promised schema included."""
    promised = pa.schema([("v", pa.string_view())])
    schema = with_result_schema(plain_schema(promised), promised)

    stage = stage_from_proto(definition(schema))

    assert stage.name == "j1/s2"
    assert stage.fragment.engine_version == "datafusion 55.0.0"
    assert stage.fragment.format is FragmentFormat.PHYSICAL_PLAN
    place = OutputLocation("j1/s1/t1#1", "e1", "h:1", (Partition(4, 5, 6),))
    assert stage.inputs == (InputDefinition(ExchangeKind.HASH, (place,)),)
    assert (stage.output, stage.output_partitions) == (ExchangeKind.RESULT, 3)
    assert stage.settings == (("a", "b"),)
    assert stage.uploads == (UploadLocation("u1", "e2", "h:2", 9, 2),)
    assert result_schema(pa.ipc.read_schema(pa.py_buffer(stage.schema))) == promised


@pytest.mark.parametrize("field", ["writes_files", "commits_files"])
def test_stage_that_writes_tells_where(field: str) -> None:
    """The format and the target go together; neither comes without the other, nor is it empty."""
    message = definition(pa.schema([]))
    formats = {
        "writes_files": physical.FRAGMENT_FORMAT_WRITE,
        "commits_files": physical.FRAGMENT_FORMAT_COMMIT,
    }
    message.stage.fragment.format = formats[field]
    with pytest.raises(MessageGarbledError, match=field):
        stage_from_proto(message)
    target = getattr(message.stage, field)
    target.CopyFrom(physical.FileTarget(folder="/f", file_name="n", write_id="w"))
    stage = stage_from_proto(message)
    assert getattr(stage, field) == FileTarget("/f", "n", "w")
    assert stage.fragment.format is FragmentFormat.PHYSICAL_PLAN
    target.write_id = ""
    with pytest.raises(MessageGarbledError, match="write id"):
        stage_from_proto(message)
    target.write_id = "w"
    message.stage.fragment.format = physical.FRAGMENT_FORMAT_PHYSICAL_PLAN
    with pytest.raises(MessageGarbledError, match=field):
        stage_from_proto(message)


@pytest.mark.parametrize("field", ["format", "output", "inputs"])
def test_stage_with_unknown_parts_is_garbled(field: str) -> None:
    """A reader refuses kinds and formats that it does not know, and inputs without a place."""
    message = definition(pa.schema([]))
    match field:
        case "format":
            message.stage.fragment.ClearField("format")
        case "output":
            message.stage.output.kind = physical.EXCHANGE_KIND_RANGE
        case _:
            del message.inputs[:]

    with pytest.raises(MessageGarbledError):
        stage_from_proto(message)


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (
            pb.ConnectResponse(
                launch_task=pb.LaunchTask(
                    task_id="t", job_id="j1", stage_id=2, partitions=[1, 3], slots=2
                )
            ),
            ev.TaskLaunched("t", "j1", 2, (1, 3), 2),
        ),
        (
            pb.ConnectResponse(cancel_task=pb.CancelTask(task_id="t")),
            ev.TaskCancelled("t"),
        ),
        (pb.ConnectResponse(release_job=pb.ReleaseJob(job_id="j")), ev.JobReleased("j")),
        (
            pb.ConnectResponse(release_upload=pb.ReleaseUpload(upload_id="u")),
            ev.UploadReleased("u"),
        ),
        (pb.ConnectResponse(drain=pb.Drain(reason="x")), ev.DrainOrdered()),
        (pb.ConnectResponse(), None),
    ],
)
def test_message_of_the_scheduler_is_an_event(
    message: pb.ConnectResponse, event: ev.Event | None
) -> None:
    """Each order is one fact; a message that is not known is none (P1.2)."""
    assert event_from_proto(message) == event


def test_clusters_are_told_apart_by_their_key_without_showing_it() -> None:
    """The core knows whether the scheduler is another one, and not its secret."""
    first, second = (
        event_from_proto(pb.ConnectResponse(registered=pb.Registered(ticket_key=key)))
        for key in (b"1" * 32, b"2" * 32)
    )

    assert isinstance(first, ev.Registered)
    assert isinstance(second, ev.Registered)
    assert first.cluster != second.cluster
    assert "1111" not in first.cluster


def test_finished_attempt_tells_its_partitions() -> None:
    """Rows and bytes of every partition with rows, and what was read."""
    two = (Block(0, 0, 10, 1, 0), Block(2, 30, 50, 4, 0))
    blocks: dict[int, tuple[Block, ...]] = {2: two}
    report = TaskReport(StoredFile("f", 60, in_memory=True, blocks=blocks), {}, 7, 8, 9)
    message = request_from_action(ac.TellTaskFinished(CAUSE, "t", report), "e1")

    assert message is not None
    assert message.task_finished == pb.TaskFinished(
        task_id="t",
        sizes=pb.Sizes(numbers=[2], rows=[5], bytes=[30]),
        bytes_read_local=7,
        bytes_read_remote=8,
        elapsed_ms=9,
    )


def test_failed_attempt_tells_where_and_what_is_lost() -> None:
    """An error leaves the executor with its place and the attempt that has to be run again."""
    failure = Failure("INPUT_LOST", "gone", retryable=True, lost_task_id="t0").at("t")
    message = request_from_action(ac.TellTaskFailed(CAUSE, "t", failure), "e1")

    assert message is not None
    assert message.task_failed.lost_task_id == "t0"
    assert message.task_failed.error == error_pb2.Error(
        code=error_pb2.CODE_INPUT_LOST,
        fault=error_pb2.FAULT_CLUSTER,
        retryable=True,
        message="gone",
        node_id="t",
        executor_id="e1",
    )


def test_actions_that_are_not_messages_have_none() -> None:
    """What the driver does itself is not sent."""
    assert request_from_action(ac.StartEngine(CAUSE, 1), "e1") is None
    assert request_from_action(ac.Leave(CAUSE), "e1") is None


@given(
    kind=st.sampled_from(sorted(ERROR_BY_CODE)),
    texts=st.tuples(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5)),
    position=st.none() | st.builds(Position, st.integers(1, 9), st.integers(1, 9)),
)
def test_error_comes_back_from_the_core_unchanged(
    kind: str, texts: tuple[str, str, str], position: Position | None
) -> None:
    """An error is made once and copied unchanged (P6.1)."""
    message, node_id, engine_message = texts
    made = ERROR_BY_CODE[kind](
        message, node_id=node_id, position=position, engine_message=engine_message
    )
    back = error_from_failure(failure_from_error(made))

    assert type(back) is type(made)
    assert back.__dict__ == made.__dict__


def test_retryable_follows_the_failure_not_its_code() -> None:
    """The core may know that trying again does not help."""
    failure = Failure("INPUT_LOST", "only the client has these rows")

    assert not error_message(failure, "e1").retryable
    assert isinstance(error_from_failure(failure), SpringaldError)


def test_ticket_for_a_peer_opens_what_was_wanted_for_a_while() -> None:
    """Engines show tickets that their agent wrote; the key stays with the agent."""
    key = bytes(32)
    outputs = verify(ticket_for(OutputsWanted("j1", (("t", 3),)), key, 1_000), key, 2_000)
    upload = verify(ticket_for(UploadWanted("u1"), key, 1_000), key, 2_000)

    assert outputs.read_outputs.job_id == "j1"
    assert [(each.task_id, each.partition) for each in outputs.read_outputs.selections] == [
        ("t", 3)
    ]
    assert upload.read_upload.upload_id == "u1"


def test_whole_query_is_read_with_its_catalog() -> None:
    """A query comes with its tables in the order in which they can be made."""
    files = physical.RegisteredFiles(
        format=physical.FILE_FORMAT_CSV,
        path="/d/t.csv",
        options=[physical.Option(name="format.delimiter", value=";")],
    )
    fragment = physical.SqlFragment(
        sql="SELECT 1",
        catalog=[
            physical.CatalogEntry(name="t", files=files),
            physical.CatalogEntry(name="v", statement="CREATE VIEW v AS SELECT 1"),
            physical.CatalogEntry(name="u", upload=physical.UploadedTable(upload_id="u1")),
        ],
    )
    query = query_from_payload(fragment.SerializeToString())

    assert query.sql == "SELECT 1"
    assert [entry.name for entry in query.catalog] == ["t", "v", "u"]
    assert query.catalog[0].options == (("format.delimiter", ";"),)
    assert query.catalog[0].format == "csv"
    assert query.catalog[1].statement.startswith("CREATE VIEW")
    assert query.catalog[2].upload_id == "u1"


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xff",
        physical.SqlFragment(catalog=[physical.CatalogEntry(name="t")]).SerializeToString(),
    ],
)
def test_query_that_does_not_decode_is_garbled(payload: bytes) -> None:
    """A payload that nobody wrote for this version."""
    with pytest.raises(MessageGarbledError):
        query_from_payload(payload)
