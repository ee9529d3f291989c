"""Joins: every type, by every algorithm, over NULL, duplicate, unmatched and absent keys.

A join that emits rows of its build side (LEFT, FULL, LEFT SEMI, LEFT ANTI, LEFT MARK, null-aware
anti) loses or repeats them when several tasks each hold the build side and a slice of the probe.
The engine builds from the smaller side and turns the type round for it, so that each text runs
with the left side smaller and with the right side smaller.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from oracle.case import BROADCAST, PARTITIONED, SORT_MERGE, Case, themed


@dataclass(frozen=True)
class _Shape:
    """A join as SQL writes it, and the type it has when built from the left and from the right."""

    text: str
    left_built: str
    right_built: str


_JOIN = "SELECT * FROM {left} {type} JOIN {right} ON {on}"
_MARK = "SELECT * FROM {left} WHERE ln = 3 OR {sense} (SELECT 1 FROM {right} WHERE {on})"
_SHAPES = {
    "inner": _Shape(_JOIN.replace("{type}", "INNER"), "Inner", "Inner"),
    "left": _Shape(_JOIN.replace("{type}", "LEFT"), "Left", "Right"),
    "right": _Shape(_JOIN.replace("{type}", "RIGHT"), "Right", "Left"),
    "full": _Shape(_JOIN.replace("{type}", "FULL"), "Full", "Full"),
    "left_semi": _Shape(_JOIN.replace("{type}", "LEFT SEMI"), "LeftSemi", "RightSemi"),
    "right_semi": _Shape(_JOIN.replace("{type}", "RIGHT SEMI"), "RightSemi", "LeftSemi"),
    "left_anti": _Shape(_JOIN.replace("{type}", "LEFT ANTI"), "LeftAnti", "RightAnti"),
    "right_anti": _Shape(_JOIN.replace("{type}", "RIGHT ANTI"), "RightAnti", "LeftAnti"),
    "mark": _Shape(_MARK.replace("{sense}", "EXISTS"), "LeftMark", "RightMark"),
    "mark_not": _Shape(_MARK.replace("{sense}", "NOT EXISTS"), "LeftMark", "RightMark"),
}
# Types that have rows though the left side is absent, and though the right side is.
_OUTLIVING = {
    "lefts_none": ("right", "full", "right_anti"),
    "lefts": ("left", "full", "left_anti", "mark_not"),
}
_NO_BUILD_ROWS = "the side that is broadcast has no row"
_EQUAL = "lk = rk"
_EQUAL_AND_MORE = "lk = rk AND ln <= rn"
_UNEQUAL = "ln < rn"


def _operator(settings: Mapping[str, str], on: str) -> str:
    """Returns the pattern of the operator that joins so, up to its join type."""
    if on == _UNEQUAL:
        return "NestedLoopJoinExec: join_type="
    if settings is SORT_MERGE:
        return "SortMergeJoinExec: join_type="
    mode = "Partitioned" if settings is PARTITIONED else "CollectLeft"
    return f"HashJoinExec: mode={mode}, join_type="


def _matrix(way: str, settings: Mapping[str, str], on: str) -> Iterator[Case]:
    """Every type in one way of joining, with either side smaller and with a side absent."""
    hashed = way in ("broadcast", "partitioned")
    operator = _operator(settings, on)
    for name, shape in _SHAPES.items():
        for left, right, built in (
            ("lefts", "rights_big", shape.left_built),
            ("lefts_big", "rights", shape.right_built),
        ):
            yield Case(
                name=f"{way}-{name}-{left}-{right}",
                sql=shape.text.format(left=left, right=right, on=on),
                tables=(left, right),
                settings=settings,
                # A merge join is not turned round.
                plan=(operator + ("" if settings is SORT_MERGE else f"{built}\\b"),),
            )
        for left, right in (("lefts_none", "rights"), ("lefts", "rights_none")):
            if hashed or name in _OUTLIVING[left]:
                yield Case(
                    name=f"{way}-{name}-{left}-{right}",
                    sql=shape.text.format(left=left, right=right, on=on),
                    tables=(left, right),
                    settings=settings,
                    plan=(operator,),
                    no_bytes="" if settings is not BROADCAST else _NO_BUILD_ROWS,
                    empty=name not in _OUTLIVING[left] and (name, left) != ("mark", "lefts"),
                )


def _residual() -> Iterator[Case]:
    """Keys that are equal, and a condition beside them that the join itself has to check."""
    for name, shape in _SHAPES.items():
        for way, settings in (("broadcast", BROADCAST), ("partitioned", PARTITIONED)):
            yield Case(
                name=f"{way}-residual-{name}",
                sql=shape.text.format(left="lefts", right="rights_big", on=_EQUAL_AND_MORE),
                tables=("lefts", "rights_big"),
                settings=settings,
                plan=(_operator(settings, _EQUAL_AND_MORE) + f"{shape.left_built}\\b",),
            )


def _null_keys() -> Iterator[Case]:
    """A side whose every key is NULL matches nothing."""
    for name in ("left", "right", "full", "left_anti", "right_anti", "mark_not"):
        yield Case(
            name=f"null_keys-{name}",
            sql=_SHAPES[name].text.format(left="lefts_null", right="rights_null", on=_EQUAL),
            tables=("lefts_null", "rights_null"),
            settings=PARTITIONED,
            plan=("mode=Partitioned",),
        )
        yield Case(
            name=f"null_keys-is_not_distinct-{name}",
            sql=_SHAPES[name].text.format(
                left="lefts", right="rights", on="lk IS NOT DISTINCT FROM rk"
            ),
            tables=("lefts", "rights"),
            settings=PARTITIONED,
            plan=("mode=Partitioned",),
        )


_NULL_AWARE = (
    "one null-aware anti join: any task's NULL decides for all, so one task holds both sides"
)


def _not_in() -> Iterator[Case]:
    """NOT IN: a NULL on the right leaves nothing, one on the left is never in, absent is all."""
    for left, right, empty in (
        ("lefts", "rights_full", False),
        ("lefts_big", "rights_full", False),
        ("lefts", "rights_big", True),
        ("lefts", "rights_null", True),
        ("lefts", "rights_none", False),
        ("lefts_null", "rights_none", False),
        ("lefts_null", "rights_full", True),
        ("lefts_none", "rights", True),
    ):
        yield Case(
            name=f"not_in-{left}-{right}",
            sql=f"SELECT * FROM {left} WHERE lk NOT IN (SELECT rk FROM {right})",
            tables=(left, right),
            plan=("join_type=LeftAnti",),
            empty=empty,
            one_place=_NULL_AWARE,
        )


_MORE = (
    Case(
        name="not_in-beside_other_conditions",
        sql="SELECT l, ln FROM lefts_big WHERE lk NOT IN (SELECT rk FROM rights_full) AND ln > 2",
        tables=("lefts_big", "rights_full"),
        one_place=_NULL_AWARE,
    ),
    Case(
        name="not_in-or",
        sql="SELECT l, ln FROM lefts_big WHERE lk NOT IN (SELECT rk FROM rights_full) OR ln = 2",
        tables=("lefts_big", "rights_full"),
    ),
    Case(
        name="in-with_nulls",
        sql="SELECT l, lk FROM lefts_big WHERE lk IN (SELECT rk FROM rights)",
        tables=("lefts_big", "rights"),
    ),
    Case(
        name="self",
        sql="SELECT a.l, b.l AS other FROM lefts a JOIN lefts b ON a.lk = b.lk AND a.l < b.l",
        tables=("lefts",),
        settings=PARTITIONED,
    ),
    Case(
        name="using",
        sql="SELECT k, label, count(*) AS n FROM facts FULL JOIN dims USING (k) GROUP BY k, label",
        tables=("facts", "dims"),
    ),
    Case(
        name="natural",
        sql="SELECT k, id, w FROM facts NATURAL LEFT JOIN dims",
        tables=("facts", "dims"),
    ),
    Case(
        name="two_keys_of_other_types",
        sql="""
            SELECT f.id, d.label FROM facts f JOIN dims d
            ON f.k = d.w - 10 AND CAST(f.h AS BIGINT) + 1 = d.k
        """,
        tables=("facts", "dims"),
        settings=PARTITIONED,
        empty=None,
    ),
    Case(
        name="on_decimal_and_date",
        sql="""
            SELECT a.id, b.id AS other FROM facts a JOIN facts b
            ON a.day = b.day AND (a.d - a.d IS NOT DISTINCT FROM b.d - b.d) AND a.id <> b.id
        """,
        tables=("facts",),
        settings=PARTITIONED,
    ),
    Case(
        name="on_float_keys",
        sql="""
            SELECT a.id, b.id AS other, a.x FROM facts a JOIN facts b ON a.x = b.x AND a.id < b.id
        """,
        tables=("facts",),
        settings=PARTITIONED,
    ),
    Case(
        name="on_nan_and_zero_signs",
        sql="SELECT a.id, b.id AS other FROM numbers a JOIN numbers b ON a.f64 = b.f64",
        tables=("numbers",),
        settings=PARTITIONED,
    ),
    Case(
        name="on_strings_after_a_left",
        sql="""
            SELECT f.id, d.label, e.id AS other FROM facts f
            LEFT JOIN dims d ON f.k = d.k
            LEFT JOIN facts e ON e.s = f.s AND e.id > f.id
        """,
        tables=("facts", "dims"),
        settings=PARTITIONED,
    ),
    Case(
        name="left_build_below_an_aggregate",
        sql="""
            SELECT lk, count(rk) AS n, count(*) AS rows FROM lefts
            LEFT JOIN rights_big ON lk = rk GROUP BY lk
        """,
        tables=("lefts", "rights_big"),
    ),
    Case(
        name="left_build_below_a_join",
        sql="""
            SELECT l, r, label FROM (SELECT * FROM lefts LEFT JOIN rights_big ON lk = rk)
            JOIN dims ON k = lk
        """,
        tables=("lefts", "rights_big", "dims"),
    ),
    Case(
        name="broadcast_of_a_join",
        sql="""
            SELECT f.id, x.r, x.label FROM facts f
            JOIN (SELECT * FROM rights JOIN dims ON rk = k) x ON f.k = x.k
        """,
        tables=("facts", "rights", "dims"),
    ),
    Case(
        name="broadcast_of_an_aggregate",
        sql="""
            SELECT f.id, x.n FROM facts f
            JOIN (SELECT k, sum(w) AS n FROM dims GROUP BY k) x ON f.k = x.k
        """,
        tables=("facts", "dims"),
    ),
    Case(
        name="broadcast_of_a_limit",
        sql="""
            SELECT f.id, x.id AS other FROM facts f
            JOIN (SELECT id, k FROM facts ORDER BY id DESC LIMIT 9) x ON f.k = x.k
        """,
        tables=("facts",),
    ),
    Case(
        name="full_of_fulls",
        sql="""
            SELECT a.l, b.r, c.label FROM lefts a
            FULL JOIN rights b ON lk = rk FULL JOIN dims c ON c.k = coalesce(lk, rk)
        """,
        tables=("lefts", "rights", "dims"),
    ),
    Case(
        name="cross",
        sql="SELECT l, r FROM lefts CROSS JOIN rights",
        tables=("lefts", "rights"),
        plan=("CrossJoinExec",),
    ),
    Case(
        name="cross-left_none",
        sql="SELECT l, r FROM lefts_none CROSS JOIN rights",
        tables=("lefts_none", "rights"),
        empty=True,
        no_bytes=_NO_BUILD_ROWS,
    ),
    Case(
        name="cross-of_three",
        sql="SELECT sum(a.w * b.w + c.w) AS n, count(*) AS rows FROM dims a, dims b, dims c",
        tables=("dims",),
        plan=("CrossJoinExec",),
    ),
    Case(
        name="cross-of_an_aggregate",
        sql="""
            SELECT f.id, f.q * 100.0 / t.total AS share FROM facts f, (SELECT sum(q) AS total
            FROM facts) t
        """,
        tables=("facts",),
    ),
    Case(
        name="range",
        sql="""
            SELECT f.id, d.label FROM facts f JOIN dims d
            ON f.q BETWEEN d.w AND d.w + 5 AND f.h <> d.w % 4
        """,
        tables=("facts", "dims"),
        plan=("NestedLoopJoinExec",),
    ),
    Case(
        name="on_true",
        sql="SELECT l, label FROM lefts LEFT JOIN dims ON TRUE WHERE ln > 4",
        tables=("lefts", "dims"),
    ),
    Case(
        name="on_false",
        sql="SELECT l, label FROM lefts FULL JOIN dims ON FALSE",
        tables=("lefts", "dims"),
    ),
    Case(
        name="lateral",
        sql="""
            SELECT f.id, x.w FROM facts f,
            LATERAL (SELECT max(d.w) AS w FROM dims d WHERE d.k = f.k) x WHERE f.id < 60
        """,
        tables=("facts", "dims"),
    ),
    Case(
        name="lateral-left",
        sql="""
            SELECT a.l, x.r FROM lefts a
            LEFT JOIN LATERAL (SELECT r FROM rights WHERE rk = a.lk) x ON TRUE
        """,
        tables=("lefts", "rights"),
    ),
)

CASES = themed(
    "join",
    (
        *_matrix("broadcast", BROADCAST, _EQUAL),
        *_matrix("partitioned", PARTITIONED, _EQUAL),
        *_matrix("sort_merge", SORT_MERGE, _EQUAL),
        *_matrix("nested_loop", BROADCAST, _UNEQUAL),
        *_residual(),
        *_null_keys(),
        *_not_in(),
        *_MORE,
    ),
)
