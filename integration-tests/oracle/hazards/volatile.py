"""Volatile functions: one moment for the whole query, and no two tasks with the same dice."""

import pyarrow as pa
import pyarrow.compute as pc

from oracle.case import Case, themed

_ROWS = 240


def _one_moment(rows: pa.Table) -> None:
    """P7.2: every row, of whichever task, has the same time."""
    assert rows.num_rows == _ROWS
    assert pc.count_distinct(rows["moment"]).as_py() == 1
    assert pc.count_distinct(rows["day"]).as_py() == 1


def _moments_agree(rows: pa.Table) -> None:
    """Times taken on both sides of an exchange are one time."""
    assert rows.num_rows > 0
    assert pc.all(rows["same"]).as_py() is True


def _all_distinct(rows: pa.Table) -> None:
    """No value comes twice: tasks do not roll the same dice."""
    assert rows.num_rows == _ROWS
    assert pc.count_distinct(rows["dice"]).as_py() == _ROWS


def _in_unit_range(rows: pa.Table) -> None:
    """Random numbers are at least 0 and below 1, and differ from row to row."""
    _all_distinct(rows)
    assert pc.min(rows["dice"]).as_py() >= 0
    assert pc.max(rows["dice"]).as_py() < 1


def _about_half(rows: pa.Table) -> None:
    """A filter of even chance leaves some rows and drops some, and the count is of those left."""
    kept = rows["n"][0].as_py()
    assert 0 < kept < _ROWS


CASES = themed(
    "volatile",
    (
        Case(
            name="now-the_same_in_every_task",
            sql="SELECT id, now() AS moment, current_date() AS day FROM facts ORDER BY id",
            tables=("facts",),
            rule=_one_moment,
        ),
        Case(
            name="now-the_same_across_an_exchange",
            sql="""
                SELECT a.m = b.m AND a.m = now() AS same FROM
                    (SELECT k, max(now()) AS m FROM facts GROUP BY k) a
                    JOIN (SELECT k, min(now()) AS m FROM dims GROUP BY k) b ON a.k = b.k
            """,
            tables=("facts", "dims"),
            rule=_moments_agree,
        ),
        Case(
            name="random-of_each_row",
            sql="SELECT f.id, random() AS dice FROM facts f ORDER BY f.id",
            tables=("facts",),
            rule=_in_unit_range,
        ),
        Case(
            name="random-below_an_exchange",
            sql="""
                SELECT id, max(dice) AS dice FROM (SELECT id, random() AS dice FROM facts)
                GROUP BY id
            """,
            tables=("facts",),
            rule=_in_unit_range,
        ),
        Case(
            name="uuid-of_each_row",
            sql="SELECT f.id, uuid() AS dice FROM facts f ORDER BY f.id",
            tables=("facts",),
            rule=_all_distinct,
        ),
        Case(
            name="random-in_a_filter",
            sql="SELECT count(*) AS n FROM facts WHERE random() < 0.5",
            tables=("facts",),
            rule=_about_half,
        ),
    ),
)
