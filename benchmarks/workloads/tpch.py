"""The workloads over TPC-H's tables: its queries, small ones, and all of a table's rows."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.workloads.generated import HOME
from benchmarks.workloads.workload import Kind, Workload
from tpch.data import query_text, table_folders

PARTS: Final = 8
SMALL_SCALE: Final = 0.1
CLIENTS: Final = (1, 4, 16)
_DISK_BYTES_PER_SCALE: Final = 1_200_000_000
"""Parquet files, and room for what is spilled and shuffled: three times the files of SF 10."""

_SMALL: Final = 100
_CUSTOMERS: Final = 15_000
_PARTS: Final = 20_000


def tpch(scale: float, numbers: Sequence[int]) -> Workload:
    """The 22 queries, or some of them."""
    return Workload(
        name="tpch",
        title=f"TPC-H SF {scale:g}",
        kind=Kind.QUERIES,
        make_tables=lambda: tables(scale),
        queries={f"q{number:02}": query_text(number) for number in numbers},
    )


def small() -> Workload:
    """A hundred queries that read little: look-ups, aggregates and joins in turn."""
    return Workload(
        name="small",
        title=f"{_SMALL} small queries, TPC-H SF {SMALL_SCALE:g}",
        kind=Kind.LATENCY,
        make_tables=lambda: tables(SMALL_SCALE),
        queries=dict(small_queries()),
    )


def clients() -> Workload:
    """The small queries, twice, shared by several clients."""
    return Workload(
        name="clients",
        title=f"{2 * _SMALL} small queries from several clients, TPC-H SF {SMALL_SCALE:g}",
        kind=Kind.CLIENTS,
        make_tables=lambda: tables(SMALL_SCALE),
        queries={
            f"{name}.{turn}": sql
            for turn in range(2)
            for name, sql in dict(small_queries()).items()
        },
        clients={f"{count} clients": count for count in CLIENTS},
    )


def bulk(scale: float) -> Workload:
    """All rows of the largest table; at SF 1 about 1 GB of Arrow."""
    return Workload(
        name="bulk",
        title=f"all rows of TPC-H lineitem, SF {scale:g}",
        kind=Kind.BULK,
        make_tables=lambda: {"lineitem": tables(scale)["lineitem"]},
        queries={"lineitem": "SELECT * FROM lineitem"},
        keep_rows=False,
    )


def tables(scale: float) -> dict[str, Path]:
    """Returns the folders of the tables, made if there is room on the disk.

    Raises:
        OSError: There is not.
    """
    HOME.mkdir(exist_ok=True)
    needed = int(scale * _DISK_BYTES_PER_SCALE)
    free = shutil.disk_usage(HOME).free
    if free < needed:
        raise OSError(f"SF {scale:g} needs {needed >> 20} MiB on disk: got {free >> 20} MiB free")
    return table_folders(scale, PARTS)


def small_queries() -> Iterator[tuple[str, str]]:
    """Makes the small queries; no two are alike."""
    makers = (_order, _customer, _day, _brand, _nation, _part)
    for number in range(_SMALL):
        make = makers[number % len(makers)]
        yield f"{make.__name__.strip('_')}-{number:02}", make(number)


def _order(number: int) -> str:
    # Of 32 numbers, TPC-H uses the first 8 as keys.
    return f"SELECT * FROM orders WHERE o_orderkey = {32 * (97 * number % 18_000) + 1}"


def _customer(number: int) -> str:
    return f"SELECT * FROM customer WHERE c_custkey = {1 + 149 * number % _CUSTOMERS}"


def _day(number: int) -> str:
    return (
        "SELECT l_shipmode, count(*) AS items, sum(l_quantity) AS quantity FROM lineitem "
        f"WHERE l_shipdate = date '199{3 + number % 4}-{1 + number % 12:02}-{1 + number % 27:02}' "
        "GROUP BY l_shipmode"
    )


def _brand(number: int) -> str:
    return (
        "SELECT p_brand, count(*) AS parts, max(p_retailprice) AS dearest FROM part "
        f"WHERE p_size = {1 + number % 50} AND p_partkey > {number} GROUP BY p_brand"
    )


def _nation(number: int) -> str:
    return (
        "SELECT n_name, count(*) AS customers, sum(c_acctbal) AS balance "
        "FROM customer JOIN nation ON c_nationkey = n_nationkey "
        f"WHERE c_custkey < {100 * (number + 1)} GROUP BY n_name"
    )


def _part(number: int) -> str:
    return (
        "SELECT s_name, ps_supplycost FROM partsupp JOIN supplier ON ps_suppkey = s_suppkey "
        f"WHERE ps_partkey = {1 + 199 * number % _PARTS}"
    )
