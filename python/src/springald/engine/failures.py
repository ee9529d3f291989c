"""Turns what the engine raises into a typed error, once, where the engine is called.

The engine tells its failures as text. The patterns are tried in order; an unknown text is kept
whole in `engine_message` and classed by the place that called the engine.
"""

import errno
import re
from typing import Final

from springald import errors as e
from springald.limits import ENGINE_MESSAGE_BYTES_MAX

_PATTERNS: Final[tuple[tuple[str, type[e.SpringaldError]], ...]] = (
    (r"RecursionLimitExceeded", e.PlanTooDeepError),
    (r"Substrait error: Failed to decode", e.MessageGarbledError),
    (r"ParserError|TokenizerError|No SQL statements were provided", e.SqlSyntaxError),
    (r"only supports a single SQL statement", e.UnsupportedError),
    (r"[Tt]able '[^']*' not found|Table '[^']*' doesn't exist", e.UnknownTableError),
    (r"View '[^']*' doesn't exist|No table named '", e.UnknownTableError),
    (r"already exists", e.TableExistsError),
    (r"No field named|No suchcolumn|column .* not found", e.UnknownColumnError),
    (r"Invalid function|[Tt]able function .* not found", e.UnknownFunctionError),
    (r"is not a variable which can be viewed", e.UnknownSettingError),
    (r"not found on \w+Options|[Cc]ould not find config", e.UnknownSettingError),
    (r"Error setting config|Error parsing '.*' as", e.InvalidSettingError),
    (r"No files found at|Object at location .* not found|No such file", e.DataFileNotFoundError),
    (r"Resources exhausted", e.OutOfMemoryError),
    (r"Error encountered while finalizing writes", e.IoFailedError),
    (r"No space left on device|os error 28|disk space", e.OutOfDiskError),
    # The value that could not be read stands in these texts, and may be any words.
    (r"Cannot cast string|Error while parsing value", e.CastFailedError),
    # It wraps what its readers say, which may be the words of a failed cast.
    (r"Failed to parse Arrow file", e.FileCorruptError),
    # A page that is broken may be told as a number of its own that overflows.
    (r"Parquet (argument )?error: (Parquet error|External|EOF): ", e.FileCorruptError),
    (r"Divide by zero|DivideByZero", e.DivisionByZeroError),
    (r"[Oo]verflow", e.ArithmeticOverflowError),
    (r"Cast error|Can't cast value|Error parsing timestamp|Parser error", e.CastFailedError),
    (r"Invalid Parquet|Corrupt footer|Parquet (argument )?error|EOF:", e.FileCorruptError),
    (r"ParquetError", e.FileCorruptError),
    (r"Json error|Csv error|CSV error|Ipc error|Arrow file", e.FileCorruptError),
    (r"Scalar subquery returned more than one row", e.DataInvalidError),
    (r"not implemented|NotImplemented|not supported|Unsupported", e.UnsupportedError),
    (r"[Cc]annot coerce|[Tt]ype[_ ]coercion|No function matches", e.TypeMismatchError),
    (r"Failed to coerce|Cannot infer common argument type", e.TypeMismatchError),
    (r"non-boolean predicate", e.TypeMismatchError),
    (r"Cannot access field|does not support|Invalid argument|Cannot cast", e.TypeMismatchError),
    (r"Error during planning|Schema error", e.InvalidQueryError),
)  # fmt: skip
_READER_PANICS: Final = (
    r"range start must not be greater|out of range for slice|offset \+ len out of bounds|"
    r"num_bits <= T::BIT_CAPACITY|slice must not be empty"
)
"""Of the engine's reader of Parquet, when bytes of a file were overwritten."""

_REWORDED: Final[tuple[tuple[str, type[e.SpringaldError], str], ...]] = (
    (
        r"Null byte at position \d+ not allowed in name",
        e.InvalidQueryError,
        "a column's name has no NUL character: got one; name the column with AS",
    ),
    (
        r"DDL not supported: CreateMemoryTable",
        e.UnsupportedError,
        "a query makes no table: got INTO; use CREATE VIEW, or COPY its rows to files",
    ),
    (
        r"D[DM]L not supported: ",
        e.UnsupportedError,
        "a query changes nothing: got one that writes; COPY and INSERT are statements",
    ),
    (
        r"DataFrame passed to apply_projection must be a TableScan",
        e.UnsupportedError,
        "a plan of Substrait reads views as a whole: got some columns of one; send it as text",
    ),
    (
        r"Overwrites are not implemented",
        e.UnsupportedError,
        "rows are added to a table: got OVERWRITE or REPLACE; COPY all rows to a new folder",
    ),
    (
        _READER_PANICS,
        e.FileCorruptError,
        "a file is what its footer and pages say: got other bytes; look for one overwritten",
    ),
)
"""What the engine says of its own parts, said of what the person has written."""

_COMPILED: Final = tuple((re.compile(pattern), kind) for pattern, kind in _PATTERNS)
_POSITION: Final = re.compile(r"at Line: (\d+), Column: (\d+)")
_PANIC: Final = re.compile(r"task \d+ panicked with message")
_NOISE: Final = re.compile(
    r"^(DataFusion error: |Error during planning: |Execution error: |External error: |"
    r"Schema error: |SQL error: |This feature is not implemented: |Arrow error: )+"
)
_TREE: Final = re.compile(r"(Unsupported ast node \w+) .*", re.DOTALL)
_SIGNATURES: Final = re.compile(
    r"Internal error: (Function '[^']*' )failed to match any signature, errors: "
    r"Error during planning: (?:Function '[^']*' )?(.*?)(?:,Error during planning: .*|\.?)",
    re.DOTALL,
)
_BUG_REPORT: Final = re.compile(
    r"\s*This issue was likely caused by a bug in DataFusion.*", re.DOTALL
)


def error_from_engine(
    failure: BaseException, *, default: type[e.SpringaldError] = e.DataInvalidError
) -> e.SpringaldError:
    """Returns the typed error for what a call of the engine raised.

    Args:
        failure: The exception, which is a `BaseException` when the engine panicked.
        default: The class of a failure whose text is not known.
    """
    if isinstance(failure, e.SpringaldError):
        return failure
    if isinstance(failure, OSError) and failure.errno == errno.ENOSPC:
        return e.OutOfDiskError(f"files need space: {failure}; free some or add a disk")
    if isinstance(failure, MemoryError):
        return e.OutOfMemoryError("a task fits its share of memory: got an allocation failure")
    text = str(failure)
    kept = text.encode()[:ENGINE_MESSAGE_BYTES_MAX].decode(errors="ignore")
    for pattern, reworded, message in _REWORDED:
        if re.search(pattern, text):
            return reworded(message, engine_message=kept)
    kind = next((kind for pattern, kind in _COMPILED if pattern.search(text)), None)
    if kind is None:
        has_panicked = _PANIC.search(text) or not isinstance(failure, Exception)
        kind = e.InternalError if has_panicked else default
    return kind(
        _readable(text),
        position=_position(text),
        engine_message=kept,
    )


def _readable(text: str) -> str:
    """Drops the wrapping that the engine puts round the sentence that says what is wrong."""
    text = _BUG_REPORT.sub("", text)
    innermost = text.rsplit("caused by\n", maxsplit=1)[-1]
    cleaned = _NOISE.sub("", innermost).strip()
    cleaned = _TREE.sub(r"\1", cleaned)
    if signatures := _SIGNATURES.fullmatch(cleaned):
        cleaned = "".join(signatures.groups())
    match = re.fullmatch(r'(?:Parser|Tokenizer)Error\("(.*)"\)', cleaned, re.DOTALL)
    return (match.group(1) if match else cleaned) or "the engine gave no reason"


def _position(text: str) -> e.Position | None:
    match = _POSITION.search(text)
    return e.Position(int(match.group(1)), int(match.group(2))) if match else None
