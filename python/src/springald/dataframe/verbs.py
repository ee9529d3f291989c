"""What a DataFrame does with its own rows and columns."""

import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

import pyarrow as pa

from springald.dataframe import relations
from springald.dataframe.qualifiers import qualifier_of
from springald.dataframe.rows import Rows
from springald.dataframe.turns import columns_in_turns
from springald.errors import InvalidArgumentError, UnsupportedError
from springald.expr.expr import (
    ColumnOrExpr,
    Expr,
    IntoSortKey,
    col,
    exact_column,
    lit,
)

if TYPE_CHECKING:
    from springald.dataframe.frame import DataFrame

__all__ = ["Verbs"]

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


class Verbs(Rows):
    """The methods that take one DataFrame and return another one."""

    def select(self, *exprs: ColumnOrExpr) -> Self:
        """Returns the given columns, and no others.

        Args:
            *exprs: Names of columns, `*` for all of them, and expressions.

        Example:
            >>> df.select("b", (col("a") + 1).alias("next")).head(1).to_pydict()
            {'b': ['x'], 'next': [2]}
        """
        return self._over(relations.projected(self.node, exprs))

    def select_exprs(self, *args: str) -> Self:
        """Returns columns that are written in SQL.

        Example:
            >>> df.select_exprs("a + 1 AS next", "upper(b) AS b").head(1).to_pydict()
            {'next': [2], 'b': ['X']}
        """
        return self.select(*map(self.parse_sql_expr, args))

    def parse_sql_expr(self, expr: str) -> Expr:
        """Returns an expression that is written in SQL; names are folded to small letters.

        Example:
            >>> df.parse_sql_expr("a BETWEEN 1 AND 3 OR b IS NULL")
            Expr((a BETWEEN 1 AND 3) OR b IS NULL)

        Raises:
            SqlSyntaxError: It is none, or holds a subquery or window.
        """
        from springald.expr.sql_parser import parse_expression  # noqa: PLC0415 - seldom needed

        return parse_expression(expr)

    def filter(self, *predicates: ColumnOrExpr) -> Self:
        """Returns the rows for which all conditions are true: neither false nor NULL.

        Args:
            *predicates: Conditions: expressions, or SQL as for `parse_sql_expr()`.

        Example:
            >>> df.filter(col("a") > 1, col("b").is_not_null()).to_pydict()
            {'a': [3], 'b': ['z']}
        """
        if not predicates:
            return self
        first, *others = (self._expression(each, "a condition") for each in predicates)
        condition = functools.reduce(operator.and_, others, first)
        return self._over(relations.filtered(self.node, condition))

    def with_columns(
        self, *exprs: ColumnOrExpr | Iterable[ColumnOrExpr], **named_exprs: ColumnOrExpr
    ) -> Self:
        """Returns all columns and more; one whose name is there takes its place.

        They are made in turn: each sees the ones before it, those given by name last.

        Args:
            *exprs: Expressions with a name, or lists of them; text is SQL.
            **named_exprs: Expressions under the names that they get.

        Example:
            >>> df.with_columns(col("a").alias("c"), a=col("a") * 10).head(1).to_pydict()
            {'a': [10], 'b': ['x'], 'c': [1]}
        """
        given: list[ColumnOrExpr] = []
        for item in exprs:
            given += [item] if isinstance(item, Expr | str) else item
        listed = [self._expression(each, "a new column") for each in given]
        listed += [
            self._expression(expr, "a new column").alias(name) for name, expr in named_exprs.items()
        ]
        rows = self.node
        for step in columns_in_turns(listed):
            rows = relations.with_columns(rows, step)
        return self._over(rows) if listed else self

    def with_column(self, name: str, expr: ColumnOrExpr) -> Self:
        """Returns all columns and one more; one of that name is replaced.

        Example:
            >>> df.with_column("double", col("a") * 2).columns
            ['a', 'b', 'double']
        """
        return self.with_columns(self._expression(expr, "a new column").alias(name))

    def with_column_renamed(self, old_name: str, new_name: str) -> Self:
        """Returns all columns, one under another name.

        Example:
            >>> df.with_column_renamed("a", "id").columns
            ['id', 'b']
        """
        return self.rename({old_name: new_name})

    def rename(self, names: Mapping[str, str]) -> Self:
        """Returns all columns, some under other names.

        Args:
            names: For each old name the new one.

        Example:
            >>> df.rename({"a": "b", "b": "a"}).columns
            ['b', 'a']
        """
        return self._over(relations.renamed(self.node, names)) if names else self

    def drop(self, *columns: str) -> Self:
        """Returns all columns but some, which must be there.

        Example:
            >>> df.drop("b").columns
            ['a']
        """
        return self._over(relations.dropped(self.node, columns)) if columns else self

    def cast(self, mapping: Mapping[str, pa.DataType | type]) -> Self:
        """Returns all columns, some as another type.

        Example:
            >>> import pyarrow as pa
            >>> df.cast({"a": pa.float32()}).schema.field("a").type
            DataType(float)
        """
        return self.with_columns(col(name).cast(to).alias(name) for name, to in mapping.items())

    def fill_null(self, value: object, subset: Sequence[str] | None = None) -> Self:
        """Returns all rows with a value in the place of NULL.

        Args:
            value: The value, as the type of each column; columns whose type does not have it are
                left alone.
            subset: The columns; None means all.

        Example:
            >>> df.fill_null("none").to_pydict()
            {'a': [1, 2, 3], 'b': ['x', 'none', 'z']}
        """
        filled = [
            exact_column(field.name).fill_null(lit(typed)).alias(field.name)
            for field in self._fields(subset)
            if (typed := _as_type(value, field.type)) is not None
        ]
        return self.with_columns(filled)

    def fill_nan(self, value: float, subset: Sequence[str] | None = None) -> Self:
        """Returns all rows with a value in the place of what is not a number.

        Args:
            value: The value.
            subset: The columns, which have floating-point numbers; None means all that do.

        Example:
            >>> con.from_pydict({"x": [float("nan"), 1.0]}).fill_nan(0.0).to_pydict()
            {'x': [0.0, 1.0]}
        """
        filled = [
            exact_column(field.name).fill_nan(lit(pa.scalar(value, field.type))).alias(field.name)
            for field in self._fields(subset)
            if pa.types.is_floating(field.type)
        ]
        return self.with_columns(filled)

    def sort(self, *exprs: IntoSortKey) -> Self:
        """Returns the rows in an order; names and expressions are ascending, with NULLs last.

        Example:
            >>> df.sort(col("a").sort(ascending=False)).head(1).to_pydict()
            {'a': [3], 'b': ['z']}
        """
        return self._over(relations.sorted_by(self.node, exprs)) if exprs else self

    def sort_by(self, *exprs: ColumnOrExpr) -> Self:
        """Returns the rows in ascending order, with NULLs last.

        Example:
            >>> df.sort_by("b").head(1).to_pydict()
            {'a': [1], 'b': ['x']}
        """
        return self.sort(*exprs)

    def distinct(self) -> Self:
        """Returns each row once.

        Example:
            >>> df.union(df).distinct().count()
            3
        """
        return self._over(relations.distinct(self.node))

    def distinct_on(
        self,
        on_expr: Sequence[ColumnOrExpr],
        select_expr: Sequence[ColumnOrExpr],
        sort_expr: Sequence[IntoSortKey] | None = None,
    ) -> Self:
        """Returns one row for each combination of values.

        Args:
            on_expr: What rows must differ in.
            select_expr: The columns.
            sort_expr: Says which row: the first one in this order, which is the result's, too.

        Example:
            >>> rows = con.from_pydict({"k": [1, 1, 2], "v": [5, 3, 4]})
            >>> rows.distinct_on(["k"], ["k", "v"], ["k", "v"]).to_pydict()
            {'k': [1, 2], 'v': [3, 4]}
        """
        rows = relations.distinct(self.node, on_expr, sort_expr or ())
        if sort_expr:
            rows = relations.sorted_by(rows, sort_expr)
        return self._over(relations.projected(rows, select_expr))

    def unnest_columns(
        self,
        *columns: str,
        preserve_nulls: bool = True,
        recursions: Sequence[tuple[str, str, int]] | None = None,
    ) -> Self:
        """Returns a row for each element of lists; a struct becomes a column for each field.

        Args:
            *columns: The columns that are taken apart.
            preserve_nulls: Whether a row whose list is NULL stays.
            recursions: For lists of lists: column, its name afterwards, and how many levels.

        Example:
            >>> con.from_pydict({"k": [1], "l": [[5, 6]]}).unnest_columns("l").to_pydict()
            {'k': [1, 1], 'l': [5, 6]}
        """
        depths = dict.fromkeys(columns, 1)
        names: dict[str, str] = {}
        for name, output, depth in recursions or ():
            if names.setdefault(name, output) != output:
                raise UnsupportedError(
                    f"a column is unnested once: got {name!r} to {names[name]!r} and {output!r}; "
                    "add a column for each before"
                )
            depths[name] = depth
        rows = relations.unnested(self.node, depths, keeps_nulls=preserve_nulls)
        changed = {name: output for name, output in names.items() if output != name}
        return self._over(relations.renamed(rows, changed) if changed else rows)

    def window(self, *exprs: Expr) -> Self:
        """Returns all columns, and those of window functions.

        Example:
            >>> from springald import functions as f
            >>> df.window(f.row_number(order_by="a").alias("n")).columns
            ['a', 'b', 'n']
        """
        return self._over(relations.windowed(self.node, exprs)) if exprs else self

    def sample(self, fraction: float, seed: int | None = None) -> Self:
        """Returns some of the rows, each with the same probability.

        Args:
            fraction: The probability, from 0 to 1.
            seed: A number that makes the sample the same each time, where the server can do that.

        Example:
            >>> df.sample(1.0).count()
            3
        """
        if not 0 <= fraction <= 1:
            raise InvalidArgumentError(f"the fraction of a sample is 0 to 1: got {fraction}")
        return self._over(relations.sampled(self.node, fraction, seed))

    def repartition(self, num: int) -> Self:
        """Returns the same rows, and says in how many partitions they could be; a hint.

        Example:
            >>> df.repartition(4).count()
            3
        """
        return self._over(relations.repartitioned(self.node, num))

    def repartition_by_hash(self, *exprs: ColumnOrExpr, num: int) -> Self:
        """Returns the same rows, and says which of them belong into one partition; a hint.

        Example:
            >>> df.repartition_by_hash("a", num=4).count()
            3
        """
        return self._over(relations.repartitioned(self.node, num, exprs))

    def alias(self, alias: str) -> Self:
        """Returns the same rows under a name, by which `col("name.column")` finds their columns.

        Example:
            >>> df.alias("t").select("t.a").head(1).to_pydict()
            {'a': [1]}
        """
        return self._over(relations.aliased(self.node, alias))

    def transform(
        self,
        func: "Callable[Concatenate[DataFrame, P], ResultT]",
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ResultT:
        """Returns what a function makes of the DataFrame, so that it can stand in a chain.

        Example:
            >>> df.transform(lambda rows, count: rows.limit(count), 2).count()
            2
        """
        return func(self, *args, **kwargs)  # type: ignore[arg-type]  # DataFrame is the only subclass

    def col(self, name: str) -> Expr:
        """Returns a column of this DataFrame, told apart from those of others beside it.

        Example:
            >>> df.alias("t").col("a")
            Expr(t.a)
        """
        return exact_column(name, qualifier_of(self.node, name))

    def column(self, name: str) -> Expr:
        """Returns a column of this DataFrame; the same as `col()`.

        Example:
            >>> df.alias("t").column("a")
            Expr(t.a)
        """
        return self.col(name)

    def find_qualified_columns(self, *names: str) -> list[Expr]:
        """Returns columns of this DataFrame, each as `col()` does.

        Example:
            >>> df.alias("t").find_qualified_columns("a", "b")
            [Expr(t.a), Expr(t.b)]
        """
        return [self.col(name) for name in names]

    def __getitem__(self, key: str | Sequence[str]) -> Self:
        """Returns some of the columns: `df["a"]`, `df["a", "b"]`, `df[["a", "b"]]`."""
        return self.select(key) if isinstance(key, str) else self.select(*key)

    def _expression(self, given: object, what: str) -> Expr:
        """Returns an expression as it is, and text as SQL."""
        if isinstance(given, Expr):
            return given
        if isinstance(given, str):
            return self.parse_sql_expr(given)
        raise InvalidArgumentError(
            f"{what} is an expression: got {str(given)[:80]!r} of type {type(given).__name__}; "
            "use lit() for a value"
        )

    def _fields(self, names: Sequence[str] | None) -> list[pa.Field]:
        schema = self.schema()
        return [field for field in schema if names is None or field.name in names]


def _as_type(value: object, to: pa.DataType) -> pa.Scalar | None:
    """Returns a value as a type; None if the type does not have it."""
    scalar = value if isinstance(value, pa.Scalar) else pa.scalar(value)
    try:
        return scalar.cast(to)
    except (pa.ArrowException, NotImplementedError):
        return None
