"""Turns what the engine raises while it plans into typed errors with a place in the text."""

from collections.abc import Iterator
from contextlib import contextmanager

from springald.engine.failures import error_from_engine
from springald.errors import (
    InvalidQueryError,
    PlanTooDeepError,
    Position,
    SpringaldError,
    SqlSyntaxError,
    UnknownColumnError,
    UnknownFunctionError,
    UnknownTableError,
)
from springald.limits import SQL_DEPTH_MAX
from springald.sql_text import strip_end
from springald_scheduler.planning.words import nesting, position_at, position_of_name


@contextmanager
def engine_errors(sql: str) -> Iterator[str]:
    """Turns what the engine raises into typed errors with a place in the text, where known."""
    try:
        yield sql
    except BaseException as failure:
        if isinstance(failure, KeyboardInterrupt | SystemExit):
            raise
        error = error_from_engine(failure, default=InvalidQueryError)
        if isinstance(error, SqlSyntaxError) and (depth := nesting(sql)) >= SQL_DEPTH_MAX:
            # The parser gives up by taking the words that nest for names, and stumbles over those.
            error = PlanTooDeepError(
                f"expressions are nested less than {SQL_DEPTH_MAX} deep: got {depth}; "
                "flatten them, or name parts of them in a WITH",
                engine_message=error.engine_message,
            )
        elif error.position is None:
            error.position = _position(error, sql)
        raise error from None


def _position(error: SpringaldError, sql: str) -> Position | None:
    if isinstance(error, SqlSyntaxError):
        # Without a place the parser means the end.
        return position_at(sql, len(strip_end(sql)))
    kinds = (UnknownTableError, UnknownColumnError, UnknownFunctionError)
    if not isinstance(error, kinds):
        return None
    name = quoted_in(error.message) or _word_after(error.message, "named ")
    return position_of_name(sql, name) if name else None


def quoted_in(text: str) -> str:
    """Returns what stands in the first pair of single quotes, or an empty string."""
    _, _, rest = text.partition("'")
    inside, closed, _ = rest.partition("'")
    return inside if closed else ""


def _word_after(text: str, marker: str) -> str:
    _, found, rest = text.partition(marker)
    return rest.split()[0].rstrip(".,;") if found and rest.split() else ""
