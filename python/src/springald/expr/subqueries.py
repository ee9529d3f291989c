"""Expressions that hold a DataFrame: its only value, whether it has rows, what is among them."""

from typing import TYPE_CHECKING, Final, Literal

from springald.errors import InvalidArgumentError
from springald.expr.expr import Expr, IntoExpr, column_name, to_value
from springald.expr.node import Reference, expression
from springald.plan.v1 import expressions_pb2

if TYPE_CHECKING:
    from springald.dataframe import DataFrame

__all__ = ["compare_all", "compare_any", "exists", "in_subquery", "outer_col", "scalar_subquery"]

Comparison = Literal["=", "<>", "<", "<=", ">", ">="]

_COMPARISONS: Final = {
    "=": expressions_pb2.COMPARISON_EQUAL,
    "<>": expressions_pb2.COMPARISON_NOT_EQUAL,
    "<": expressions_pb2.COMPARISON_LESS,
    "<=": expressions_pb2.COMPARISON_LESS_OR_EQUAL,
    ">": expressions_pb2.COMPARISON_GREATER,
    ">=": expressions_pb2.COMPARISON_GREATER_OR_EQUAL,
}


def scalar_subquery(rows: "DataFrame") -> Expr:
    """Returns the only value of a DataFrame with one column; NULL if it has no row.

    Example:
        >>> col("a") > scalar_subquery(con.sql("SELECT 1"))
        Expr(a > (<query>))
    """
    message = expressions_pb2.ScalarSubqueryExpression()
    return Expr(expression("scalar_subquery", message, (), _rows(rows)))


def exists(rows: "DataFrame", negated: bool = False) -> Expr:  # noqa: FBT001, FBT002 - as Expr.between
    """Tells whether a DataFrame has a row. Its filters may use `outer_col()`.

    Example:
        >>> exists(con.sql("SELECT 1"), negated=True)
        Expr(NOT EXISTS (<query>))
    """
    message = expressions_pb2.ExistsExpression(negated=negated)
    return Expr(expression("exists", message, (), _rows(rows)))


def in_subquery(value: IntoExpr, rows: "DataFrame", *, negated: bool = False) -> Expr:
    """Tells whether a value equals that of a row of a DataFrame with one column.

    Example:
        >>> in_subquery(col("a"), con.sql("SELECT 1"))
        Expr(a IN (<query>))
    """
    message = expressions_pb2.InSubqueryExpression(negated=negated)
    return Expr(expression("in_subquery", message, (to_value(value).node,), _rows(rows)))


def compare_any(value: IntoExpr, comparison: Comparison, rows: "DataFrame") -> Expr:
    """Tells whether a comparison holds for any row of a DataFrame with one column.

    Example:
        >>> compare_any(col("a"), ">", con.sql("SELECT 1"))
        Expr(a > ANY (<query>))
    """
    return _quantified(value, comparison, rows, expressions_pb2.QUANTIFIER_ANY)


def compare_all(value: IntoExpr, comparison: Comparison, rows: "DataFrame") -> Expr:
    """Tells whether a comparison holds for all rows of a DataFrame with one column.

    Example:
        >>> compare_all(col("a"), ">", con.sql("SELECT 1"))
        Expr(a > ALL (<query>))
    """
    return _quantified(value, comparison, rows, expressions_pb2.QUANTIFIER_ALL)


def outer_col(name: str, levels: int = 1) -> Expr:
    """Returns a column of the rows round a subquery, which is computed for each of them.

    Args:
        name: The column, as for `col()`.
        levels: How many queries further out the column is.

    Example:
        >>> col("b") == outer_col("t.a")
        Expr(b = outer t.a)
    """
    message = expressions_pb2.OuterColumnExpression(name=column_name(name), levels=levels)
    return Expr(expression("outer_column", message))


def _quantified(
    value: IntoExpr,
    comparison: str,
    rows: "DataFrame",
    quantifier: expressions_pb2.Quantifier.ValueType,
) -> Expr:
    if comparison not in _COMPARISONS:
        raise InvalidArgumentError(
            f"a comparison is one of {', '.join(_COMPARISONS)}: got {comparison!r}"
        )
    message = expressions_pb2.QuantifiedComparisonExpression(
        comparison=_COMPARISONS[comparison], quantifier=quantifier
    )
    operands = (to_value(value).node,)
    return Expr(expression("quantified_comparison", message, operands, _rows(rows)))


def _rows(rows: "DataFrame") -> Reference:
    return Reference(("relation_id",), (rows.node,))
