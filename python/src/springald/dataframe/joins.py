"""What several DataFrames become together."""

from collections.abc import Sequence
from typing import Any, Final, Self

from springald.dataframe import relations
from springald.dataframe.rows import Rows
from springald.errors import InvalidArgumentError
from springald.expr.expr import Expr, col, operator
from springald.expr.node import Node
from springald.plans.client_names import CLIENT_NAME_PREFIX

__all__ = ["Joins"]

Names = str | Sequence[str]
_ONE_SIDED: Final = frozenset({"semi", "anti", "mark", "right_semi", "right_anti", "right_mark"})
# A name that no column of a user's has, for keys that are merged.
_OTHER_KEY: Final = CLIENT_NAME_PREFIX + "right_{}"


class Joins(Rows):
    """The methods that put two DataFrames of one session together."""

    def join(
        self,
        right: Rows,
        on: Names | tuple[list[str], list[str]] | None = None,
        how: str = "inner",
        *,
        left_on: Names | None = None,
        right_on: Names | None = None,
        join_keys: tuple[list[str], list[str]] | None = None,
        coalesce_duplicate_keys: bool = True,
        nulls_equal: bool = False,
    ) -> Self:
        """Returns pairs of rows whose keys are equal.

        Args:
            right: The other DataFrame.
            on: Names of columns that both sides have.
            how: `inner`, `left`, `right`, `full`, `semi`, `anti`, `mark`, or `right_semi`,
                `right_anti`, `right_mark`.
            left_on: Names of columns here, instead of `on`.
            right_on: Names of columns there, one for each here.
            join_keys: The names here and there; an older way to say the last two.
            coalesce_duplicate_keys: Whether keys of one name come out as one column, which has the
                value that is there.
            nulls_equal: Whether NULL equals NULL.

        Example:
            >>> other = con.from_pydict({"a": [2, 3], "c": [True, False]})
            >>> df.join(other, on="a", how="left").sort("a").to_pydict()
            {'a': [1, 2, 3], 'b': ['x', None, 'z'], 'c': [None, True, False]}
        """
        keys = _keys(on, *(join_keys or (left_on, right_on)))
        shared = [left for left, other in keys if left == other]
        merges = coalesce_duplicate_keys and how not in _ONE_SIDED and bool(shared)
        if merges and len(shared) < len(keys):
            mixed = _join_mixed(self.node, _rows_of(right), how, keys, nulls_equal)
            return self._together(right, mixed)
        joined = relations.joined(
            self.node, _rows_of(right), how, keys=keys, merges_keys=merges, nulls_equal=nulls_equal
        )
        return self._together(right, joined)

    def join_on(self, right: Rows, *on_exprs: Expr, how: str = "inner") -> Self:
        """Returns pairs of rows for which all conditions are true.

        Args:
            right: The other DataFrame.
            *on_exprs: Conditions over columns of both sides; `col()` of a DataFrame says whose.
            how: As for `join()`.

        Example:
            >>> other = con.from_pydict({"low": [2]})
            >>> df.join_on(other, col("a") > col("low")).to_pydict()
            {'a': [3], 'b': ['z'], 'low': [2]}
        """
        if not on_exprs:
            raise InvalidArgumentError("join_on has a condition: got none; use cross_join()")
        condition = on_exprs[0]
        for each in on_exprs[1:]:
            condition = condition & each
        joined = relations.joined(self.node, _rows_of(right), how, condition=condition)
        return self._together(right, joined)

    def cross_join(self, right: Rows) -> Self:
        """Returns every pair of rows.

        Example:
            >>> df.cross_join(con.from_pydict({"n": [1, 2]})).count()
            6
        """
        return self._together(right, relations.joined(self.node, _rows_of(right), "inner"))

    def union(self, other: Rows, distinct: bool = False) -> Self:  # noqa: FBT001, FBT002 - datafusion-python's signature
        """Returns the rows of both, columns by position.

        Example:
            >>> df.union(df).count(), df.union(df, distinct=True).count()
            (6, 3)
        """
        return self._set_operation(other, "union", is_distinct=distinct)

    def union_distinct(self, other: Rows) -> Self:
        """Returns the rows of both, each once.

        Example:
            >>> df.union_distinct(df).count()
            3
        """
        return self._set_operation(other, "union", is_distinct=True)

    def union_by_name(self, other: Rows, distinct: bool = False) -> Self:  # noqa: FBT001, FBT002 - as union
        """Returns the rows of both, columns by name; NULL where one side has no such column.

        Example:
            >>> df.union_by_name(con.from_pydict({"c": [True]})).columns
            ['a', 'b', 'c']
        """
        return self._set_operation(other, "union", is_distinct=distinct, by_name=True)

    def intersect(self, other: Rows, distinct: bool = False) -> Self:  # noqa: FBT001, FBT002 - as union
        """Returns the rows that are in both.

        Example:
            >>> df.intersect(df.limit(2)).count()
            2
        """
        return self._set_operation(other, "intersect", is_distinct=distinct)

    def except_all(self, other: Rows, distinct: bool = False) -> Self:  # noqa: FBT001, FBT002 - as union
        """Returns the rows that are here and not there, as often as they are here and not there.

        Example:
            >>> df.union(df).except_all(df).count()
            3
        """
        return self._set_operation(other, "except", is_distinct=distinct)

    def except_(self, other: Rows) -> Self:
        """Returns the rows that are here and not there, each once.

        Example:
            >>> df.union(df).except_(df.filter(col("a") == 1)).count()
            2
        """
        return self._set_operation(other, "except", is_distinct=True)

    def _set_operation(
        self, other: Rows, operation: str, *, is_distinct: bool, by_name: bool = False
    ) -> Self:
        root = relations.set_operation(
            self.node, _rows_of(other), operation, is_distinct=is_distinct, by_name=by_name
        )
        return self._together(other, root)

    def _together(self, other: Rows, root: Node) -> Self:
        if other.session is not self._session:
            raise InvalidArgumentError(
                "DataFrames that are put together belong to one connection: got one of another; "
                "register what its to_arrow() returns"
            )
        parameters = self._statement.parameters.joined(other.parameters)
        return type(self)(self._session, self._statement.over(root).with_parameters(parameters))


def _rows_of(other: Rows) -> Node:
    if not isinstance(other, Rows):
        raise InvalidArgumentError(
            f"a DataFrame is put together with a DataFrame: got {str(other)[:80]!r} of type "
            f"{type(other).__name__}; make one of it, for example with from_pydict()"
        )
    return other.node


def _keys(on: Any, left_on: Names | None, right_on: Names | None) -> list[tuple[str, str]]:  # noqa: ANN401 - three forms
    """Returns the names of the keys here and there."""
    if isinstance(on, tuple) and all(isinstance(each, list) for each in on):
        on, (left_on, right_on) = None, on
    if (on is None) == (left_on is None and right_on is None) or (left_on is None) != (
        right_on is None
    ):
        raise InvalidArgumentError(
            "a join has on, or left_on and right_on: got "
            f"on={on!r}, left_on={left_on!r}, right_on={right_on!r}; use join_on() for conditions"
        )
    left = _names(on if left_on is None else left_on)
    right = _names(on if right_on is None else right_on)
    if len(left) != len(right) or not left:
        raise InvalidArgumentError(
            f"a join has as many keys on the left as on the right, at least one: got {left} and "
            f"{right}"
        )
    return list(zip(left, right, strict=True))


def _names(names: Names | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _join_mixed(
    left: Node,
    right: Node,
    how: str,
    keys: list[tuple[str, str]],
    nulls_equal: bool,  # noqa: FBT001
) -> Node:
    """Joins where some keys have one name and come out once, and others have two."""
    others = {name: _OTHER_KEY.format(name) for name, other in keys if name == other}
    renamed = relations.renamed(right, others)
    pairs = [(name, others.get(name, other) if name == other else other) for name, other in keys]
    joined = relations.joined(left, renamed, how, keys=pairs, nulls_equal=nulls_equal)
    if how == "right":
        joined = relations.with_columns(
            joined, [col(other).alias(name) for name, other in others.items()]
        )
    elif how == "full":
        merged = [
            operator("coalesce", col(name), col(other)).alias(name)
            for name, other in others.items()
        ]
        joined = relations.with_columns(joined, merged)
    return relations.dropped(joined, others.values())
