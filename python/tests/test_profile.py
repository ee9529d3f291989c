"""A job's profile: figures by operator, as text, as a table and as JSON."""

import json

import pytest

from springald import JobProfile, JobStatus, Spread
from springald.error.v1 import error_pb2
from springald.physical.v1 import physical_pb2 as physical
from springald.scheduler.v1 import scheduler_pb2 as pb

TEXT = """\
Job j7: failed in 90 ms; 2 stages, 3 of 4 tasks finished
  [OUT_OF_MEMORY] too much
  shuffled 2.0 KiB: 1.0 KiB read in place, 512 B fetched; spilled 3.0 MiB
  -- keys of a filter b

Stage 2: 1 partition, reads stage 1 -> result, 1 partition
  -- one task: it is small
  0 of 1 task in 30 ms; 9,000 rows in, 1.0 KiB in place, 512 B fetched; 0 rows out, 0 B
    rows out  ms a task  operator
           7        0.5  DataSourceExec: springald-exchange/0

Stage 1: 3 partitions -> hash by [k@0], 2 partitions
  -- b filters this scan
  3 of 3 tasks in 60 ms, 10/20/30 ms a task; 9,000 rows out, 2.0 KiB; 3.0 MiB spilled
    rows in  rows out  estimated  ms a task: min/median/max  spilled  operator
      9,500     9,000                           1.5/2.0/4.0  3.0 MiB  RepartitionExec: Hash
                9,500      8,000                        1.0             UnionExec
         20                                                               FilterExec: k > 1
                   20                                   1.0                 DataSourceExec: t
                                                                                (3 of 10 row groups)
"""


def described() -> pb.DescribeJobResponse:
    """A job whose second stage failed."""
    operators = [
        physical.Operator(
            node_id="s1/o0",
            name="RepartitionExec",
            detail="Hash",
            input_node_ids=["s1/o1"],
        ),
        physical.Operator(
            node_id="s1/o1", name="UnionExec", input_node_ids=["s1/o2"], rows_estimated=8_000
        ),
        physical.Operator(
            node_id="s1/o2", name="FilterExec", detail="k > 1", input_node_ids=["s1/o3"]
        ),
        physical.Operator(node_id="s1/o3", name="DataSourceExec", detail="t"),
    ]
    first = physical.Stage(
        stage_id=1,
        partition_count=3,
        output=physical.Exchange(kind=physical.EXCHANGE_KIND_HASH, partition_count=2, keys=["k@0"]),
        operators=operators,
        decisions=["b filters this scan"],
    )
    read = physical.Operator(node_id="s2/o0", name="DataSourceExec", detail="springald-exchange/0")
    second = physical.Stage(
        stage_id=2,
        partition_count=1,
        inputs=[physical.StageInput(stage_id=1), physical.StageInput(stage_id=1)],
        output=physical.Exchange(kind=physical.EXCHANGE_KIND_RESULT, partition_count=1),
        operators=[read],
        single_task_reason="it is small",
    )
    return pb.DescribeJobResponse(
        summary=pb.JobSummary(
            job_id="j7",
            statement="SELECT",
            status=pb.JOB_STATUS_FAILED,
            elapsed_ms=90,
            error=error_pb2.Error(code=error_pb2.CODE_OUT_OF_MEMORY, message="too much"),
        ),
        graph=physical.StageGraph(
            stages=[first, second], decisions=["keys of a filter b", "one task: it is small"]
        ),
        stages=[first_figures(), second_figures()],
    )


def first_figures() -> pb.StageStatistics:
    """What the first stage measured; nobody measured its filter."""
    pruned = {
        "row_groups_pruned_statistics_matched": 3,
        "row_groups_pruned_statistics_total": 10,
        "row_groups_pruned_bloom_filter_matched": 3,
        "row_groups_pruned_bloom_filter_total": 3,
        "build_time": 2_500_000,
    }
    return pb.StageStatistics(
        stage_id=1,
        tasks_total=3,
        tasks_finished=3,
        rows_out=9_000,
        bytes_out=2_048,
        bytes_shuffled=2_048,
        elapsed_ms=60,
        task_ms=pb.Spread(min=10, median=20, max=30),
        operators=[
            pb.OperatorStatistics(
                node_id="s1/o0",
                tasks=3,
                rows_out=9_000,
                task_us=pb.Spread(min=1_500, median=2_000, max=4_000),
                total_us=7_500,
                spill_count=2,
                spilled_bytes=3 * 1024 * 1024,
            ),
            pb.OperatorStatistics(
                node_id="s1/o1",
                tasks=1,
                rows_out=9_500,
                task_us=pb.Spread(min=1_000, median=1_000, max=1_000),
                total_us=1_000,
            ),
            pb.OperatorStatistics(
                node_id="s1/o3",
                tasks=1,
                rows_out=20,
                task_us=pb.Spread(min=1_000, median=1_000, max=1_000),
                total_us=1_000,
                details=[
                    pb.OperatorDetail(name=name, value=value)
                    for name, value in sorted(pruned.items())
                ],
            ),
        ],
    )


def second_figures() -> pb.StageStatistics:
    """What the second stage measured before it failed."""
    return pb.StageStatistics(
        stage_id=2,
        tasks_total=1,
        elapsed_ms=30,
        bytes_read_local=1_024,
        bytes_read_remote=512,
        operators=[
            pb.OperatorStatistics(
                node_id="s2/o0",
                tasks=1,
                rows_out=7,
                task_us=pb.Spread(min=500, median=500, max=500),
            )
        ],
    )


@pytest.fixture
def profile() -> JobProfile:
    """The profile of that job."""
    return JobProfile.from_proto(described())


def test_profile_is_read_from_its_message(profile: JobProfile) -> None:
    """Rows in are what the inputs put out; what nobody measured is None, not 0."""
    first, second = profile.stages
    assert (profile.status, profile.error) == (JobStatus.FAILED, "[OUT_OF_MEMORY] too much")
    assert (first.task_ms, second.task_ms) == (Spread(10, 20, 30), None)
    assert (second.reads, second.rows_in) == ((1,), 9_000)
    assert first.bytes_spilled == 3 * 1024 * 1024

    spread, union, unmeasured, scan = first.operators
    assert [each.depth for each in first.operators] == [0, 1, 2, 3]
    assert (spread.rows_in, spread.rows_out, spread.rows_estimated) == (9_500, 9_000, None)
    assert (spread.task_ms, spread.total_ms) == (Spread(1.5, 2.0, 4.0), 7.5)
    assert (union.rows_in, union.rows_estimated) == (None, 8_000)
    assert (unmeasured.rows_in, unmeasured.rows_out, unmeasured.task_ms) == (20, None, None)
    assert (scan.rows_in, scan.rows_out) == (None, 20)
    assert scan.details["build_time"] == 2_500_000


def test_profile_as_text_has_figures_beside_the_operators(profile: JobProfile) -> None:
    """Columns that nothing stands in are left out; so is what was not pruned."""
    assert f"{profile}\n" == TEXT


def test_profile_as_verbose_text_tells_everything(profile: JobProfile) -> None:
    """All that the engine measured, times in milliseconds."""
    text = profile.to_text(verbose=True)
    assert "3 of 10 row groups, 3 of 3 row groups by bloom filter" in text
    assert "(build_time=2.5 ms)" in text


def test_profile_as_json_has_the_names_of_the_attributes(profile: JobProfile) -> None:
    """A program reads it without this package."""
    parsed = json.loads(profile.to_json())
    assert parsed["status"] == "failed"
    assert parsed["stages"][0]["bytes_spilled"] == 3 * 1024 * 1024
    operator = parsed["stages"][0]["operators"][3]
    assert (operator["node_id"], operator["rows_in"]) == ("s1/o3", None)
    assert operator["task_ms"] == {"min": 1.0, "median": 1.0, "max": 1.0}
    assert operator["details"]["row_groups_pruned_statistics_total"] == 10


def test_profile_as_a_table_has_a_row_for_each_stage_and_operator(profile: JobProfile) -> None:
    """A stage's row has the figures of whole tasks, and no operator."""
    table = profile.to_arrow()
    ids = ["s1", "s1/o0", "s1/o1", "s1/o2", "s1/o3", "s2", "s2/o0"]
    assert table["node_id"].to_pylist() == ids
    rows = {row["node_id"]: row for row in table.to_pylist()}
    assert rows["s1"]["operator"] is None
    assert (rows["s1"]["rows_in"], rows["s1"]["median_ms"]) == (None, 20.0)
    assert (rows["s2"]["rows_in"], rows["s2"]["bytes_read_remote"]) == (9_000, 512)
    assert (rows["s1/o0"]["operator"], rows["s1/o0"]["max_ms"]) == ("RepartitionExec", 4.0)
    assert (rows["s1/o0"]["rows_in"], rows["s1/o0"]["bytes_spilled"]) == (9_500, 3 * 1024 * 1024)
    assert rows["s1/o2"]["rows_out"] is None


def test_profile_of_a_job_that_was_not_planned_is_short() -> None:
    """There is nothing but how it ended."""
    summary = pb.JobSummary(job_id="j1", status=pb.JOB_STATUS_CANCELLED, elapsed_ms=4)
    profile = JobProfile.from_proto(pb.DescribeJobResponse(summary=summary))
    assert profile.to_text() == "Job j1: cancelled in 4 ms; 0 stages, 0 of 0 tasks finished"
    assert profile.to_arrow().num_rows == 0
    assert json.loads(profile.to_json())["stages"] == []
