"""Rules for measured stages, on real executors: they are applied, told of, and change no answer."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from oracle.product import SPREAD, ProductSession, open_session
from targets import Target

ROWS = 20_000
KEYS = 400
FILES = 4
PARTITIONED = {
    **SPREAD,
    "datafusion.optimizer.hash_join_single_partition_threshold": "0",
    "datafusion.optimizer.hash_join_single_partition_threshold_rows": "0",
    "springald.range_placement": "never",
    "springald.runtime_filters": "never",
}
SUMS = (
    "SELECT d.g, count(*) AS n, sum(f.v) AS v FROM {build} d JOIN facts f ON d.k = f.k "
    "GROUP BY d.g ORDER BY d.g"
)
KEPT = (
    "SELECT d.g, count(*) AS n FROM (SELECT * FROM dims WHERE k < 9) d "
    "WHERE {negated} EXISTS (SELECT 1 FROM facts f WHERE f.k = d.k AND f.v > 9) "
    "GROUP BY d.g ORDER BY d.g"
)
GUESSED = (
    "SELECT f.k, count(*) AS n, sum(f.v + d.v) AS v FROM (SELECT * FROM facts WHERE v % 7 >= 0) f "
    "JOIN (SELECT k, max(v) AS v FROM facts GROUP BY k) d ON d.k = f.k GROUP BY f.k ORDER BY f.k"
)
"""The engine takes the side of many rows for the one of few, and has its table built of it."""

SOME = "(SELECT * FROM dims WHERE k < 9)"
NONE = "(SELECT * FROM dims WHERE k < -1)"
RULES = {
    "springald.adaptive_broadcast": (SUMS.format(build=SOME), "which broadcasts its build side"),
    "springald.adaptive_coalesce": (SUMS.format(build="dims"), "runs as 1 task instead of"),
    "springald.adaptive_filter": (KEPT.format(negated="NOT"), "is filtered by the keys of"),
    "springald.adaptive_merge": (SUMS.format(build="dims"), ": it reads "),
    "springald.adaptive_skip_empty": (SUMS.format(build=NONE), "is not run"),
    "springald.adaptive_split": (SUMS.format(build="dims"), " parts"),
    "springald.adaptive_swap": (GUESSED, "swaps the sides of a join"),
}


@pytest.fixture(scope="module")
def session(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductSession]:
    """A session with facts of which nearly all have one key, and with what they are joined with."""
    home = tmp_path_factory.mktemp("measured")
    keys = [7 if i % 100 else i // 100 % KEYS for i in range(ROWS)]
    _write(home / "facts", pa.table({"k": keys, "v": list(range(ROWS))}))
    _write(home / "dims", pa.table({"k": list(range(KEYS)), "g": [i % 3 for i in range(KEYS)]}))
    with open_session(target) as opened:
        opened.parquet("facts", home / "facts")
        opened.parquet("dims", home / "dims")
        opened.apply(PARTITIONED)
        yield opened


def _write(folder: Path, rows: pa.Table) -> None:
    folder.mkdir()
    step = -(-rows.num_rows // FILES)
    for part in range(FILES):
        pq.write_table(rows.slice(part * step, step), folder / f"{part}.parquet")


@pytest.mark.parametrize("rule", RULES)
def test_rule_for_measured_stages_is_applied_and_told_of_and_changes_no_answer(
    rule: str, session: ProductSession, target: Target
) -> None:
    """Off, nothing is said of stages; on a cluster, the rule is, and rows are the same."""
    sql, sentence = RULES[rule]
    never = dict.fromkeys(RULES, "never")
    session.apply(never)
    planned = session.run(sql)
    session.apply({rule: "always"})
    measured = session.run(sql)
    assert measured.rows == planned.rows
    assert not [each for each in planned.job.statistics().decisions if "stage" in each]
    decisions = measured.job.statistics().decisions
    assert any(sentence in each for each in decisions) or not target.is_cluster, decisions
