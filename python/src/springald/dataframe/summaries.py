"""What the rows of a DataFrame come to, in all or group by group."""

from collections.abc import Iterator, Sequence
from typing import Final, Generic, Self, TypeVar

import pyarrow as pa

from springald.dataframe.relations import projected
from springald.dataframe.rows import Rows
from springald.dataframe.sources import inline_rows
from springald.dataframe.turns import split_aggregates
from springald.errors import InvalidArgumentError
from springald.expr.calls import aggregate_call, arguments
from springald.expr.expr import ColumnOrExpr, Expr, exact_column, lit, nodes_of_columns, operator
from springald.expr.grouping import Grouping, GroupingSet, grouping_of, grouping_references
from springald.expr.node import relation
from springald.python_values import holds
from springald.type_families import is_binary, is_number

__all__ = ["GroupedData", "Summaries"]

FrameT = TypeVar("FrameT", bound="Summaries")
ItemT = TypeVar("ItemT")

_STATISTICS: Final = ("count", "null_count", "mean", "std", "min", "max", "median")


class Summaries(Rows):
    """The methods that make one row out of many."""

    def aggregate(
        self,
        group_by: "Sequence[ColumnOrExpr | Grouping] | ColumnOrExpr | Grouping | None",
        aggs: Sequence[Expr] | Expr,
    ) -> Self:
        """Returns one row for each group of rows.

        Args:
            group_by: Names of columns, expressions, and what `GroupingSet` makes; nothing for one
                row out of all.
            aggs: Calls of aggregate functions, and what is computed of them.

        Example:
            >>> from springald import functions as f
            >>> df.aggregate([], [f.sum(col("a")).alias("total")]).to_pydict()
            {'total': [6]}
            >>> df.aggregate([], [(f.sum(col("a")) / f.count()).alias("mean")]).to_pydict()
            {'mean': [2]}
        """
        message, groups = grouping_of(_listed(group_by))
        aggregates = nodes_of_columns(_listed(aggs))
        for node in aggregates:
            if node.kind == "column":
                raise InvalidArgumentError(
                    f"an aggregate is a call of an aggregate function: got {node.message.name.name}"
                )
        calls, computed = split_aggregates(aggregates, len(groups))
        references = grouping_references(groups, calls)
        rows = relation("aggregate", message, (self.node,), *references)
        return self._over(projected(rows, map(Expr, computed)) if computed else rows)

    def group_by(self, *exprs: ColumnOrExpr | Grouping) -> "GroupedData[Self]":
        """Returns the rows in groups, for `agg()`.

        Example:
            >>> from springald import functions as f
            >>> df.group_by("b").agg(f.count().alias("n")).sort("b").to_pydict()
            {'b': ['x', 'z', None], 'n': [1, 1, 1]}
        """
        return GroupedData(self, exprs)

    def rollup(self, *exprs: ColumnOrExpr) -> "GroupedData[Self]":
        """Returns the rows in groups by all expressions, by all but the last, and so on to none.

        Example:
            >>> from springald import functions as f
            >>> df.rollup("a").agg(f.count().alias("n")).sort("n").to_pydict()["n"]
            [1, 1, 1, 3]
        """
        return GroupedData(self, [GroupingSet.rollup(*exprs)])

    def cube(self, *exprs: ColumnOrExpr) -> "GroupedData[Self]":
        """Returns the rows in groups by every subset of the expressions.

        Example:
            >>> from springald import functions as f
            >>> df.cube("a", "b").agg(f.count().alias("n")).count()
            10
        """
        return GroupedData(self, [GroupingSet.cube(*exprs)])

    def grouping_sets(self, *sets: Sequence[ColumnOrExpr]) -> "GroupedData[Self]":
        """Returns the rows in groups by each of some lists of expressions.

        Example:
            >>> from springald import functions as f
            >>> df.grouping_sets(["a"], []).agg(f.count().alias("n")).count()
            4
        """
        return GroupedData(self, [GroupingSet.grouping_sets(*sets)])

    def describe(self) -> Self:
        """Runs a query for the columns' statistics, and returns them as rows.

        The rows are `count`, `null_count`, `mean`, `std`, `min`, `max` and `median`. Columns of
        numbers come as numbers, others as text, with the word `null` for what a type does not have:
        truth values, structs and maps have no least and no greatest.

        Example:
            >>> df.describe().filter(col("describe") == "mean").to_pydict()
            {'describe': ['mean'], 'a': [2.0], 'b': ['null']}
        """
        fields = list(self.schema())
        asked = [call for at, field in enumerate(fields) for call in _statistics(at, field)]
        row = self.aggregate([], asked).to_pylist()[0] if asked else {}
        columns = {"describe": pa.array(_STATISTICS)}
        for at, field in enumerate(fields):
            values = [row.get(f"{statistic}_{at}") for statistic in _STATISTICS]
            if is_number(field.type):
                columns[field.name] = pa.array(
                    [None if value is None else float(value) for value in values], pa.float64()
                )
            else:
                columns[field.name] = pa.array(
                    ["null" if value is None else str(value) for value in values], pa.string()
                )
        table = pa.table(list(columns.values()), names=["describe", *self.columns])
        return self._over(inline_rows(table))

    def _count_plan(self) -> int:
        counted = self.aggregate([], [_call("count").alias("count")])
        return int(counted.to_arrow().column(0)[0].as_py())


class GroupedData(Generic[FrameT]):
    """Rows in groups; made by `DataFrame.group_by()` and its like.

    Example:
        >>> from springald import functions as f
        >>> df.group_by("a").agg(f.count().alias("n")).columns
        ['a', 'n']
    """

    def __init__(self, rows: FrameT, groups: Sequence[ColumnOrExpr | Grouping]) -> None:
        """Wraps rows and what they are grouped by."""
        self._rows = rows
        self._groups = groups

    def agg(self, *aggs: Expr, **named_aggs: Expr) -> FrameT:
        """Returns one row for each group.

        Args:
            *aggs: Calls of aggregate functions.
            **named_aggs: Calls under the names that they get.

        Example:
            >>> from springald import functions as f
            >>> df.group_by().agg(total=f.sum(col("a"))).to_pydict()
            {'total': [6]}
        """
        named = [expr.alias(name) for name, expr in named_aggs.items()]
        return self._rows.aggregate(list(self._groups), [*aggs, *named])

    def count(self) -> FrameT:
        """Returns the number of rows of each group, as `count`.

        Example:
            >>> df.group_by("a").count().sort("a").to_pydict()
            {'a': [1, 2, 3], 'count': [1, 1, 1]}
        """
        return self.agg(count=_call("count"))

    def sum(self, *names: str) -> FrameT:
        """Returns the sums of columns for each group.

        Example:
            >>> df.group_by().sum("a").to_pydict()
            {'sum(a)': [6]}
        """
        return self.agg(*(_call("sum", exact_column(name)) for name in names))

    def mean(self, *names: str) -> FrameT:
        """Returns the means of columns for each group.

        Example:
            >>> df.group_by().mean("a").to_pydict()
            {'avg(a)': [2.0]}
        """
        return self.agg(*(_call("avg", exact_column(name)) for name in names))

    def min(self, *names: str) -> FrameT:
        """Returns the smallest values of columns for each group.

        Example:
            >>> df.group_by().min("a").to_pydict()
            {'min(a)': [1]}
        """
        return self.agg(*(_call("min", exact_column(name)) for name in names))

    def max(self, *names: str) -> FrameT:
        """Returns the largest values of columns for each group.

        Example:
            >>> df.group_by().max("a").to_pydict()
            {'max(a)': [3]}
        """
        return self.agg(*(_call("max", exact_column(name)) for name in names))

    def __repr__(self) -> str:
        return f"GroupedData(by {', '.join(map(str, self._groups))})"


def _listed(items: Sequence[ItemT] | ItemT | None) -> list[ItemT]:
    if items is None:
        return []
    if isinstance(items, Sequence) and not isinstance(items, str):
        return list(items)
    return [items]


def _call(name: str, *operands: Expr) -> Expr:
    """Calls an aggregate function without the functions' modules, which SQL alone never needs."""
    return aggregate_call(name, arguments(*operands))


def _statistics(at: int, field: pa.Field) -> Iterator[Expr]:
    """The statistics that a type has, named by statistic and place."""
    values = exact_column(field.name)
    yield _call("count", values).alias(f"count_{at}")
    yield aggregate_call("count", arguments(), filter=values.is_null()).alias(f"null_count_{at}")
    if is_number(field.type):
        yield _call("avg", values).alias(f"mean_{at}")
        yield _call("stddev", values.cast(pa.float64())).alias(f"std_{at}")
        # Like datafusion-python's: of decimals with the type's digits, of integers with a fraction.
        middle = values if pa.types.is_decimal(field.type) else values.cast(pa.float64())
        yield _call("median", middle).alias(f"median_{at}")
    if not _has_no_order(field.type):
        yield _shown(_call("min", values), field.type).alias(f"min_{at}")
        yield _shown(_call("max", values), field.type).alias(f"max_{at}")


def _has_no_order(kind: pa.DataType) -> bool:
    return pa.types.is_boolean(kind) or holds(kind, _has_fields)


def _has_fields(kind: pa.DataType) -> bool:
    return bool(pa.types.is_struct(kind) or pa.types.is_map(kind))


def _shown(value: Expr, kind: pa.DataType) -> Expr:
    """The engine's text of a value that is no number, with all its digits; bytes in base 16."""
    if is_number(kind):
        return value
    if is_binary(kind):
        return operator("encode", value.cast(pa.binary()), lit("hex"))
    return value.cast(pa.string())
