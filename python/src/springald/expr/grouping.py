"""Grouping sets: several ways of grouping in one aggregate."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from springald.expr.expr import ColumnOrExpr, Expr, to_column
from springald.expr.node import Node, Reference
from springald.plan.v1 import relations_pb2

__all__ = ["Grouping", "GroupingSet", "grouping_of"]


@dataclass(frozen=True, slots=True, repr=False)
class Grouping:
    """Some of the ways in which rows are grouped; made by `GroupingSet`.

    Attributes:
        word: How SQL calls it: `ROLLUP`, `CUBE` or `GROUPING SETS`.
        expressions: The grouping expressions, each once.
        sets: Which of them are grouped by together, as places in `expressions`.
    """

    word: str
    expressions: tuple[Expr, ...]
    sets: tuple[tuple[int, ...], ...]

    def __repr__(self) -> str:
        if self.word != "GROUPING SETS":
            return f"{self.word}({', '.join(map(str, self.expressions))})"
        listed = (", ".join(str(self.expressions[at]) for at in chosen) for chosen in self.sets)
        return f"GROUPING SETS ({', '.join(f'({each})' for each in listed)})"


class GroupingSet:
    """Makes what `DataFrame.aggregate()` and `group_by()` group by, if it is more than one way.

    Example:
        >>> from springald import col
        >>> GroupingSet.rollup(col("a"), col("b"))
        ROLLUP(a, b)
    """

    @staticmethod
    def rollup(*exprs: ColumnOrExpr) -> Grouping:
        """Groups by all expressions, by all but the last, and so on, to none.

        Example:
            >>> GroupingSet.rollup("a", "b").sets
            ((0, 1), (0,), ())
        """
        places = tuple(range(len(exprs)))
        sets = tuple(places[:count] for count in range(len(exprs), -1, -1))
        return Grouping("ROLLUP", tuple(map(to_column, exprs)), sets)

    @staticmethod
    def cube(*exprs: ColumnOrExpr) -> Grouping:
        """Groups by every subset of the expressions.

        Example:
            >>> GroupingSet.cube("a", "b").sets
            ((0, 1), (0,), (1,), ())
        """
        places = range(len(exprs))
        sets = tuple(
            chosen
            for count in range(len(exprs), -1, -1)
            for chosen in itertools.combinations(places, count)
        )
        return Grouping("CUBE", tuple(map(to_column, exprs)), sets)

    @staticmethod
    def grouping_sets(*expr_lists: Sequence[ColumnOrExpr]) -> Grouping:
        """Groups by each of the lists of expressions.

        Example:
            >>> GroupingSet.grouping_sets(["a", "b"], ["a"], [])
            GROUPING SETS ((a, b), (a), ())
        """
        places: dict[str, int] = {}
        expressions: list[Expr] = []
        sets: list[tuple[int, ...]] = []
        for listed in expr_lists:
            chosen = []
            for expr in map(to_column, listed):
                at = places.setdefault(str(expr), len(expressions))
                if at == len(expressions):
                    expressions.append(expr)
                chosen.append(at)
            sets.append(tuple(dict.fromkeys(chosen)))
        return Grouping("GROUPING SETS", tuple(expressions), tuple(sets))


def grouping_of(
    items: Sequence[ColumnOrExpr | Grouping],
) -> tuple[relations_pb2.AggregateRelation, tuple[Node, ...]]:
    """Returns how an aggregate groups: a message without ids, and the grouping expressions.

    Several items are grouped by together: of every item one set, in all combinations.
    """
    if not any(isinstance(item, Grouping) for item in items):
        nodes = tuple(to_column(item).node for item in items if not isinstance(item, Grouping))
        return relations_pb2.AggregateRelation(), nodes
    expressions: list[Node] = []
    choices: list[list[tuple[int, ...]]] = []
    for item in items:
        start = len(expressions)
        if isinstance(item, Grouping):
            expressions += [expr.node for expr in item.expressions]
            choices.append([tuple(start + at for at in chosen) for chosen in item.sets])
        else:
            expressions.append(to_column(item).node)
            choices.append([(start,)])
    sets = [
        relations_pb2.GroupingSet(positions=itertools.chain(*combined))
        for combined in itertools.product(*choices)
    ]
    message = relations_pb2.AggregateRelation(
        grouping_mode=relations_pb2.GROUPING_MODE_SETS, grouping_sets=sets
    )
    return message, tuple(expressions)


def grouping_references(groups: tuple[Node, ...], aggregates: tuple[Node, ...]) -> list[Reference]:
    """Returns where an aggregate's message names its expressions."""
    return [Reference(("grouping_ids",), groups), Reference(("aggregate_ids",), aggregates)]
