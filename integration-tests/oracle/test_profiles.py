"""The profiles of the 22 TPC-H queries add up, whatever the queries and wherever they run.

What operators measure is held against what was counted elsewhere: rows that were written and read
between stages, rows of the answer in one process, and what an operator can and cannot do to rows.
"""

from collections.abc import Iterator

import pytest

import springald
from oracle.product import SPREAD, ProductSession, open_session
from oracle.test_tpch import SCALE, told
from springald import OperatorProfile, StageProfile
from targets import Target
from tpch.data import QUERIES, query_text, table_folders

# They put out as many rows as they read, unless there is a limit.
_KEEP_ROWS = {"ProjectionExec", "RepartitionExec", "SortExec", "SortPreservingMergeExec"}
_DROP_ROWS = {"FilterExec", "LocalLimitExec", "GlobalLimitExec"} | _KEEP_ROWS


@pytest.fixture(scope="module")
def session(target: Target) -> Iterator[ProductSession]:
    """A session with the TPC-H tables, where queries are spread."""
    with open_session(target) as opened:
        opened.apply(SPREAD)
        for table, folder in table_folders(SCALE).items():
            opened.parquet(table, folder)
        yield opened


@pytest.mark.parametrize("number", QUERIES)
def test_profile_of_a_tpch_query_adds_up(number: int, session: ProductSession) -> None:
    """Each figure that can be known in another way is what it should be."""
    ran = session.run(f"EXPLAIN ANALYZE {query_text(number)}")
    assert ran.rows.column_names == ["plan_type", "plan"]
    profile = ran.job.profile()
    assert ran.rows["plan"].to_pylist() == [profile.to_text()]
    by_id = {stage.stage_id: stage for stage in profile.stages}

    assert profile.stages[-1].rows_out == told(number).one.num_rows
    # A stage that its reader has taken in has no tasks of its own.
    ran_stages = [stage for stage in profile.stages if stage.tasks]
    for stage in ran_stages:
        _check_tasks(stage)
        root = stage.operators[0]
        if root.rows_out is not None:
            assert root.rows_out == stage.rows_out, "what comes out is what is written"
        for operator in stage.operators:
            _check_rows(operator)
            source = _source(operator, stage)
            if not source or operator.rows_out is None or not by_id[source].tasks:
                continue
            if not _is_limited(stage):
                # A value of one row is read by each task, too.
                shared = by_id[source].exchange in {"broadcast", "single"}
                copies = operator.tasks if shared else 1
                assert operator.rows_out == copies * by_id[source].rows_out
    measured = [o for stage in profile.stages for o in stage.operators if o.rows_out is not None]
    unmeasured = {o.name for s in ran_stages for o in s.operators if o.rows_out is None}
    assert len(measured) >= len(ran_stages)
    assert unmeasured <= {"PlaceholderRowExec", "ScalarSubqueryExec"}
    assert any(operator.rows_estimated is not None for operator in measured)
    assert sum(operator.bytes_scanned for operator in measured) > 0


def _check_tasks(stage: StageProfile) -> None:
    """All tasks measured, and none took longer than the stage."""
    assert stage.tasks == stage.tasks_finished > 0
    assert stage.task_ms is not None
    assert stage.task_ms.min <= stage.task_ms.median <= stage.task_ms.max <= stage.elapsed_ms + 1
    for operator in stage.operators:
        assert operator.tasks <= stage.tasks
        if operator.task_ms is not None:
            assert operator.task_ms.min <= operator.task_ms.median <= operator.task_ms.max
            assert operator.task_ms.max <= operator.total_ms + 0.001


def _check_rows(operator: OperatorProfile) -> None:
    """No operator of these makes rows of nothing, and some lose none either."""
    if operator.rows_in is None or operator.rows_out is None:
        return
    if operator.name in _DROP_ROWS:
        assert operator.rows_out <= operator.rows_in
    if operator.name in _KEEP_ROWS and "fetch=" not in operator.detail:
        assert operator.rows_out == operator.rows_in


def _source(operator: OperatorProfile, stage: StageProfile) -> int | None:
    """Returns the stage whose rows an operator reads, if it does and there is but one."""
    reads = operator.name == "DataSourceExec" and "springald-exchange" in operator.detail
    return stage.reads[0] if reads and len(stage.reads) == 1 else None


def _is_limited(stage: StageProfile) -> bool:
    """True if tasks may stop before they have read everything."""
    return any("fetch=" in operator.detail for operator in stage.operators)


def test_profile_of_an_ordinary_query_counts_the_same_rows(session: ProductSession) -> None:
    """Rows, time and spill are measured without being asked for; estimates are not there."""
    analyzed = session.run(f"EXPLAIN ANALYZE {query_text(5)}").job.profile()
    plain = session.run(query_text(5)).job.profile()
    assert _rows(plain) == _rows(analyzed)
    operators = [operator for stage in plain.stages for operator in stage.operators]
    assert all(o.rows_estimated is None and not o.details for o in operators)


def _rows(profile: springald.JobProfile) -> list[tuple[str, int | None]]:
    return [(o.node_id, o.rows_out) for stage in profile.stages for o in stage.operators]
