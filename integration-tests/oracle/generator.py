"""Makes queries: typed relations put together at random, each with one right answer.

A query is built from relations, each a SELECT whose columns have new names, so that any two can be
joined or united. What would leave the answer open is not made: LIMIT follows an order over all
columns, windows that tell rows apart are ordered over all columns, floats are quarters (their sums
are exact), and lists are gathered in an order over all columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from hypothesis import strategies as st

# The tables of `tables.DATASETS` that queries read, with the types of their columns.
TABLES: dict[str, dict[str, str]] = {
    "few": {
        "id": "int",
        "k": "int",
        "g": "text",
        "d": "dec",
        "x": "float",
        "b": "bool",
        "day": "date",
    },
    "fewer": {"k": "int", "g": "text", "d": "dec", "x": "float", "b": "bool", "day": "date"},
    "lefts": {"lk": "int", "ln": "int"},
    "rights": {"rk": "int", "rn": "int"},
    "dims": {"k": "int", "label": "text", "w": "int"},
    "half": {"id": "int", "n": "int"},
    "edges": {"src": "int", "dst": "int"},
    "none": {"id": "int", "n": "int", "t": "text"},
}
_OFTEN = ("few", "few", "fewer", *TABLES)
# Rows multiply with every table joined; three small ones stay below some ten thousand rows.
TABLES_PER_QUERY_MAX = 3
_DEPTH_MAX = 3
_LITERALS = {
    "int": ("0", "1", "3", "7", "-2"),
    "text": ("'a'", "'c'", "''", "'m'"),
    "dec": ("CAST(1.25 AS DECIMAL(12, 2))", "CAST(-3 AS DECIMAL(12, 2))"),
    "float": ("0.25", "-4.5", "8.0"),
    "bool": ("TRUE", "FALSE"),
    "date": ("DATE '2024-01-20'", "DATE '2024-02-10'"),
}
_SQL_TYPES = {
    "int": "BIGINT",
    "text": "VARCHAR",
    "dec": "DECIMAL(12, 2)",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
}
_AGGREGATES = {
    "int": ("sum", "min", "max", "avg", "count", "count_distinct", "bit_xor"),
    "text": ("min", "max", "count", "count_distinct", "gather"),
    "dec": ("sum", "min", "max", "avg", "count"),
    "float": ("sum", "min", "max", "avg", "count"),
    "bool": ("bool_and", "bool_or", "count"),
    "date": ("min", "max", "count", "count_distinct"),
}
_JOINS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN")
_RIGHT_ONLY = ("RIGHT SEMI JOIN", "RIGHT ANTI JOIN")
_FRAMES = (
    "",
    "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
    "ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING",
    "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Column:
    """A column of a relation: a name that no other relation has, and a type."""

    name: str
    type: str


@dataclass(frozen=True)
class Relation:
    """A SELECT and its columns.

    Attributes:
        sql: the text.
        columns: what it selects.
        pinned: a column may have one value in all rows, and the engine may know it. DataFusion 55
            goes on believing it when an outer join has filled in NULLs, sorts without that column
            and lets groups come twice; so the side that an outer join fills in is never pinned.
    """

    sql: str
    columns: tuple[Column, ...]
    pinned: bool = False

    def of_type(self, type_: str) -> tuple[Column, ...]:
        """Returns the columns of a type."""
        return tuple(column for column in self.columns if column.type == type_)


@dataclass(frozen=True)
class Query:
    """A query, and the positions of the columns by which it orders its rows, if it does."""

    sql: str
    order: tuple[int, ...] | None


class _Maker:
    """Draws one query; numbers relations and columns as it goes."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._names: Iterator[int] = count()
        self._tables_left = TABLES_PER_QUERY_MAX

    def query(self) -> Query:
        """Draws a whole query, in an order or in none."""
        made = self.relation(_DEPTH_MAX)
        if self._chance():
            return Query(made.sql, None)
        order = self._draw(st.permutations(range(len(made.columns))))
        keys = ", ".join(made.columns[at].name + self._direction() for at in order)
        return Query(f"SELECT * FROM ({made.sql}) ORDER BY {keys}{self._limit()}", tuple(order))

    def relation(self, depth: int) -> Relation:
        """Draws a relation of at most `depth` steps above its tables."""
        if depth == 0:
            return self._table()
        steps = [
            self._filter,
            self._aggregate,
            self._window,
            self._project,
            self._distinct,
            self._top,
        ]
        if self._tables_left > 1:
            steps += [self._join, self._join, self._union, self._related, self._related]
        return self._pick(steps)(depth - 1)

    def _table(self) -> Relation:
        self._tables_left -= 1
        table = self._pick(_OFTEN)
        taken = [(name, self._column(type_)) for name, type_ in TABLES[table].items()]
        listed = ", ".join(f"{name} AS {column.name}" for name, column in taken)
        return Relation(f"SELECT {listed} FROM {table}", tuple(column for _, column in taken))

    def _filter(self, depth: int) -> Relation:
        source = self.relation(depth)
        condition = self._condition(source)
        pinned = source.pinned or " = " in condition or "IS NULL" in condition
        sql = f"SELECT * FROM ({source.sql}) WHERE {condition}"
        return Relation(sql, source.columns, pinned)

    def _distinct(self, depth: int) -> Relation:
        source = self.relation(depth)
        kept = self._some(source.columns)
        return Relation(f"SELECT DISTINCT {_names(kept)} FROM ({source.sql})", kept, source.pinned)

    def _top(self, depth: int) -> Relation:
        source = self.relation(depth)
        keys = ", ".join(column.name + self._direction() for column in source.columns)
        limit = self._draw(st.integers(0, 30))
        sql = f"SELECT * FROM ({source.sql}) ORDER BY {keys} LIMIT {limit}"
        return Relation(sql, source.columns, source.pinned or limit == 1)

    def _project(self, depth: int) -> Relation:
        source = self.relation(depth)
        made = []
        for column in self._some(source.columns):
            new = self._column(column.type)
            made.append((self._expression(column), new))
        listed = ", ".join(f"{text} AS {column.name}" for text, column in made)
        new_columns = tuple(column for _, column in made)
        return Relation(f"SELECT {listed} FROM ({source.sql})", new_columns, source.pinned)

    def _aggregate(self, depth: int) -> Relation:
        source = self.relation(depth)
        keys = self._some(source.columns, least=0, most=3)
        made = [self._aggregated(column, source) for column in self._some(source.columns, most=3)]
        listed = [column.name for column in keys] + [f"{text} AS {new.name}" for text, new in made]
        sql = f"SELECT {', '.join(listed)} FROM ({source.sql})"
        if keys:
            sql += f" GROUP BY {_names(keys)}"
            if self._chance():
                sql += f" HAVING count(*) > {self._draw(st.integers(0, 4))}"
        columns = (*keys, *(column for _, column in made))
        return Relation(sql, columns, source.pinned or not keys)

    def _aggregated(self, column: Column, source: Relation) -> tuple[str, Column]:
        how = self._pick(_AGGREGATES[column.type])
        if how.startswith("count"):
            inner = f"DISTINCT {column.name}" if how == "count_distinct" else column.name
            return f"count({inner}){self._filtered(source)}", self._column("int")
        if how == "avg":
            # Rounded, so that it may be a key and a limit may cut there.
            return f"round(CAST(avg({column.name}) AS DOUBLE), 3)", self._column("float")
        if how == "gather":
            keys = _names((column, *(other for other in source.columns if other != column)))
            return f"string_agg({column.name}, '|' ORDER BY {keys})", self._column("text")
        text = f"{how}({column.name}){self._filtered(source)}"
        return f"CAST({text} AS {_SQL_TYPES[column.type]})", self._column(column.type)

    def _filtered(self, source: Relation) -> str:
        return f" FILTER (WHERE {self._comparison(source)})" if self._chance(4) else ""

    def _window(self, depth: int) -> Relation:
        source = self.relation(depth)
        partition = self._some(source.columns, least=0, most=2)
        over = f"PARTITION BY {_names(partition)} " if partition else ""
        keys = ", ".join(
            column.name + self._direction()
            for column in self._draw(st.permutations(source.columns))
        )
        numbers = source.of_type("int")
        calls = [
            ("row_number()", False),
            ("rank()", False),
            ("dense_rank()", False),
            ("ntile(3)", False),
        ]
        if numbers:
            name = self._pick(numbers).name
            calls += [(f"sum({name})", True), (f"count({name})", True), (f"max({name})", True)]
            calls += [(f"lag({name})", False), (f"first_value({name})", True)]
        call, framed = self._pick(calls)
        frame = self._pick(_FRAMES) if framed else ""
        new = self._column("int")
        sql = f"SELECT *, CAST({call} OVER ({over}ORDER BY {keys} {frame}) AS BIGINT) AS {new.name}"
        return Relation(f"{sql} FROM ({source.sql})", (*source.columns, new), source.pinned)

    def _join(self, depth: int) -> Relation:
        left = self.relation(depth)
        if self._tables_left < 1:
            return left
        right = self.relation(depth)
        on = self._joined(left, right)
        if not on:
            return left
        how = self._pick((*_JOINS, *_RIGHT_ONLY))
        if any(side.pinned for side in _filled_in(how, left, right)):
            how = "JOIN"
        one, other = f"l{next(self._names)}", f"r{next(self._names)}"
        sql = f"SELECT * FROM ({left.sql}) {one} {how} ({right.sql}) {other}"
        columns = left.columns + right.columns
        if how in _RIGHT_ONLY:
            columns = right.columns
        elif how.startswith("LEFT ") and how != "LEFT JOIN":
            columns = left.columns
        return Relation(f"{sql} ON {on}", columns, left.pinned or right.pinned)

    def _joined(self, left: Relation, right: Relation) -> str:
        """Draws what two relations are joined on; empty if they have no type in common."""
        pairs = [(a, b) for a in left.columns for b in right.columns if a.type == b.type]
        if not pairs:
            return ""
        one, other = self._pick(pairs)
        parts = [f"{one.name} = {other.name}"]
        if self._chance(3):
            one, other = self._pick(pairs)
            parts.append(f"{one.name} {self._pick(('=', '<', '<=', '<>'))} {other.name}")
        elif self._chance(5):
            parts = [f"({one.name} IS NOT DISTINCT FROM {other.name})"]
        return " AND ".join(parts)

    def _union(self, depth: int) -> Relation:
        left = self.relation(depth)
        if self._tables_left < 1:
            return left
        right = self.relation(depth)
        how = self._pick(("UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT", "EXCEPT ALL"))
        picks = [self._like(column, right) for column in left.columns]
        new = tuple(self._column(column.type) for column in left.columns)
        # Cast on both sides: of an answer without rows the engine tells the type before coercion.
        listed = ", ".join(
            f"CAST({old.name} AS {_SQL_TYPES[old.type]}) AS {fresh.name}"
            for old, fresh in zip(left.columns, new, strict=True)
        )
        one = f"SELECT {listed} FROM ({left.sql})"
        sql = f"{one} {how} SELECT {', '.join(picks)} FROM ({right.sql})"
        return Relation(sql, new, left.pinned or right.pinned)

    def _like(self, column: Column, source: Relation) -> str:
        """Draws an expression over `source` of the type of `column`, never a literal.

        A filter that folds to false because of a literal is pushed below an aggregate without keys,
        where DataFusion 55 lets it drop the rows but not the result.
        """
        known = source.of_type(column.type)
        text = self._pick(known or source.columns).name
        if not known:
            length = f"length(CAST({text} AS VARCHAR))"
            made = {"text": text, "bool": f"{length} > 2", "date": f"CAST({length} AS INTEGER)"}
            text = made.get(column.type, length)
        return f"CAST({text} AS {_SQL_TYPES[column.type]}) AS c{next(self._names)}"

    def _related(self, depth: int) -> Relation:
        """Draws a relation filtered by a subquery over another."""
        outer = self.relation(depth)
        if self._tables_left < 1:
            return outer
        inner = self.relation(min(depth, 1))
        pairs = [(a, b) for a in outer.columns for b in inner.columns if a.type == b.type]
        if not pairs:
            return outer
        one, other = self._pick(pairs)
        numbers = inner.of_type("int")
        tests = [
            f"{one.name} IN (SELECT {other.name} FROM ({inner.sql}))",
            f"{one.name} NOT IN (SELECT {other.name} FROM ({inner.sql}))",
            f"EXISTS (SELECT 1 FROM ({inner.sql}) WHERE {other.name} = {one.name})",
            f"NOT EXISTS (SELECT 1 FROM ({inner.sql}) WHERE {other.name} = {one.name})",
            f"{one.name} >= (SELECT min({other.name}) FROM ({inner.sql}))"
            if one.type != "bool"
            else f"{one.name} = (SELECT bool_or({other.name}) FROM ({inner.sql}))",
        ]
        if numbers:
            name = self._pick(numbers).name
            correlated = f"SELECT sum({name}) FROM ({inner.sql}) WHERE {other.name} = {one.name}"
            tests.append(f"({correlated}) > {self._draw(st.integers(-5, 20))}")
        test = self._pick(tests)
        if test.startswith(("EXISTS", "NOT EXISTS")) and self._chance(3):
            test = f"({test} OR {self._comparison(outer)})"
        pinned = outer.pinned or f"{one.name} = (" in test
        return Relation(f"SELECT * FROM ({outer.sql}) WHERE {test}", outer.columns, pinned)

    def _condition(self, source: Relation) -> str:
        joint = self._pick((" AND ", " OR "))
        return joint.join(self._comparison(source) for _ in range(self._draw(st.integers(1, 2))))

    def _comparison(self, source: Relation) -> str:
        column = self._pick(source.columns)
        # Of a column that cannot be NULL it folds to false: see `_like`.
        if not source.pinned and self._chance(5):
            return f"({column.name} IS {self._pick(('NULL', 'NOT NULL'))})"
        alike = [other.name for other in source.of_type(column.type) if other != column]
        against = self._pick((*_LITERALS[column.type], *alike))
        return f"({column.name} {self._pick(('=', '<>', '<', '>='))} {against})"

    def _expression(self, column: Column) -> str:
        name, literal = column.name, self._pick(_LITERALS[column.type])
        texts = [name, name, f"coalesce({name}, {literal})", f"nullif({name}, {literal})"]
        texts.append(f"CASE WHEN {name} > {literal} THEN {name} ELSE {literal} END")
        if column.type == "int":
            texts += [f"{name} % 5", f"abs({name}) % 1000 + 1"]
        return f"CAST({self._pick(texts)} AS {_SQL_TYPES[column.type]})"

    def _column(self, type_: str) -> Column:
        return Column(f"c{next(self._names)}", type_)

    def _direction(self) -> str:
        return self._pick(("", "", " DESC", " NULLS FIRST", " DESC NULLS LAST"))

    def _limit(self) -> str:
        if self._chance():
            return ""
        offset = f" OFFSET {self._draw(st.integers(1, 12))}" if self._chance(3) else ""
        return f" LIMIT {self._draw(st.integers(1, 25))}{offset}"

    def _some(self, columns: Sequence[Column], least: int = 1, most: int = 4) -> tuple[Column, ...]:
        most = min(most, len(columns))
        return tuple(
            self._draw(
                st.lists(st.sampled_from(columns), min_size=least, max_size=most, unique=True)
            )
        )

    def _pick(self, choices: Sequence[_T]) -> _T:
        return self._draw(st.sampled_from(choices))

    def _chance(self, one_in: int = 2) -> bool:
        return self._draw(st.integers(1, one_in)) == one_in


def _filled_in(how: str, left: Relation, right: Relation) -> tuple[Relation, ...]:
    """Returns the sides of a join whose rows can be filled in with NULLs."""
    sides = {"LEFT JOIN": (right,), "RIGHT JOIN": (left,), "FULL JOIN": (left, right)}
    return sides.get(how, ())


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Draws a query over `TABLES` that has one right answer."""
    return _Maker(draw).query()
