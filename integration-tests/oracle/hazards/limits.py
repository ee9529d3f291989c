"""LIMIT and OFFSET: a limit over several partitions is not a limit of each.

Without ORDER BY a query may choose its rows: how many is checked, and that each is one of the rows
it may choose from.
"""

from oracle.case import Case, partitions, themed

_NEVER_MEETS = "the first rows of a scan satisfy it: one task gives them without an exchange"


def _facts(name: str, sql: str, **more: object) -> Case:
    return Case(name=name, sql=sql, tables=("facts",), **more)  # type: ignore[arg-type]


CASES = themed(
    "limit",
    (
        _facts("ordered", "SELECT id, q FROM facts ORDER BY q DESC, id LIMIT 12", order=(0, 1)),
        _facts(
            "ordered-nulls_first",
            "SELECT id, x FROM facts ORDER BY x NULLS FIRST, id LIMIT 50",
            order=(0, 1),
        ),
        _facts(
            "ordered-offset", "SELECT id FROM facts ORDER BY id DESC LIMIT 7 OFFSET 31", order=(0,)
        ),
        _facts("ordered-offset_only", "SELECT id FROM facts ORDER BY id OFFSET 200", order=(0,)),
        _facts("ordered-past_the_end", "SELECT id FROM facts ORDER BY id OFFSET 999", empty=True),
        _facts("ordered-more_than_all", "SELECT id FROM facts ORDER BY id LIMIT 9999", order=(0,)),
        _facts(
            "ordered-more_partitions_than_rows_wanted",
            "SELECT id FROM facts ORDER BY id LIMIT 3",
            settings=partitions(11),
            order=(0,),
        ),
        _facts(
            "ordered-by_hidden_column", "SELECT id FROM facts ORDER BY day, id LIMIT 20", order=(0,)
        ),
        _facts(
            "ordered-by_string",
            "SELECT s, id FROM facts ORDER BY s DESC NULLS LAST, id LIMIT 25",
            order=(0, 1),
        ),
        _facts("no_limit", "SELECT id, g, x FROM facts ORDER BY g, x DESC, id", order=(0, 1, 2)),
        _facts(
            "zero", "SELECT id FROM facts LIMIT 0", empty=True, one_place="nothing is to be read"
        ),
        _facts(
            "zero-ordered",
            "SELECT id FROM facts ORDER BY id LIMIT 0",
            empty=True,
            one_place="nothing is to be read",
        ),
        _facts(
            "any_rows",
            "SELECT id, k FROM facts LIMIT 17",
            whole="SELECT id, k FROM facts",
            one_place=_NEVER_MEETS,
        ),
        _facts(
            "any_rows-of_several_files",
            "SELECT id, k FROM facts LIMIT 200",
            whole="SELECT id, k FROM facts",
            one_place=_NEVER_MEETS,
        ),
        _facts(
            "any_rows-filtered",
            "SELECT id, q FROM facts WHERE q > 40 LIMIT 30",
            whole="SELECT id, q FROM facts WHERE q > 40",
            one_place=_NEVER_MEETS,
        ),
        _facts(
            "any_rows-offset",
            "SELECT id FROM facts LIMIT 50 OFFSET 100",
            whole="SELECT id FROM facts",
            one_place=_NEVER_MEETS,
        ),
        _facts(
            "any_rows-offset_near_the_end",
            "SELECT id FROM facts LIMIT 50 OFFSET 220",
            whole="SELECT id FROM facts",
            one_place=_NEVER_MEETS,
        ),
        _facts(
            "any_rows-of_groups",
            "SELECT k, count(*) AS n FROM facts GROUP BY k LIMIT 5",
            whole="SELECT k, count(*) AS n FROM facts GROUP BY k",
        ),
        Case(
            name="any_rows-of_a_join",
            sql="SELECT f.id, d.label FROM facts f JOIN dims d ON f.k = d.k LIMIT 21",
            tables=("facts", "dims"),
            whole="SELECT f.id, d.label FROM facts f JOIN dims d ON f.k = d.k",
            one_place=_NEVER_MEETS,
        ),
        Case(
            name="any_rows-of_a_union",
            sql="SELECT id FROM facts UNION ALL SELECT w FROM dims LIMIT 245",
            tables=("facts", "dims"),
            whole="SELECT id FROM facts UNION ALL SELECT w FROM dims",
            one_place=_NEVER_MEETS,
        ),
        _facts(
            "any_rows-counted",
            "SELECT count(*) AS n FROM (SELECT id FROM facts LIMIT 77)",
            one_place=_NEVER_MEETS,
        ),
        _facts(
            "any_rows-counted_with_offset",
            """
                SELECT count(*) AS n, count(DISTINCT id) AS d FROM (SELECT id
                FROM facts LIMIT 90 OFFSET 33)
            """,
            one_place=_NEVER_MEETS,
        ),
        _facts(
            "any_rows-then_grouped",
            """
                SELECT sum(n) AS n FROM (SELECT h, count(*) AS n FROM (SELECT h
                FROM facts LIMIT 101) GROUP BY h)
            """,
            one_place="one task gives the first rows, and what its few groups make is merged",
        ),
        _facts(
            "within_a_join",
            """
                SELECT a.id, b.id AS other FROM (SELECT id, k FROM facts ORDER BY id LIMIT 30) a
                JOIN (SELECT id, k FROM facts ORDER BY id DESC LIMIT 30) b ON a.k = b.k
            """,
        ),
        _facts(
            "of_a_limit",
            """
                SELECT id FROM (SELECT id FROM facts ORDER BY q, id LIMIT 40)
                ORDER BY id DESC LIMIT 6
            """,
            order=(0,),
        ),
        _facts(
            "above_a_window_of_distinct_rows",
            """
                SELECT d, count(*) OVER () AS n, row_number() OVER (ORDER BY d DESC) AS r
                FROM (SELECT DISTINCT id AS d FROM facts) ORDER BY d LIMIT 3
            """,
            order=(0,),
        ),
        _facts(
            "of_distinct_rows",
            "SELECT DISTINCT k FROM facts ORDER BY k LIMIT 4",
            order=(0,),
        ),
        _facts(
            "then_grouped",
            "SELECT g, count(*) AS n FROM (SELECT g FROM facts ORDER BY id LIMIT 100) GROUP BY g",
        ),
        _facts(
            "sorted_then_filtered",
            """
                SELECT id FROM (SELECT id, q FROM facts
                ORDER BY q DESC NULLS LAST, id LIMIT 60) WHERE q % 2 = 0
            """,
        ),
    ),
)
