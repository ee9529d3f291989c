"""Rows for people: aligned, cut, and harmless."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from springald.display import cell_texts, html_table, rows_text, text_table


def test_text_table_types_are_aligned() -> None:
    """Numbers stand to the right, wide characters count double, and nulls are seen."""
    rows = pa.table(
        {"n": [1, None], "s": ["日本", "e\u0301"], "d": [Decimal("1.50"), Decimal("-2.25")]}
    )
    assert text_table(rows, "note").splitlines() == [
        "+------+------+-------+",
        "|    n | s    |     d |",
        "+------+------+-------+",
        "|    1 | 日本 |  1.50 |",
        "| NULL | e\u0301    | -2.25 |",
        "+------+------+-------+",
        "note",
    ]


def test_text_table_no_rows_shows_columns() -> None:
    """A result without rows still shows its columns."""
    assert text_table(pa.table({"a": pa.array([], pa.int64())})).splitlines() == [
        "+---+",
        "| a |",
        "+---+",
    ]


def test_text_table_no_columns_counts_rows() -> None:
    """Rows without columns are counted."""
    rows = pa.table({"a": [1, 2]}).select([])
    assert text_table(rows).startswith("(2 rows")


def test_cell_texts_control_characters_are_visible() -> None:
    """A value cannot move the cursor or clear the screen of a terminal."""
    assert cell_texts(pa.chunked_array([["a\nb\x1b[2J\t"]])) == [r"a\nb\x1b[2J\t"]


def test_cell_texts_long_values_are_cut() -> None:
    """A long value is cut, and says so."""
    assert cell_texts(pa.chunked_array([["x" * 500]]), 5) == ["xxxx…"]


def test_cell_texts_all_types_are_written() -> None:
    """Every type has a text, also where Python has no such value."""
    nanoseconds = pa.array([1_700_000_000_123_456_789], pa.timestamp("ns", "UTC"))
    far = pa.array([2**40], pa.timestamp("s"))
    columns = [
        nanoseconds,
        far,
        pa.array([b"\x00\xff"]),
        pa.array([[1, None]]),
        pa.array([{"a": True}]),
        pa.array([1], pa.duration("ns")),
        pa.array([0.1]),
        pa.array([True]),
        pa.array(["x"]).dictionary_encode(),
        pa.array(["x"], pa.string_view()),
        pa.array([datetime(2024, 2, 29, tzinfo=UTC)]),
        pa.nulls(1),
    ]
    texts = [cell_texts(pa.chunked_array([column]))[0] for column in columns]
    assert texts[0].startswith("2023-11-14 22:13:20.123456789")
    assert texts[2:5] == ["00ff", "[1, None]", "{'a': True}"]
    assert texts[6:10] == ["0.1", "true", "x", "x"]
    assert texts[11] == "NULL"
    assert all(texts)


def test_html_table_names_values_and_note_are_escaped() -> None:
    """Nothing in a result becomes markup."""
    html = html_table(pa.table({"<b>": ["<script>alert(1)</script>", "&"]}), "<i>")
    assert "<script>" not in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;script&gt;" in html


def test_rows_of_explain_are_shown_as_texts_that_move_no_cursor() -> None:
    """A plan keeps its lines; whatever else is in it is made visible. Other rows are a table."""
    rows = pa.table({"plan_type": ["a", "b"], "plan": ["x\n  y\x1b[2J", "z"]})
    assert rows_text(rows) == "a:\nx\n  y\\x1b[2J\n\nb:\nz"
    assert rows_text(rows.rename_columns(["plan_type", "other"])).startswith("+--")
    numbers = pa.table({"plan_type": [1], "plan": [2]})
    assert rows_text(numbers) == text_table(numbers)


def test_cell_texts_of_times_in_lists_are_arrows() -> None:
    """A time inside of a value is written as a time alone is, with all its digits."""
    times = pa.chunked_array([pa.array([[1, None]], pa.list_(pa.timestamp("ns")))])
    assert cell_texts(times) == ["[1970-01-01 00:00:00.000000001, None]"]
    days = pa.chunked_array([pa.array([[("k", 5)]], pa.map_(pa.string(), pa.date32()))])
    assert cell_texts(days) == ["[('k', 1970-01-06)]"]
