"""Functions of dates and times."""

# Written by tools/generate_functions.py, which `nox -s functions` runs: do not edit.

from springald.expr.calls import arguments, scalar_call
from springald.expr.expr import Expr, IntoExpr

__all__ = [
    "current_date",
    "current_time",
    "current_timestamp",
    "date_bin",
    "date_format",
    "date_part",
    "date_trunc",
    "datepart",
    "datetrunc",
    "from_unixtime",
    "make_date",
    "make_time",
    "now",
    "to_char",
    "to_date",
    "to_local_time",
    "to_time",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
    "today",
]


def current_date() -> Expr:
    """Returns the current date in the session time zone. The `current_date()` return value is
    determined at query time and will return the same date, no matter when in the query plan the
    function executes.

    Example:
        >>> current_date()
        Expr(current_date())
    """
    return scalar_call("current_date", arguments())


def current_time() -> Expr:
    """Returns the current time in the session time zone. The `current_time()` return value is
    determined at query time and will return the same time, no matter when in the query plan the
    function executes.

    Example:
        >>> current_time()
        Expr(current_time())
    """
    return scalar_call("current_time", arguments())


def date_bin(stride: IntoExpr, source: IntoExpr, origin: IntoExpr) -> Expr:
    """Calculates time intervals and returns the start of the interval nearest to the specified
    timestamp. Use `date_bin` to downsample time series data by grouping rows into time-based
    "bins" or "windows" and applying an aggregate or selector function to each window.

    Example:
        >>> date_bin(col("a"), col("b"), col("c"))
        Expr(date_bin(a, b, c))
    """
    return scalar_call("date_bin", arguments(stride, source, origin))


def date_part(part: IntoExpr, date: IntoExpr) -> Expr:
    """Returns the specified part of the date as an integer.

    Example:
        >>> date_part(col("a"), col("b"))
        Expr(date_part(a, b))
    """
    return scalar_call("date_part", arguments(part, date))


def date_trunc(part: IntoExpr, date: IntoExpr) -> Expr:
    """Truncates a timestamp or time value to a specified precision.

    Example:
        >>> date_trunc(col("a"), col("b"))
        Expr(date_trunc(a, b))
    """
    return scalar_call("date_trunc", arguments(part, date))


def from_unixtime(arg: IntoExpr, timezone: IntoExpr = None) -> Expr:
    """Converts an integer to RFC3339 timestamp format (`YYYY-MM-DDT00:00:00.000000000Z`). Integers
    and unsigned integers are interpreted as seconds since the unix epoch
    (`1970-01-01T00:00:00Z`) return the corresponding timestamp.

    Example:
        >>> from_unixtime(col("a"))
        Expr(from_unixtime(a))
    """
    return scalar_call("from_unixtime", arguments(arg, optional=((timezone, None),)))


def make_date(year: IntoExpr, month: IntoExpr, day: IntoExpr) -> Expr:
    """Make a date from year/month/day component parts.

    Example:
        >>> make_date(col("a"), col("b"), col("c"))
        Expr(make_date(a, b, c))
    """
    return scalar_call("make_date", arguments(year, month, day))


def make_time(hour: IntoExpr, minute: IntoExpr, second: IntoExpr) -> Expr:
    """Make a time from hour/minute/second component parts.

    Example:
        >>> make_time(col("a"), col("b"), col("c"))
        Expr(make_time(a, b, c))
    """
    return scalar_call("make_time", arguments(hour, minute, second))


def now() -> Expr:
    """Returns the current timestamp in the system configured timezone (None by default). The
    `now()` return value is determined at query time and will return the same timestamp, no
    matter when in the query plan the function executes.

    Example:
        >>> now()
        Expr(now())
    """
    return scalar_call("now", arguments())


def to_char(arg: IntoExpr, formatter: IntoExpr) -> Expr:
    """Returns a string representation of a date, time, timestamp or duration based on a Chrono
    format. Unlike the PostgreSQL equivalent of this function numerical formatting is not
    supported.

    Example:
        >>> to_char(col("a"), col("b"))
        Expr(to_char(a, b))
    """
    return scalar_call("to_char", arguments(arg, formatter))


def to_date(arg: IntoExpr, *formatters: IntoExpr) -> Expr:
    """Converts a value to a date (`YYYY-MM-DD`). Supports strings, numeric and timestamp types as
    input.

    Example:
        >>> to_date(col("a"), col("b"))
        Expr(to_date(a, b))
    """
    return scalar_call("to_date", arguments(arg, *formatters))


def to_local_time(*args: IntoExpr) -> Expr:
    """Converts a timestamp with a timezone to a timestamp without a timezone (with no offset or
    timezone information). This function handles daylight saving time changes.

    Example:
        >>> to_local_time(col("a"))
        Expr(to_local_time(a))
    """
    return scalar_call("to_local_time", arguments(*args))


def to_time(arg: IntoExpr, *formatters: IntoExpr) -> Expr:
    """Converts a value to a time (`HH:MM:SS.nnnnnnnnn`). Supports strings and timestamps as input.

    Example:
        >>> to_time(col("a"), col("b"))
        Expr(to_time(a, b))
    """
    return scalar_call("to_time", arguments(arg, *formatters))


def to_timestamp(arg: IntoExpr, *formatters: IntoExpr) -> Expr:
    """Converts a value to a timestamp (`YYYY-MM-DDT00:00:00.000000<TZ>`) in the session time zone.
    Supports strings, integer, unsigned integer, and double types as input.

    Example:
        >>> to_timestamp(col("a"), col("b"))
        Expr(to_timestamp(a, b))
    """
    return scalar_call("to_timestamp", arguments(arg, *formatters))


def to_timestamp_micros(arg: IntoExpr, *formatters: IntoExpr) -> Expr:
    """Converts a value to a timestamp (`YYYY-MM-DDT00:00:00.000000<TZ>`) in the session time zone.
    Supports strings, integer, unsigned integer, and double types as input.

    Example:
        >>> to_timestamp_micros(col("a"), col("b"))
        Expr(to_timestamp_micros(a, b))
    """
    return scalar_call("to_timestamp_micros", arguments(arg, *formatters))


def to_timestamp_millis(arg: IntoExpr, *formatters: IntoExpr) -> Expr:
    """Converts a value to a timestamp (`YYYY-MM-DDT00:00:00.000<TZ>`) in the session time zone.
    Supports strings, integer, unsigned integer, and double types as input.

    Example:
        >>> to_timestamp_millis(col("a"), col("b"))
        Expr(to_timestamp_millis(a, b))
    """
    return scalar_call("to_timestamp_millis", arguments(arg, *formatters))


def to_timestamp_nanos(arg: IntoExpr, *formatters: IntoExpr) -> Expr:
    """Converts a value to a timestamp (`YYYY-MM-DDT00:00:00.000000000<TZ>`) in the session time
    zone. Supports strings, integer, unsigned integer, and double types as input.

    Example:
        >>> to_timestamp_nanos(col("a"), col("b"))
        Expr(to_timestamp_nanos(a, b))
    """
    return scalar_call("to_timestamp_nanos", arguments(arg, *formatters))


def to_timestamp_seconds(arg: IntoExpr, *formatters: IntoExpr) -> Expr:
    """Converts a value to a timestamp (`YYYY-MM-DDT00:00:00<TZ>`) in the session time zone.
    Supports strings, integer, unsigned integer, and double types as input.

    Example:
        >>> to_timestamp_seconds(col("a"), col("b"))
        Expr(to_timestamp_seconds(a, b))
    """
    return scalar_call("to_timestamp_seconds", arguments(arg, *formatters))


def to_unixtime(string: IntoExpr, *format_arguments: IntoExpr) -> Expr:
    """Converts a value to seconds since the unix epoch (`1970-01-01T00:00:00`). Supports strings,
    dates, timestamps, integer, unsigned integer, and float types as input.

    Example:
        >>> to_unixtime(col("a"), col("b"))
        Expr(to_unixtime(a, b))
    """
    return scalar_call("to_unixtime", arguments(string, *format_arguments))


current_timestamp = now
date_format = to_char
datepart = date_part
datetrunc = date_trunc
today = current_date
