"""Programs for datafusion-python; a test runs them as they are, and with the import changed.

Every function whose name begins with `example` takes a context and returns a DataFrame.
"""

import pyarrow as pa
from datafusion import DataFrame, SessionContext, col, lit
from datafusion import functions as f
from datafusion.expr import GroupingSet, Window, WindowFrame


def _people(ctx: SessionContext) -> DataFrame:
    return ctx.from_pydict(
        {
            "name": ["Ada", "Bob", "Cleo", "Dan", "Eve", None],
            "team": ["red", "blue", "red", None, "blue", "red"],
            "age": [36, 41, None, 29, 35, 50],
            "pay": [10.0, 20.5, 30.0, 7.25, None, 12.0],
        }
    )


def _teams(ctx: SessionContext) -> DataFrame:
    return ctx.from_pydict({"team": ["red", "blue", "green"], "floor": [1, 2, 3]})


def _lists(ctx: SessionContext) -> DataFrame:
    return ctx.from_pydict(
        {
            "id": [1, 2, 3],
            "tags": [["a", "b"], [], None],
            "marks": [[3, 1, 2], [5], [4, 4]],
            "point": [{"x": 1, "y": 2}, {"x": 3, "y": 4}, {"x": 5, "y": 6}],
        }
    )


def example_select_and_filter(ctx: SessionContext) -> DataFrame:
    """Columns by name and by expression, rows by several conditions."""
    return (
        _people(ctx)
        .filter(col("age") > lit(30), col("team").is_not_null())
        .select("name", (col("age") + lit(1)).alias("next"), col("pay"))
        .sort(col("name").sort())
    )


def example_operators(ctx: SessionContext) -> DataFrame:
    """Arithmetic, comparison and logic, with values on either side."""
    return _people(ctx).select(
        col("name"),
        (col("age") * 2 - 1).alias("a"),
        (lit(100) - col("age")).alias("b"),
        (col("pay") / 2 + col("age") % 7).alias("c"),
        ((col("age") > 30) & (col("pay") <= 20.5) | ~(col("team") == "red")).alias("d"),
        (col("team") != "blue").alias("e"),
        (col("age") >= 41).alias("g"),
    )


def example_with_columns(ctx: SessionContext) -> DataFrame:
    """New columns, one of which takes the place of an old one."""
    return (
        _people(ctx)
        .with_column("double", col("age") * 2)
        .with_columns(f.upper(col("name")).alias("name"), half=col("pay") / 2)
        .with_column_renamed("team", "group")
        .drop("pay")
    )


def example_with_columns_in_turn(ctx: SessionContext) -> DataFrame:
    """A new column is there for the next one, also where it took the place of an old one."""
    return _people(ctx).with_columns(
        (col("age") + 1).alias("age"),
        (col("age") * 2).alias("double"),
        four=col("double") * 2,
        five=col("pay") * 5,
    )


def example_with_columns_of_one_name(ctx: SessionContext) -> DataFrame:
    """The last column of a name stays, as if each had been added alone."""
    return _people(ctx).with_columns(
        col("age").alias("twice"), (col("age") * 2).alias("twice"), twice=col("twice") + 1
    )


def example_cast(ctx: SessionContext) -> DataFrame:
    """Types are changed for columns and in expressions."""
    return (
        _people(ctx)
        .cast({"age": pa.float32()})
        .select(col("age"), col("pay").cast(pa.int32()).alias("whole"))
        .with_column("text", col("whole").cast(str))
    )


def example_missing_values(ctx: SessionContext) -> DataFrame:
    """NULLs are found and filled."""
    return (
        _people(ctx)
        .fill_null(0, ["age"])
        .select(
            col("name").fill_null("nobody").alias("name"),
            col("age"),
            f.coalesce(col("team"), lit("none")).alias("team"),
            col("pay").is_null().alias("unpaid"),
            f.nvl(col("pay"), lit(0.0)).alias("pay"),
        )
    )


def example_fill_null_everywhere(ctx: SessionContext) -> DataFrame:
    """A value goes where its type fits."""
    return _people(ctx).fill_null("?")


def example_case(ctx: SessionContext) -> DataFrame:
    """CASE with and without a base."""
    return _people(ctx).select(
        col("name"),
        f.case(col("team")).when(lit("red"), lit(1)).when(lit("blue"), lit(2)).end().alias("code"),
        f.when(col("age") > lit(40), lit("old"))
        .when(col("age").is_null(), lit("?"))
        .otherwise(lit("young"))
        .alias("kind"),
    )


def example_between_and_in(ctx: SessionContext) -> DataFrame:
    """Ranges and lists of values."""
    return _people(ctx).filter(
        col("age").between(lit(30), lit(45)),
        f.in_list(col("team"), [lit("red"), lit("blue")]),
        f.in_list(col("name"), [lit("Bob")], negated=True),
    )


def example_aggregate(ctx: SessionContext) -> DataFrame:
    """Groups and what they come to."""
    return (
        _people(ctx)
        .aggregate(
            [col("team")],
            [
                f.count(col("age")).alias("ages"),
                f.sum(col("pay")).alias("paid"),
                f.avg(col("age")).alias("mean"),
                f.min(col("name")).alias("first"),
                f.max(col("pay"), filter=col("age") > lit(30)).alias("most"),
                f.count(col("team"), distinct=True).alias("teams"),
            ],
        )
        .sort(col("team").sort())
    )


def example_aggregate_all(ctx: SessionContext) -> DataFrame:
    """One row out of all, with order and percentiles."""
    return _people(ctx).aggregate(
        [],
        [
            f.array_agg(col("name"), order_by=[col("pay").sort(ascending=False)]).alias("names"),
            f.first_value(col("name"), order_by=[col("age").sort()]).alias("youngest"),
            f.median(col("age")).alias("median"),
            f.percentile_cont(col("pay"), 0.5).alias("middle"),
            f.stddev(col("pay")).alias("spread"),
            f.string_agg(col("team"), "-", order_by=[col("name").sort()]).alias("teams"),
            f.bool_or(col("age") > lit(45)).alias("any"),
        ],
    )


def example_rollup(ctx: SessionContext) -> DataFrame:
    """Sums of sums."""
    return (
        _people(ctx)
        .filter(col("team").is_not_null())
        .aggregate([GroupingSet.rollup(col("team"))], [f.count(col("team")).alias("n")])
        .sort(col("n").sort(), col("team").sort())
    )


def example_distinct(ctx: SessionContext) -> DataFrame:
    """Each combination once."""
    return _people(ctx).select("team").distinct().sort(col("team").sort())


def example_distinct_on(ctx: SessionContext) -> DataFrame:
    """The best paid of each team."""
    return _people(ctx).distinct_on(
        [col("team")],
        [col("team"), col("name")],
        [col("team").sort(), col("pay").sort(ascending=False)],
    )


def example_limit(ctx: SessionContext) -> DataFrame:
    """A run of sorted rows."""
    return _people(ctx).sort(col("age").sort(ascending=False)).limit(2, offset=1)


def example_head(ctx: SessionContext) -> DataFrame:
    """The first rows."""
    return _people(ctx).sort("pay").head(3)


def example_tail(ctx: SessionContext) -> DataFrame:
    """The last rows."""
    return _people(ctx).sort(col("pay").sort()).tail(2)


def example_join_inner(ctx: SessionContext) -> DataFrame:
    """Keys of one name come out once."""
    return _people(ctx).join(_teams(ctx), on="team").sort("name")


def example_join_left(ctx: SessionContext) -> DataFrame:
    """Rows without a partner stay."""
    return _people(ctx).join(_teams(ctx), on="team", how="left").select("name", "team", "floor")


def example_join_right(ctx: SessionContext) -> DataFrame:
    """The key has the value that is there."""
    return _people(ctx).join(_teams(ctx), on="team", how="right").select("name", "team", "floor")


def example_join_full(ctx: SessionContext) -> DataFrame:
    """Rows of either side without a partner stay."""
    return _people(ctx).join(_teams(ctx), on="team", how="full").select("name", "team", "floor")


def example_join_semi_and_anti(ctx: SessionContext) -> DataFrame:
    """Which side's rows have a partner."""
    teams = _teams(ctx).filter(col("floor") > lit(1))
    with_team = _people(ctx).join(teams, on="team", how="semi")
    without = _people(ctx).join(teams, on="team", how="anti")
    return with_team.union(without)


def example_join_other_names(ctx: SessionContext) -> DataFrame:
    """Keys of two names both come out."""
    floors = _teams(ctx).with_column_renamed("team", "group")
    return _people(ctx).join(floors, left_on="team", right_on="group").sort("name")


def example_join_on(ctx: SessionContext) -> DataFrame:
    """Any conditions, over columns that each side names."""
    left, right = _people(ctx), _teams(ctx)
    joined = left.join_on(right, left.col("team") == right.col("team"), col("floor") < col("age"))
    return joined.select("name", "floor")


def example_unions(ctx: SessionContext) -> DataFrame:
    """Bags and sets of rows."""
    teams = _people(ctx).select("team")
    return teams.union(_teams(ctx).select("team")).union(teams, distinct=True)


def example_union_by_name(ctx: SessionContext) -> DataFrame:
    """Columns find each other by name."""
    return _people(ctx).select("team", "age").union_by_name(_teams(ctx))


def example_intersect_and_except(ctx: SessionContext) -> DataFrame:
    """What both have, and what one has."""
    teams = _people(ctx).select("team")
    both = teams.intersect(_teams(ctx).select("team"), distinct=True)
    return both.union(_teams(ctx).select("team").except_all(teams))


def example_unnest(ctx: SessionContext) -> DataFrame:
    """Lists become rows, structs columns."""
    return _lists(ctx).select("id", "marks").unnest_columns("marks")


def example_unnest_dropping_nulls(ctx: SessionContext) -> DataFrame:
    """A row without a list can go."""
    return _lists(ctx).select("id", "tags").unnest_columns("tags", preserve_nulls=False)


def example_parts(ctx: SessionContext) -> DataFrame:
    """Fields of structs, elements and runs of lists."""
    return _lists(ctx).select(
        col("point")["x"].alias("x"),
        col("marks")[0].alias("first"),
        col("marks")[0:2].alias("two"),  # type: ignore[index]  # what their hints forget
        f.array_length(col("marks")).alias("n"),
        f.array_sort(col("marks"), descending=True).alias("down"),
        f.array_append(col("marks"), lit(9)).alias("more"),
        f.array_to_string(col("tags"), ",").alias("text"),
    )


def example_windows(ctx: SessionContext) -> DataFrame:
    """Ranks, neighbours and sums over windows."""
    by_team = Window(partition_by=[col("team")], order_by=[col("pay").sort()])
    frame = WindowFrame("rows", 1, 0)
    return _people(ctx).select(
        col("name"),
        f.row_number(order_by=[col("name").sort()]).alias("number"),
        f.rank(partition_by=[col("team")], order_by=[col("pay").sort()]).alias("rank"),
        f.lag(col("name"), 1, "-", order_by=[col("name").sort()]).alias("before"),
        f.sum(col("pay")).over(by_team).alias("so_far"),
        f.avg(col("age"))
        .over(Window(window_frame=frame, order_by=[col("name").sort()]))
        .alias("pair"),
    )


def example_window_method(ctx: SessionContext) -> DataFrame:
    """Window functions beside all columns."""
    return _people(ctx).window(f.ntile(2, order_by=[col("name").sort()]).alias("half"))


def example_builder(ctx: SessionContext) -> DataFrame:
    """What a call is told step by step."""
    return _people(ctx).aggregate(
        [],
        [
            f.sum(col("age")).distinct().build().alias("sum"),
            f.array_agg(col("name"))
            .order_by(col("name").sort())
            .filter(col("age") > lit(35))
            .build()
            .alias("names"),
        ],
    )


def example_text(ctx: SessionContext) -> DataFrame:
    """Functions of text."""
    name = col("name")
    return _people(ctx).select(
        f.concat(name, lit("-"), col("team")).alias("a"),
        f.concat_ws("/", name, col("team")).alias("b"),
        f.substr(name, 2, 2).alias("c"),
        f.lpad(name, 5, "*").alias("d"),
        f.regexp_replace(name, "[aeiou]", "_", "g").alias("e"),
        f.regexp_like(name, "^[A-C]").alias("g"),
        f.split_part(lit("x,y"), ",", 2).alias("h"),
        f.length(name).alias("i"),
        f.starts_with(name, "A").alias("j"),
        name.reverse().upper().alias("k"),
    )


def example_numbers(ctx: SessionContext) -> DataFrame:
    """Functions of numbers."""
    pay = col("pay")
    return _people(ctx).select(
        f.round(pay / 3, 1).alias("a"),
        f.power(pay, 2).alias("b"),
        f.log(10, pay).alias("c"),
        f.greatest(pay, lit(11.0)).alias("d"),
        f.nullif(pay, lit(12.0)).alias("e"),
        pay.sqrt().floor().alias("g"),
        f.abs(lit(0.0) - pay).alias("h"),
    )


def example_times(ctx: SessionContext) -> DataFrame:
    """Functions of dates and times."""
    moment = f.to_timestamp(lit("2026-02-03T04:05:06"))
    return _teams(ctx).select(
        f.date_part("year", moment).alias("a"),
        f.date_trunc("month", moment).alias("b"),
        f.to_date(lit("2026-02-03")).alias("c"),
        f.make_date(2026, 2, col("floor")).alias("d"),
        f.to_char(moment, "%Y/%m").alias("e"),
    )


def example_structs_and_maps(ctx: SessionContext) -> DataFrame:
    """Values are put together."""
    return _teams(ctx).select(
        f.named_struct([("t", col("team")), ("n", col("floor"))])["n"].alias("a"),
        f.make_array(col("floor"), lit(0)).alias("b"),
        f.map_keys(f.make_map({"k": 1})).alias("c"),
        f.arrow_typeof(col("floor")).alias("d"),
    )


def example_sql_and_frames(ctx: SessionContext) -> DataFrame:
    """A query in SQL is built on."""
    return ctx.sql("SELECT * FROM (VALUES (1, 'x'), (2, 'y')) AS t(n, s)").filter(col("n") > lit(1))


def example_unnest_lists_of_lists(ctx: SessionContext) -> DataFrame:
    """Several levels are taken apart at once, under another name."""
    nested = ctx.from_pydict({"id": [1, 2, 3], "deep": [[[1, 2], [3]], [[4]], [[], [5, None]]]})
    return nested.unnest_columns("deep", recursions=[("deep", "flat", 2)])


def example_computed_aggregates(ctx: SessionContext) -> DataFrame:
    """Aggregates are computed with, beside plain ones and the keys of the groups."""
    return _people(ctx).aggregate(
        [col("team")],
        [
            (f.sum(col("pay")) / f.count(col("name"))).alias("mean"),
            f.max(col("age")).alias("age"),
            (f.max(col("age")) - f.min(col("age"))).alias("span"),
        ],
    )


def example_views(ctx: SessionContext) -> DataFrame:
    """A DataFrame gets a name, and SQL reads it."""
    ctx.register_view("grown", _people(ctx).filter(col("age") > lit(35)))
    return ctx.sql("SELECT count(*) AS n FROM grown")


def example_transform(ctx: SessionContext) -> DataFrame:
    """A function stands in a chain."""

    def at_least(rows: DataFrame, age: int) -> DataFrame:
        return rows.filter(col("age") >= lit(age))

    return _people(ctx).transform(at_least, 40)


def example_repartition(ctx: SessionContext) -> DataFrame:
    """Hints change no rows."""
    return _people(ctx).repartition(4).repartition_by_hash(col("team"), num=3)


def example_cache(ctx: SessionContext) -> DataFrame:
    """Rows that are kept are the same rows."""
    return _people(ctx).select("name", "age").cache().filter(col("age") > lit(36))


def example_describe(ctx: SessionContext) -> DataFrame:
    """Statistics of all columns."""
    return _people(ctx).select("age", "pay", "name").describe()


def example_describe_of_other_types(ctx: SessionContext) -> DataFrame:
    """Times, bytes and lists come as text, decimals as numbers with the digits of their type."""
    return ctx.sql(
        "SELECT arrow_cast(n * 1000000001, 'Timestamp(Nanosecond, None)') AS at, "
        "CAST(n || 'x' AS BYTEA) AS bytes, n > 1 AS truth, [n] AS list, "
        "CAST(n / 10.0 AS DECIMAL(5, 1)) AS exact FROM (VALUES (1), (2), (4), (8)) AS t(n)"
    ).describe()
