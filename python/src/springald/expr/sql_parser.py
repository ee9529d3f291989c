"""Expressions that are written in SQL, such as `a > 1 AND upper(b) = 'X'`."""

import re
from collections.abc import Callable
from typing import Final

import pyarrow as pa

from springald.errors import PlanTooDeepError
from springald.expr.calls import aggregate_call, arguments, scalar_call, window_call
from springald.expr.case import CaseBuilder
from springald.expr.expr import Expr, exact_column, lit, operator, placeholder
from springald.expr.sql_tokens import Reader
from springald.functions.names import AGGREGATE_FUNCTIONS, WINDOW_FUNCTIONS
from springald.limits import SQL_DEPTH_MAX

__all__ = ["parse_expression"]

_COMPARISONS: Final = {
    "=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_TRUTHS: Final = ("NULL", "TRUE", "FALSE", "UNKNOWN")
_TYPES: Final = {
    "BIGINT": pa.int64(), "BOOL": pa.bool_(), "BOOLEAN": pa.bool_(), "BYTEA": pa.binary(),
    "CHAR": pa.string_view(), "DATE": pa.date32(), "DOUBLE": pa.float64(), "FLOAT": pa.float32(),
    "INT": pa.int32(), "INTEGER": pa.int32(), "REAL": pa.float32(), "SMALLINT": pa.int16(),
    "STRING": pa.string_view(), "TEXT": pa.string_view(), "TIME": pa.time64("ns"),
    "TIMESTAMP": pa.timestamp("ns"), "TINYINT": pa.int8(), "VARCHAR": pa.string_view(),
}  # fmt: skip


def parse_expression(text: str) -> Expr:
    """Reads an expression of SQL.

    Names are folded to small letters unless they stand in double quotes, as in SQL. Subqueries and
    `OVER` are not read; a query as a whole is what `Connection.sql()` is for.

    Example:
        >>> parse_expression("a > 1 AND upper(b) IN ('X', 'Y')")
        Expr((a > 1) AND (upper(b) IN ('X', 'Y')))
        >>> parse_expression("CAST(sum(a) AS DOUBLE) / count(*) AS mean")
        Expr(CAST(sum(a) AS double) / count(*) AS mean)

    Raises:
        SqlSyntaxError: It is none; the error says where.
    """
    reader = Reader(text)
    parser = _Parser(reader)
    found = parser.expression()
    if reader.accept("AS"):
        found = found.alias(parser.name())
    if reader.next.kind != "end":
        raise reader.wrong("an operator or the end comes next")
    return found


class _Parser:
    """Descends from what binds loosest to what binds tightest."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._depth = 0

    def expression(self) -> Expr:
        """Reads a whole expression."""
        self._depth += 1
        if self._depth > SQL_DEPTH_MAX:
            raise PlanTooDeepError(
                f"an expression in SQL is nested at most {SQL_DEPTH_MAX} deep: got "
                f"{self._reader.text[:80]!r}"
            )
        found = self._conjunction()
        while self._reader.accept("OR"):
            found = found | self._conjunction()
        self._depth -= 1
        return found

    def name(self) -> str:
        """Reads a name."""
        word = self._reader.next
        if word.kind not in ("name", "quoted"):
            raise self._reader.wrong("a name comes next")
        self._reader.take()
        if word.kind == "quoted":
            return word.text[1:-1].replace('""', '"')
        return word.text.lower()

    def _conjunction(self) -> Expr:
        found = self._negation()
        while self._reader.accept("AND"):
            found = found & self._negation()
        return found

    def _negation(self) -> Expr:
        negated = False
        while self._reader.accept("NOT"):
            negated = not negated
        found = self._predicate()
        return ~found if negated else found

    def _predicate(self) -> Expr:
        found = self._sum()
        while True:
            sign = self._reader.next.upper
            if sign in _COMPARISONS:
                self._reader.take()
                found = operator(_COMPARISONS[sign], found, self._sum())
            elif self._reader.accept("IS"):
                found = self._truth(found)
            else:
                tested = self._test(found)
                if tested is None:
                    return found
                found = tested

    def _truth(self, value: Expr) -> Expr:
        negated = "not " if self._reader.accept("NOT") else ""
        if self._reader.accept("DISTINCT", "FROM"):
            return operator(f"is {negated}distinct from", value, self._sum())
        for word in _TRUTHS:
            if self._reader.accept(word):
                return operator(f"is {negated}{word.lower()}", value)
        raise self._reader.wrong("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM follows IS")

    def _test(self, value: Expr) -> Expr | None:
        """Reads BETWEEN, IN and patterns, and NOT before them; None if none of them is next."""
        reader = self._reader
        negated = reader.next.upper == "NOT" and reader.after_next.upper in (
            "BETWEEN", "IN", "LIKE", "ILIKE", "SIMILAR",
        )  # fmt: skip
        if negated:
            reader.take()
        if reader.accept("BETWEEN"):
            low = self._sum()
            reader.expect("AND")
            return value.between(low, self._sum(), negated)
        if reader.accept("IN"):
            return value.in_list(self._listed("(", ")"), negated)
        patterns: dict[tuple[str, ...], Callable[[Expr], Expr]] = {
            ("LIKE",): value.like, ("ILIKE",): value.ilike, ("SIMILAR", "TO"): value.similar_to,
            ("~",): value.rlike,
        }  # fmt: skip
        for words, pattern in patterns.items():
            if reader.accept(*words):
                found = pattern(self._sum())
                return ~found if negated else found
        return None

    def _sum(self) -> Expr:
        found = self._product()
        while (sign := self._reader.next.upper) in ("+", "-", "||"):
            self._reader.take()
            found = operator(sign, found, self._product())
        return found

    def _product(self) -> Expr:
        found = self._factor()
        while (sign := self._reader.next.upper) in ("*", "/", "%"):
            self._reader.take()
            found = operator(sign, found, self._factor())
        return found

    def _factor(self) -> Expr:
        negative = False
        while (sign := self._reader.next.upper) in ("+", "-"):
            self._reader.take()
            negative ^= sign == "-"
        if negative and self._reader.next.kind == "number":
            # The smallest integer has no positive one.
            return self._postfix(lit(-_number(self._reader.take().text)))
        found = self._postfix(self._primary())
        return -found if negative else found

    def _postfix(self, found: Expr) -> Expr:
        while True:
            if self._reader.accept("::"):
                found = found.cast(self._type())
            elif self._reader.accept("["):
                key = self._reader.next
                if key.kind == "text":
                    found = found[_text(self._reader.take().text)]
                else:
                    found = scalar_call("array_element", arguments(found, self.expression()))
                self._reader.expect("]")
            else:
                return found

    def _primary(self) -> Expr:
        reader, word = self._reader, self._reader.next
        if word.kind in ("number", "text", "parameter"):
            return self._value()
        if reader.accept("("):
            found = self.expression()
            reader.expect(")")
            return found
        if word.upper == "[":
            return scalar_call("make_array", arguments(*self._listed("[", "]")))
        special = self._SPECIAL.get(word.upper)
        if special is not None:
            reader.take()
            return special(self)
        if reader.after_next.kind == "text" and word.upper in ("DATE", "TIMESTAMP"):
            data_type = self._type()
            return lit(_text(reader.take().text)).cast(data_type)
        if reader.after_next.upper == "(" and word.kind == "name":
            return self._call()
        return self._column()

    def _value(self) -> Expr:
        word = self._reader.take()
        if word.kind == "number":
            return lit(_number(word.text))
        if word.kind == "text":
            return lit(_text(word.text))
        given = word.text[1:]
        return placeholder(int(given) if given.isdecimal() else given)

    def _column(self) -> Expr:
        names = [self.name()]
        while self._reader.accept("."):
            names.append(self.name())
        return exact_column(names[-1], names[-2] if len(names) > 1 else None)

    def _call(self) -> Expr:
        name = self.name()
        self._reader.expect("(")
        distinct = self._reader.accept("DISTINCT")
        if self._reader.accept("*"):
            self._reader.expect(")")
            operands = arguments()
        else:
            operands = arguments(*self._items(")"))
        if name in AGGREGATE_FUNCTIONS:
            condition = None
            if self._reader.accept("FILTER", "(", "WHERE"):
                condition = self.expression()
                self._reader.expect(")")
            return aggregate_call(name, operands, distinct=distinct, filter=condition)
        if name in WINDOW_FUNCTIONS:
            return window_call(name, operands)
        return scalar_call(name, operands)

    def _case(self) -> Expr:
        base = None if self._reader.next.upper == "WHEN" else self.expression()
        built = CaseBuilder(base)
        while self._reader.accept("WHEN"):
            condition = self.expression()
            self._reader.expect("THEN")
            built = built.when(condition, self.expression())
        default = self.expression() if self._reader.accept("ELSE") else None
        self._reader.expect("END")
        return built.end() if default is None else built.otherwise(default)

    def _cast(self, *, tries: bool = False) -> Expr:
        self._reader.expect("(")
        value = self.expression()
        self._reader.expect("AS")
        data_type = self._type()
        self._reader.expect(")")
        return value.try_cast(data_type) if tries else value.cast(data_type)

    def _extract(self) -> Expr:
        self._reader.expect("(")
        part = self.name()
        self._reader.expect("FROM")
        value = self.expression()
        self._reader.expect(")")
        return scalar_call("date_part", arguments(part, value))

    def _interval(self) -> Expr:
        if self._reader.next.kind != "text":
            raise self._reader.wrong("a text such as '1 day' follows INTERVAL")
        text = _text(self._reader.take().text)
        if re.fullmatch(r"[-+]?\d+", text.strip()):
            text = f"{text} {self.name()}"
        return scalar_call("arrow_cast", arguments(text, "Interval(MonthDayNano)"))

    def _type(self) -> pa.DataType:
        word = self._reader.next
        if word.upper in ("DECIMAL", "NUMERIC"):
            self._reader.take()
            digits, scale = 38, 10
            if self._reader.accept("("):
                digits = int(self._reader.take().text)
                scale = int(self._reader.take().text) if self._reader.accept(",") else 0
                self._reader.expect(")")
            return pa.decimal128(digits, scale)
        if word.upper not in _TYPES:
            raise self._reader.wrong("a type of SQL comes next")
        self._reader.take()
        self._reader.accept("PRECISION")
        return _TYPES[word.upper]

    def _listed(self, opening: str, closing: str) -> list[Expr]:
        self._reader.expect(opening)
        return self._items(closing)

    def _items(self, closing: str) -> list[Expr]:
        if self._reader.accept(closing):
            return []
        items = [self.expression()]
        while self._reader.accept(","):
            items.append(self.expression())
        self._reader.expect(closing)
        return items

    _SPECIAL: Final[dict[str, Callable[["_Parser"], Expr]]] = {
        "CASE": _case,
        "CAST": _cast,
        "EXTRACT": _extract,
        "FALSE": lambda _: lit(False),  # noqa: FBT003 - the value
        "INTERVAL": _interval,
        "NULL": lambda _: lit(None),
        "TRUE": lambda _: lit(True),  # noqa: FBT003 - the value
        "TRY_CAST": lambda self: self._cast(tries=True),
    }


def _number(text: str) -> int | float:
    return int(text) if text.isdecimal() else float(text)


def _text(written: str) -> str:
    return written[1:-1].replace("''", "'")
