"""Small tables whose groups and join partners are spread over all of their files."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from plan_rows import dims, facts
from simulate import Simulation

PARTITIONED = {
    "datafusion.optimizer.hash_join_single_partition_threshold": "0",
    "datafusion.optimizer.hash_join_single_partition_threshold_rows": "0",
}

Simulate = Callable[..., Simulation]


@pytest.fixture(scope="session")
def statements(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The statements that make all tables."""
    home = tmp_path_factory.mktemp("tables")
    return [
        _table(home, "facts", facts(), files=4),
        _table(home, "dims", dims(), files=3),
        _table(home, "skewed", _skewed(), files=4),
        _table(home, "ordered", _ordered(), files=4, clauses="WITH ORDER (id ASC)"),
        _table(home, "one", dims().slice(0, 1), files=1),
        _table(home, "none", dims().slice(0, 0), files=3),
        _folders(home),
    ]


@pytest.fixture
def simulate(tmp_path: Path, statements: list[str]) -> Simulate:
    """Makes simulations that have the tables."""

    def make(settings: dict[str, str] | None = None, *, width: int = 1) -> Simulation:
        simulation = Simulation(tmp_path, width=width, settings=settings or {})
        for statement in statements:
            simulation.statement(statement)
        return simulation

    return make


@pytest.fixture
def simulation(simulate: Simulate) -> Simulation:
    """A simulation whose session has set nothing."""
    return simulate()


def _skewed() -> pa.Table:
    """Returns rows of which nearly all have one key."""
    keys = [2 if i % 20 else i // 20 for i in range(240)]
    return pa.table({"id": pa.array(range(240), pa.int64()), "k": pa.array(keys, pa.int32())})


def _ordered() -> pa.Table:
    return pa.table({
        "id": pa.array(range(40), pa.int64()),
        "n": pa.array([i * 3 % 5 for i in range(40)], pa.int64()),
    })  # fmt: skip


def _table(home: Path, name: str, rows: pa.Table, *, files: int, clauses: str = "") -> str:
    """Deals rows to files in turn."""
    folder = home / name
    folder.mkdir()
    for part in range(files):
        places = list(range(part, rows.num_rows, files))
        picked = pa.concat_tables([rows.slice(0, 0), *(rows.slice(at, 1) for at in places)])
        pq.write_table(picked, folder / f"{part}.parquet")
    return f"CREATE EXTERNAL TABLE {name} STORED AS PARQUET {clauses} LOCATION '{folder}/'"


def _folders(home: Path) -> str:
    for year in ("1999", "2000", "2001"):
        folder = home / "sales" / f"year={year}"
        folder.mkdir(parents=True)
        rows = {"item": [1, 2, 2], "amount": [int(year), 5, 7]}
        pq.write_table(pa.table(rows), folder / "rows.parquet")
    location = home / "sales"
    return (
        "CREATE EXTERNAL TABLE sales STORED AS PARQUET PARTITIONED BY (year) "
        f"LOCATION '{location}/'"
    )
