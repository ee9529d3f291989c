"""Types: each one goes through an exchange as a payload, as a key, and as a sort key."""

from collections.abc import Iterator

from oracle.case import PARTITIONED, Case, themed

_NUMBERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "f32", "f64")
_DECIMALS = ("d32", "d64", "d128", "d256")
_TIMES = ("day32", "day64", "clock_ms", "clock_us", "clock_ns", "at_ms", "at_us", "at_ns")
_ZONED = ("utc", "berlin", "shifted")
_SPANS = ("span_s", "span_us")
_BYTES = ("plain", "big", "view", "raw", "raw_big", "raw_view", "four")
_CODED = ("w8", "w32", "n16")
_TABLES = {
    "numbers": (*_NUMBERS, *_DECIMALS),
    "times": (*_TIMES, *_ZONED, *_SPANS),
    "bytes": _BYTES,
    "bytes_arrow": _BYTES,
    "coded": _CODED,
    "coded_arrow": _CODED,
}


def _payloads() -> Iterator[Case]:
    for table in (*_TABLES, "nested"):
        yield Case(
            name=f"{table}-through_a_hash_exchange",
            sql=f"SELECT a.*, b.id AS other FROM {table} a JOIN {table} b ON a.id = b.id - 1",
            tables=(table,),
            settings=PARTITIONED,
        )
        yield Case(
            name=f"{table}-through_a_sorted_exchange",
            sql=f"SELECT * FROM {table} ORDER BY id DESC",
            tables=(table,),
            order=(0,),
        )
        yield Case(
            name=f"{table}-all_null_beside_a_join",
            sql=f"""
                SELECT f.id AS f, t.* FROM facts f LEFT JOIN {table} t ON t.id = f.id + 10
                WHERE f.h = 1
            """,
            tables=("facts", table),
            settings=PARTITIONED,
        )


def _keys() -> Iterator[Case]:
    """Groups by each column in turn; the key itself is left out, so that one query has them all."""
    for table, columns in _TABLES.items():
        groups = (
            f"SELECT '{column}' AS c, count(*) AS n, min(id) AS id FROM {table} GROUP BY {column}"
            for column in columns
        )
        yield Case(name=f"{table}-as_group_keys", sql=" UNION ALL ".join(groups), tables=(table,))
        keys = " AND ".join(f"(a.{column} IS NOT DISTINCT FROM b.{column})" for column in columns)
        yield Case(
            name=f"{table}-as_join_keys",
            sql=f"SELECT a.id, b.id AS other FROM {table} a JOIN {table} b ON {keys}",
            tables=(table,),
            settings=PARTITIONED,
        )


_HANDED = "rows handed over are in one batch"


def _handed_over() -> Iterator[Case]:
    for table in ("memory_nested", "memory_bytes", "memory_coded"):
        yield Case(
            name=f"{table}-joined",
            sql=f"SELECT t.*, f.s FROM {table} t JOIN facts f ON f.id = t.id",
            tables=(table, "facts"),
            settings=PARTITIONED,
        )
        yield Case(
            name=f"{table}-listed", sql=f"SELECT * FROM {table}", tables=(table,), one_place=_HANDED
        )


_MORE = (
    Case(
        name="numbers-joined_across_widths",
        sql="""
            SELECT a.id, b.id AS other FROM numbers a JOIN numbers b
            ON a.i8 = b.i64 AND a.u16 = b.u32
        """,
        tables=("numbers",),
        settings=PARTITIONED,
        empty=None,
    ),
    Case(
        name="numbers-extremes",
        sql="""
            SELECT min(i8) AS a, max(u64) AS b, min(f32) AS c, max(f64) AS d, max(d256) AS e,
                min(d32) AS f, sum(d64) AS g FROM numbers
        """,
        tables=("numbers",),
    ),
    Case(
        name="numbers-sorted_with_nan",
        sql="SELECT f64, id FROM numbers ORDER BY f64 DESC NULLS LAST, id",
        tables=("numbers",),
        order=(0, 1),
    ),
    Case(
        name="decimals-joined_and_multiplied",
        sql="""
            SELECT a.id, b.id AS other, a.d32 * b.d32 AS p FROM numbers a
            JOIN numbers b ON a.d32 = b.d64 WHERE abs(a.d32) < 2
        """,
        tables=("numbers",),
        settings=PARTITIONED,
    ),
    Case(
        name="times-zones_meet",
        sql="SELECT a.id, b.id AS other FROM times a JOIN times b ON a.utc = b.berlin",
        tables=("times",),
        settings=PARTITIONED,
    ),
    Case(
        name="times-days_in_a_zone",
        sql="""
            SELECT date_trunc('day', berlin) AS d, date_part('hour', berlin) AS h, count(*) AS n
            FROM times GROUP BY 1, 2
        """,
        tables=("times",),
    ),
    Case(
        name="times-in_a_session_zone",
        sql="SELECT CAST(at_us AS TIMESTAMPTZ) AS t, count(*) AS n FROM times GROUP BY 1",
        tables=("times",),
        settings={"datafusion.execution.time_zone": "America/New_York"},
    ),
    Case(
        name="times-intervals_computed",
        sql="""
            SELECT id, at_us - INTERVAL '1 month 2 days 3 hours' AS a, INTERVAL '1 year' AS i,
                max(at_us) OVER (PARTITION BY id % 4) - at_us AS span FROM times
        """,
        tables=("times",),
    ),
    Case(
        name="bytes-joined_across_kinds",
        sql="SELECT a.id, b.id AS other FROM bytes_arrow a JOIN bytes b ON a.big = b.view",
        tables=("bytes", "bytes_arrow"),
        settings=PARTITIONED,
    ),
    Case(
        name="bytes-views_share_no_buffers_after_a_join",
        sql="""
            SELECT a.view, b.raw_view, f.s FROM bytes a JOIN bytes b ON a.id = b.id JOIN facts f
            ON f.k = a.id % 12
        """,
        tables=("bytes", "facts"),
        settings=PARTITIONED,
    ),
    Case(
        name="bytes-large_made_by_cast",
        sql="""
            SELECT arrow_cast(s, 'LargeUtf8') AS s, arrow_cast(g, 'Utf8') AS g, count(*) AS n
            FROM facts GROUP BY 1, 2
        """,
        tables=("facts",),
    ),
    Case(
        name="coded-made_by_cast",
        sql="""
            SELECT arrow_cast(g, 'Dictionary(Int32, Utf8)') AS g, count(*) AS n FROM facts
            GROUP BY 1
        """,
        tables=("facts",),
    ),
    Case(
        name="coded-joined_to_plain",
        sql="""
            SELECT a.id, a.w8, b.w32 FROM coded a JOIN coded b
            ON a.w8 = CAST(b.w32 AS VARCHAR) AND a.id < b.id
        """,
        tables=("coded",),
        settings=PARTITIONED,
    ),
    Case(
        name="coded-extremes_and_lists",
        sql="""
            SELECT n16, min(w8) AS a, max(w32) AS b, array_agg(w8 ORDER BY id) AS l
            FROM coded GROUP BY n16
        """,
        tables=("coded",),
    ),
    Case(
        name="nested-struct_as_key",
        sql="SELECT st, count(*) AS n FROM nested GROUP BY st",
        tables=("nested",),
    ),
    Case(
        name="nested-list_as_key",
        sql="SELECT li, count(*) AS n FROM nested GROUP BY li",
        tables=("nested",),
    ),
    Case(
        name="nested-field_as_key",
        sql="SELECT st['a'] AS a, count(*) AS n, max(st['b']) AS b FROM nested GROUP BY st['a']",
        tables=("nested",),
    ),
    Case(
        name="nested-unnested_list",
        sql="SELECT v, count(*) AS n FROM (SELECT unnest(li) AS v FROM nested) GROUP BY v",
        tables=("nested",),
        plan=("UnnestExec",),
    ),
    Case(
        name="nested-unnested_structs",
        sql="""
            SELECT id, e['a'] AS a, e['b'] AS b FROM (SELECT id, unnest(ls) AS e
            FROM nested) ORDER BY id, a, b
        """,
        tables=("nested",),
        order=(0, 1, 2),
        plan=("UnnestExec",),
    ),
    Case(
        name="nested-unnested_struct",
        sql="SELECT * FROM (SELECT id, unnest(st) FROM nested) ORDER BY id",
        tables=("nested",),
        order=(0,),
    ),
    Case(
        name="nested-unnested_beside_a_join",
        sql="""
            SELECT u.v, d.label FROM (SELECT unnest(li) AS v FROM nested) u JOIN dims d ON u.v = d.k
        """,
        tables=("nested", "dims"),
        settings=PARTITIONED,
    ),
    Case(
        name="nested-map_looked_up",
        sql="SELECT ma['x'] AS x, cardinality(ma) AS c, count(*) AS n FROM nested GROUP BY 1, 2",
        tables=("nested",),
    ),
    Case(
        name="nested-maps_told_apart",
        sql="SELECT DISTINCT ma FROM nested",
        tables=("nested",),
        one_place="Parquet names a map's entries otherwise than Arrow files do",
    ),
    Case(
        name="nested-made_and_gathered",
        sql="""
            SELECT id % 3 AS m, array_agg(named_struct('i', id, 'l', li) ORDER BY id) AS all
            FROM nested GROUP BY 1
        """,
        tables=("nested",),
    ),
    Case(
        name="null_type-as_key",
        sql="SELECT nothing, count(*) AS n FROM nested GROUP BY nothing",
        tables=("nested",),
    ),
    Case(
        name="null_type-made",
        sql="SELECT g, NULL AS nothing, count(*) AS n FROM facts GROUP BY g",
        tables=("facts",),
    ),
)

CASES = themed("type", (*_payloads(), *_keys(), *_handed_over(), *_MORE))
