"""Rules that improve a plan before it is cut, and the answers with each of them forced and off.

The tables lie in the order of a key, in several files of several row groups, and the row groups of
one table straddle those of the other.
"""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planning.conftest import PARTITIONED, Simulate
from simulate import Simulation

from springald_scheduler.planning.placed import Placement
from springald_scheduler.planning.row_groups import row_groups

PLACEMENT = "springald.range_placement"
FILTERS = "springald.runtime_filters"
ORDERS = 600
RANGES_MIN = 15
FILTERS_MIN = 4
"""How many queries the forced rules apply to, so that none gives way unseen."""


def _queries(text: str) -> list[str]:
    return [" ".join(query.split()) for query in text.split(";")]


QUERIES = _queries("""
    SELECT o.k, i.n, i.q FROM orders o JOIN items i ON o.k = i.k;
    SELECT o.k, i.n FROM orders o LEFT JOIN items i ON o.k = i.k AND i.q > 40;
    SELECT o.c, i.k FROM orders o RIGHT JOIN items i ON o.k = i.k AND o.c = 3;
    SELECT o.k, i.k FROM orders o FULL JOIN items i ON o.k = i.k AND o.c = 3 AND i.q > 25;
    SELECT k, c FROM orders o WHERE EXISTS (SELECT 1 FROM items i WHERE i.k = o.k AND q > 45);
    SELECT k, c FROM orders o WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.k = o.k AND q > 9);
    SELECT k, n FROM items i WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE i.k = o.k AND c < 4);
    SELECT k FROM orders WHERE k NOT IN (SELECT k FROM items WHERE q > 30);
    SELECT k, sum(q), count(*) FROM items GROUP BY k;
    SELECT k, n % 2, avg(q) FROM items GROUP BY k, n % 2;
    SELECT k, c, count(*) FROM orders JOIN items USING (k) GROUP BY k, c;
    SELECT count(DISTINCT k) FROM items;
    SELECT k, n, sum(q) OVER (PARTITION BY k ORDER BY n) FROM items;
    SELECT k, n, rank() OVER (PARTITION BY k, n % 2 ORDER BY q, n) FROM items WHERE q < 30;
    SELECT o.k, t FROM orders o JOIN (SELECT k, sum(q) AS t FROM items GROUP BY k HAVING
        sum(q) > 80) b ON o.k = b.k;
    SELECT c, o.k, sum(q) FROM orders o JOIN items i ON o.k = i.k WHERE o.k IN (SELECT k FROM
        items GROUP BY k HAVING sum(q) > 90) GROUP BY c, o.k;
    SELECT o.c, t.w, count(*) FROM orders o, items i, parts t WHERE o.k = i.k AND i.p = t.p
        GROUP BY o.c, t.w;
    SELECT o.k, i.n, s.cost FROM orders o, items i, stock s, parts t WHERE o.k = i.k AND
        s.p = i.p AND s.c = o.c AND t.p = i.p AND t.w = 'w1';
    SELECT sum(i.q) FROM items i, parts t WHERE t.p = i.p AND t.w = 'w2' AND i.q < (SELECT
        0.7 * avg(q) FROM items j WHERE j.p = t.p);
    SELECT s.p, s.c FROM stock s WHERE s.p IN (SELECT p FROM parts WHERE w = 'w3') AND s.cost >
        (SELECT 0.1 * sum(q) FROM items i WHERE i.p = s.p AND i.n > 1);
    SELECT t.p, b.t FROM parts t LEFT JOIN (SELECT p, sum(q) AS t FROM items GROUP BY p) b
        ON t.p = b.p WHERE t.w = 'w4';
    SELECT t.p, b.t FROM (SELECT p, max(q) AS t FROM items GROUP BY p) b FULL JOIN
        (SELECT * FROM parts WHERE w = 'w4') t ON t.p = b.p;
    SELECT t.p, b.t FROM (SELECT p, max(q) AS t FROM items GROUP BY p) b RIGHT JOIN
        (SELECT * FROM parts WHERE w = 'w1') t ON t.p = b.p;
    SELECT b.p, b.t FROM (SELECT p, max(q) AS t FROM items GROUP BY p) b WHERE NOT EXISTS
        (SELECT 1 FROM parts t WHERE t.p = b.p AND t.w = 'w1');
    SELECT a.k, b.t FROM (SELECT k, count(*) AS t FROM items GROUP BY k) a JOIN (SELECT c AS k,
        count(*) AS t FROM orders GROUP BY c) b ON a.k = b.k;
    SELECT a.k, a.t, b.t FROM (SELECT k, sum(q) AS t FROM items GROUP BY k) a JOIN (SELECT p AS k,
        sum(q) AS t FROM items GROUP BY p) b ON a.k = b.k;
    SELECT i.k, s.cost FROM items i JOIN stock s ON i.p = s.p WHERE i.k IN (SELECT k FROM orders
        WHERE c = 2);
    SELECT x.k, y.k FROM items x JOIN items y ON x.k = y.k AND x.n < y.n;
    SELECT k, n FROM items UNION ALL SELECT k, c FROM orders;
    SELECT u.k, count(*) FROM (SELECT k FROM items UNION ALL SELECT k FROM orders) u GROUP BY u.k;
    SELECT k, q FROM items ORDER BY q DESC, k, n LIMIT 9;
    SELECT d.d, count(*) FROM days d JOIN days e ON d.d = e.d GROUP BY d.d;
    SELECT m.k, count(*) FROM maybe m JOIN orders o ON m.k = o.k GROUP BY m.k;
    SELECT k, count(*) FROM maybe GROUP BY k
""")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables in the order of their keys; `maybe` has NULLs among them."""
    folder = tmp_path_factory.mktemp("ordered")
    orders = [{"k": 3 * k, "c": k % 7} for k in range(ORDERS)]
    items = [
        {"k": 3 * k + (k % 5 == 4), "n": n, "p": (k * 13 + n * 7) % 40, "q": (k * 31 + n * 17) % 50}
        for k in range(ORDERS)
        for n in range(k % 4 + 1)
    ]
    parts = [{"p": p, "w": f"w{p % 6}"} for p in range(45)]
    stock = [{"p": p, "c": c, "cost": (p * 11 + c * 5) % 23} for p in range(40) for c in range(7)]
    days = [{"d": d // 3} for d in range(300)]
    maybe = [{"k": None if k % 11 == 0 else k} for k in range(400)]
    _write(folder / "orders", pa.Table.from_pylist(orders), files=3, group_rows=70)
    _write(folder / "items", pa.Table.from_pylist(items), files=4, group_rows=90)
    _write(folder / "parts", pa.Table.from_pylist(parts), files=2, group_rows=10)
    _write(folder / "stock", pa.Table.from_pylist(stock), files=2, group_rows=50)
    dates = pa.Table.from_pylist(days).cast(pa.schema([("d", pa.int32())]))
    dates = dates.cast(pa.schema([("d", pa.date32())]))
    _write(folder / "days", dates, files=2, group_rows=40)
    _write(folder / "maybe", pa.Table.from_pylist(maybe), files=2, group_rows=50)
    return folder


def _write(folder: Path, table: pa.Table, *, files: int, group_rows: int) -> None:
    folder.mkdir()
    size = -(-table.num_rows // files)
    for number in range(files):
        part = table.slice(number * size, size)
        pq.write_table(part, folder / f"{number}.parquet", row_group_size=group_rows)


def _opened(simulate: Simulate, tables: Path, settings: dict[str, str]) -> Simulation:
    fine = {"datafusion.optimizer.repartition_file_min_size": "0", **settings}
    simulation = simulate(settings=fine)
    for folder in sorted(tables.iterdir()):
        statement = f"CREATE EXTERNAL TABLE {folder.name} STORED AS PARQUET LOCATION '{folder}/'"
        simulation.statement(statement)
    simulation.set("springald.distribution", "always")
    return simulation


@pytest.mark.parametrize("wanted", ["always", "never", "auto"])
@pytest.mark.parametrize("joins", [{}, PARTITIONED], ids=["broadcast", "partitioned"])
def test_answers_are_the_same_with_rules_forced_and_off(
    simulate: Simulate, tables: Path, joins: dict[str, str], wanted: str
) -> None:
    """No rule changes an answer, whether it may judge, is forced, or is off."""
    simulation = _opened(simulate, tables, joins)
    simulation.set(PLACEMENT, wanted)
    simulation.set(FILTERS, wanted)
    decided = [" ".join(simulation.check(query).decisions) for query in QUERIES]
    assert any(decided) is (wanted != "never")
    if wanted == "always":
        assert sum("ranges of" in each for each in decided) >= RANGES_MIN
        assert sum("is filtered" in each for each in decided) >= FILTERS_MIN


def test_rule_that_fails_costs_its_gain_and_not_the_query(
    simulate: Simulate, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is then cut as it is, and says why."""

    def fail(*_: object) -> None:
        raise ValueError("a rule's own mistake")

    simulation = _opened(simulate, tables, {})
    monkeypatch.setattr(Placement, "improve", fail)
    (decision,) = simulation.check(QUERIES[0]).decisions
    assert "a rule's own mistake" in decision


def test_strings_that_a_join_gathered_are_copied_before_the_next_gathers_them(
    simulate: Simulate, tables: Path
) -> None:
    """Where no exchange copies string views, a projection does."""
    simulation = _opened(simulate, tables, {})
    simulation.set(PLACEMENT, "always")
    query = (
        "SELECT t.w, o.k, sum(i.q) FROM parts t JOIN orders o ON t.p = o.c "
        "JOIN items i ON o.k = i.k GROUP BY t.w, o.k"
    )
    graph = simulation.check(query)
    details = [operator.detail for stage in graph.stages for operator in stage.operators]
    assert any("AS Utf8) AS Utf8View)" in detail for detail in details)


def test_what_a_query_asks_for_twice_is_computed_once(simulate: Simulate, tables: Path) -> None:
    """Equal stages are one stage, unless what they compute may vary."""
    simulation = _opened(simulate, tables, PARTITIONED)
    twice = (
        "WITH t AS (SELECT p, sum(q) AS s FROM items{} GROUP BY p) "
        "SELECT a.p, a.s FROM t a WHERE a.s >= (SELECT max(s) FROM t b)"
    )
    once = simulation.check(twice.format(""))
    varies = simulation.graph(twice.format(" WHERE random() < 2"))
    assert len(once.stages) < len(varies.stages)


@pytest.mark.parametrize(("rows", "times"), [(20, 1), (20_000, 0)])
def test_upload_filters_a_table_only_if_it_is_smaller(
    simulate: Simulate, tables: Path, rows: int, times: int
) -> None:
    """Rows that a client sent are weighed by what they take, although they have no files."""
    simulation = _opened(simulate, tables, {PLACEMENT: "never"})
    sent = pa.table({"p": list(range(rows)), "w": [f"w{n % 5}" for n in range(rows)]})
    simulation.upload("sent", sent)
    graph = simulation.check(
        "SELECT s.w, b.t FROM (SELECT p, sum(q) AS t FROM items GROUP BY p) b "
        "JOIN sent s ON b.p = s.p WHERE s.w = 'w1'"
    )
    assert sum("is filtered" in each for each in graph.decisions) == times


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("DATE", pa.array(range(5_000_000, 5_000_400), pa.int32()).cast(pa.date32())),
        ("INT", pa.array(range(2**31 - 50, 2**31 + 350), pa.int64())),
    ],
    ids=["dates of year 15659", "numbers wider than the table's"],
)
def test_keys_that_cannot_be_told_are_not_read_in_ranges(
    simulate: Simulate, tmp_path: Path, kind: str, values: pa.Array
) -> None:
    """Keys beyond Python's dates, or beyond the table's type, cost the rule and not the plan."""
    _write(tmp_path / "far", pa.table({"k": values}), files=1, group_rows=70)
    simulation = simulate(settings={"datafusion.optimizer.repartition_file_min_size": "0"})
    simulation.statement(
        f"CREATE EXTERNAL TABLE far (k {kind}) STORED AS PARQUET LOCATION '{tmp_path}/far/'"
    )
    simulation.set("springald.distribution", "always")
    simulation.set(PLACEMENT, "always")
    graph = simulation.graph("SELECT a.k, count(*) FROM far a JOIN far b ON a.k = b.k GROUP BY a.k")
    assert graph.decisions == ()


def test_row_groups_of_a_file_that_took_another_s_place_are_its_own(tmp_path: Path) -> None:
    """A file of the same name, size and time is another one if its number is."""
    known = []
    for low in (0, 1000):
        fresh = tmp_path / "fresh"
        pq.write_table(pa.table({"k": list(range(low, low + 9))}), fresh, compression="none")
        os.utime(fresh, ns=(1, 1))
        (tmp_path / f"kept {low}").hardlink_to(fresh)  # so that its number is not given again
        fresh.replace(tmp_path / "file")
        size = (tmp_path / "file").stat().st_size
        found = row_groups(str(tmp_path / "file"), size, 1, "k") or ()
        known.append((size, [group.low for group in found]))
    (first, lows), (second, others) = known
    assert first == second
    assert (lows, others) == ([0], [1000])
