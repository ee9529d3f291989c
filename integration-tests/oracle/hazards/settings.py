"""The engine's own switches: whatever plan they make, the answer is the same."""

from collections.abc import Iterator, Mapping

from oracle.case import PARTITIONED, Case, themed

_QUERIES = {
    "join": """
        SELECT d.label, f.g, count(*) AS n, sum(f.q) AS s FROM facts f LEFT JOIN dims d ON f.k = d.k
        GROUP BY d.label, f.g
    """,
    "window": """
        SELECT id, sum(q) OVER (PARTITION BY k ORDER BY id) AS run,
            rank() OVER (PARTITION BY g ORDER BY h, day) AS r FROM facts
    """,
    "sort": "SELECT f.id, d.w FROM facts f JOIN dims d ON f.k = d.k ORDER BY d.w, f.id",
}
_OPTIMIZER = "datafusion.optimizer."
_EXECUTION = "datafusion.execution."
_SWITCHES: dict[str, Mapping[str, str]] = {
    "tiny_batches": {f"{_EXECUTION}batch_size": "2"},
    "no_repartition_joins": {**PARTITIONED, f"{_OPTIMIZER}repartition_joins": "false"},
    "no_repartition_aggregations": {f"{_OPTIMIZER}repartition_aggregations": "false"},
    "no_repartition_windows": {f"{_OPTIMIZER}repartition_windows": "false"},
    "no_repartition_sorts": {f"{_OPTIMIZER}repartition_sorts": "false"},
    "no_join_reordering": {f"{_OPTIMIZER}join_reordering": "false"},
    "no_statistics": {f"{_EXECUTION}collect_statistics": "false"},
    "partial_aggregation_skipped": {
        f"{_EXECUTION}skip_partial_aggregation_probe_rows_threshold": "1",
        f"{_EXECUTION}skip_partial_aggregation_probe_ratio_threshold": "0.0",
        f"{_EXECUTION}batch_size": "8",
    },
    "join_buffering": {f"{_EXECUTION}hash_join_buffering_capacity": "100000"},
    "perfect_hash_join": {
        f"{_EXECUTION}perfect_hash_join_small_build_threshold": "100000",
        f"{_EXECUTION}perfect_hash_join_min_key_density": "0.0",
    },
    "plain_strings": {
        f"{_EXECUTION}parquet.schema_force_view_types": "false",
        "datafusion.sql_parser.map_string_types_to_utf8view": "false",
    },
    "subsets_repartitioned": {f"{_OPTIMIZER}subset_repartition_threshold": "1"},
    "decimal_literals": {"datafusion.sql_parser.parse_float_as_decimal": "true"},
}

# Each of these changes plans in a way that is wrong once a plan is cut, or that cannot be sent;
# beside it, the queries of `_TEMPTED` whose plans it changes.
_TRIED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "work_stealing": (f"{_EXECUTION}enable_file_stream_work_stealing", "true", ("union", "scalar")),
    "round_robin": (f"{_OPTIMIZER}enable_round_robin_repartition", "true", ("union", "unequal")),
    "interleave": (f"{_OPTIMIZER}prefer_existing_union", "false", ("union",)),
    "dynamic_filters": (f"{_OPTIMIZER}enable_dynamic_filter_pushdown", "true", ("scalar", "top")),
    "join_filters": (f"{_OPTIMIZER}enable_join_dynamic_filter_pushdown", "true", ("scalar",)),
    "topk_filters": (f"{_OPTIMIZER}enable_topk_dynamic_filter_pushdown", "true", ("top",)),
    "aggregate_filters": (
        f"{_OPTIMIZER}enable_aggregate_dynamic_filter_pushdown",
        "true",
        ("least",),
    ),
    "physical_scalars": (
        f"{_OPTIMIZER}enable_physical_uncorrelated_scalar_subquery",
        "true",
        ("scalar",),
    ),
    "existing_sort": (f"{_OPTIMIZER}prefer_existing_sort", "true", ("top",)),
    "merge_by_pieces": (f"{_OPTIMIZER}enable_piecewise_merge_join", "true", ("unequal",)),
    "window_topn": (f"{_OPTIMIZER}enable_window_topn", "true", ("top",)),
    "failed_rules_skipped": (f"{_OPTIMIZER}skip_failed_rules", "true", ("scalar",)),
}
_TEMPTED = {
    # Joins by order, where left rows without a partner are lost if the engine does it by pieces.
    "unequal": "SELECT a.id, b.id AS other FROM facts a LEFT JOIN facts b ON a.id > b.id + 200",
    "union": """
        SELECT k, sum(n) AS n FROM (
            SELECT k, count(*) AS n FROM facts GROUP BY k UNION ALL
            SELECT k, count(*) AS n FROM dims GROUP BY k
        ) GROUP BY k
    """,
    "scalar": """
        SELECT f.id, d.label FROM facts f JOIN dims d ON f.k = d.k
        WHERE f.q > (SELECT avg(w) FROM dims) AND d.w < 30
    """,
    "top": """
        SELECT * FROM (
            SELECT *, row_number() OVER (PARTITION BY g ORDER BY q, id) AS r FROM facts
        ) WHERE r <= 2 ORDER BY id LIMIT 9
    """,
    "least": "SELECT min(q) AS a, max(day) AS b FROM facts WHERE h = 2",
}


def _each() -> Iterator[Case]:
    for switch, settings in _SWITCHES.items():
        for name, sql in _QUERIES.items():
            yield Case(
                name=f"{switch}-{name}",
                sql=sql,
                tables=("facts", "dims"),
                settings=settings,
                order=(1, 0) if name == "sort" else None,
            )


def _attempts() -> Iterator[Case]:
    for switch, (setting, value, names) in _TRIED.items():
        for name in names:
            yield Case(
                name=f"{switch}-tried-{name}",
                sql=_TEMPTED[name],
                tables=("facts", "dims"),
                settings=PARTITIONED,
                tried={setting: value},
            )


CASES = themed("setting", (*_each(), *_attempts()))
