"""Statements that are too deep or too large: answered or refused, soon, with everybody alive."""

from collections.abc import Callable, Iterator

import pytest

import springald
from cluster.fixtures import started_in
from cluster.footprint import Footprint
from cluster.tables import NUMBERS_ROWS, SUMS, sum_of, sums
from cluster.waiting import Stopwatch
from springald import errors as e
from springald.limits import STATEMENT_BYTES_MAX

_PLANNING_S = 4.0
_SOON_S = 10.0


@pytest.fixture(scope="module")
def footprint(tmp_path_factory: pytest.TempPathFactory) -> Footprint:
    """Looks at the module's own cluster from outside."""
    return Footprint(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def cluster(footprint: Footprint) -> Iterator[springald.LocalCluster]:
    """A cluster that plans a statement for a few seconds at most."""
    with started_in(footprint, planning_timeout=str(_PLANNING_S)) as started:
        yield started


def _parentheses(depth: int) -> str:
    return f"SELECT {'(' * depth}1{')' * depth} AS one"


def _subqueries(depth: int) -> str:
    sql = "SELECT id FROM numbers"
    for level in range(depth):
        sql = f"SELECT id FROM ({sql}) t{level}"
    return f"SELECT count(*) AS one FROM ({sql}) WHERE id = 1"


def _ors(terms: int) -> str:
    conditions = " OR ".join(f"id = {term} AND s <> '{term + 1}'" for term in range(terms))
    return f"SELECT count(*) - {terms} + 1 AS one FROM numbers WHERE {conditions}"


def _unions(branches: int) -> str:
    rows = " UNION ALL ".join(["SELECT 1 AS x"] * branches)
    return f"SELECT count(*) / {branches} AS one FROM ({rows})"


def _cases(depth: int) -> str:
    case = "1"
    for level in range(depth):
        case = f"CASE WHEN id = {level} THEN {level} ELSE {case} END"
    return f"SELECT {case} AS one FROM numbers WHERE id = 999999 UNION ALL SELECT 1"


def _nots(depth: int) -> str:
    return f"SELECT CAST({'NOT ' * depth} true AS INT) AS one"


def _functions(depth: int) -> str:
    return f"SELECT {'abs(' * depth}1{')' * depth} AS one"


def _arrays(depth: int) -> str:
    return f"SELECT 1 AS one FROM (SELECT {'[' * depth}1{']' * depth} AS nested)"


def _joins(count: int) -> str:
    joins = " ".join(f"JOIN numbers n{at} ON n{at}.id = n0.id" for at in range(1, count))
    return f"SELECT count(*) AS one FROM numbers n0 {joins} WHERE n0.id = 1"


def _recursion(depth: int) -> str:
    steps = f"SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < {depth}"
    return f"WITH RECURSIVE r AS ({steps}) SELECT max(n) / {depth} AS one FROM r"


@pytest.mark.parametrize(
    ("make", "size", "is_refused"),
    [
        (_parentheses, 20, False),
        (_parentheses, 200, True),
        (_parentheses, 100_000, True),
        (_subqueries, 20, False),
        (_subqueries, 60, True),
        (sum_of, 100, False),
        (sum_of, 5_000, True),
        (_ors, 300, False),
        (_unions, 300, False),
        (_cases, 30, False),
        (_cases, 2_000, True),
        (_nots, 30, False),
        (_nots, 100_000, True),
        (_functions, 30, False),
        (_functions, 100_000, True),
        (_arrays, 40, False),
        (_arrays, 50_000, True),
        (_joins, 20, False),
        (_recursion, 300, False),
    ],
)
def test_deep_statement_is_answered_or_refused_soon(
    con: springald.Connection, make: Callable[[int], str], size: int, *, is_refused: bool
) -> None:
    """A statement of any depth is answered rightly, or refused as too deep or too large.

    One that takes too long to plan is given up at a named limit. All sessions live on.
    """
    con.sql("CREATE VIEW kept AS SELECT 1 AS one")
    watch = Stopwatch()
    answer = _answer(con, make(size))
    assert watch.elapsed_s < _SOON_S
    assert isinstance(answer, springald.SpringaldError) == is_refused
    if not is_refused:
        assert answer == {"one": [size if make is sum_of else 1]}
    assert con.table("kept").to_pydict() == {"one": [1]}
    assert con.sql(SUMS).to_pydict() == sums()


def _answer(con: springald.Connection, sql: str) -> object:
    """Returns the rows, or the error by which a statement is refused as too much."""
    try:
        return con.sql(sql).to_pydict()
    except (e.PlanTooDeepError, e.PlanTooLargeError, e.DeadlineExceededError) as error:
        return error


def test_statement_over_its_limit_is_refused(con: springald.Connection) -> None:
    """A statement has a limit in bytes, which the error names; just below it all is well."""
    comment = "x" * (STATEMENT_BYTES_MAX - 100)
    assert con.sql(f"SELECT 1 AS one /* {comment} */").to_pydict() == {"one": [1]}
    for sql in (
        f"SELECT 1 AS one /* {comment}{comment[:200]} */",
        f"CREATE VIEW v AS SELECT '{comment}{comment}'",
        f"SELECT '{'x' * 20 * 1024 * 1024}'",
    ):
        with pytest.raises(e.PlanTooLargeError, match=str(STATEMENT_BYTES_MAX)):
            con.sql(sql).to_arrow()


def test_long_list_is_answered(con: springald.Connection) -> None:
    """A list of tens of thousands of values is large, not deep, and is answered."""
    values = ", ".join(str(at) for at in range(0, 100_000, 2))
    answer = con.sql(f"SELECT count(*) AS n FROM numbers WHERE id IN ({values})").to_pydict()
    assert answer == {"n": [NUMBERS_ROWS // 2]}


def test_wide_result_is_answered(con: springald.Connection) -> None:
    """Thousands of columns are answered."""
    columns = ", ".join(f"id + {at} AS c{at}" for at in range(2_000))
    rows = con.sql(f"SELECT {columns} FROM numbers WHERE id = 1").to_arrow()
    assert (rows.num_rows, rows.num_columns) == (1, 2_000)
    assert rows.column(1_999).to_pylist() == [2_000]


def test_table_name_of_any_length_is_answered_or_refused(con: springald.Connection) -> None:
    """Names may be long; what cannot be carried is refused by type."""
    name = "n" * 100_000
    con.sql(f"CREATE VIEW {name} AS SELECT 1 AS one")
    assert con.table(name).to_pydict() == {"one": [1]}
