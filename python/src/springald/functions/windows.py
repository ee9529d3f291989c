"""Window functions: one value for each row, out of the rows round it."""

# Written by tools/generate_functions.py, which `nox -s functions` runs: do not edit.

from springald.expr.calls import OrderBy, PartitionBy, arguments, window_call
from springald.expr.expr import Expr, IntoExpr
from springald.expr.window import NullTreatment

__all__ = [
    "cume_dist",
    "dense_rank",
    "lag",
    "lead",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
]


def cume_dist(partition_by: PartitionBy = None, order_by: OrderBy = None) -> Expr:
    """Relative rank of the current row: (number of rows preceding or peer with the current row) /
    (total rows).

    Example:
        >>> cume_dist()
        Expr(cume_dist() OVER ())
    """
    return window_call("cume_dist", arguments(), partition_by=partition_by, order_by=order_by)


def dense_rank(partition_by: PartitionBy = None, order_by: OrderBy = None) -> Expr:
    """Returns the rank of the current row without gaps. This function ranks rows in a dense
    manner, meaning consecutive ranks are assigned even for identical values.

    Example:
        >>> dense_rank()
        Expr(dense_rank() OVER ())
    """
    return window_call("dense_rank", arguments(), partition_by=partition_by, order_by=order_by)


def lag(
    arg: IntoExpr,
    shift_offset: IntoExpr = 1,
    default_value: IntoExpr = None,
    partition_by: PartitionBy = None,
    order_by: OrderBy = None,
    null_treatment: NullTreatment | None = None,
) -> Expr:
    """Returns value evaluated at the row that is offset rows before the current row within the
    partition; if there is no such row, instead return default (which must be of the same type
    as value).

    Example:
        >>> lag(col("a"))
        Expr(lag(a, 1) OVER ())
    """
    return window_call(
        "lag",
        arguments(arg, shift_offset, optional=((default_value, None),)),
        partition_by=partition_by,
        order_by=order_by,
        null_treatment=null_treatment,
    )


def lead(
    arg: IntoExpr,
    shift_offset: IntoExpr = 1,
    default_value: IntoExpr = None,
    partition_by: PartitionBy = None,
    order_by: OrderBy = None,
    null_treatment: NullTreatment | None = None,
) -> Expr:
    """Returns value evaluated at the row that is offset rows after the current row within the
    partition; if there is no such row, instead return default (which must be of the same type
    as value).

    Example:
        >>> lead(col("a"))
        Expr(lead(a, 1) OVER ())
    """
    return window_call(
        "lead",
        arguments(arg, shift_offset, optional=((default_value, None),)),
        partition_by=partition_by,
        order_by=order_by,
        null_treatment=null_treatment,
    )


def ntile(groups: IntoExpr, partition_by: PartitionBy = None, order_by: OrderBy = None) -> Expr:
    """Returns the number of the row's bucket, of so many buckets of about the same size, from 1.

    Example:
        >>> ntile(col("a"))
        Expr(ntile(a) OVER ())
    """
    return window_call("ntile", arguments(groups), partition_by=partition_by, order_by=order_by)


def percent_rank(partition_by: PartitionBy = None, order_by: OrderBy = None) -> Expr:
    """Returns the percentage rank of the current row within its partition. The value ranges from 0
    to 1 and is computed as `(rank - 1) / (total_rows - 1)`.

    Example:
        >>> percent_rank()
        Expr(percent_rank() OVER ())
    """
    return window_call("percent_rank", arguments(), partition_by=partition_by, order_by=order_by)


def rank(partition_by: PartitionBy = None, order_by: OrderBy = None) -> Expr:
    """Returns the rank of the current row within its partition, allowing gaps between ranks. This
    function provides a ranking similar to `row_number`, but skips ranks for identical values.

    Example:
        >>> rank()
        Expr(rank() OVER ())
    """
    return window_call("rank", arguments(), partition_by=partition_by, order_by=order_by)


def row_number(partition_by: PartitionBy = None, order_by: OrderBy = None) -> Expr:
    """Number of the current row within its partition, counting from 1.

    Example:
        >>> row_number()
        Expr(row_number() OVER ())
    """
    return window_call("row_number", arguments(), partition_by=partition_by, order_by=order_by)
