"""Files: empty ones, absent ones, one row, more files than tasks, fewer files than partitions.

Partitions of one scan share a queue of files, so a task that runs one partition must hold only its
own files, or it reads them all.
"""

from collections.abc import Iterator

from oracle.case import PARTITIONED, Case, partitions, themed

_ONE_FILE = "one small file is read in one place"
_GROUPED = "SELECT n, count(*) AS rows, sum(id) AS ids, min(t) AS t FROM {} GROUP BY n"
_LISTED = "SELECT id, n, t FROM {} ORDER BY id"
# Cuts even a tiny file into ranges of bytes.
_FINE = {"datafusion.optimizer.repartition_file_min_size": "0"}


def _shapes() -> Iterator[Case]:
    for table, empty, one_place in (
        ("none", True, "no row is there to be shuffled"),
        ("no_files", True, "no file is there to be read"),
        ("half", False, ""),
        ("first_none", False, ""),
        ("one", False, _ONE_FILE),
        ("one_of_four", False, ""),
        ("one_each", False, ""),
        ("many", False, ""),
        ("single", False, _ONE_FILE),
    ):
        for way, text in (("grouped", _GROUPED), ("listed", _LISTED)):
            yield Case(
                name=f"{table}-{way}",
                sql=text.format(table),
                tables=(table,),
                order=(0,) if way == "listed" else None,
                empty=empty,
                one_place=one_place,
            )
        yield Case(
            name=f"{table}-summed",
            sql=f"SELECT count(id) AS n, sum(n) AS s, max(t) AS t FROM {table} WHERE n >= 0",
            tables=(table,),
            one_place=one_place,
        )


def _partition_counts() -> Iterator[Case]:
    for count in (1, 2, 3, 7, 40):
        for table in ("many", "facts"):
            key = "n" if table == "many" else "h"
            yield Case(
                name=f"{table}-in_{count}_partitions",
                sql=f"""
                    SELECT a.{key}, count(*) AS c, sum(b.id) AS s FROM {table} a
                    JOIN {table} b ON a.{key} = b.{key} AND a.id <= b.id
                    WHERE b.id >= 0 GROUP BY a.{key}
                """,
                tables=(table,),
                settings={**PARTITIONED, **partitions(count)},
                one_place="one partition was asked for" if count == 1 else "",
            )


_FORMAT_IN_ONE_PLACE = {
    "memory": "rows handed over are in one batch",
    "csv_other": "some options of text files are lost when the engine writes a plan down",
    "arrow_stream": "a scan of streams comes back as one of files from the engine's written plan",
}


def _formats() -> Iterator[Case]:
    for table in ("csv", "csv_other", "json", "arrow", "arrow_stream", "memory"):
        one_place = _FORMAT_IN_ONE_PLACE.get(table, "")
        yield Case(
            name=f"{table}-grouped",
            sql=f"SELECT n, count(*) AS c, sum(x) AS x, max(t) AS t FROM {table} GROUP BY n",
            tables=(table,),
            one_place=one_place,
        )
        yield Case(
            name=f"{table}-joined",
            sql=f"SELECT a.id, a.t, f.q FROM {table} a JOIN facts f ON a.id = f.id WHERE a.x > 3",
            tables=(table, "facts"),
            settings=PARTITIONED,
            one_place="" if table == "memory" else one_place,
        )


_MORE = (
    Case(
        name="groups-in_byte_ranges",
        sql=_GROUPED.format("groups"),
        tables=("groups",),
        settings={**_FINE, **partitions(9)},
        one_place=_ONE_FILE,
    ),
    Case(
        name="many-in_byte_ranges",
        sql=_GROUPED.format("many"),
        tables=("many",),
        settings={**_FINE, **partitions(50)},
    ),
    Case(
        name="csv-in_byte_ranges",
        sql="SELECT n, count(*) AS c, sum(id) AS s FROM csv GROUP BY n",
        tables=("csv",),
        settings={**_FINE, **partitions(12)},
    ),
    Case(
        name="facts-through_200_partitions",
        sql="SELECT id % 500 AS m, count(*) AS c, max(s) AS s FROM facts GROUP BY 1",
        tables=("facts",),
        settings=partitions(200),
    ),
    Case(
        name="memory-empty",
        sql="SELECT n, count(*) AS c FROM memory_none GROUP BY n",
        tables=("memory_none",),
        empty=True,
        one_place="no row is there to be shuffled",
    ),
    Case(
        name="none-outer_joined",
        sql="SELECT f.id, e.t FROM facts f LEFT JOIN none e ON e.id = f.id WHERE f.h = 1",
        tables=("facts", "none"),
        settings=PARTITIONED,
    ),
    Case(
        name="no_files-outer_joined",
        sql="SELECT f.id, e.t FROM facts f LEFT JOIN no_files e ON e.n = f.k WHERE f.h = 1",
        tables=("facts", "no_files"),
        settings=PARTITIONED,
        one_place="a side without a file can be planned away, and the join with it",
    ),
    Case(
        name="everything_filtered_out",
        sql="""
            SELECT f.k, count(*) AS n FROM facts f JOIN dims d ON f.k = d.k
            WHERE f.s = 'no such text' GROUP BY f.k
        """,
        tables=("facts", "dims"),
        settings=PARTITIONED,
        empty=True,
    ),
    Case(
        name="folders-grouped",
        sql="""
            SELECT item, d_year, sum(amount) AS s, count(*) AS n FROM by_folder
            GROUP BY item, d_year
        """,
        tables=("by_folder",),
    ),
    Case(
        name="folders-pruned",
        sql="""
            SELECT item, store, sum(amount) AS s FROM by_folder WHERE item IN ('2', '5')
            GROUP BY item, store
        """,
        tables=("by_folder",),
    ),
    Case(
        name="folders-joined_with_rows_by_hash",
        sql="""
            SELECT b.item, b.s FROM (SELECT DISTINCT m FROM (SELECT min(item) AS m FROM by_folder
                GROUP BY store, d_moy)) a
            JOIN (SELECT item, sum(amount) AS s FROM by_folder GROUP BY item) b ON a.m = b.item
        """,
        tables=("by_folder",),
        settings=PARTITIONED,
        tried={"datafusion.optimizer.preserve_file_partitions": "1"},
    ),
    Case(
        name="folders-only_their_names",
        sql="SELECT item, count(*) AS n FROM by_folder GROUP BY item",
        tables=("by_folder",),
    ),
    Case(
        name="ordered-listed",
        sql="SELECT id, n FROM by_order ORDER BY id",
        tables=("by_order",),
        order=(0,),
        plan=("output_ordering",),
    ),
    Case(
        name="ordered-grouped_by_the_order",
        sql="SELECT id, count(*) AS c, max(n) AS n FROM by_order GROUP BY id",
        tables=("by_order",),
        one_place="the engine asks for a hash exchange that keeps an order, and there is none",
    ),
    Case(
        name="ordered-merge_joined",
        sql="SELECT a.id, b.n FROM by_order a JOIN by_order b ON a.id = b.id",
        tables=("by_order",),
        settings={**PARTITIONED, "datafusion.optimizer.prefer_hash_join": "false"},
    ),
    Case(
        name="ordered-window",
        sql="SELECT id, sum(n) OVER (ORDER BY id) AS s FROM by_order",
        tables=("by_order",),
    ),
    Case(
        name="ordered-sort_kept_through_exchange",
        sql="SELECT n, array_agg(id ORDER BY id) AS ids FROM by_order GROUP BY n",
        tables=("by_order",),
        tried={"datafusion.optimizer.prefer_existing_sort": "true"},
    ),
    Case(
        name="read_with_filters_pushed_down",
        sql="""
            SELECT g, count(*) AS n, sum(q) AS s FROM facts WHERE q > 30 AND s LIKE '%a%' GROUP BY g
        """,
        tables=("facts",),
        settings={"datafusion.execution.parquet.pushdown_filters": "true"},
    ),
)

CASES = themed("file", (*_shapes(), *_partition_counts(), *_formats(), *_MORE))
