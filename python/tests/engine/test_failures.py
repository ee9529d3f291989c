"""What the engine raises becomes a typed error, told from the engine's own texts."""

import errno
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.engine.failures import error_from_engine
from springald.engine.session import make_context
from springald.errors import (
    DataInvalidError,
    InternalError,
    InvalidQueryError,
    Position,
    SpringaldError,
    TypeMismatchError,
    UnknownTableError,
    UnsupportedError,
)
from springald.limits import ENGINE_MESSAGE_BYTES_MAX


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> SessionContext:
    """An engine with little memory and tables with faults."""
    home = tmp_path_factory.mktemp("faults")
    rows = {
        "a": [1, 2, 3],
        "s": ["x", "overflow", "Divide by zero"],
        "big": [2**63 - 1, 1, 2],
        "li": [[1], [2], [3]],
        "d": pa.array(["9" * 38] * 3).cast(pa.decimal128(38, 0)),
    }
    pq.write_table(pa.table(rows), home / "t.parquet")
    (home / "bad.parquet").write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
    numbers = pa.table({"s": [str(number) for number in range(2_000)]})
    pq.write_table(numbers, home / "page.parquet", compression="gzip", use_dictionary=False)
    with (home / "page.parquet").open("r+b") as file:
        file.seek(1_000)
        file.write(b"x" * 200)
    (home / "short.parquet").write_bytes(b"PA")
    (home / "fields.csv").write_text("1,2\n3\n")
    (home / "types.csv").write_text("1\nx\n")
    (home / "bad.json").write_text('{"a": 1}\n{"a":')
    (home / "bad.arrow").write_bytes(b"nothing")
    (home / "cut.arrow").write_bytes(b"ARROW1\0\0" + b"x" * 50)
    context = make_context({}, partitions=2, memory_bytes=1 << 20)
    for name, columns, kind in (
        ("t", "", "parquet"),
        ("page", "", "parquet"),
        ("fields", "(a INT, b INT)", "csv"),
        ("types", "(a INT)", "csv"),
    ):
        location = f"{home}/{name}.{kind}"
        options = "OPTIONS ('format.has_header' 'false')" if kind == "csv" else ""
        statement = f"CREATE EXTERNAL TABLE {name} {columns} STORED AS {kind.upper()}"
        context.sql(f"{statement} LOCATION '{location}' {options}")
    context.sql(f"CREATE VIEW home AS SELECT '{home}' AS path")
    return context


def failure_of(context: SessionContext, sql: str) -> BaseException:
    """Returns what the engine raises for a statement."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the engine raises bare exceptions
        _run(context, sql)
    return caught.value


def _run(context: SessionContext, sql: str) -> None:
    plan = context.sql(sql).execution_plan()
    for partition in range(plan.partition_count):
        list(context.execute(plan, partition))


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELCT 1", "SQL_SYNTAX"),
        ("SELECT 1 +", "SQL_SYNTAX"),
        ("SELECT 'x", "SQL_SYNTAX"),
        ("", "SQL_SYNTAX"),
        ("SELECT * FROM nope", "UNKNOWN_TABLE"),
        ("DROP TABLE nope", "UNKNOWN_TABLE"),
        ("DROP VIEW nope", "UNKNOWN_TABLE"),
        ("SELECT nope FROM t", "UNKNOWN_COLUMN"),
        ("SELECT a FROM t, t AS u", "INVALID_QUERY"),
        ("SELECT nope(a) FROM t", "UNKNOWN_FUNCTION"),
        ("SELECT * FROM nope(1)", "UNKNOWN_FUNCTION"),
        ("SELECT a + s FROM t", "TYPE_MISMATCH"),
        ("SELECT a AND s FROM t", "TYPE_MISMATCH"),
        ("SELECT a FROM t WHERE a", "TYPE_MISMATCH"),
        ("SELECT sum(a, a) FROM t", "TYPE_MISMATCH"),
        ("SELECT a[1] FROM t", "TYPE_MISMATCH"),
        ("SELECT t.a.b FROM t", "TYPE_MISMATCH"),
        ("SELECT a FROM t GROUP BY s", "INVALID_QUERY"),
        ("SELECT a FROM t UNION SELECT a, s FROM t", "INVALID_QUERY"),
        ("SELECT a FROM t LIMIT -1", "INVALID_QUERY"),
        ("SELECT 1; SELECT 2", "UNSUPPORTED"),
        ("SELECT extract(nope FROM now())", "UNSUPPORTED"),
        ("SELECT " + "(" * 200 + "1" + ")" * 200, "PLAN_TOO_DEEP"),
        ("CREATE VIEW t AS SELECT 1", "TABLE_EXISTS"),
        ("SET datafusion.nope = 1", "UNKNOWN_SETTING"),
        ("SET nope = 1", "UNKNOWN_SETTING"),
        ("SHOW nope", "UNKNOWN_SETTING"),
        ("SET datafusion.execution.batch_size = 'x'", "INVALID_SETTING"),
        ("SELECT CAST(s AS INT) FROM t", "CAST_FAILED"),
        ("SELECT CAST(s AS INT) FROM t WHERE s = 'overflow'", "CAST_FAILED"),
        ("SELECT CAST(s AS INT) FROM t WHERE s = 'Divide by zero'", "CAST_FAILED"),
        ("SELECT CAST(big AS INT) FROM t", "CAST_FAILED"),
        ("SELECT to_timestamp(s) FROM t", "CAST_FAILED"),
        ("SELECT * FROM types", "CAST_FAILED"),
        ("SELECT a / 0 FROM t", "DIVISION_BY_ZERO"),
        ("SELECT a % 0 FROM t", "DIVISION_BY_ZERO"),
        ("SELECT d + d FROM t", "ARITHMETIC_OVERFLOW"),
        ("SELECT abs(CAST(-9223372036854775808 AS BIGINT))", "ARITHMETIC_OVERFLOW"),
        ("SELECT (SELECT a FROM t)", "DATA_INVALID"),
        ("SELECT sqrt(-1)", "DATA_INVALID"),
        ("SELECT DISTINCT ON (a) a, big FROM t ORDER BY a, big, a", "INTERNAL"),
        ("SELECT * FROM fields", "FILE_CORRUPT"),
        ("SELECT max(length(s)) FROM page", "FILE_CORRUPT"),
        ("SELECT * FROM generate_series(1, 9000000) ORDER BY value DESC", "OUT_OF_MEMORY"),
        ("SELECT array_agg(value) FROM generate_series(1, 1000000)", "OUT_OF_MEMORY"),
    ],
)
def test_error_from_engine_of_a_statement_has_its_code(
    context: SessionContext, sql: str, code: str
) -> None:
    """Each kind of failure has one stable code, whatever words the data put into the text."""
    error = error_from_engine(failure_of(context, sql))
    assert error.code == code, error.engine_message
    assert error.engine_message


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("bad.parquet", "FILE_CORRUPT"),
        ("short.parquet", "FILE_CORRUPT"),
        ("none.parquet", "FILE_NOT_FOUND"),
        ("bad.json", "FILE_CORRUPT"),
        ("bad.arrow", "FILE_CORRUPT"),
        ("cut.arrow", "FILE_CORRUPT"),
    ],
)
def test_error_from_engine_of_a_file_is_the_data_s_fault(
    context: SessionContext, file: str, code: str
) -> None:
    """A file that is missing is told from one that is broken."""
    home = context.sql("SELECT path FROM home").to_pylist()[0]["path"]
    kind = file.partition(".")[2].upper()
    sql = f"CREATE EXTERNAL TABLE x STORED AS {kind} LOCATION '{home}/{file}'"
    error = error_from_engine(failure_of(context, sql))
    assert (error.code, error.fault) == (code, "data"), error.engine_message


def test_error_from_engine_of_a_changed_file_is_corrupt(tmp_path: Path) -> None:
    """A file that shrank under a plan is told as corrupt, not as a bug of ours."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(10_000))}), path)
    context = make_context({}, partitions=1)
    context.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{path}'")
    plan = context.sql("SELECT sum(a) FROM t WHERE a > 3").execution_plan().to_bytes(context)
    path.write_bytes(path.read_bytes()[:-100])
    other = make_context({}, partitions=1)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - as above
        list(other.execute(ExecutionPlan.from_bytes(other, plan), 0))
    assert error_from_engine(caught.value).code == "FILE_CORRUPT"


def test_error_from_engine_says_what_is_wrong_without_wrapping(context: SessionContext) -> None:
    """The sentence that helps is kept, the layers that it came through are not."""
    error = error_from_engine(failure_of(context, "SELECT 1 / 0"))
    assert error.message == "Divide by zero error"
    error = error_from_engine(failure_of(context, "SELECT 'x"))
    assert error.message.startswith("Unterminated string literal")
    assert error.position == Position(1, 8)


def test_error_from_engine_of_an_unknown_text_is_of_the_callers_class() -> None:
    """Where the engine was called decides what an unknown failure is: the data or the query."""
    strange = ValueError("something new")
    assert type(error_from_engine(strange)) is DataInvalidError
    assert type(error_from_engine(strange, default=InvalidQueryError)) is InvalidQueryError
    assert error_from_engine(strange).message == "something new"
    assert error_from_engine(ValueError("")).message == "the engine gave no reason"


def test_error_from_engine_of_a_panic_is_a_bug() -> None:
    """A panic reaches Python as a `BaseException` that is no `Exception`."""

    class PanicError(BaseException):
        pass

    assert type(error_from_engine(PanicError("index out of bounds"))) is InternalError


def test_error_from_engine_of_the_system_is_told_by_its_number() -> None:
    """A full disk and no memory are the cluster's fault, and files that cannot be written."""
    unwritten = "Internal error: Error encountered while finalizing writes! Partial results may"
    assert error_from_engine(ValueError(unwritten)).code == "IO_FAILED"
    assert error_from_engine(OSError(errno.ENOSPC, "full")).code == "OUT_OF_DISK"
    assert error_from_engine(MemoryError()).code == "OUT_OF_MEMORY"


def test_error_from_engine_leaves_a_typed_error_alone() -> None:
    """An error is typed once."""
    typed: SpringaldError = UnknownTableError("gone")
    assert error_from_engine(typed) is typed


def test_error_from_engine_bounds_the_engines_words() -> None:
    """A text of the engine may hold a whole plan; a message has a limit, whole letters only."""
    error = error_from_engine(ValueError("ä" * ENGINE_MESSAGE_BYTES_MAX))
    assert len(error.engine_message.encode()) <= ENGINE_MESSAGE_BYTES_MAX


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "DataFusion error: DDL not supported: CreateMemoryTable",
            UnsupportedError,
            "a query makes no table: got INTO; use CREATE VIEW",
        ),
        ("DML not supported: Insert Into", UnsupportedError, "a query changes nothing: got one"),
        ("C Data interface error: Null byte at position 6 not allowed in name",
         InvalidQueryError, "name the column with AS"),
        ("Unsupported ast node Pivot { table: Derived { lateral: false } } in create_relation",
         UnsupportedError, "Unsupported ast node Pivot"),
        (
            "Internal error: Function 'sum' failed to match any signature, errors: "
            + ",".join(["Error during planning: Function 'sum' expects 1 arguments"] * 2)
            + ".\nThis issue was likely caused by a bug in DataFusion's code. No function matches",
            TypeMismatchError,
            "Function 'sum' expects 1 arguments",
        ),
    ],
)  # fmt: skip
def test_error_about_the_engines_own_parts_speaks_of_the_statement(
    text: str, kind: type[SpringaldError], message: str
) -> None:
    """Names and trees from inside the engine stay in its own words, which the error keeps."""
    error = error_from_engine(Exception(text))
    assert type(error) is kind
    assert message in error.message
    assert len(error.message) < len(message) + 60
    assert error.engine_message == text


def test_error_from_engine_of_a_broken_page_is_the_file_s_whatever_broke(tmp_path: Path) -> None:
    """Bytes drawn over a page end as a file that is corrupt, or as rows; never as a bug or a sum.

    A page without a checksum of its own may be broken and still read as other values.
    """
    drawn = random.Random(1)  # noqa: S311 - not a secret
    path = tmp_path / "t.parquet"
    codes = set()
    for _ in range(300):
        pq.write_table(pa.table({"s": [str(number) for number in range(1_000)]}), path)
        start = pq.read_metadata(path).row_group(0).column(0).data_page_offset
        with path.open("r+b") as file:
            file.seek(start + drawn.randrange(40))
            file.write(drawn.randbytes(drawn.choice([1, 3, 20, 200])))
        context = make_context({}, partitions=1)
        context.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{path}'")
        try:
            context.sql("SELECT max(length(s)) FROM t").collect()
        except BaseException as failure:  # noqa: BLE001 - the engine panics too
            codes.add(error_from_engine(failure).code)
    assert codes == {"FILE_CORRUPT"}
