"""Statements are told apart, cut and pointed into by their words alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from springald.errors import Position, SqlSyntaxError, UnknownTableError
from springald.sql_text import (
    count_query,
    is_complete,
    is_nestable,
    is_query,
    limit_query,
    point_at,
    quote_name,
    split_statements,
    strip_end,
    tokens,
    with_caret,
    written_name,
)

PIECES = st.sampled_from(
    [
        "SELECT",
        "a",
        " ",
        "\n",
        "'",
        "''",
        '"',
        "$$",
        "$x$",
        "--",
        "/*",
        "*/",
        ";",
        "(",
        ")",
        "é",
        "1",
    ]
)


@given(st.lists(PIECES).map("".join))
def test_tokens_any_text_are_that_text(text: str) -> None:
    """Tokens put together are the text, whatever the text is."""
    assert "".join(token.text for token in tokens(text)) == text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  -- hi\n/* /* nested */ */ with x as (select 1) select * from x",
        "((VALUES (1)))",
        "FROM t",
        "SHOW TABLES",
        "describe t",
        "EXPLAIN ANALYZE SELECT 1",
    ],
)
def test_is_query_rows_and_no_effect_true(sql: str) -> None:
    """A statement that returns rows and changes nothing is a query, whatever stands before it."""
    assert is_query(sql)


@pytest.mark.parametrize(
    "sql",
    ["CREATE VIEW v AS SELECT 1", "DROP TABLE t", "SET a = 'SELECT'", "", "-- SELECT", "'SELECT'"],
)
def test_is_query_effect_or_nothing_false(sql: str) -> None:
    """Anything else is not a query, and takes effect at once."""
    assert not is_query(sql)


def test_is_nestable_explain_false() -> None:
    """What describes a query cannot stand in the FROM of another one."""
    assert not is_nestable("EXPLAIN SELECT 1")


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' AS \";\"; -- ;\n", ["SELECT ';' AS \";\""]),
        ("SELECT $$;$$; SELECT $a$;$$;$a$", ["SELECT $$;$$", "SELECT $a$;$$;$a$"]),
        ("SELECT 'it''s;'; ;;", ["SELECT 'it''s;'"]),
        (r"SELECT E'\';'; SELECT 2", [r"SELECT E'\';'", "SELECT 2"]),
        (r"SELECT '\'; SELECT 2", [r"SELECT '\'", "SELECT 2"]),
        ("SELECT 'open; SELECT 2", ["SELECT 'open; SELECT 2"]),
        ("/* a; /* b; */ c; */ SELECT 1", ["/* a; /* b; */ c; */ SELECT 1"]),
    ],
)
def test_split_statements_quotes_and_comments_cut_outside(text: str, statements: list[str]) -> None:
    """A semicolon ends a statement unless it is inside a string, a name or a comment."""
    assert split_statements(text) == statements


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("SELECT 1;", True),
        ("SELECT 1; -- done", True),
        ("SELECT 1", False),
        ("SELECT ';", False),
        ("SELECT 1; SELECT 2", False),
        ("SELECT 1; /* open", False),
        ("", False),
    ],
)
def test_is_complete_ends_in_semicolon(text: str, complete: bool) -> None:  # noqa: FBT001
    """A person has finished when a semicolon ends the text, outside of quotes and comments."""
    assert is_complete(text) is complete


@pytest.mark.parametrize(
    ("sql", "limited"),
    [
        ("SELECT a FROM t ORDER BY a;", "SELECT a FROM t ORDER BY a\nLIMIT 2"),
        ("SELECT a FROM t -- all", "SELECT a FROM t\nLIMIT 2"),
        (
            "SELECT a FROM (SELECT a FROM t LIMIT 9)",
            "SELECT a FROM (SELECT a FROM t LIMIT 9)\nLIMIT 2",
        ),
        (
            "SELECT a AS limit FROM t ORDER BY limit",
            "SELECT a AS limit FROM t ORDER BY limit\nLIMIT 2",
        ),
        ("SELECT a FROM t LIMIT 9", "SELECT * FROM (\nSELECT a FROM t LIMIT 9\n) LIMIT 2"),
        ("SELECT a FROM t OFFSET 9", "SELECT * FROM (\nSELECT a FROM t OFFSET 9\n) LIMIT 2"),
        (
            "FROM t FETCH FIRST 3 ROWS ONLY",
            "SELECT * FROM (\nFROM t FETCH FIRST 3 ROWS ONLY\n) LIMIT 2",
        ),
    ],
)
def test_limit_query_keeps_order(sql: str, limited: str) -> None:
    """A limit stands behind the query, whose order a subquery would lose, unless it has a limit."""
    assert limit_query(sql, 2) == limited


def test_limit_query_offset_is_added() -> None:
    """An offset is written behind the limit."""
    assert limit_query("SELECT 1", 2, 3) == "SELECT 1\nLIMIT 2 OFFSET 3"


def test_count_query_comment_at_end_is_dropped() -> None:
    """A comment at the end does not swallow what is put behind the query."""
    assert count_query("SELECT 1 -- x") == "SELECT count(*) FROM (\nSELECT 1\n)"
    assert strip_end("SELECT '--;' ; -- x") == "SELECT '--;'"


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("t", "t"),
        ("T", '"T"'),
        ('a"b', '"a""b"'),
        ("a.b", '"a.b"'),
        ("select", '"select"'),
        ("1", '"1"'),
    ],
)
def test_quote_name_means_exactly_the_name(name: str, quoted: str) -> None:
    """A name is quoted wherever SQL would read it otherwise."""
    assert quote_name(name) == quoted


def test_written_name_not_a_name_is_quoted() -> None:
    """Text that is no name cannot become more than a name."""
    assert written_name('s."My T"') == 's."My T"'
    assert written_name("t; DROP TABLE t") == '"t; DROP TABLE t"'
    assert written_name('"open') == '"""open"'
    assert written_name("") == '""'


@pytest.mark.parametrize(
    ("text", "position", "pointed"),
    [
        ("SELECT x FORM t", Position(1, 10), "line 1: SELECT x FORM t\n                 ^"),
        ("SELECT\n\tx FORM", Position(2, 4), "line 2: \tx FORM\n        \t  ^"),
        ("SELECT (1", Position(9, 99), "line 1: SELECT (1\n                 ^"),
        ("", Position(1, 1), "line 1: \n        ^"),
        ("a\r\nb", Position(1, 2), "line 1: a\n         ^"),
    ],
)
def test_point_at_any_position_stays_in_text(text: str, position: Position, pointed: str) -> None:
    """The caret stands under its character, and a position outside of the text at its end."""
    assert point_at(text, position) == pointed


@pytest.mark.parametrize("column", [1, 50, 500, 999, 1001])
def test_point_at_long_line_shows_what_is_near(column: int) -> None:
    """Of a line that no terminal can show, the caret's surroundings are shown."""
    line = "".join(chr(ord("a") + at % 26) for at in range(1000))
    shown, caret = point_at(line, Position(1, column)).split("\n")
    assert len(shown) < 200
    assert f"{shown} "[caret.index("^")] == f"{line} "[column - 1]
    assert shown.endswith("...") == (column < 900)


def test_with_caret_position_known_is_shown_once() -> None:
    """An error that knows its place shows it, and only once however often it is asked to."""
    error = SqlSyntaxError("no", position=Position(1, 8), node_id="j7")
    with_caret(with_caret(error, "SELECT ;"), "SELECT ;")
    assert str(error) == "[SQL_SYNTAX] no (at j7)\nline 1: SELECT ;\n               ^"


def test_with_caret_position_unknown_is_unchanged() -> None:
    """An error without a place is left as it was made."""
    error = UnknownTableError("no table")
    assert str(with_caret(error, "SELECT 1")) == "[UNKNOWN_TABLE] no table"
