"""What tasks measured, from executors' messages to clients' answers."""

import json

import pyarrow as pa
import pytest

from springald.errors import MessageGarbledError
from springald.executor.v1 import executor_pb2 as pb
from springald.limits import INLINE_ROWS_BYTES_MAX
from springald.physical.v1 import physical_pb2 as physical
from springald.scheduler.v1 import scheduler_pb2 as client
from springald_scheduler.codec.answers import details_to_proto
from springald_scheduler.codec.executors import action_to_proto, event_from_proto
from springald_scheduler.codec.profiles import profile_rows
from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.core.figures import NO_FIGURES, OperatorFigures, Spread
from springald_scheduler.core.graph import (
    AnswerKind,
    Exchange,
    ExchangeKind,
    Fragment,
    FragmentFormat,
    Operator,
    Stage,
    StageGraph,
)
from springald_scheduler.core.states import JobState
from springald_scheduler.core.views import (
    JobDetails,
    JobView,
    OperatorView,
    Progress,
    StageView,
)

FIGURES = physical.OperatorFigures(
    positions=[0, 2],
    rows_out=[5, 7],
    compute_ns=[10, 20],
    spill_count=[0, 1],
    spilled_bytes=[0, 300],
    bytes_scanned=[40, 0],
    details=[physical.OperatorDetail(position=2, name="build_time", value=6)],
)
READ = OperatorFigures((0, 2), (5, 7), (10, 20), (0, 1), (0, 300), (40, 0), ((2, "build_time", 6),))


def test_figures_of_an_attempt_are_read_whether_it_finished_or_failed() -> None:
    """Each column under its name; a failure tells how far it came."""
    finished = pb.TaskFinished(
        task_id="t",
        figures=FIGURES,
        operators=[physical.Operator(node_id="s1/o0", name="A", detail="b", input_node_ids=["c"])],
    )
    event = event_from_proto(pb.ConnectRequest(task_finished=finished), "e1", "a")
    assert isinstance(event, on.TaskFinished)
    assert event.figures == READ
    assert event.operators == (Operator("s1/o0", "A", "b", ("c",)),)

    failed = pb.TaskFailed(task_id="t", figures=FIGURES)
    event = event_from_proto(pb.ConnectRequest(task_failed=failed), "e1", "a")
    assert isinstance(event, on.TaskFailed)
    assert event.figures == READ


def test_attempt_without_figures_measured_nothing() -> None:
    """An executor of an earlier version says nothing of operators (P1.2)."""
    message = pb.ConnectRequest(task_finished=pb.TaskFinished(task_id="t"))
    event = event_from_proto(message, "e1", "a")
    assert isinstance(event, on.TaskFinished)
    assert event.figures is NO_FIGURES
    assert event.operators == ()


@pytest.mark.parametrize("column", ["rows_out", "compute_ns", "spill_count", "bytes_scanned"])
def test_figures_with_columns_of_different_lengths_are_garbled(column: str) -> None:
    """A figure that cannot be told whose it is ends the stream, and not the scheduler."""
    figures = physical.OperatorFigures()
    figures.CopyFrom(FIGURES)
    getattr(figures, column).append(1)
    message = pb.ConnectRequest(task_finished=pb.TaskFinished(task_id="t", figures=figures))
    with pytest.raises(MessageGarbledError, match="columns of figures"):
        event_from_proto(message, "e1", "a")


@pytest.mark.parametrize("profile", [True, False])
def test_definition_says_whether_everything_is_wanted(profile: bool) -> None:  # noqa: FBT001
    """And how many operators there are, so that a task can match its own."""
    action = do.DefineStage(on.Event(), "e1", "a", "j1", STAGE, (), profile=profile)
    message = action_to_proto(action)
    assert message is not None
    assert message.define_stage.profile is profile
    assert len(message.define_stage.stage.operators) == 1


STAGE = Stage(
    stage_id=1,
    fragment=Fragment(FragmentFormat.PHYSICAL_PLAN, b"plan", "55.0.0"),
    inputs=(),
    output=Exchange(ExchangeKind.RESULT, 1),
    partition_count=1,
    operators=(Operator("s1/o0", "FilterExec", "x" * 10, (), rows_estimated=0),),
    decisions=("it is read in ranges",),
)
OPERATOR = OperatorView(
    "s1/o0", 2, 9, Spread(1_499, 2_500, 9_000), 10_499, 1, 300, 40, (("build_time", 6),)
)


def details(stage: Stage = STAGE) -> JobDetails:
    """A job of one stage that is done."""
    job = JobView("j1", "s", "o", "SELECT", JobState.SUCCEEDED, Progress(), "", 1, 7, None, False)  # noqa: FBT003
    figures = StageView(1, 2, 2, 9, 90, 0, 0, 7, 0, Spread(3, 3, 4), (OPERATOR,))
    return JobDetails(job, StageGraph((stage,)), (figures,), ())


def test_operators_are_told_in_microseconds() -> None:
    """Sums as they are, times rounded; an estimate of no rows is an estimate."""
    message = details_to_proto(details())
    assert message.stages[0].task_ms == client.Spread(min=3, median=3, max=4)
    assert list(message.stages[0].operators) == [
        client.OperatorStatistics(
            node_id="s1/o0",
            tasks=2,
            rows_out=9,
            task_us=client.Spread(min=1, median=2, max=9),
            total_us=10,
            spill_count=1,
            spilled_bytes=300,
            bytes_scanned=40,
            details=[client.OperatorDetail(name="build_time", value=6)],
        )
    ]
    (operator,) = message.graph.stages[0].operators
    assert operator.HasField("rows_estimated")
    assert operator.rows_estimated == 0
    assert list(message.graph.stages[0].decisions) == ["it is read in ranges"]


def answered(kind: AnswerKind, stage: Stage = STAGE) -> dict[str, str]:
    """The rows of an answer by their kind."""
    rows = pa.ipc.open_stream(profile_rows(details(stage), kind)).read_all()
    return dict(zip(rows["plan_type"].to_pylist(), rows["plan"].to_pylist(), strict=True))


def test_profile_is_answered_as_text_and_on_request_as_json() -> None:
    """The rows that EXPLAIN ANALYZE has, and those of its VERBOSE."""
    plain, full = answered(AnswerKind.PROFILE), answered(AnswerKind.FULL_PROFILE)
    assert list(plain) == ["stages"]
    assert "build_time" not in plain["stages"]
    assert list(full) == ["stages", "profile"]
    assert "build_time" in full["stages"]
    assert json.loads(full["profile"])["stages"][0]["decisions"] == ["it is read in ranges"]


def test_profile_too_large_for_an_answer_says_so() -> None:
    """The query has run; its answer must reach the client all the same."""
    long = Operator("s1/o0", "FilterExec", "x" * (INLINE_ROWS_BYTES_MAX * 2 // 3), ())
    stage = Stage(1, STAGE.fragment, (), STAGE.output, 1, operators=(long,))
    full = answered(AnswerKind.FULL_PROFILE, stage)
    assert "FilterExec" in full["stages"]
    assert full["profile"].startswith("(it has ")
