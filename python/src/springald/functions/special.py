"""Functions whose arguments are more than values in a row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from springald.errors import InvalidArgumentError
from springald.expr.calls import aggregate_call, arguments, scalar_call
from springald.expr.case import case, when
from springald.expr.expr import (
    ColumnOrExpr,
    Expr,
    IntoExpr,
    SortExpr,
    col,
    to_column,
    to_value,
)
from springald.expr.lambdas import lambda_, lambda_var, to_lambda
from springald.functions.times import date_part

__all__ = [
    "alias",
    "any_match",
    "array",
    "array_any_match",
    "array_filter",
    "array_first",
    "array_sort",
    "array_transform",
    "arrow_cast",
    "arrow_try_cast",
    "case",
    "col",
    "count",
    "count_star",
    "extract",
    "in_list",
    "is_nan",
    "lambda_",
    "lambda_var",
    "list_any_match",
    "list_filter",
    "list_first",
    "list_sort",
    "list_transform",
    "make_map",
    "map",
    "named_struct",
    "order_by",
    "when",
    "with_metadata",
]

Function = Expr | Callable[..., Any]


def alias(expr: Expr, name: str, metadata: Mapping[str, str] | None = None) -> Expr:
    """Returns the same value under another name.

    Example:
        >>> alias(col("a"), "b")
        Expr(a AS b)
    """
    return expr.alias(name, metadata)


def order_by(expr: Expr, ascending: bool = True, nulls_first: bool = False) -> SortExpr:
    """Returns a key of an order.

    Example:
        >>> order_by(col("a"), ascending=False)
        SortExpr(a DESC NULLS LAST)
    """
    return expr.sort(ascending, nulls_first)


def in_list(arg: Expr, values: Iterable[IntoExpr], negated: bool = False) -> Expr:
    """Tells whether a value equals one of a list.

    Example:
        >>> in_list(col("a"), [lit(1), lit(2)], negated=True)
        Expr(a NOT IN (1, 2))
    """
    return arg.in_list(values, negated)


def is_nan(expr: Expr) -> Expr:
    """Tells whether a value is not a number.

    Example:
        >>> is_nan(col("a"))
        Expr(isnan(a))
    """
    return expr.is_nan()


def extract(part: IntoExpr, date: IntoExpr) -> Expr:
    """Returns a part of a date or time, such as its year.

    Example:
        >>> extract("year", col("a"))
        Expr(date_part('year', a))
    """
    return date_part(part, date)


def count(
    expressions: ColumnOrExpr | Sequence[ColumnOrExpr] | None = None,
    distinct: bool = False,
    filter: Expr | None = None,
) -> Expr:
    """Counts the rows in which no argument is NULL; without arguments, all rows.

    Example:
        >>> count(), count(col("a"), distinct=True)
        (Expr(count(*)), Expr(count(DISTINCT a)))
    """
    if expressions is None:
        listed: list[Expr] = []
    elif isinstance(expressions, Expr | str):
        listed = [to_column(expressions)]
    else:
        listed = [to_column(item) for item in expressions]
    return aggregate_call("count", arguments(*listed), distinct=distinct, filter=filter)


def count_star(filter: Expr | None = None) -> Expr:
    """Counts all rows.

    Example:
        >>> count_star()
        Expr(count(*))
    """
    return count(filter=filter)


def array(*args: IntoExpr) -> Expr:
    """Returns a list of values; the same as `make_array()`.

    Example:
        >>> array(1, col("a"))
        Expr(make_array(1, a))
    """
    return scalar_call("make_array", arguments(*args))


def array_sort(array: IntoExpr, descending: bool = False, null_first: bool = False) -> Expr:
    """Returns a list with its elements in order.

    Example:
        >>> array_sort(col("a"), descending=True)
        Expr(array_sort(a, 'DESC', 'NULLS LAST'))
    """
    direction = "DESC" if descending else "ASC"
    nulls = "NULLS FIRST" if null_first else "NULLS LAST"
    return scalar_call("array_sort", arguments(array, direction, nulls))


def array_transform(array: IntoExpr, transform: Function) -> Expr:
    """Returns a list of what a function makes of each element.

    Example:
        >>> array_transform(col("a"), lambda x: x * 2)
        Expr(array_transform(a, (x) -> x * 2))
    """
    return scalar_call("array_transform", arguments(array, to_lambda(transform)))


def array_filter(array: IntoExpr, predicate: Function) -> Expr:
    """Returns a list of the elements for which a function is true.

    Example:
        >>> array_filter(col("a"), lambda x: x > 1)
        Expr(array_filter(a, (x) -> x > 1))
    """
    return scalar_call("array_filter", arguments(array, to_lambda(predicate)))


def array_any_match(array: IntoExpr, predicate: Function) -> Expr:
    """Tells whether a function is true for any element of a list.

    Example:
        >>> array_any_match(col("a"), lambda x: x > 1)
        Expr(array_any_match(a, (x) -> x > 1))
    """
    return scalar_call("array_any_match", arguments(array, to_lambda(predicate)))


def array_first(array: IntoExpr, predicate: Function) -> Expr:
    """Returns the first element of a list for which a function is true; NULL if there is none.

    Example:
        >>> array_first(col("a"), lambda x: x > 1)
        Expr(array_first(a, (x) -> x > 1))
    """
    return scalar_call("array_first", arguments(array, to_lambda(predicate)))


def arrow_cast(expr: IntoExpr, data_type: str | Expr | pa.DataType) -> Expr:
    """Returns a value as another type of Arrow.

    Args:
        expr: The value.
        data_type: The type, or its name as the engine writes it, for example `Int8`.

    Example:
        >>> arrow_cast(col("a"), "Int8"), arrow_cast(col("a"), pa.int8())
        (Expr(arrow_cast(a, 'Int8')), Expr(CAST(a AS int8)))
    """
    if isinstance(data_type, pa.DataType):
        return to_value(expr).cast(data_type)
    return scalar_call("arrow_cast", arguments(expr, data_type))


def arrow_try_cast(expr: IntoExpr, data_type: str | Expr | pa.DataType) -> Expr:
    """Returns a value as another type of Arrow, or NULL if the type does not have it.

    Example:
        >>> arrow_try_cast(col("a"), "Int8")
        Expr(arrow_try_cast(a, 'Int8'))
    """
    if isinstance(data_type, pa.DataType):
        return to_value(expr).try_cast(data_type)
    return scalar_call("arrow_try_cast", arguments(expr, data_type))


def named_struct(name_pairs: Sequence[tuple[str, IntoExpr]]) -> Expr:
    """Returns a struct of fields with names.

    Example:
        >>> named_struct([("x", col("a")), ("y", 1)])
        Expr(named_struct('x', a, 'y', 1))
    """
    return scalar_call("named_struct", arguments(*(item for pair in name_pairs for item in pair)))


def make_map(*args: Any) -> Expr:  # noqa: ANN401 - three forms, told apart here
    """Returns a map.

    Args:
        *args: A dictionary; or a list of keys and a list of values; or keys and values in turn.

    Example:
        >>> make_map({"x": 1}), make_map(["x"], [col("a")]), make_map("x", 1, "y", 2)
        (Expr(map(make_array('x'), make_array(1))), Expr(map(make_array('x'), make_array(a))),
         Expr(map(make_array('x', 'y'), make_array(1, 2))))

    Raises:
        InvalidArgumentError: There are not as many values as keys.
    """
    if len(args) == 1 and isinstance(args[0], Mapping):
        keys, values = list(args[0].keys()), list(args[0].values())
    elif len(args) == 2 and all(isinstance(each, list) for each in args):  # noqa: PLR2004 - a pair
        keys, values = args
    else:
        keys, values = list(args[0::2]), list(args[1::2])
    if len(keys) != len(values):
        raise InvalidArgumentError(
            f"a map has a value for each key: got {len(keys)} keys and {len(values)} values"
        )
    return scalar_call("map", arguments(array(*keys), array(*values)))


def map(keys: IntoExpr, values: IntoExpr) -> Expr:
    """Returns a map out of a list of keys and a list of values.

    Example:
        >>> map(col("a"), col("b"))
        Expr(map(a, b))
    """
    return scalar_call("map", arguments(keys, values))


def with_metadata(expr: IntoExpr, metadata: Mapping[str, str]) -> Expr:
    """Returns a value whose column has metadata.

    Example:
        >>> with_metadata(col("a"), {"unit": "m"})
        Expr(with_metadata(a, 'unit', 'm'))
    """
    pairs = (item for pair in metadata.items() for item in pair)
    return scalar_call("with_metadata", arguments(expr, *pairs))


any_match = array_any_match
list_any_match = array_any_match
list_filter = array_filter
list_first = array_first
list_sort = array_sort
list_transform = array_transform
