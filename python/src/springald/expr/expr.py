"""Expressions: what is computed for each row, or for each group of rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union

from springald.checks import check_name, check_text
from springald.errors import InvalidArgumentError
from springald.expr.access import part_of
from springald.expr.literals import Value, cast_node, literal_node
from springald.expr.methods import FunctionMethods
from springald.expr.modifiers import Modifiers
from springald.expr.node import Node, expression
from springald.expr.text import expression_text
from springald.plan.v1 import expressions_pb2, functions_pb2, names_pb2
from springald.sql_text import name_parts

if TYPE_CHECKING:
    from springald.dataframe import DataFrame

__all__ = [
    "ColumnOrExpr",
    "Expr",
    "IntoExpr",
    "IntoSortKey",
    "SortExpr",
    "col",
    "column",
    "column_name",
    "exact_column",
    "lit",
    "literal",
    "nodes_of_columns",
    "operator",
    "placeholder",
    "sort_keys",
    "star",
    "to_column",
    "to_value",
]

IntoExpr: TypeAlias = Union["Expr", Value]
"""An expression, or a value that becomes a literal; text is a value."""
ColumnOrExpr: TypeAlias = Union["Expr", str]
"""An expression, or the name of a column."""
IntoSortKey: TypeAlias = Union["SortExpr", "Expr", str]
"""A key of an order: an expression or the name of a column is ascending, with nulls last."""

_CAST_ERROR: Final = expressions_pb2.CAST_FAILURE_ERROR
_CAST_NULL: Final = expressions_pb2.CAST_FAILURE_NULL


class Expr(Modifiers, FunctionMethods):
    """What is computed for each row; made by `col()`, `lit()`, operators and `functions`.

    An operand that is no expression becomes a literal. Types are matched on the server, as SQL
    does it, and NULL in an operand makes NULL, unless a method says otherwise.

    Example:
        >>> (col("price") * (1 - col("discount"))).alias("net")
        Expr(price * (1 - discount) AS net)
    """

    __slots__ = ("node",)
    # `==` makes an expression, so there is nothing that a hash could agree with.
    __hash__ = None  # type: ignore[assignment]
    # With `[]` alone Python would count through parts for ever.
    __iter__ = None
    __contains__ = None

    def __init__(self, node: Node) -> None:
        """Wraps a node. Users call `col()`, `lit()` and the functions."""
        self.node = node

    def __repr__(self) -> str:
        return f"Expr({expression_text(self.node)})"

    def __str__(self) -> str:
        return expression_text(self.node)

    def __bool__(self) -> bool:
        raise InvalidArgumentError(
            f"an expression has no truth value before it runs: got {self}; write & for and, | for "
            "or, ~ for not, and .between() or .in_list() for chains and `in`"
        )

    def __add__(self, other: IntoExpr) -> "Expr":
        return operator("+", self, other)

    def __radd__(self, other: IntoExpr) -> "Expr":
        return operator("+", other, self)

    def __sub__(self, other: IntoExpr) -> "Expr":
        return operator("-", self, other)

    def __rsub__(self, other: IntoExpr) -> "Expr":
        return operator("-", other, self)

    def __mul__(self, other: IntoExpr) -> "Expr":
        return operator("*", self, other)

    def __rmul__(self, other: IntoExpr) -> "Expr":
        return operator("*", other, self)

    def __truediv__(self, other: IntoExpr) -> "Expr":
        return operator("/", self, other)

    def __rtruediv__(self, other: IntoExpr) -> "Expr":
        return operator("/", other, self)

    def __mod__(self, other: IntoExpr) -> "Expr":
        return operator("%", self, other)

    def __rmod__(self, other: IntoExpr) -> "Expr":
        return operator("%", other, self)

    def __neg__(self) -> "Expr":
        return operator("-", self)

    def __eq__(self, other: object) -> "Expr":  # type: ignore[override]  # it compares on the server
        return self.is_null() if other is None else operator("=", self, other)

    def __ne__(self, other: object) -> "Expr":  # type: ignore[override]
        return self.is_not_null() if other is None else operator("<>", self, other)

    def __lt__(self, other: IntoExpr) -> "Expr":
        return operator("<", self, other)

    def __le__(self, other: IntoExpr) -> "Expr":
        return operator("<=", self, other)

    def __gt__(self, other: IntoExpr) -> "Expr":
        return operator(">", self, other)

    def __ge__(self, other: IntoExpr) -> "Expr":
        return operator(">=", self, other)

    def __and__(self, other: IntoExpr) -> "Expr":
        return operator("and", self, other)

    def __rand__(self, other: IntoExpr) -> "Expr":
        return operator("and", other, self)

    def __or__(self, other: IntoExpr) -> "Expr":
        return operator("or", self, other)

    def __ror__(self, other: IntoExpr) -> "Expr":
        return operator("or", other, self)

    def __invert__(self) -> "Expr":
        return operator("not", self)

    def __getitem__(self, key: "str | int | slice | Expr") -> "Expr":
        """A part of a struct, list or map.

        Text is the name of a struct's field or the key of a map; a number or a slice counts a
        list's elements from 0, negative ones from its end; an expression is the key of a map.

        Example:
            >>> col("s")["x"], col("l")[0], col("l")[1:3]
            (Expr(get_field(s, 'x')), Expr(l[1]), Expr(l[2:3]))
        """
        return Expr(part_of(self, key))

    @staticmethod
    def column(value: str) -> "Expr":
        """Returns a column; the same as `col()`.

        Example:
            >>> Expr.column("a")
            Expr(a)
        """
        return col(value)

    @staticmethod
    def literal(value: Value) -> "Expr":
        """Returns a value; the same as `lit()`.

        Example:
            >>> Expr.literal(1)
            Expr(1)
        """
        return lit(value)

    @staticmethod
    def string_literal(value: str) -> "Expr":
        """Returns text as a value; the same as `lit()`.

        Example:
            >>> Expr.string_literal("a")
            Expr('a')
        """
        return lit(value)

    def alias(self, name: str, metadata: Mapping[str, str] | None = None) -> "Expr":
        """Returns the same value under another name.

        Inside of a larger expression a name means nothing, and is left out.

        Args:
            name: The name.
            metadata: What else the column is to know.

        Example:
            >>> (col("a") + 1).alias("b")
            Expr(a + 1 AS b)
        """
        message = expressions_pb2.AliasExpression(name=check_name(name, "a column's name"))
        value = self
        if metadata:
            value = operator(
                "with_metadata", self, *(each for pair in metadata.items() for each in pair)
            )
        return Expr(expression("alias", message, (_unnamed(value.node),)))

    def cast(self, to: object) -> "Expr":
        """Returns the value as another type; a value that the type does not have is an error.

        Args:
            to: A `pyarrow.DataType`, or `int`, `float`, `str`, `bool`, `bytes`, or `date`, `time`
                or `datetime` of the datetime module.

        Example:
            >>> col("a").cast(float)
            Expr(CAST(a AS double))
        """
        return Expr(cast_node(_unnamed(self.node), to, failure=_CAST_ERROR))

    def try_cast(self, to: object) -> "Expr":
        """Returns the value as another type; a value that the type does not have becomes NULL.

        Example:
            >>> col("a").try_cast(int)
            Expr(TRY_CAST(a AS int64))
        """
        return Expr(cast_node(_unnamed(self.node), to, failure=_CAST_NULL))

    def is_null(self) -> "Expr":
        """Tells whether the value is NULL; never NULL itself.

        Example:
            >>> col("a").is_null()
            Expr(a IS NULL)
        """
        return operator("is null", self)

    def is_not_null(self) -> "Expr":
        """Tells whether the value is not NULL; never NULL itself.

        Example:
            >>> col("a").is_not_null()
            Expr(a IS NOT NULL)
        """
        return operator("is not null", self)

    def is_distinct_from(self, other: IntoExpr) -> "Expr":
        """Tells whether two values differ, where NULL equals NULL; never NULL itself.

        Example:
            >>> col("a").is_distinct_from(col("b"))
            Expr(a IS DISTINCT FROM b)
        """
        return operator("is distinct from", self, other)

    def is_not_distinct_from(self, other: IntoExpr) -> "Expr":
        """Tells whether two values are equal, where NULL equals NULL; never NULL itself.

        Example:
            >>> col("a").is_not_distinct_from(1)
            Expr(a IS NOT DISTINCT FROM 1)
        """
        return operator("is not distinct from", self, other)

    def between(self, low: IntoExpr, high: IntoExpr, negated: bool = False) -> "Expr":  # noqa: FBT001, FBT002 - datafusion-python's signature
        """Tells whether the value lies between two others, both included.

        Example:
            >>> col("a").between(1, 3)
            Expr(a BETWEEN 1 AND 3)
        """
        message = expressions_pb2.BetweenExpression(negated=negated)
        return Expr(expression("between", message, _operands(self, low, high)))

    def in_list(self, values: Iterable[IntoExpr], negated: bool = False) -> "Expr":  # noqa: FBT001, FBT002 - as between
        """Tells whether the value equals one of a list.

        Example:
            >>> col("a").in_list([1, 2])
            Expr(a IN (1, 2))
        """
        message = expressions_pb2.InListExpression(negated=negated)
        return Expr(expression("in_list", message, _operands(self, *values)))

    def in_subquery(self, rows: "DataFrame", negated: bool = False) -> "Expr":  # noqa: FBT001, FBT002 - as between
        """Tells whether the value equals that of a row of a DataFrame with one column.

        Example:
            >>> col("a").in_subquery(con.sql("SELECT 1"))
            Expr(a IN (<query>))
        """
        from springald.expr.subqueries import in_subquery  # noqa: PLC0415 - it needs this module

        return in_subquery(self, rows, negated=negated)

    def like(self, pattern: IntoExpr) -> "Expr":
        """Tells whether text looks like a pattern: `%` is any text, `_` any character.

        Example:
            >>> col("a").like("x%")
            Expr(a LIKE 'x%')
        """
        return self._like(pattern, expressions_pb2.PATTERN_SYNTAX_LIKE)

    def ilike(self, pattern: IntoExpr) -> "Expr":
        """Tells whether text looks like a pattern, in upper or lower case.

        Example:
            >>> col("a").ilike("x%")
            Expr(a ILIKE 'x%')
        """
        return self._like(pattern, expressions_pb2.PATTERN_SYNTAX_LIKE, ignores_case=True)

    def similar_to(self, pattern: IntoExpr) -> "Expr":
        """Tells whether text looks like a pattern of SQL's `SIMILAR TO`.

        Example:
            >>> col("a").similar_to("(x|y)%")
            Expr(a SIMILAR TO '(x|y)%')
        """
        return self._like(pattern, expressions_pb2.PATTERN_SYNTAX_SIMILAR)

    def rlike(self, pattern: IntoExpr) -> "Expr":
        """Tells whether text contains what a regular expression describes.

        Example:
            >>> col("a").rlike("^x+")
            Expr(a ~ '^x+')
        """
        return self._like(pattern, expressions_pb2.PATTERN_SYNTAX_REGULAR_EXPRESSION)

    def fill_null(self, value: IntoExpr = None) -> "Expr":
        """Returns the value, or another one where it is NULL.

        Example:
            >>> col("a").fill_null(0)
            Expr(nvl(a, 0))
        """
        return operator("nvl", self, value)

    def fill_nan(self, value: IntoExpr = None) -> "Expr":
        """Returns the value, or another one where it is not a number.

        Example:
            >>> col("a").fill_nan(0.0)
            Expr(nanvl(a, 0.0))
        """
        return operator("nanvl", self, value)

    def is_nan(self) -> "Expr":
        """Tells whether the value is not a number.

        Example:
            >>> col("a").is_nan()
            Expr(isnan(a))
        """
        return operator("isnan", self)

    def sort(self, ascending: bool = True, nulls_first: bool = False) -> "SortExpr":  # noqa: FBT001, FBT002 - datafusion-python's signature
        """Returns a key of an order.

        Example:
            >>> col("a").sort(ascending=False)
            SortExpr(a DESC NULLS LAST)
        """
        return SortExpr(self, ascending=ascending, nulls_first=nulls_first)

    def _like(
        self,
        pattern: IntoExpr,
        syntax: expressions_pb2.PatternSyntax.ValueType,
        *,
        ignores_case: bool = False,
    ) -> "Expr":
        message = expressions_pb2.LikeExpression(syntax=syntax, ignores_case=ignores_case)
        return Expr(expression("like", message, _operands(self, pattern)))

    def _function(self, name: str) -> "Expr":
        return operator(name, self)

    def _with_node(self, node: Node) -> "Expr":
        return Expr(node)


class SortExpr:
    """A key of an order; made by `Expr.sort()`.

    Example:
        >>> SortExpr(col("a"), ascending=True, nulls_first=True)
        SortExpr(a NULLS FIRST)
    """

    __slots__ = ("node",)

    def __init__(self, expr: Expr, ascending: bool, nulls_first: bool) -> None:  # noqa: FBT001 - datafusion-python's signature
        message = expressions_pb2.SortKeyExpression(
            direction=expressions_pb2.SORT_DIRECTION_ASCENDING
            if ascending
            else expressions_pb2.SORT_DIRECTION_DESCENDING,
            nulls=expressions_pb2.NULLS_ORDER_FIRST
            if nulls_first
            else expressions_pb2.NULLS_ORDER_LAST,
        )
        self.node = expression("sort_key", message, (_unnamed(expr.node),))

    def expr(self) -> Expr:
        """The expression whose values are ordered.

        Example:
            >>> col("a").sort().expr()
            Expr(a)
        """
        return Expr(self.node.inputs[0])

    def ascending(self) -> bool:
        """True if the smallest value comes first.

        Example:
            >>> col("a").sort().ascending()
            True
        """
        return bool(self.node.message.direction == expressions_pb2.SORT_DIRECTION_ASCENDING)

    def nulls_first(self) -> bool:
        """True if NULLs come before all values.

        Example:
            >>> col("a").sort().nulls_first()
            False
        """
        return bool(self.node.message.nulls == expressions_pb2.NULLS_ORDER_FIRST)

    def __repr__(self) -> str:
        return f"SortExpr({expression_text(self.node)})"


def col(name: str) -> Expr:
    """Returns a column of the rows at hand.

    A name is taken as it is, in its own letters. One that is written `table.column` names the table
    or alias too; a name that has a dot itself stands in double quotes, as in SQL.

    Example:
        >>> col("a"), col("t.a"), col('"t.a"'), col("sum(a)")
        (Expr(a), Expr(t.a), Expr(t.a), Expr(sum(a)))
        >>> col("t.a").node.message.name.qualifier, col('"t.a"').node.message.name.qualifier
        ('t', '')
    """
    return Expr(expression("column", expressions_pb2.ColumnExpression(name=column_name(name))))


def column(name: str) -> Expr:
    """Returns a column; the same as `col()`.

    Example:
        >>> column("a")
        Expr(a)
    """
    return col(name)


def exact_column(name: str, qualifier: str | None = None) -> Expr:
    """Returns the column of exactly this name, dots and quotes included."""
    wanted = names_pb2.ColumnName(name=name, qualifier=qualifier)
    return Expr(expression("column", expressions_pb2.ColumnExpression(name=wanted)))


def column_name(name: str) -> names_pb2.ColumnName:
    """Returns what a name means, as `col()` reads it."""
    words = name_parts(check_text(name, "a column's name"))
    last = check_name(words[-1] if words else name, "a column's name")
    # Of catalog.schema.table.column the last two say which column it is.
    qualifier = words[-2] if len(words) > 1 else None
    return names_pb2.ColumnName(qualifier=qualifier, name=last)


def lit(value: Value) -> Expr:
    """Returns a value of Python or Arrow as an expression.

    Example:
        >>> import pyarrow as pa
        >>> lit(1), lit("a"), lit(None), lit(pa.scalar(1, pa.int8()))
        (Expr(1), Expr('a'), Expr(NULL), Expr(1))
    """
    return Expr(literal_node(value))


def literal(value: Value) -> Expr:
    """Returns a value as an expression; the same as `lit()`.

    Example:
        >>> literal(1)
        Expr(1)
    """
    return lit(value)


def placeholder(name: str | int) -> Expr:
    """Returns a parameter, whose value `DataFrame.with_parameters()` gives.

    Args:
        name: Its name, or its number from 1.

    Example:
        >>> col("a") > placeholder("low")
        Expr(a > $low)
    """
    message = (
        expressions_pb2.ParameterExpression(position=name)
        if isinstance(name, int)
        else expressions_pb2.ParameterExpression(name=name.removeprefix("$"))
    )
    return Expr(expression("parameter", message))


def star(qualifier: str | None = None, *, exclude: Sequence[str] = ()) -> Expr:
    """Returns all columns, for `DataFrame.select()`.

    Args:
        qualifier: Only those of this table or alias.
        exclude: Names of columns that are left out.

    Example:
        >>> star(exclude=["a"])
        Expr(* EXCEPT (a))
    """
    message = expressions_pb2.StarExpression(qualifier=qualifier, except_names=exclude)
    return Expr(expression("star", message))


def operator(name: str, *operands: Any) -> Expr:  # noqa: ANN401 - values are checked here
    """Returns a call of an operator or a scalar function; what is no expression is a value."""
    message = functions_pb2.CallExpression(
        function_name=name, function_kind=functions_pb2.FUNCTION_KIND_SCALAR
    )
    return Expr(expression("call", message, _operands(*operands)))


def to_value(item: Any) -> Expr:  # noqa: ANN401 - it is checked here
    """Returns an expression as it is, and anything else as a literal."""
    return item if isinstance(item, Expr) else lit(item)


def to_column(item: ColumnOrExpr) -> Expr:
    """Returns an expression as it is, and a name as a column; `*` is all columns.

    Raises:
        InvalidArgumentError: It is something else.
    """
    if isinstance(item, Expr):
        return item
    if isinstance(item, str):
        return star() if item == "*" else col(item)
    raise InvalidArgumentError(
        f"a column is an expression or a name: got a {type(item).__name__}; use lit() for a value"
    )


def nodes_of_columns(items: Iterable[ColumnOrExpr]) -> tuple[Node, ...]:
    """Returns the nodes of expressions and names of columns."""
    return tuple(to_column(item).node for item in items)


def sort_keys(keys: Iterable[IntoSortKey] | IntoSortKey | None) -> tuple[Node, ...]:
    """Returns the nodes of the keys of an order."""
    if keys is None:
        return ()
    listed = [keys] if isinstance(keys, Expr | SortExpr | str) else list(keys)
    return tuple(
        key.node if isinstance(key, SortExpr) else to_column(key).sort().node for key in listed
    )


def _operands(*operands: Any) -> tuple[Node, ...]:  # noqa: ANN401 - to_value checks them
    return tuple(_unnamed(to_value(operand).node) for operand in operands)


def _unnamed(node: Node) -> Node:
    """An alias means something at the top of an expression only."""
    while node.kind == "alias":
        (node,) = node.inputs
    return node
