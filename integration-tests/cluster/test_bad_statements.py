"""Statements that are wrong: each ends in an error that says what, where, and whose fault it is."""

import re
from pathlib import Path

import pytest

import springald
from cluster.tables import SUMS, sums
from cluster.waiting import Stopwatch
from springald import errors as e

_REFUSED_S_MAX = 5.0


def _refused(con: springald.Connection, sql: str) -> e.SpringaldError:
    """Returns the error of a statement that must fail soon, wherever it does."""
    watch = Stopwatch()
    with pytest.raises(e.SpringaldError) as raised:
        con.sql(sql).to_arrow()
    assert watch.elapsed_s < _REFUSED_S_MAX
    return raised.value


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELEC 1", 1, 1),
        ("SELECT 1)", 1, 9),
        ("SELECT id\nFORM numbers x", 2, 6),
        ("SELECT (1", 1, 10),
        ("SELECT id FROM numbers WHERE", 1, 29),
        ("SELECT 1 AS  -- what?", 1, 12),
        ("SELECT 'abc", 1, 8),
        ('SELECT "abc', 1, 8),
        ("CREATE VIEW AS SELECT 1 +", 1, 16),
        ("SELECT 'a\u00e9\u4e16' AND AND 1", 1, 22),
    ],
)
def test_syntax_error_points_with_a_caret(
    con: springald.Connection, sql: str, line: int, column: int
) -> None:
    """What does not parse is shown with its line and a caret under the place (P6.1)."""
    error = _refused(con, sql)
    assert isinstance(error, e.SqlSyntaxError)
    assert error.position == e.Position(line, column)
    *_, shown, caret = str(error).splitlines()
    text = sql.split("\n")[line - 1]
    assert shown.endswith(text)
    assert caret.index("^") == len(shown) - len(text) + column - 1


@pytest.mark.parametrize("sql", ["", " ", ";", "-- nothing", "/* nothing */ ;;"])
def test_statement_without_words_is_refused(con: springald.Connection, sql: str) -> None:
    """A text without a statement is refused in the same words, whatever else is in it."""
    error = _refused(con, sql)
    assert isinstance(error, e.SqlSyntaxError)
    assert error.message == _refused(con, "").message


def test_column_that_arrow_cannot_name_is_the_callers_mistake(con: springald.Connection) -> None:
    """A name with a NUL fits no Arrow schema; the same value under another name is answered."""
    error = _refused(con, "SELECT '\0', id FROM numbers")
    assert isinstance(error, e.InvalidQueryError)
    assert "AS" in error.message
    answered = con.sql("SELECT '\0' AS nul, id FROM numbers LIMIT 1").to_pydict()
    assert answered["nul"] == ["\0"]


@pytest.mark.parametrize(
    ("sql", "kind", "name"),
    [
        ("SELECT * FROM nowhere", e.UnknownTableError, "nowhere"),
        ("SELECT * FROM numbers JOIN nowhere USING (id)", e.UnknownTableError, "nowhere"),
        ("SELECT * FROM elsewhere.nowhere", e.UnknownTableError, "nowhere"),
        ("DESCRIBE nowhere", e.UnknownTableError, "nowhere"),
        ("DROP TABLE nowhere", e.UnknownTableError, "nowhere"),
        ("DROP VIEW nowhere", e.UnknownTableError, "nowhere"),
        ("EXPLAIN SELECT * FROM nowhere", e.UnknownTableError, "nowhere"),
        ("CREATE VIEW v AS SELECT * FROM nowhere", e.UnknownTableError, "nowhere"),
        ("SELECT * FROM '/etc/passwd'", e.UnknownTableError, "/etc/passwd"),
        ("SELECT nothing FROM numbers", e.UnknownColumnError, "nothing"),
        ("SELECT numbers.nothing FROM numbers", e.UnknownColumnError, "nothing"),
        ("SELECT id FROM numbers ORDER BY nothing", e.UnknownColumnError, "nothing"),
        ("SELECT missing(id) FROM numbers", e.UnknownFunctionError, "missing"),
        ("SELECT missing(id) OVER () FROM numbers", e.UnknownFunctionError, "missing"),
        ("SELECT * FROM missing(3)", e.UnknownFunctionError, "missing"),
    ],
)
def test_unknown_name_is_named_and_pointed_at(
    con: springald.Connection, sql: str, kind: type[e.SpringaldError], name: str
) -> None:
    """An unknown table, column or function is called by its name, with a caret under it."""
    error = _refused(con, sql)
    assert type(error) is kind
    assert error.fault == "caller"
    assert name in error.message
    if error.position is not None:
        assert sql[error.position.column - 1 :].strip("'").startswith(name)
        assert "^" in str(error)
    else:
        assert sql.count(name) != 1 or "'" in sql or "." in sql, "a name that stands once is found"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id AND s FROM numbers",
        "SELECT id FROM numbers WHERE id",
        "SELECT sum(s) FROM numbers",
        "SELECT upper(id, s) FROM numbers",
        "SELECT s.part FROM numbers",
        "SELECT id FROM numbers WHERE s > DATE '2024-01-01' + 1.5",
        "SELECT CASE WHEN s > 1.5 THEN s ELSE [s] END FROM numbers",
    ],
)
def test_types_that_do_not_fit_are_refused_when_planned(
    con: springald.Connection, sql: str
) -> None:
    """Types that the engine cannot bring together are the caller's mistake, seen before a run."""
    error = _refused(con, sql)
    assert isinstance(error, e.TypeMismatchError)
    assert error.executor_id == ""


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, count(*) FROM numbers GROUP BY k",
        "SELECT id FROM numbers UNION SELECT id, k FROM numbers",
        "SELECT id FROM numbers WHERE sum(id) > 3",
        "SELECT id FROM numbers ORDER BY 7",
        "SELECT id FROM numbers LIMIT -1",
        "SELECT * FROM numbers WHERE id = $1",
        "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN -1 PRECEDING AND CURRENT ROW) FROM numbers",
    ],
)
def test_query_that_means_nothing_is_refused(con: springald.Connection, sql: str) -> None:
    """What parses and does not plan is the caller's mistake, with the engine's words kept."""
    error = _refused(con, sql)
    assert isinstance(error, e.InvalidQueryError)
    assert error.engine_message


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("INSERT OVERWRITE numbers VALUES (1, 2, 'x')", "OVERWRITE"),
        ("REPLACE INTO numbers VALUES (1, 2, 'x')", "REPLACE"),
        ("CREATE TABLE made AS SELECT 1", "CREATE TABLE"),
        ("CREATE TABLE made (a INT)", "CREATE TABLE"),
        ("CREATE SCHEMA made", "CREATE SCHEMA"),
        ("CREATE DATABASE made", "CREATE DATABASE"),
        ("CREATE FUNCTION f() RETURNS INT RETURN 1", "CREATE FUNCTION"),
        ("UPDATE numbers SET id = 1", "UPDATE"),
        ("DELETE FROM numbers", "DELETE"),
        ("PREPARE p AS SELECT 1", "PREPARE"),
        ("BEGIN", "BEGIN"),
        ("DROP SCHEMA public", "DROP"),
        ("EXPLAIN ANALYZE SET a = 1", "EXPLAIN ANALYZE"),
        ("TRUNCATE TABLE numbers", "TRUNCATE"),
        ("SELECT 1; SELECT 2", "statement"),
        ("SELECT 1; DROP TABLE numbers", "statement"),
    ],
)
def test_statement_not_offered_is_refused(
    con: springald.Connection, tmp_path: Path, sql: str, words: str
) -> None:
    """A statement that this version does not offer says so, and changes nothing."""
    error = _refused(con, sql.replace("out.parquet", f"{tmp_path}/out.parquet"))
    assert isinstance(error, e.UnsupportedError)
    assert words in error.message
    assert list(con.tables()) == ["numbers"]
    assert not list(tmp_path.iterdir())
    assert con.sql(SUMS).to_pydict() == sums()


@pytest.mark.parametrize(
    "sql",
    [
        "WITH gone AS (INSERT INTO numbers VALUES (1, 1, 'x')) SELECT 1",
        "EXPLAIN ANALYZE INSERT INTO numbers VALUES (1, 1, 'x')",
        "EXPLAIN ANALYZE COPY numbers TO '/tmp/springald-never.parquet'",
        "(SELECT 1) UNION ALL (DELETE FROM numbers)",
        "CREATE VIEW v AS COPY numbers TO '/tmp/springald-never.parquet'",
    ],
)
def test_statement_not_offered_is_not_let_in_by_another(
    con: springald.Connection, sql: str
) -> None:
    """A write that hides behind the first word of a statement is refused as well."""
    error = _refused(con, sql)
    assert error.fault == "caller"
    assert not Path("/tmp/springald-never.parquet").exists()  # noqa: S108 - must not be made
    assert list(con.tables()) == ["numbers"]


def test_error_is_the_same_wherever_it_is_met(con: springald.Connection) -> None:
    """Planning for the schema and running for the rows give the same error, caret included."""
    frame = con.sql("SELECT id,\n  nothing FROM numbers")
    said = []
    for ask in (lambda: frame.schema, frame.to_arrow, frame.to_batches, frame.show):
        with pytest.raises(e.UnknownColumnError) as raised:
            ask()
        said.append((raised.value.message, raised.value.position))
    assert len(set(said)) == 1
    assert said[0][1] == e.Position(2, 3)
    assert re.search(r"line 2:   nothing FROM numbers\n +\^$", said[0][0])


def test_failed_statement_changes_nothing(con: springald.Connection) -> None:
    """A statement that fails leaves tables and settings as they were."""
    con.sql("CREATE VIEW kept AS SELECT 1 AS one")
    for sql in (
        "CREATE OR REPLACE VIEW kept AS SELECT nothing FROM numbers",
        "CREATE OR REPLACE EXTERNAL TABLE kept STORED AS PARQUET LOCATION '/no/such/place/'",
        "DROP VIEW kept, kept2",
        "SET datafusion.execution.batch_size = 'x'",
    ):
        _refused(con, sql)
        assert con.table("kept").to_pydict() == {"one": [1]}


def test_statement_may_hold_any_characters(con: springald.Connection) -> None:
    """Text of any script, quotes and control characters come back as they went."""
    text = "\u4f60\u597d 'quoted' \U0001f600 \t \\ \x01 --no comment /* nor this"
    quoted = text.replace("'", "''")
    assert con.sql(f"SELECT '{quoted}' AS t").to_pydict() == {"t": [text]}
    error = _refused(con, "SELECT \u4f60\u597d FROM numbers")
    assert isinstance(error, e.UnknownColumnError)
    assert error.position == e.Position(1, 8)


def test_statement_with_half_a_character_is_refused(con: springald.Connection) -> None:
    """A lone surrogate cannot be sent: that is said, and the connection stays usable."""
    frame = con.sql("SELECT '\ud800'")
    for ask in (frame.to_arrow, lambda: frame.schema):
        with pytest.raises(e.InvalidArgumentError, match="character 9"):
            ask()
    assert con.sql(SUMS).to_pydict() == sums()
