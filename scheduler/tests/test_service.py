"""Clients, over real gRPC on loopback, with a scripted planner and fake executors."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any, Literal

import grpc
import pyarrow as pa
import pytest
from scheduler_kit import (
    Executor,
    Scheduler,
    execute_request,
    make_graph,
    make_stage,
    running,
    sql,
    wait_until,
)

from springald.codec.errors import error_from_proto, error_from_rpc
from springald.engine.catalog import CatalogEntry
from springald.errors import (
    AddressInUseError,
    CancelledError,
    InternalError,
    InvalidArgumentError,
    JobNotFoundError,
    MessageGarbledError,
    MessageTooLargeError,
    NoExecutorError,
    OperationConflictError,
    OverloadedError,
    PlanTooLargeError,
    Position,
    ProtocolMismatchError,
    SchedulerRestartedError,
    SchedulerUnavailableError,
    SessionNotFoundError,
    SpringaldError,
    SqlSyntaxError,
)
from springald.executor.v1 import executor_pb2
from springald.grpc_transport import GrpcTransport
from springald.limits import MESSAGE_BYTES_MAX, PLAN_BYTES_MAX, RELEASED_PER_CALL_MAX
from springald.physical.v1.physical_pb2 import FILE_FORMAT_PARQUET, RegisteredFiles
from springald.plan.v1.plan_pb2 import (
    Plan,
    PlanVersion,
    SqlText,
    SubstraitPlan,
)
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.tickets import verify
from springald.types import schema_to_proto
from springald_scheduler.adapters.grpc_server import GrpcServer
from springald_scheduler.core.graph import StageGraph
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.limits import PLANNER_THREADS_MAX
from springald_scheduler.planning.model import SessionSnapshot


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """A scheduler on a free port."""
    with running() as scheduler:
        yield scheduler


@pytest.fixture
def client(scheduler: Scheduler) -> Iterator[GrpcTransport]:
    """A client of it."""
    with closing(GrpcTransport(scheduler.address)) as client:
        yield client


def open_session(client: GrpcTransport) -> str:
    """Opens a session; returns its id."""
    request = pb.OpenSessionRequest(protocol_version=pb.ProtocolVersion(major=1))
    return client.open_session(request).session_id


def run(
    client: GrpcTransport, session_id: str, text: str = "SELECT 1", operation_id: str = "o1"
) -> list[pb.JobUpdate]:
    """Runs a statement to its end; returns all updates."""
    with closing(client.execute(execute_request(session_id, text, operation_id))) as stream:
        return [each.update for each in stream]


def test_query_runs_on_an_executor(scheduler: Scheduler, client: GrpcTransport) -> None:
    """A statement becomes a job; the last update says where its rows are, by a valid ticket."""
    session_id = open_session(client)
    with Executor(scheduler.address):
        updates = run(client, session_id)
    assert [each.job_id for each in updates] == ["j1"] * len(updates)
    last = updates[-1]
    assert last.status == pb.JOB_STATUS_SUCCEEDED
    (part,) = last.result.remote.parts
    assert (part.flight_address, part.rows, part.bytes) == ("e1.example:1", 1, 10)
    claims = verify(part.ticket, scheduler.driver.mint.key, scheduler.driver.now_ms())
    selection = executor_pb2.OutputSelection(task_id="j1/s1/t1#1", partition=0)
    assert claims.read_outputs == executor_pb2.ReadOutputs(job_id="j1", selections=[selection])


def _registered(stack: ExitStack, address: str, executor_id: str) -> Executor:
    executor = stack.enter_context(Executor(address, executor_id, automatic=False))
    executor.wait("registered")
    return executor


def test_result_parts_follow_partitions_and_join_neighbours(
    scheduler: Scheduler, client: GrpcTransport
) -> None:
    """P5.3: parts are in partition order; neighbours on one executor are one part."""
    scheduler.planner.script["q"] = make_graph(make_stage(partitions=4))
    session_id = open_session(client)
    address = scheduler.address
    with ExitStack() as stack:
        # Of equally roomy executors the one that registered first gets the first partition.
        e1, e2 = (_registered(stack, address, name) for name in ("e1", "e2"))
        stream = client.execute(execute_request(session_id, "q"))
        (first,), (second,) = e1.wait("launch_task"), e2.wait("launch_task")
        assert [*first.partitions, *second.partitions] == [0, 1]
        e2.finish(second)
        e2.finish(e2.wait("launch_task", 2)[1])
        e2.finish(e2.wait("launch_task", 3)[2])
        e1.finish(first)
        last = [each.update for each in stream][-1]
    parts = last.result.remote.parts
    assert (last.result.remote.rows, last.result.remote.bytes) == (4, 40)
    opened = [
        verify(part.ticket, scheduler.driver.mint.key, 0).read_outputs.selections for part in parts
    ]
    partitions = [[each.partition for each in selections] for selections in opened]
    assert [number for each in partitions for number in each] == [0, 1, 2, 3]
    assert len(parts) == 2


def test_result_without_rows_has_a_part_for_its_schema(
    scheduler: Scheduler, client: GrpcTransport
) -> None:
    """A result without rows still has a schema, and so a part to read it from."""
    session_id = open_session(client)
    with Executor(scheduler.address, automatic=False) as executor:
        stream = client.execute(execute_request(session_id))
        executor.finish(executor.wait("launch_task")[0], rows={})
        last = [each.update for each in stream][-1]
    (part,) = last.result.remote.parts
    assert (part.rows, last.result.remote.rows) == (0, 0)
    claims = verify(part.ticket, scheduler.driver.mint.key, 0)
    assert len(claims.read_outputs.selections) == 1


def test_small_result_comes_with_the_last_news(scheduler: Scheduler, client: GrpcTransport) -> None:
    """P5.1: rows that came with the report of the only task are not fetched, and need no files."""
    session_id = open_session(client)
    with Executor(scheduler.address, automatic=False) as executor:
        stream = client.execute(execute_request(session_id))
        executor.finish(executor.wait("launch_task")[0], stream=b"an IPC stream")
        last = [each.update for each in stream][-1]
        assert last.result.inline.arrow_stream == b"an IPC stream"
        assert [each.job_id for each in executor.wait("release_job")] == ["j1"]
        again = client.attach_job(pb.AttachJobRequest(session_id=session_id, operation_id="o1"))
        assert [each.update for each in again][-1].result == last.result


def test_rows_of_one_task_of_several_are_fetched(
    scheduler: Scheduler, client: GrpcTransport
) -> None:
    """What one task sends is not the result."""
    scheduler.planner.script["q"] = make_graph(make_stage(partitions=2))
    session_id = open_session(client)
    with Executor(scheduler.address, automatic=False) as executor:
        stream = client.execute(execute_request(session_id, "q"))
        for number in (1, 2):
            executor.finish(executor.wait("launch_task", number)[-1], stream=b"some rows")
        last = [each.update for each in stream][-1]
    assert last.result.remote.rows == 2


def test_statement_answered_by_the_scheduler_is_inline(
    scheduler: Scheduler, client: GrpcTransport
) -> None:
    """Rows that the scheduler made itself travel in the update; no executor is needed."""
    scheduler.planner.script["SHOW x"] = b"an IPC stream"
    last = run(client, open_session(client), "SHOW x")[-1]
    assert last.result.inline.arrow_stream == b"an IPC stream"


def test_stages_read_what_others_wrote(scheduler: Scheduler, client: GrpcTransport) -> None:
    """A stage is defined with the places of its inputs before its first task."""
    stages = make_stage(1, 2, last=False), make_stage(2, 2, reads=(1,))
    scheduler.planner.script["q"] = make_graph(*stages)
    session_id = open_session(client)
    with Executor(scheduler.address, "e1", slots=2) as executor:
        run(client, session_id, "q")
        define = executor.wait("define_stage", 2)[1]
        launches = executor.wait("launch_task", 2)
    assert [list(each.partitions) for each in launches] == [[0, 1], [0, 1]]
    (output,) = define.sources[0].outputs
    assert (output.task_id, output.flight_address) == ("j1/s1/t1#1", "e1.example:1")
    assert list(output.sizes.rows) == [1, 1]
    assert define.stage.fragment.payload == b"plan"
    assert define.stage.schema.fields[0].name == "a"


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (SqlSyntaxError("no", position=Position(1, 3)), SqlSyntaxError),
        (RuntimeError("a bug"), InternalError),
        (SystemExit("a panic"), InternalError),
    ],
)
def test_statement_that_does_not_plan_fails_typed(
    scheduler: Scheduler, client: GrpcTransport, outcome: BaseException, kind: type[SpringaldError]
) -> None:
    """P6.1, P6.3: the planner's error reaches the client, and the next statement works."""
    scheduler.planner.script["bad"] = outcome
    scheduler.planner.script["good"] = b""
    session_id = open_session(client)
    last = run(client, session_id, "bad")[-1]
    assert last.status == pb.JOB_STATUS_FAILED
    error = error_from_proto(last.error)
    assert type(error) is kind
    assert error.position == getattr(outcome, "position", None)
    assert run(client, session_id, "good", "o2")[-1].status == pb.JOB_STATUS_SUCCEEDED


def test_operation_id_in_use_attaches_or_conflicts(
    scheduler: Scheduler, client: GrpcTransport
) -> None:
    """P2.3: asking twice runs once; another statement under the same id is refused."""
    scheduler.planner.script["q"] = b"rows"
    session_id = open_session(client)
    first, again = run(client, session_id, "q"), run(client, session_id, "q")
    assert first[-1] == again[-1]
    assert len(scheduler.planner.shapes) == 1
    with pytest.raises(OperationConflictError):
        run(client, session_id, "other")


def test_stream_that_breaks_cancels_nothing(scheduler: Scheduler, client: GrpcTransport) -> None:
    """P3.3: the job goes on, and a client that attaches is told how it stands."""
    session_id = open_session(client)
    with Executor(scheduler.address, automatic=False) as executor:
        stream = client.execute(execute_request(session_id))
        next(stream)
        stream.close()
        wait_until(lambda: not scheduler.core.world.jobs["j1"].watchers, "nobody watches")
        request = pb.AttachJobRequest(session_id=session_id, operation_id="o1")
        with closing(client.attach_job(request)) as attached:
            assert next(attached).update.status == pb.JOB_STATUS_RUNNING
            executor.finish(executor.wait("launch_task")[0])
            assert [each.update.status for each in attached][-1] == pb.JOB_STATUS_SUCCEEDED


def test_job_cancelled_stops_at_the_executor(scheduler: Scheduler, client: GrpcTransport) -> None:
    """P3.4: tasks are stopped and files freed; other watchers see why."""
    session_id = open_session(client)
    with Executor(scheduler.address, automatic=False) as executor:
        with closing(client.execute(execute_request(session_id))) as stream:
            executor.wait("launch_task")
            cancel = pb.CancelJobRequest(session_id=session_id, operation_id="o1", reason="enough")
            client.cancel_job(cancel)
            last = [each.update for each in stream][-1]
        assert last.status == pb.JOB_STATUS_CANCELLED
        error = error_from_proto(last.error)
        assert isinstance(error, CancelledError)
        assert "enough" in error.message
        assert executor.wait("cancel_task")[0].task_id == "j1/s1/t1#1"
        assert executor.wait("release_job")[0].job_id == "j1"
        client.cancel_job(cancel)


def test_job_released_frees_its_files(scheduler: Scheduler, client: GrpcTransport) -> None:
    """P3.4, P5.5: results stay until released; releasing twice or nothing succeeds."""
    session_id = open_session(client)
    with Executor(scheduler.address) as executor:
        run(client, session_id)
        for name in ("o1", "o1", "never"):
            client.release_job(pb.ReleaseJobRequest(session_id=session_id, operation_id=name))
        assert executor.wait("release_job")[0].job_id == "j1"
    with pytest.raises(JobNotFoundError):
        list(client.attach_job(pb.AttachJobRequest(session_id=session_id, operation_id="j1")))
    described = client.describe_job(pb.DescribeJobRequest(operation_id="j1"))
    assert described.summary.status == pb.JOB_STATUS_SUCCEEDED


def test_job_released_with_a_statement_or_with_others_frees_its_files(
    scheduler: Scheduler, client: GrpcTransport
) -> None:
    """What is given up may be named by any call for it, also by one that is refused (P3.4)."""
    session_id = open_session(client)
    with Executor(scheduler.address) as executor:
        run(client, session_id)
        refused = pb.ExecuteRequest(session_id=session_id, released_operation_ids=["o1", "never"])
        with pytest.raises(InvalidArgumentError, match="operation id"):
            list(client.execute(refused))
        assert executor.wait("release_job")[0].job_id == "j1"
        for name in ("o2", "o3"):
            list(client.execute(execute_request(session_id, operation_id=name)))
        client.release_job(
            pb.ReleaseJobRequest(
                session_id=session_id, operation_id="o2", more_operation_ids=["never", "o3"]
            )
        )
        assert [each.job_id for each in executor.wait("release_job", 3)] == ["j1", "j2", "j3"]
        many = pb.ReleaseJobRequest(
            session_id=session_id,
            operation_id="o",
            more_operation_ids=["o"] * (RELEASED_PER_CALL_MAX + 1),
        )
        with pytest.raises(InvalidArgumentError, match="at most"):
            client.release_job(many)


def test_session_closed_releases_everything(scheduler: Scheduler, client: GrpcTransport) -> None:
    """A session's end frees files and the planner's memory; closing again succeeds."""
    session_id = open_session(client)
    with Executor(scheduler.address) as executor:
        run(client, session_id)
        for _ in range(2):
            client.close_session(pb.CloseSessionRequest(session_id=session_id))
        executor.wait("release_job")
    wait_until(lambda: not scheduler.planner.open, "the planner forgot")
    # But for the numbers of its jobs, which are never used again.
    assert scheduler.journal.records.keys() == {("counter",)}
    with pytest.raises(SessionNotFoundError):
        client.keep_session(pb.KeepSessionRequest(session_id=session_id))


def test_slow_plan_holds_nobody_up(scheduler: Scheduler, client: GrpcTransport) -> None:
    """Planning happens beside everything else, however many statements wait behind a slow one."""
    gate = threading.Event()

    def wait_at_gate() -> StageGraph:
        gate.wait(20)
        return make_graph()

    scheduler.planner.script |= {"slow": wait_at_gate, "quick": b""}
    session_id = open_session(client)
    with closing(client.execute(execute_request(session_id, "slow", "o1"))) as slow:
        assert next(slow).update.status == pb.JOB_STATUS_QUEUED
        for number in range(PLANNER_THREADS_MAX):
            waits = client.execute(execute_request(session_id, "quick", f"w{number}"))
            assert next(waits).update.status == pb.JOB_STATUS_QUEUED
            waits.close()
        other = run(client, open_session(client), "quick", "o2")
        assert other[-1].status == pb.JOB_STATUS_SUCCEEDED
        client.cancel_job(pb.CancelJobRequest(session_id=session_id, operation_id="o1"))
        assert [each.update.status for each in slow] == [pb.JOB_STATUS_CANCELLED]
        gate.set()


def test_job_without_executor_waits_with_a_reason_then_fails() -> None:
    """P3.5: the reason is visible, and the wait ends at the named limit."""
    with (
        running(CoreLimits(no_executor_ms_max=300)) as scheduler,
        closing(GrpcTransport(scheduler.address)) as client,
    ):
        updates = run(client, open_session(client))
    assert any("there is no executor" in each.waiting_reason for each in updates)
    assert isinstance(error_from_proto(updates[-1].error), NoExecutorError)


def test_stage_too_large_to_send_fails_its_job_only(
    scheduler: Scheduler, client: GrpcTransport
) -> None:
    """P5.1, P6.3: a message beyond its limit is never sent; the executor stays."""
    stage = make_stage(partitions=3, payload=bytes(MESSAGE_BYTES_MAX + 1))
    scheduler.planner.script["large"] = make_graph(stage)
    session_id = open_session(client)
    with Executor(scheduler.address, slots=2):
        last = run(client, session_id, "large")[-1]
        assert isinstance(error_from_proto(last.error), PlanTooLargeError)
        assert run(client, session_id, "q", "o2")[-1].status == pb.JOB_STATUS_SUCCEEDED
        (listed,) = client.list_executors(pb.ListExecutorsRequest()).executors
        assert (listed.executor_id, listed.slots_free) == ("e1", 2)


def test_job_is_described_with_its_figures(scheduler: Scheduler, client: GrpcTransport) -> None:
    """People see stages, tasks, executors and bytes, and never a fragment's payload."""
    session_id = open_session(client)
    with Executor(scheduler.address):
        run(client, session_id)
    request = pb.DescribeJobRequest(session_id=session_id, operation_id="o1")
    described = client.describe_job(request)
    (task,), (stage,) = described.tasks, described.stages
    assert (task.task_id, task.executor_id, task.state) == ("j1/s1/t1#1", "e1", "finished")
    assert (task.elapsed_ms, stage.rows_out, stage.bytes_shuffled) == (3, 1, 0)
    assert described.graph.stages[0].fragment.payload == b""
    assert described.summary.statement == "SELECT 1"
    (listed,) = client.list_jobs(pb.ListJobsRequest(session_id=session_id)).jobs
    assert listed.job_id == "j1"
    with pytest.raises(JobNotFoundError):
        client.describe_job(pb.DescribeJobRequest(session_id=session_id, operation_id="o9"))


def test_upload_becomes_a_table(scheduler: Scheduler, client: GrpcTransport) -> None:
    """An upload has a place and a ticket, and is a table once its executor has stored it."""
    session_id = open_session(client)
    schema = schema_to_proto(pa.schema([("a", pa.int64())]))
    with Executor(scheduler.address) as executor:
        prepared = client.prepare_upload(
            pb.PrepareUploadRequest(session_id=session_id, bytes_expected=100)
        )
        assert prepared.flight_address == "e1.example:1"
        claims = verify(prepared.ticket, scheduler.driver.mint.key, 0)
        assert claims.store_upload.upload_id == prepared.upload_id
        stored = executor_pb2.UploadStored(
            upload_id=prepared.upload_id, rows=7, bytes=70, partition_count=2
        )
        executor.send(executor_pb2.ConnectRequest(upload_stored=stored))
        register = pb.RegisterUploadRequest(
            session_id=session_id, name="t", upload_id=prepared.upload_id, schema=schema
        )
        # The executor's word may come after the client's, which then waits for it.
        table = client.register_upload(register).table
        assert (table.name, table.kind) == ("t", "upload")
        assert scheduler.planner.uploads["t"].rows == 7
        (listed,) = client.list_tables(pb.ListTablesRequest(session_id=session_id)).tables
        assert listed.schema.fields[0].name == "a"
        # A client whose answer was lost asks again.
        assert client.register_upload(register).table == table
        other = pb.RegisterUploadRequest()
        other.CopyFrom(register)
        other.name = "u"
        with pytest.raises(InvalidArgumentError, match="one table"):
            client.register_upload(other)
        stage = make_stage(upload_ids=(prepared.upload_id,))
        scheduler.planner.script["q"] = make_graph(stage)
        run(client, session_id, "q")
        (place,) = executor.wait("define_stage")[0].uploads
        assert (place.rows, place.executor_id, place.partition_count) == (7, "e1", 2)
        scheduler.planner.script["DROP"] = b""
        scheduler.planner.released_upload_ids = (prepared.upload_id,)
        run(client, session_id, "DROP", "o2")
        assert executor.wait("release_upload")[0].upload_id == prepared.upload_id


def test_upload_that_is_refused_as_a_table_is_given_back(
    scheduler: Scheduler, client: GrpcTransport
) -> None:
    """Rows that no table holds are not kept."""
    session_id = open_session(client)
    scheduler.planner.script["bad name"] = InvalidArgumentError("a table has a good name")
    with Executor(scheduler.address) as executor:
        prepared = client.prepare_upload(pb.PrepareUploadRequest(session_id=session_id))
        stored = executor_pb2.UploadStored(upload_id=prepared.upload_id, partition_count=1)
        executor.send(executor_pb2.ConnectRequest(upload_stored=stored))
        request = pb.RegisterUploadRequest(
            session_id=session_id, name="bad name", upload_id=prepared.upload_id
        )
        with pytest.raises(InvalidArgumentError, match="good name"):
            client.register_upload(request)
        assert executor.wait("release_upload")[0].upload_id == prepared.upload_id
        with pytest.raises(InvalidArgumentError, match="prepared in this session"):
            client.register_upload(request)


def test_table_outlives_a_repetition_that_fails(
    scheduler: Scheduler, client: GrpcTransport
) -> None:
    """A planner that is short of room the second time takes no rows from a table."""
    session_id = open_session(client)
    with Executor(scheduler.address) as executor:
        prepared = client.prepare_upload(pb.PrepareUploadRequest(session_id=session_id))
        stored = executor_pb2.UploadStored(upload_id=prepared.upload_id, partition_count=1)
        executor.send(executor_pb2.ConnectRequest(upload_stored=stored))
        request = pb.RegisterUploadRequest(
            session_id=session_id, name="t", upload_id=prepared.upload_id
        )
        client.register_upload(request)
        entry = CatalogEntry("t", upload_id=prepared.upload_id)
        scheduler.planner.catalogs[session_id] = SessionSnapshot({}, {}, (entry,), ())
        scheduler.planner.script["t"] = OverloadedError("a planner has room: got none")
        with pytest.raises(OverloadedError):
            client.register_upload(request)
        stage = make_stage(upload_ids=(prepared.upload_id,))
        scheduler.planner.script["q"] = make_graph(stage)
        assert run(client, session_id, "q")[-1].status == pb.JOB_STATUS_SUCCEEDED


def test_upload_without_executor_fails_after_its_limit() -> None:
    """P3.5: an upload waits for an executor, and not without end."""
    with (
        running(CoreLimits(no_executor_ms_max=200)) as scheduler,
        closing(GrpcTransport(scheduler.address)) as client,
    ):
        session_id = open_session(client)
        with pytest.raises(NoExecutorError):
            client.prepare_upload(pb.PrepareUploadRequest(session_id=session_id))


def test_files_are_registered_and_queries_described(client: GrpcTransport) -> None:
    """The planner's answers reach the client with their schemas."""
    session_id = open_session(client)
    files = RegisteredFiles(format=FILE_FORMAT_PARQUET, path="/data")
    request = pb.RegisterFilesRequest(session_id=session_id, name="t", files=files)
    assert client.register_files(request).table.kind == "parquet"
    query = pb.DescribeQueryRequest(session_id=session_id, plan=sql("SELECT 1"))
    (field,) = client.describe_query(query).schema.fields
    assert (field.name, field.nullable) == ("a", True)


Field = Literal["session_id", "operation_id", "plan"]
PLAN_V2 = Plan(version=PlanVersion(major=2), sql=SqlText(text="SELECT 1"))
PLAN_V1_9 = Plan(version=PlanVersion(major=1, minor=9), sql=SqlText(text="SELECT 1"))
V1 = PlanVersion(major=1)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"session_id": ""}, InvalidArgumentError),
        ({"session_id": "none"}, SessionNotFoundError),
        ({"session_id": "00000000-former"}, SchedulerRestartedError),
        ({"operation_id": ""}, InvalidArgumentError),
        ({"operation_id": "a" * 65}, InvalidArgumentError),
        ({"operation_id": "a b"}, InvalidArgumentError),
        ({"operation_id": "ä"}, InvalidArgumentError),
        ({"plan": PLAN_V2}, ProtocolMismatchError),
        ({"plan": PLAN_V1_9}, ProtocolMismatchError),
        ({"plan": Plan()}, ProtocolMismatchError),
        ({"plan": Plan(version=V1)}, InvalidArgumentError),
        ({"plan": sql("  ")}, SqlSyntaxError),
        ({"plan": sql(" -- nothing\n;")}, SqlSyntaxError),
        (
            {"plan": Plan(version=V1, substrait=SubstraitPlan(plan=bytes(PLAN_BYTES_MAX)))},
            PlanTooLargeError,
        ),
    ],
)
def test_request_that_is_wrong_is_refused_typed(
    scheduler: Scheduler,
    client: GrpcTransport,
    change: dict[Field, Any],
    kind: type[SpringaldError],
) -> None:
    """P6.3: each defect of a request has its error, and the scheduler answers the next one."""
    scheduler.planner.script["good"] = b""
    session_id = open_session(client)
    request = execute_request(session_id)
    for field, value in change.items():
        request.ClearField(field)
        request.MergeFrom(pb.ExecuteRequest(**{field: value}))
    with pytest.raises(kind) as caught:
        list(client.execute(request))
    assert type(caught.value) is kind
    assert run(client, session_id, "good")[-1].status == pb.JOB_STATUS_SUCCEEDED


def test_calls_that_are_wrong_are_refused_typed(client: GrpcTransport) -> None:
    """Other calls check what they are given, too."""
    session_id = open_session(client)
    with pytest.raises(ProtocolMismatchError, match=r"got 2\.0"):
        client.open_session(pb.OpenSessionRequest(protocol_version=pb.ProtocolVersion(major=2)))
    with pytest.raises(InvalidArgumentError, match="jobs_max"):
        client.list_jobs(pb.ListJobsRequest(jobs_max=1_001))
    with pytest.raises(JobNotFoundError):
        client.cancel_job(pb.CancelJobRequest(session_id=session_id, operation_id="never"))
    files = RegisteredFiles(path="/data")
    with pytest.raises(InvalidArgumentError, match="format"):
        client.register_files(pb.RegisterFilesRequest(session_id=session_id, name="t", files=files))
    with pytest.raises(InvalidArgumentError, match="name must be given"):
        client.register_files(
            pb.RegisterFilesRequest(
                session_id=session_id,
                files=RegisteredFiles(format=FILE_FORMAT_PARQUET, path="/data"),
            )
        )


@pytest.mark.parametrize("method", ["OpenSession", "Execute", "ListTables"])
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xff\xff", MessageGarbledError),
        (bytes(MESSAGE_BYTES_MAX + 1), MessageTooLargeError),
    ],
)
def test_bytes_that_are_no_message_are_refused_typed(
    scheduler: Scheduler,
    client: GrpcTransport,
    method: str,
    data: bytes,
    kind: type[SpringaldError],
) -> None:
    """A garbled or oversized message ends in its error, and the scheduler lives on."""
    with grpc.insecure_channel(
        scheduler.address, options=[("grpc.max_send_message_length", -1)]
    ) as channel:
        path = f"/springald.scheduler.v1.SchedulerService/{method}"
        call: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(path)
        with pytest.raises(grpc.RpcError) as caught:
            list(call(data, timeout=20))
    assert type(error_from_rpc(caught.value)) is kind
    assert open_session(client)


def test_port_in_use_is_said(scheduler: Scheduler) -> None:
    """Two schedulers never share a port."""
    with pytest.raises(AddressInUseError, match=scheduler.address):
        GrpcServer(scheduler.address)


def test_scheduler_that_stops_ends_streams_and_threads() -> None:
    """A stopping scheduler leaves nobody waiting, no thread, and no port."""
    with running() as scheduler, closing(GrpcTransport(scheduler.address)) as client:
        session_id = open_session(client)
        with (
            Executor(scheduler.address, automatic=False) as executor,
            closing(client.execute(execute_request(session_id))) as stream,
        ):
            executor.wait("launch_task")
            next(stream)
            scheduler.driver.close()
            failure = executor.wait_end()
            assert failure is not None
            assert isinstance(error_from_rpc(failure), SchedulerUnavailableError)
            with pytest.raises(SchedulerUnavailableError, match="this one stopped"):
                list(stream)
            with pytest.raises(SchedulerUnavailableError):
                scheduler.api.keep_session(pb.KeepSessionRequest(session_id=session_id))
    wait_until(
        lambda: not [each for each in threading.enumerate() if each.name.startswith("springald-")],
        "all threads ended",
    )
    with running() as other:
        assert other.address
