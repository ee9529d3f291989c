"""The golden plans: one query for each kind of operator that the pinned engine can produce.

`python -m engine.golden` in the folder above writes them anew, and what the plan view reads in them
to `plans/outlines.txt`; look at every change of the outlines.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionConfig, SessionContext

from springald.engine import plan_view as pv
from springald.engine.plan_view import PlanNode

PLANS: Final = Path(__file__).parent / "plans"
OUTLINES: Final = PLANS / "outlines.txt"
ELSEWHERE: Final = "golden"
_OPTIMIZER: Final = "datafusion.optimizer."


@dataclass(frozen=True)
class Golden:
    """A query and the settings under which its plan has an operator."""

    kind: str
    sql: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where its plan is kept."""
        return PLANS / f"{self.kind}.binpb"


_JOIN: Final = "SELECT p.a, q.b FROM p JOIN p AS q ON p.a = q.a"
_NO_HASH: Final = {f"{_OPTIMIZER}prefer_hash_join": "false"}
_BUFFERED: Final = {"datafusion.execution.hash_join_buffering_capacity": "1000"}

GOLDEN: Final = (
    Golden("parquet_scan", "SELECT a, b FROM p WHERE a > 1"),
    Golden("csv_scan", "SELECT a FROM c"),
    Golden("json_scan", "SELECT a FROM j"),
    Golden("arrow_scan", "SELECT a FROM w"),
    Golden("memory_scan", "SELECT * FROM (VALUES (1, 'x'), (2, 'y'))"),
    Golden("empty", "SELECT a FROM p WHERE FALSE"),
    Golden("placeholder_row", "SELECT 1 AS one"),
    Golden("generate_series", "SELECT value FROM generate_series(1, 9)"),
    Golden("projection", "SELECT a + sum(b) AS n FROM p GROUP BY a"),
    Golden("filter", "SELECT a FROM c WHERE a > 1"),
    Golden("global_limit", "SELECT a FROM p LIMIT 3 OFFSET 1"),
    Golden("local_limit", "SELECT unnest(make_array(a, b)) FROM p LIMIT 3"),
    Golden("aggregate", "SELECT a, sum(b) FROM p GROUP BY a"),
    Golden("window", "SELECT a, rank() OVER (PARTITION BY a ORDER BY b) FROM p"),
    Golden("sort", "SELECT a FROM p ORDER BY b DESC"),
    Golden("sort_preserving_merge", "SELECT a FROM p ORDER BY a"),
    Golden("merge", "SELECT sum(a) FROM c"),
    Golden("repartition", "SELECT DISTINCT a FROM p"),
    Golden("hash_join", _JOIN),
    Golden("buffer", _JOIN, _BUFFERED),
    Golden("sort_merge_join", _JOIN, _NO_HASH),
    Golden("nested_loop_join", "SELECT p.a FROM p JOIN c ON p.a < c.a"),
    Golden("cross_join", "SELECT p.a FROM p CROSS JOIN c"),
    Golden("union", "SELECT a FROM p UNION ALL SELECT a FROM c"),
    Golden("interleave", "SELECT a FROM p GROUP BY a UNION ALL SELECT a FROM c GROUP BY a"),
    Golden("unnest", "SELECT unnest(make_array(a, b)) FROM p"),
    Golden("scalar_subquery", "SELECT a FROM p WHERE b > (SELECT avg(b) FROM p)"),
    Golden("explain", "EXPLAIN SELECT 1"),
    Golden("analyze", "EXPLAIN ANALYZE SELECT a FROM c"),
)

NOT_MADE: Final[Mapping[str, str]] = {
    "async_func": "needs an asynchronous function of a user",
    "avro_scan": "the wheel has no Avro",
    "coalesce_batches": "operators of this version gather their own batches",
    "cooperative": "the operators that are read yield by themselves",
    "csv_sink": "nothing is written",
    "extension": "needs an operator of a user",
    "json_sink": "nothing is written",
    "parquet_sink": "nothing is written",
    "symmetric_hash_join": "needs tables without an end, which the engine does not write down",
}
"""Operators that the plan view knows and that no query here makes, with the reason."""


def fresh(golden: Golden) -> bytes:
    """Plans a golden query, over files that are said to lie elsewhere."""
    with TemporaryDirectory() as folder:
        context = _context(Path(folder), golden.settings)
        plan = context.sql(golden.sql).execution_plan()
        root = pv.parse(plan.to_bytes(context))
    for scan in (node for node in root.walk() if node.kind in pv.FILE_SCAN_KINDS):
        conf = pv.scan_conf(scan)
        for group in conf.file_groups:
            for file in group.files:
                file.path = f"{ELSEWHERE}/{Path(file.path).parent.name}/{Path(file.path).name}"
                file.last_modified_ns = 0
        scan.body = pv.with_scan_conf(scan, conf).body
    return pv.serialize(root)


def outline(root: PlanNode) -> list[str]:
    """Writes a plan's operators, each with what the planner looks at."""
    return list(_outlined(root, 0))


def recorded() -> dict[str, list[str]]:
    """Reads the outlines that the golden plans had when they were written."""
    blocks = OUTLINES.read_text().split("\n\n")
    return {block.split("\n")[0]: block.split("\n")[1:] for block in blocks}


def _outlined(node: PlanNode, level: int) -> Iterator[str]:
    yield " " * level + " ".join([node.kind, *_seen(node)])
    for child in node.children:
        yield from _outlined(child, level + 1)


def _seen(node: PlanNode) -> list[str]:
    body = node.body
    if node.kind in pv.FILE_SCAN_KINDS:
        conf = pv.scan_conf(node)
        files = [[file.path for file in group.files] for group in conf.file_groups]
        return [str(files), str(list(conf.projection)), conf.object_store_url]
    if node.kind == "memory_scan":
        return [f"{len(body.partitions)} partitions"]
    names = (
        "mode", "join_type", "partition_mode", "null_aware", "skip", "fetch", "partitions",
        "preserve_partitioning", "preserve_order",
    )  # fmt: skip
    known = {each.name for each in body.DESCRIPTOR.fields}
    seen = [f"{name}={getattr(body, name)}" for name in names if name in known]
    if node.kind == "repartition":
        spread = body.partitioning
        seen.append(f"{spread.WhichOneof('method')} {spread.hash.partition_count}")
        seen.append(f"{len(spread.hash.hash_expr)} keys")
    lists = ("group_expr", "aggr_expr", "expr", "window_expr", "partition_keys", "on")
    seen.extend(f"{len(getattr(body, name))} {name}" for name in lists if name in known)
    return seen


def _context(home: Path, settings: Mapping[str, str]) -> SessionContext:
    config = SessionConfig().with_target_partitions(3)
    usual = {
        f"{_OPTIMIZER}enable_dynamic_filter_pushdown": "false",
        f"{_OPTIMIZER}hash_join_single_partition_threshold": "0",
        f"{_OPTIMIZER}hash_join_single_partition_threshold_rows": "0",
        f"{_OPTIMIZER}enable_round_robin_repartition": "false",
    }
    for name, value in {**usual, **settings}.items():
        config = config.set(name, value)
    context = SessionContext(config)
    for name, kind in (("p", "parquet"), ("c", "csv"), ("j", "json"), ("w", "arrow")):
        _write(home / name, kind)
        context.sql(
            f"CREATE EXTERNAL TABLE {name} STORED AS {kind.upper()} LOCATION '{home / name}/'"
        )
    return context


def _write(folder: Path, kind: str) -> None:
    folder.mkdir()
    for part in range(2):
        path = folder / f"{part}.{kind}"
        rows = pa.table({"a": [part, part + 1], "b": [part * 10, 5]})
        match kind:
            case "parquet":
                pq.write_table(rows, path)
            case "csv":
                path.write_text("a,b\n" + "".join(f"{r['a']},{r['b']}\n" for r in rows.to_pylist()))
            case "json":
                lines = [f'{{"a": {r["a"]}, "b": {r["b"]}}}\n' for r in rows.to_pylist()]
                path.write_text("".join(lines))
            case "arrow":
                with pa.ipc.new_file(path, rows.schema) as writer:
                    writer.write_table(rows)


def main() -> None:
    """Writes the golden plans anew."""
    PLANS.mkdir(exist_ok=True)
    for golden in GOLDEN:
        golden.path.write_bytes(fresh(golden))
    blocks = [[each.kind, *outline(pv.parse(each.path.read_bytes()))] for each in GOLDEN]
    OUTLINES.write_text("\n\n".join("\n".join(block) for block in blocks))


if __name__ == "__main__":
    main()
