"""Draws plans, each beside the same thing said in the engine's own calls.

Each draw builds two things side by side: a plan, and a DataFrame of the engine's own Python API, so
that nothing of the lowering is part of what it is compared with.
"""

# ruff: noqa: D102 - each method draws the relation that it is named after

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import plan_kit as k
import pyarrow as pa
from datafusion import DataFrame, SessionContext, col, lit
from datafusion import functions as f
from datafusion.expr import Expr, Window
from hypothesis import reject
from hypothesis import strategies as st

DEPTH_MAX = 6
TABLE = pa.table({
    "i": pa.array([1, 2, 3, None, 5, 6, 2, 2, None, -4], pa.int64()),
    "j": pa.array([4, None, 4, 4, 1, 0, -3, 2, 2, 9], pa.int64()),
    "t": pa.array(["a", "b", None, "a", "", "c", "b", "a", "d", None]),
    "b": pa.array([True, False, None, True, True, None, False, True, None, False]),
})  # fmt: skip
KINDS = ["int", "text", "bool"]
JOINS = ["INNER", "LEFT", "RIGHT", "FULL", "LEFT_SEMI", "LEFT_ANTI"]
NUMBERS = st.integers(-3, 9)
TYPES = {"i": "int", "j": "int", "t": "text", "b": "bool"}


@dataclass(frozen=True)
class Drawn:
    """A relation said twice.

    Attributes:
        plan: As a plan.
        frame: In the engine's own calls.
        columns: Its columns with a type each; all names differ.
        ordered: True if its rows have one order.
    """

    plan: k.Rel
    frame: DataFrame
    columns: dict[str, str]
    ordered: bool = False


@dataclass(frozen=True)
class Value:
    """An expression said twice."""

    plan: k.Ex
    engine: Expr


T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]


def asked(ask: Callable[[], T]) -> T:
    """Returns what the engine says; a draw on which its own planner gives up is left."""
    try:
        return ask()
    except Exception:  # noqa: BLE001 - the engine raises plain exceptions
        reject()


class Generator:
    """Draws relations over one table."""

    def __init__(self, draw: Draw, engine: SessionContext) -> None:
        self.draw = draw
        self.engine = engine
        self.names = 0

    def name(self) -> str:
        self.names += 1
        return f"c{self.names}"

    def pick(self, columns: dict[str, str], kind: str) -> Value:
        """Draws a column or a literal of a type."""
        fitting = [name for name, each in columns.items() if each == kind]
        if fitting and self.draw(st.integers(0, 3)):
            name = self.draw(st.sampled_from(fitting))
            return Value(k.col(name), col(f'"{name}"'))
        values: dict[str, st.SearchStrategy[Any]] = {
            "int": NUMBERS,
            "text": st.sampled_from(["a", "b", "", "it's"]),
            "bool": st.booleans(),
        }
        value = self.draw(values[kind])
        return Value(k.lit(value), lit(value))

    def value(self, columns: dict[str, str], kind: str, depth: int = 2) -> Value:
        """Draws an expression of a type."""
        if depth == 0 or not self.draw(st.integers(0, 2)):
            return self.pick(columns, kind)
        if kind == "bool":
            return self.condition(columns, depth)
        if kind == "text":
            one = self.value(columns, "text", depth - 1)
            return Value(k.call("upper", one.plan), f.upper(one.engine))
        one, other = (self.value(columns, "int", depth - 1) for _ in range(2))
        match self.draw(st.sampled_from("+-*c")):
            case "+":
                return Value(k.call("+", one.plan, other.plan), one.engine + other.engine)
            case "-":
                return Value(k.call("-", one.plan, other.plan), one.engine - other.engine)
            case "*":
                return Value(k.call("*", one.plan, other.plan), one.engine * other.engine)
        test = self.condition(columns, depth - 1)
        branch = f.when(test.engine, one.engine).otherwise(other.engine)
        return Value(k.case(test.plan, one.plan, default=other.plan), branch)

    def condition(self, columns: dict[str, str], depth: int = 2) -> Value:
        """Draws a condition."""
        kinds = ["compare", "null", "and", "or", "not", "text", "between", "list"]
        match self.draw(st.sampled_from(kinds)):
            case "and" if depth:
                one, other = (self.condition(columns, depth - 1) for _ in range(2))
                return Value(k.call("and", one.plan, other.plan), one.engine & other.engine)
            case "or" if depth:
                one, other = (self.condition(columns, depth - 1) for _ in range(2))
                return Value(k.call("or", one.plan, other.plan), one.engine | other.engine)
            case "not" if depth:
                one = self.condition(columns, depth - 1)
                return Value(k.call("not", one.plan), ~one.engine)
            case "between":
                one = self.value(columns, "int", 1)
                low, high, negated = self.draw(st.tuples(NUMBERS, NUMBERS, st.booleans()))
                test = one.engine.between(lit(low), lit(high), negated=negated)
                return Value(k.between(one.plan, low, high, negated=negated), test)
            case "list":
                one = self.value(columns, "int", 1)
                items, negated = self.draw(st.tuples(st.lists(NUMBERS, min_size=1), st.booleans()))
                test = f.in_list(one.engine, [lit(item) for item in items], negated=negated)
                return Value(k.in_list(one.plan, *items, negated=negated), test)
            case "null":
                one = self.value(columns, "int", 1)
                return Value(k.call("is null", one.plan), one.engine.is_null())
            case "text":
                one, other = (self.value(columns, "text", 1) for _ in range(2))
                return Value(k.call("=", one.plan, other.plan), one.engine == other.engine)
        one, other = (self.value(columns, "int", 1) for _ in range(2))
        return Value(k.call("<", one.plan, other.plan), one.engine < other.engine)

    def relation(self, depth: int) -> Drawn:
        """Draws a relation."""
        if depth == 0:
            return self.read()
        kinds = [
            self.filtered, self.projected, self.grouped, self.sorted, self.distinct, self.united,
            self.joined, self.windowed, self.widened, self.intersected, self.named,
        ]  # fmt: skip
        drawn: Drawn = self.draw(st.sampled_from(kinds))(depth)
        return drawn

    def read(self, names: list[str] | None = None) -> Drawn:
        names = names or [self.name() for _ in TABLE.column_names]
        renamed = dict(zip(TABLE.column_names, names, strict=True))
        frame = self.engine.table("rows").select(
            *(col(old).alias(new) for old, new in renamed.items())
        )
        kinds = {new: TYPES[old] for old, new in renamed.items()}
        return Drawn(k.rename(k.table("rows"), **renamed), frame, kinds)

    def filtered(self, depth: int) -> Drawn:
        below = self.relation(depth - 1)
        test = self.condition(below.columns)
        frame = below.frame.filter(test.engine)
        return replace(below, plan=k.where(below.plan, test.plan), frame=frame)

    def projected(self, depth: int) -> Drawn:
        below = self.relation(depth - 1)
        kinds = self.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
        made = {self.name(): (kind, self.value(below.columns, kind)) for kind in kinds}
        return replace(
            below,
            plan=k.project(below.plan, *(k.alias(v.plan, name) for name, (_, v) in made.items())),
            frame=below.frame.select(*(v.engine.alias(name) for name, (_, v) in made.items())),
            columns={name: kind for name, (kind, _) in made.items()},
        )

    def widened(self, depth: int) -> Drawn:
        below = self.relation(depth - 1)
        name, value = self.name(), self.value(below.columns, "int")
        return replace(
            below,
            plan=k.with_columns(below.plan, k.alias(value.plan, name)),
            frame=below.frame.with_column(name, value.engine),
            columns={**below.columns, name: "int"},
        )

    def grouped(self, depth: int) -> Drawn:
        below = self.relation(depth - 1)
        key, count, total = self.name(), self.name(), self.name()
        by, of = self.value(below.columns, "text"), self.value(below.columns, "int")
        plan = k.group(
            below.plan,
            [k.alias(by.plan, key)],
            k.alias(k.agg("count", of.plan), count),
            k.alias(k.agg("sum", of.plan), total),
        )
        frame = below.frame.aggregate(
            [by.engine.alias(key)],
            [f.count(of.engine).alias(count), f.sum(of.engine).alias(total)],
        )
        return Drawn(plan, frame, {key: "text", count: "int", total: "int"})

    def sorted(self, depth: int) -> Drawn:
        """Draws an order of all columns, so that it is the only one, and a run of rows."""
        below = self.relation(depth - 1)
        keys, engine_keys = [], []
        for name in below.columns:
            descending, first = self.draw(st.booleans()), self.draw(st.booleans())
            nulls = "FIRST" if first else "LAST"
            keys.append((k.desc if descending else k.asc)(name, nulls))
            engine_keys.append(col(f'"{name}"').sort(ascending=not descending, nulls_first=first))
        skip, count = self.draw(st.integers(0, 3)), self.draw(st.integers(0, 8))
        plan = k.fetch(k.sort(below.plan, *keys), count, skip)
        # The engine loses rows where these are ordered once more; rows that it has, it keeps.
        frame = asked(below.frame.sort(*engine_keys).limit(count, skip).cache)
        return replace(below, plan=plan, frame=frame, ordered=True)

    def distinct(self, depth: int) -> Drawn:
        below = self.relation(depth - 1)
        return replace(
            below, plan=k.distinct(below.plan), frame=below.frame.distinct(), ordered=False
        )

    def united(self, depth: int) -> Drawn:
        """Draws a union of a relation with its own kind: the same table, filtered otherwise."""
        one = self.filtered(1) if depth > 1 else self.read()
        # The engine's own calls fail on unions whose inputs differ in names.
        other = self.read(list(one.columns))
        tests = self.condition(other.columns)
        plan = k.combine("UNION_ALL", one.plan, k.where(other.plan, tests.plan))
        return Drawn(plan, one.frame.union(other.frame.filter(tests.engine)), one.columns)

    def intersected(self, depth: int) -> Drawn:
        """Draws the rows that are in both of two relations, or in one only."""
        one = self.filtered(1) if depth > 1 else self.read()
        other = self.read(list(one.columns))
        test = self.condition(other.columns)
        right, frame = k.where(other.plan, test.plan), other.frame.filter(test.engine)
        if self.draw(st.booleans()):
            plan = k.combine("INTERSECT_DISTINCT", one.plan, right)
            return Drawn(plan, one.frame.intersect(frame).distinct(), one.columns)
        plan = k.combine("EXCEPT_DISTINCT", one.plan, right)
        return Drawn(plan, one.frame.except_all(frame).distinct(), one.columns)

    def named(self, depth: int) -> Drawn:
        """Draws a relation under a name, with other names for its columns."""
        below = self.relation(depth - 1)
        names = {old: self.name() for old in below.columns}
        return replace(
            below,
            plan=k.named(below.plan, self.name(), *names.values()),
            frame=below.frame.select(*(col(f'"{old}"').alias(new) for old, new in names.items())),
            columns={names[old]: kind for old, kind in below.columns.items()},
        )

    def joined(self, depth: int) -> Drawn:
        left, right = self.relation(depth - 1), self.relation(min(depth - 1, 1))
        lefts = [name for name, kind in left.columns.items() if kind == "int"]
        rights = [name for name, kind in right.columns.items() if kind == "int"]
        if not lefts or not rights:
            return left
        one, other = self.draw(st.sampled_from(lefts)), self.draw(st.sampled_from(rights))
        kind = self.draw(st.sampled_from(JOINS))
        how = {"LEFT_SEMI": "semi", "LEFT_ANTI": "anti"}.get(kind, kind.lower())
        plan = k.join(left.plan, right.plan, kind, keys=[(one, other)])
        frame = left.frame.join(right.frame, left_on=one, right_on=other, how=how)
        columns = left.columns if "_" in kind else {**left.columns, **right.columns}
        return Drawn(plan, frame, columns)

    def windowed(self, depth: int) -> Drawn:
        below = self.relation(depth - 1)
        name = self.name()
        by, of = self.value(below.columns, "text", 1), self.value(below.columns, "int", 1)
        plan = k.window(below.plan, k.alias(k.over("sum", of.plan, by=[by.plan]), name))
        total = f.sum(of.engine).over(Window(partition_by=[by.engine]))
        frame = below.frame.with_column(name, total)
        return Drawn(plan, frame, {**below.columns, name: "int"})
