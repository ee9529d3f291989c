"""Joins that are filtered or swapped when sizes are known, on keys that are hard to compare."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from core_cluster import CoreCluster
from planning.conftest import PARTITIONED, Simulate
from simulate import Simulation, rows_of

from springald_scheduler.core.graph import FilterOffer, StageGraph

NAN = float("nan")
NOON = datetime(2024, 3, 31, 12, tzinfo=UTC)
KEYS: dict[str, pa.Array] = {
    "whole": pa.array([None, 3, 3, 5, -1, 7, 9, 11, 0], pa.int64()),
    "small": pa.array([None, 3, 3, 5, 1, 7, 9, 11, 0], pa.uint8()),
    "real": pa.array([None, 0.0, -0.0, NAN, -NAN, 1.5, float("inf"), -1.5, 1e300]),
    "decimal": pa.array(
        [None, *(Decimal(n).scaleb(-2) for n in range(-3, 5))], pa.decimal128(9, 2)
    ),
    "date": pa.array([None, *(date(1969, 12, 28) + timedelta(days=n) for n in range(8))]),
    "moment": pa.array(
        [None, *(NOON + timedelta(hours=n) for n in range(8))], pa.timestamp("us", "Europe/Paris")
    ),
    "text": pa.array([None, "", "a", "A", "ä", "a ", "b", "zz", "z"]),
    "code": pa.array([None, "", "a", "A", "ä", "a ", "b", "zz", "z"]).dictionary_encode(),
    "flag": pa.array([None, True, False] * 3),
}
JOINS = (
    "SELECT l.v, r.v FROM {l} l INNER JOIN {r} r ON {on}",
    "SELECT l.v, r.v FROM {l} l LEFT JOIN {r} r ON {on}",
    "SELECT l.v, r.v FROM {l} l RIGHT JOIN {r} r ON {on}",
    "SELECT l.v, r.v FROM {l} l FULL JOIN {r} r ON {on}",
    "SELECT l.v FROM {l} l LEFT SEMI JOIN {r} r ON {on}",
    "SELECT l.v FROM {l} l LEFT ANTI JOIN {r} r ON {on}",
    "SELECT r.v FROM {l} l RIGHT SEMI JOIN {r} r ON {on}",
    "SELECT r.v FROM {l} l RIGHT ANTI JOIN {r} r ON {on}",
    "SELECT l.v FROM {l} l WHERE l.v < 9 OR EXISTS (SELECT 1 FROM {r} r WHERE {on})",
    "SELECT l.v, r.n FROM {l} l JOIN (SELECT k, count(*) AS n FROM {r} r GROUP BY k) r USING (k)",
    "SELECT l.k, count(*), max(r.v) FROM {l} l LEFT JOIN {r} r ON {on} GROUP BY l.k",
)
SIDES = (
    ("(SELECT * FROM few WHERE v % 3 <> 1)", "many"),
    ("many", "(SELECT * FROM few WHERE v % 3 <> 1)"),
    ("(SELECT * FROM few WHERE v > 999)", "many"),
    ("(SELECT * FROM many WHERE v % 5 > 0)", "(SELECT k, max(v) AS v FROM many GROUP BY k)"),
)
CONDITIONS = ("l.k = r.k", "l.k = r.k AND l.v + 3 < r.v", "l.k IS NOT DISTINCT FROM r.k")


def _opened(simulate: Simulate, folder: Path, keys: pa.Array, **rules: str) -> Simulation:
    forced = {f"springald.adaptive_{rule}": wanted for rule, wanted in rules.items()}
    others = {f"springald.adaptive_{rule}": "never" for rule in ("broadcast", "coalesce")}
    simulation = simulate({**PARTITIONED, **others, **forced})
    few = [0, 1, 1, 2, 3, 5, 6]
    many = [n * 5 % len(keys) for n in range(60)]
    for name, places in (("few", few), ("many", many)):
        rows = pa.table({"k": keys.take(pa.array(places)), "v": list(range(len(places)))})
        simulation.statement(_files(folder, name, rows))
    return simulation


def _decided(simulation: Simulation, query: str) -> tuple[str, ...]:
    want = rows_of(simulation.one_process(query))
    graph = simulation.graph(query)
    if graph.stages[0].fragment.query is not None:
        return ()
    cluster = CoreCluster(simulation, (1, 1))
    assert rows_of(cluster.run(graph)) == want, query
    return cluster.decisions


@pytest.mark.parametrize("rule", ["filter", "swap"])
@pytest.mark.parametrize("keys", KEYS)
def test_join_that_is_planned_anew_gives_the_rows_of_one_process(
    simulate: Simulate, tmp_path: Path, keys: str, rule: str
) -> None:
    """NULL, NaN, both zeros, duplicates and empty sides find the same partners."""
    simulation = _opened(simulate, tmp_path, KEYS[keys], **{rule: "always"})
    decisions: list[str] = []
    for left, right in SIDES:
        for join in JOINS:
            for on in CONDITIONS if keys in {"whole", "real"} else CONDITIONS[:1]:
                decisions += _decided(simulation, join.format(l=left, r=right, on=on))
    word = {"filter": "is filtered by the keys", "swap": "swaps the sides"}[rule]
    told = sum(word in each for each in decisions)
    assert bool(told) or (rule, keys) in {("filter", "text"), ("filter", "code")}


def _files(folder: Path, name: str, rows: pa.Table) -> str:
    (folder / name).mkdir()
    half = -(-rows.num_rows // 2)
    for part in range(2):
        pq.write_table(rows.slice(part * half, half), folder / name / f"{part}.parquet")
    return f"CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{folder / name}/'"


def _waits(graph: StageGraph) -> list[FilterOffer]:
    offers = [offer for stage in graph.stages for offer in stage.adaptive.offers]
    return [offer for offer in offers if isinstance(offer, FilterOffer)]


def test_stage_waits_for_keys_that_may_filter_it(simulate: Simulate, tmp_path: Path) -> None:
    """Keys of which nothing was dropped, or that come of few rows in proportion, filter nothing."""
    limits = dict(zip(sorted(PARTITIONED), ("100000", "100"), strict=True))
    simulation = simulate({**limits, "springald.range_placement": "never"})
    keys = [n * 7 % 1000 for n in range(1000)]
    simulation.statement(_files(tmp_path, "keyed", pa.table({"k": keys, "w": list(range(1000))})))
    keys = [n * 11 % 1000 for n in range(8000)]
    simulation.statement(_files(tmp_path, "held", pa.table({"k": keys, "v": list(range(8000))})))
    kept = "SELECT count(*) FROM {side} d WHERE NOT EXISTS (SELECT 1 FROM held h WHERE h.k = d.k)"
    some = kept.format(side="(SELECT * FROM keyed WHERE w % 50 = 0)")
    (offer,) = _waits(simulation.graph(some))
    assert offer.rows_max == 100
    assert any("is filtered by the keys" in each for each in _decided(simulation, some))
    most = kept.format(side="(SELECT * FROM keyed WHERE w % 50 <> 0)")
    assert _waits(simulation.graph(most))
    assert not any("is filtered" in each for each in _decided(simulation, most))
    assert not _waits(simulation.graph(kept.format(side="keyed")))
    varying = some.replace("FROM held h", "FROM (SELECT * FROM held WHERE random() < 2) h")
    assert not _waits(simulation.graph(varying))
    simulation.set("springald.adaptive_filter", "never")
    assert not _waits(simulation.graph(some))
