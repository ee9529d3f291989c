"""Which part of Springald a statement is for, and what is read from it beforehand."""

import pytest

from springald.errors import (
    InvalidArgumentError,
    Position,
    SqlSyntaxError,
    UnsupportedError,
)
from springald.limits import STATEMENT_BYTES_MAX
from springald_scheduler.planning import statements
from springald_scheduler.planning.words import (
    StatementKind,
    position_at,
    position_of_name,
    statement_kind,
)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select 1", StatementKind.QUERY),
        ("  -- a comment\n((SELECT 1) UNION SELECT 2)", StatementKind.QUERY),
        ("/* a /* nested */ one */ WITH a AS (SELECT 1) SELECT * FROM a", StatementKind.QUERY),
        ("VALUES (1)", StatementKind.QUERY),
        ("FROM t", StatementKind.QUERY),
        ("explain select 1", StatementKind.EXPLAIN),
        ("SHOW TABLES", StatementKind.SHOW),
        ("DESCRIBE t", StatementKind.SHOW),
        ("SET a = 1", StatementKind.SET),
        ("RESET a", StatementKind.RESET),
        ("create external table t", StatementKind.CREATE_EXTERNAL_TABLE),
        ("CREATE OR REPLACE EXTERNAL TABLE t", StatementKind.CREATE_EXTERNAL_TABLE),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", StatementKind.CREATE_VIEW),
        ("CREATE TABLE t AS SELECT 1", StatementKind.OTHER),
        ("CREATE TEMPORARY VIEW v AS SELECT 1", StatementKind.OTHER),
        ("DROP TABLE t", StatementKind.DROP),
        ("INSERT INTO t VALUES (1)", StatementKind.INSERT),
        ("replace into t values (1)", StatementKind.INSERT),
        ("COPY t TO 'x'", StatementKind.COPY),
        ("MERGE INTO t USING u ON true", StatementKind.OTHER),
        ('"select" 1', StatementKind.OTHER),
        ("'select' 1", StatementKind.OTHER),
        (";; SELECT 1", StatementKind.QUERY),
        ("", StatementKind.OTHER),
    ],
)
def test_statement_kind_is_told_by_the_first_words(sql: str, kind: StatementKind) -> None:
    """Spaces, comments and brackets before a query do not count; quoted words are no words."""
    assert statement_kind(sql) is kind


@pytest.mark.parametrize(
    ("sql", "name", "value"),
    [
        ("SET a.b = 1", "a.b", "1"),
        ("set a.b to 'x y'", "a.b", "x y"),
        ("SET a.b = 'it''s';", "a.b", "it's"),
        ("SET a.b = -1.5", "a.b", "-1.5"),
        ("SET TIME ZONE = '+02:00'", "datafusion.execution.time_zone", "+02:00"),
        ("SET TIME ZONE 'Europe/Berlin'", "datafusion.execution.time_zone", "Europe/Berlin"),
    ],
)
def test_parse_set_reads_name_and_value(sql: str, name: str, value: str) -> None:
    """A value is taken without its quotes."""
    assert statements.parse_set(sql) == statements.Setting(name, value)


@pytest.mark.parametrize("sql", ["SET", "SET a", "SET a =", "SET = 1", "SET a 1"])
def test_parse_set_of_another_form_is_a_syntax_error(sql: str) -> None:
    """There is a name, an equals sign or TO, and a value."""
    with pytest.raises(SqlSyntaxError, match="SET name = value"):
        statements.parse_set(sql)


def test_parse_reset_without_a_name_is_a_syntax_error() -> None:
    """RESET names what it brings back."""
    assert statements.parse_reset("RESET a.b;") == "a.b"
    with pytest.raises(SqlSyntaxError):
        statements.parse_reset("RESET ;")


def test_parse_external_table_reads_what_is_checked() -> None:
    """The location is known with its place in the text, where the checked one is put."""
    sql = """
        CREATE EXTERNAL TABLE IF NOT EXISTS a."B c" (x INT, y VARCHAR) STORED AS CSV
        PARTITIONED BY (y) LOCATION 'it''s/here/'
        OPTIONS ('format.compression' 'gzip', format.has_header true)
    """
    table = statements.parse_external_table(sql)
    assert (table.name, table.format, table.location) == ("B c", "csv", "it's/here/")
    assert sql[table.location_start : table.location_end] == "'it''s/here/'"
    assert table.if_not_exists
    assert table.options == (("format.compression", "gzip"), ("format.has_header", "true"))


@pytest.mark.parametrize(
    "decoy",
    [
        "OPTIONS (location '/allowed/')",
        "OPTIONS (a.location '/allowed/')",
        "(location '/allowed/')",
    ],
)
def test_parse_external_table_takes_no_location_from_brackets(decoy: str) -> None:
    """Any word may stand in brackets; the clause that the engine obeys stands outside of them."""
    sql = f"CREATE EXTERNAL TABLE t {decoy} STORED AS CSV LOCATION '/real/'"
    assert statements.parse_external_table(sql).location == "/real/"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE EXTERNAL TABLE t STORED AS CSV",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION /a/",
        'CREATE EXTERNAL TABLE t STORED AS CSV LOCATION "/a/"',
        "CREATE EXTERNAL TABLE t STORED AS CSV OPTIONS (location '/a/')",
    ],
)
def test_parse_external_table_without_a_quoted_location_is_a_syntax_error(sql: str) -> None:
    """What cannot be checked is not run; the caret points behind the text."""
    with pytest.raises(SqlSyntaxError) as caught:
        statements.parse_external_table(sql)
    assert caught.value.position == Position(1, len(sql) + 1)


def test_names_are_read_as_the_session_resolves_them() -> None:
    """Plain names are lower case, quoted ones as written, and the last part counts."""
    assert (
        statements.parse_view("CREATE OR REPLACE VIEW public.My_View AS SELECT 1").name == "my_view"
    )
    assert statements.parse_view('CREATE VIEW "My ""View" (a) AS SELECT 1').name == 'My "View'
    spared = statements.parse_view("CREATE VIEW IF NOT EXISTS /* if */ v AS SELECT 'IF'")
    assert spared == statements.View("v", "CREATE VIEW v AS SELECT 'IF'", if_not_exists=True)
    assert statements.dropped_table("DROP TABLE IF EXISTS datafusion.public.T") == "t"
    assert statements.dropped_table('drop view "T"') == "T"
    with pytest.raises(UnsupportedError):
        statements.dropped_table("DROP SCHEMA public")
    with pytest.raises(SqlSyntaxError):
        statements.dropped_table("DROP TABLE")
    with pytest.raises(SqlSyntaxError):
        statements.parse_view("CREATE VIEW 'v' AS SELECT 1")


def test_explained_splits_modifiers_from_the_query() -> None:
    """EXPLAIN [VERBOSE] [ANALYZE] query; other formats are not offered."""
    assert statements.explained("EXPLAIN  VERBOSE select 1") == ("select 1", frozenset({"VERBOSE"}))
    assert statements.explained("explain analyze verbose (select 1)") == (
        "(select 1)",
        frozenset({"ANALYZE", "VERBOSE"}),
    )
    with pytest.raises(UnsupportedError, match="got FORMAT TREE; leave it out"):
        statements.explained("EXPLAIN FORMAT TREE SELECT 1")
    with pytest.raises(SqlSyntaxError):
        statements.explained("EXPLAIN")


def test_check_text_refuses_nothing_and_too_much() -> None:
    """A statement has words, and at most a named number of bytes."""
    statements.check_text("SELECT 1")
    with pytest.raises(SqlSyntaxError):
        statements.check_text(" -- nothing\n;")
    with pytest.raises(InvalidArgumentError, match=str(STATEMENT_BYTES_MAX)):
        statements.check_text("SELECT '" + "ä" * (STATEMENT_BYTES_MAX // 2) + "'")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1; -- nothing\n DROP TABLE t;",
        "SET springald.distribution = auto; SELECT 1",
        "CREATE VIEW v AS SELECT 1; SELECT 1",
    ],
)
def test_check_text_refuses_several_statements(sql: str) -> None:
    """A text is one statement of any kind: nothing behind a semicolon is taken for a value."""
    with pytest.raises(UnsupportedError, match="one by one"):
        statements.check_text(sql)


@pytest.mark.parametrize("sql", ["SELECT ';'", "SELECT 1;;", ";;SELECT 1", 'SELECT 1 AS ";" -- ;'])
def test_check_text_takes_semicolons_round_and_inside_of_a_statement(sql: str) -> None:
    """Only a semicolon between two statements makes them two."""
    statements.check_text(sql)


@pytest.mark.parametrize("name", ["AVRO", "ndjson", "'orc'", "SELECT"])
def test_parse_external_table_of_another_format_names_those_that_are_offered(name: str) -> None:
    """A format is refused before anybody looks for files, and the error lists the formats."""
    with pytest.raises(UnsupportedError, match="PARQUET, CSV, JSON, ARROW") as caught:
        statements.parse_external_table(f"CREATE EXTERNAL TABLE t STORED AS {name} LOCATION '/a/'")
    assert f"got {name.strip(chr(39))};" in caught.value.message


def test_shown_setting_of_nothing_is_a_syntax_error() -> None:
    """SHOW names what it shows; DESCRIBE is left to the engine."""
    assert statements.shown_setting("SHOW a.B;") == "a.b"
    assert not statements.shown_setting("DESCRIBE")
    with pytest.raises(SqlSyntaxError, match="SHOW TABLES"):
        statements.shown_setting("SHOW ;")


@pytest.mark.parametrize(
    ("sql", "statement", "instead"),
    [
        ("CREATE TABLE t AS SELECT 1", "CREATE TABLE t", "CREATE VIEW"),
        ("delete from t", "delete from t", "COPY"),
        ("EXPLAIN ANALYZE SET a = 1", "EXPLAIN ANALYZE SET", "EXPLAIN ANALYZE a query"),
        ("EXPLAIN SHOW TABLES", "EXPLAIN SHOW TABLES", "takes a query"),
        ("BEGIN", "BEGIN", "transactions"),
        ("PREPARE p AS SELECT 1", "PREPARE p AS", "as parameters"),
        ("USE x", "USE x", "one schema"),
        ("SHOW DATABASES", "SHOW DATABASES", "SHOW TABLES"),
        ("VACUUM", "VACUUM", "queries"),
        ("?", "?", "queries"),
    ],
)
def test_unsupported_tells_what_to_do_instead(sql: str, statement: str, instead: str) -> None:
    """An error repeats the statement's first words as they are written, and says what to do."""
    message = statements.unsupported(sql).message
    assert message.startswith(f"the statement {statement} is not offered")
    assert instead in message


def test_position_is_counted_in_characters_from_one() -> None:
    """Lines and columns count from 1, in characters; a name that is there twice has none."""
    sql = "SELECT ü,\n  nope FROM t"
    assert position_at(sql, sql.index("nope")) == Position(2, 3)
    assert position_of_name(sql, "t.nope") == Position(2, 3)
    assert position_of_name(sql, "absent") is None
    assert position_of_name("SELECT a, a FROM t", "a") is None
    assert position_of_name("SELECT 'a', A FROM t", '"a"') == Position(1, 13)
