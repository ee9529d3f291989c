"""One of several values, by conditions."""

from springald.expr.expr import Expr, IntoExpr, to_value
from springald.expr.node import expression
from springald.plan.v1 import expressions_pb2

__all__ = ["CaseBuilder", "case", "when"]


class CaseBuilder:
    """A CASE whose branches are being listed; made by `case()` and `when()`.

    Example:
        >>> from springald import col, lit
        >>> when(col("a") > 1, lit("many")).when(col("a") == 1, lit("one")).otherwise(lit("none"))
        Expr(CASE WHEN a > 1 THEN 'many' WHEN a = 1 THEN 'one' ELSE 'none' END)
    """

    __slots__ = ("_base", "_branches")

    def __init__(self, base: Expr | None, branches: tuple[Expr, ...] = ()) -> None:
        """Wraps what is known so far. Users call `case()` or `when()`."""
        self._base = base
        self._branches = branches

    def when(self, when_expr: IntoExpr, then_expr: IntoExpr) -> "CaseBuilder":
        """Adds a branch: its condition, or the value that the base must equal, and its value.

        Example:
            >>> from springald import col
            >>> case(col("a")).when(1, "one").when(2, "two").end()
            Expr(CASE a WHEN 1 THEN 'one' WHEN 2 THEN 'two' END)
        """
        branch = (to_value(when_expr), to_value(then_expr))
        return CaseBuilder(self._base, (*self._branches, *branch))

    def otherwise(self, else_expr: IntoExpr) -> Expr:
        """Ends the CASE with the value for rows to which no branch applies.

        Example:
            >>> from springald import col
            >>> case(col("a")).when(1, "one").otherwise("more")
            Expr(CASE a WHEN 1 THEN 'one' ELSE 'more' END)
        """
        return self._expr(to_value(else_expr))

    def end(self) -> Expr:
        """Ends the CASE; it is NULL for rows to which no branch applies.

        Example:
            >>> from springald import col
            >>> when(col("a") > 1, col("a")).end()
            Expr(CASE WHEN a > 1 THEN a END)
        """
        return self._expr(None)

    def _expr(self, default: Expr | None) -> Expr:
        parts = [self._base, *self._branches, default]
        message = expressions_pb2.CaseExpression(
            has_base=self._base is not None, has_default=default is not None
        )
        operands = tuple(part.node for part in parts if part is not None)
        return Expr(expression("case_when", message, operands))


def case(expr: Expr) -> CaseBuilder:
    """Begins a CASE whose branches apply where an expression equals a value.

    Example:
        >>> from springald import col
        >>> case(col("a")).when(1, 10).end()
        Expr(CASE a WHEN 1 THEN 10 END)
    """
    return CaseBuilder(expr)


def when(when: IntoExpr, then: IntoExpr) -> CaseBuilder:
    """Begins a CASE whose branches apply where their condition is true.

    Example:
        >>> from springald import col
        >>> when(col("a").is_null(), 0).otherwise(col("a"))
        Expr(CASE WHEN a IS NULL THEN 0 ELSE a END)
    """
    return CaseBuilder(None).when(when, then)
