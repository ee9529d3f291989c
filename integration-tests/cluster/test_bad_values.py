"""Values that do not fit: seen only when a task meets them, told with the place."""

from pathlib import Path

import pytest

import springald
from cluster.tables import SPREAD, SUMS, numbers_table, sums
from cluster.waiting import Stopwatch
from springald import errors as e

_FAILED_S_MAX = 10.0

# The value that does not fit is far inside the table: planning and most rows are fine.
_BAD = "CASE WHEN id = 3456 THEN {bad} ELSE {good} END"


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("CAST(" + _BAD.format(bad="'12x'", good="s") + " AS BIGINT)", e.CastFailedError),
        ("CAST(" + _BAD.format(bad="'2024-02-30'", good="'2024-02-29'") + " AS DATE)",
         e.CastFailedError),
        ("CAST(" + _BAD.format(bad="'noon'", good="'2024-02-29T12:00:00'") + " AS TIMESTAMP)",
         e.CastFailedError),
        ("CAST(" + _BAD.format(bad="3000000000", good="id") + " AS INT)", e.CastFailedError),
        ("1000 / (id - 3456)", e.DivisionByZeroError),
        ("1000 % (id - 3456)", e.DivisionByZeroError),
        ("CAST(1 AS DECIMAL(9, 2)) / (id - 3456)", e.DivisionByZeroError),
        ("factorial(" + _BAD.format(bad="30", good="3") + ")", e.ArithmeticOverflowError),
        ("abs(" + _BAD.format(bad="-9223372036854775808", good="id") + ")",
         e.ArithmeticOverflowError),
        ("CAST(id AS DECIMAL(38, 0)) * CAST('" + 38 * "9" + "' AS DECIMAL(38, 0))",
         e.ArithmeticOverflowError),
        ("make_date(2024, " + _BAD.format(bad="13", good="12") + ", 1)", e.DataInvalidError),
    ],
)  # fmt: skip
def test_value_that_does_not_fit_fails_the_query(
    con: springald.Connection, expression: str, kind: type[e.SpringaldError]
) -> None:
    """A cast, division or overflow that fails at run time is the data's fault (P6.3).

    The error names the task and the executor that met it; the cluster answers the next request.
    """
    watch = Stopwatch()
    job = con.sql(f"SELECT k, max({expression}) FROM numbers GROUP BY k").execute()
    with pytest.raises(kind) as raised:
        job.result()
    error = raised.value
    assert type(error) is kind
    assert watch.elapsed_s < _FAILED_S_MAX
    assert (error.fault, error.retryable) == ("data", False)
    assert error.node_id.startswith(f"{job.id}/s")
    assert error.executor_id in {executor.id for executor in con.executors()}
    assert error.engine_message
    assert job.status is springald.JobStatus.FAILED
    (info,) = [listed for listed in con.jobs() if listed.id == job.id]
    assert isinstance(info.error, kind)
    assert con.sql(SUMS).to_pydict() == sums()


def test_scalar_subquery_with_two_rows_fails(con: springald.Connection) -> None:
    """A scalar subquery that turns out to have two rows is the data's fault."""
    with pytest.raises(e.DataError, match="more than one row"):
        con.sql("SELECT (SELECT id FROM numbers WHERE k = 1) AS x").to_arrow()


def test_value_that_does_not_fit_fails_a_single_task(patient: springald.LocalCluster) -> None:
    """The same error comes from a query that is one task, and from an uploaded table."""
    with patient.connect(**{**SPREAD, "springald.distribution": "never"}) as con:
        con.register("sent", numbers_table())
        job = con.sql("SELECT max(1 / (id - 77)) FROM sent").execute()
        with pytest.raises(e.DivisionByZeroError) as raised:
            job.result()
        assert raised.value.node_id.startswith(job.id)
        assert len(job.statistics().tasks) == 1


def test_failed_query_stops_its_other_tasks(con: springald.Connection, busy: Path) -> None:
    """When one task fails, the job ends at once and does not wait for those that run on."""
    con.register_parquet("busy", busy)
    watch = Stopwatch()
    sql = """
        SELECT count(*) FROM busy a JOIN busy b ON a.k = b.k
        WHERE a.id + b.id < 0 OR 1 / (a.id - 7) > 3
    """
    with pytest.raises(e.DivisionByZeroError):
        con.sql(sql).to_arrow()
    assert watch.elapsed_s < _FAILED_S_MAX
