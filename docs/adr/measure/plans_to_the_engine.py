"""Which ways lead a logical plan into the engine, what each carries, and what each costs.

Measures what ADR 0016 states. Each query goes through the engine's own serialisations: its logical
plan as protobuf, and Substrait. What comes back is run and compared.
"""

import tempfile
import time
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionContext
from datafusion.plan import LogicalPlan
from datafusion.substrait import Consumer, Serde

QUERIES = {
    "filter": "SELECT a, b FROM t WHERE a > 1",
    "aggregate": "SELECT b, sum(a) FROM t GROUP BY b",
    "grouping sets": "SELECT b, sum(a) FROM t GROUP BY ROLLUP (b)",
    "distinct aggregate": "SELECT count(DISTINCT a) FILTER (WHERE a > 1) FROM t",
    "semi join": "SELECT * FROM t LEFT SEMI JOIN u ON t.a = u.a",
    "join of nulls": "SELECT t.b FROM t JOIN u ON t.a IS NOT DISTINCT FROM u.a",
    "window": "SELECT a, sum(a) OVER (ORDER BY a ROWS 1 PRECEDING) FROM t",
    "window filter": "SELECT sum(a) FILTER (WHERE a > 1) OVER (ORDER BY a) FROM t",
    "exists": "SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)",
    "scalar subquery": "SELECT (SELECT max(a) FROM u) FROM t",
    "lateral": "SELECT t.a FROM t CROSS JOIN LATERAL (SELECT 1 FROM u WHERE u.a = t.a) x",
    "recursive": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) "
    "SELECT * FROM r",
    "unnest": "SELECT unnest(l) FROM t",
    "distinct on": "SELECT DISTINCT ON (b) b, a FROM t ORDER BY b, a",
    "literals": "SELECT arrow_cast(1, 'Float16'), arrow_cast(1, 'Decimal256(60, 2)'), [1, NULL]",
}
TABLES = {
    "t": {"a": [1, 2, 3, None], "b": ["x", "y", "x", None], "l": [[1], [], None, [2, 3]]},
    "u": {"a": [1, None]},
}
ROUNDS = 30


def by_protobuf(context: SessionContext, sql: str) -> Callable[[], pa.Table]:
    """The engine's logical plan as its own protobuf message."""
    data = context.sql(sql).logical_plan().to_bytes(context)
    return lambda: context.create_dataframe_from_logical_plan(
        LogicalPlan.from_bytes(context, data)
    ).to_arrow_table()


def by_substrait(context: SessionContext, sql: str) -> Callable[[], pa.Table]:
    """The plan as Substrait."""
    data = bytes(Serde.serialize_bytes(sql, context))
    return lambda: context.create_dataframe_from_logical_plan(
        Consumer.from_substrait_plan(context, Serde.deserialize_bytes(data))
    ).to_arrow_table()


def by_sql(context: SessionContext, sql: str) -> Callable[[], pa.Table]:
    """The text."""
    return lambda: context.sql(sql).to_arrow_table()


def outcome(way: Callable[[SessionContext, str], Callable[[], pa.Table]], sql: str) -> str:
    """Says what became of a query, and how long a run takes."""
    context = SessionContext()
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in TABLES.items():
            pq.write_table(pa.table(rows), f"{folder}/{name}.parquet")
            context.register_parquet(name, f"{folder}/{name}.parquet")
        return _outcome(context, way, sql)


def _outcome(
    context: SessionContext, way: Callable[[SessionContext, str], Callable[[], pa.Table]], sql: str
) -> str:
    want = context.sql(sql).to_arrow_table()
    try:
        run = way(context, sql)
        got = run()
    except BaseException as failure:  # noqa: BLE001 - the engine may panic
        return f"refused: {str(failure)[:60]!r}"
    same = sorted(map(str, got.to_pylist())) == sorted(map(str, want.to_pylist()))
    if got.schema.types != want.schema.types or not same:
        return "OTHER ANSWER"
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        run()
    return f"{(time.perf_counter() - begun) / ROUNDS * 1000:.1f} ms"


if __name__ == "__main__":
    for name, sql in QUERIES.items():
        told = [outcome(way, sql) for way in (by_sql, by_protobuf, by_substrait)]
        print(f"{name:20} | {' | '.join(told)}")
