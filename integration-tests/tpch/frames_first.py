"""TPC-H queries 1 to 11 with the DataFrame API; the SQL beside them says what each one asks."""

import datetime as dt
from collections.abc import Callable

import springald
from springald import DataFrame, Expr, col, lit
from springald import functions as f
from springald.expr import exists, outer_col, scalar_subquery, when

Query = Callable[[springald.Connection], DataFrame]

DISCOUNTED = col("l_extendedprice") * (1 - col("l_discount"))


def day(text: str) -> Expr:
    """Returns a day as a value."""
    return lit(dt.date.fromisoformat(text))


def days(column: str, first: str, behind: str) -> Expr:
    """Tells whether a column lies in a run of days, of which the last is left out."""
    return (col(column) >= day(first)) & (col(column) < day(behind))


def suppliers_of_region(con: springald.Connection, name: str) -> DataFrame:
    """Returns the suppliers of a region, with their nation."""
    return (
        con.table("supplier")
        .join(con.table("nation"), left_on="s_nationkey", right_on="n_nationkey")
        .join(con.table("region"), left_on="n_regionkey", right_on="r_regionkey")
        .filter(col("r_name") == name)
    )


def q01(con: springald.Connection) -> DataFrame:
    """Pricing summary report."""
    return (
        con.table("lineitem")
        .filter(col("l_shipdate") <= day("1998-09-02"))
        .group_by("l_returnflag", "l_linestatus")
        .agg(
            f.sum(col("l_quantity")).alias("sum_qty"),
            f.sum(col("l_extendedprice")).alias("sum_base_price"),
            f.sum(DISCOUNTED).alias("sum_disc_price"),
            f.sum(DISCOUNTED * (1 + col("l_tax"))).alias("sum_charge"),
            f.avg(col("l_quantity")).alias("avg_qty"),
            f.avg(col("l_extendedprice")).alias("avg_price"),
            f.avg(col("l_discount")).alias("avg_disc"),
            f.count().alias("count_order"),
        )
        .sort("l_returnflag", "l_linestatus")
    )


def q02(con: springald.Connection) -> DataFrame:
    """Minimum cost supplier."""
    offers = con.table("partsupp").join(
        suppliers_of_region(con, "EUROPE"), left_on="ps_suppkey", right_on="s_suppkey"
    )
    cheapest = offers.filter(col("ps_partkey") == outer_col("p_partkey")).aggregate(
        [], [f.min(col("ps_supplycost"))]
    )
    return (
        con.table("part")
        .filter(col("p_size") == 15, col("p_type").like("%BRASS"))
        .join(offers, left_on="p_partkey", right_on="ps_partkey")
        .filter(col("ps_supplycost") == scalar_subquery(cheapest))
        .select(
            "s_acctbal", "s_name", "n_name", "p_partkey", "p_mfgr", "s_address", "s_phone",
            "s_comment",
        )
        .sort(col("s_acctbal").sort(ascending=False), "n_name", "s_name", "p_partkey")
        .limit(100)
    )  # fmt: skip


def q03(con: springald.Connection) -> DataFrame:
    """Shipping priority."""
    return (
        con.table("customer")
        .filter(col("c_mktsegment") == "BUILDING")
        .join(con.table("orders"), left_on="c_custkey", right_on="o_custkey")
        .join(con.table("lineitem"), left_on="o_orderkey", right_on="l_orderkey")
        .filter(col("o_orderdate") < day("1995-03-15"), col("l_shipdate") > day("1995-03-15"))
        .group_by("l_orderkey", "o_orderdate", "o_shippriority")
        .agg(revenue=f.sum(DISCOUNTED))
        .select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
        .sort(col("revenue").sort(ascending=False), "o_orderdate")
        .limit(10)
    )


def q04(con: springald.Connection) -> DataFrame:
    """Order priority checking."""
    late = con.table("lineitem").filter(
        col("l_orderkey") == outer_col("o_orderkey"), col("l_commitdate") < col("l_receiptdate")
    )
    return (
        con.table("orders")
        .filter(days("o_orderdate", "1993-07-01", "1993-10-01"), exists(late))
        .group_by("o_orderpriority")
        .agg(order_count=f.count())
        .sort("o_orderpriority")
    )


def q05(con: springald.Connection) -> DataFrame:
    """Local supplier volume."""
    return (
        con.table("customer")
        .join(con.table("orders"), left_on="c_custkey", right_on="o_custkey")
        .join(con.table("lineitem"), left_on="o_orderkey", right_on="l_orderkey")
        .join(
            suppliers_of_region(con, "ASIA"),
            left_on=["l_suppkey", "c_nationkey"],
            right_on=["s_suppkey", "s_nationkey"],
        )
        .filter(days("o_orderdate", "1994-01-01", "1995-01-01"))
        .group_by("n_name")
        .agg(revenue=f.sum(DISCOUNTED))
        .sort(col("revenue").sort(ascending=False))
    )


def q06(con: springald.Connection) -> DataFrame:
    """Forecasting revenue change."""
    return (
        con.table("lineitem")
        .filter(
            days("l_shipdate", "1994-01-01", "1995-01-01"),
            col("l_discount").between(lit(0.06) - 0.01, lit(0.06) + 0.01),
            col("l_quantity") < 24,
        )
        .aggregate([], [f.sum(col("l_extendedprice") * col("l_discount")).alias("revenue")])
    )


def q07(con: springald.Connection) -> DataFrame:
    """Volume shipping."""
    nation = con.table("nation")
    one, other = nation.alias("n1"), nation.alias("n2")
    names = [("FRANCE", "GERMANY"), ("GERMANY", "FRANCE")]
    (first, second) = (
        (col("n1.n_name") == supplier) & (col("n2.n_name") == customer)
        for supplier, customer in names
    )
    return (
        con.table("supplier")
        .join(con.table("lineitem"), left_on="s_suppkey", right_on="l_suppkey")
        .join(con.table("orders"), left_on="l_orderkey", right_on="o_orderkey")
        .join(con.table("customer"), left_on="o_custkey", right_on="c_custkey")
        .join(one, left_on="s_nationkey", right_on="n_nationkey")
        .join(other, left_on="c_nationkey", right_on="n_nationkey")
        .filter(first | second)
        .filter(col("l_shipdate").between(day("1995-01-01"), day("1996-12-31")))
        .select(
            col("n1.n_name").alias("supp_nation"),
            col("n2.n_name").alias("cust_nation"),
            f.extract("year", col("l_shipdate")).alias("l_year"),
            DISCOUNTED.alias("volume"),
        )
        .group_by("supp_nation", "cust_nation", "l_year")
        .agg(revenue=f.sum(col("volume")))
        .sort("supp_nation", "cust_nation", "l_year")
    )


def q08(con: springald.Connection) -> DataFrame:
    """National market share."""
    nation = con.table("nation")
    return (
        con.table("part")
        .filter(col("p_type") == "ECONOMY ANODIZED STEEL")
        .join(con.table("lineitem"), left_on="p_partkey", right_on="l_partkey")
        .join(con.table("supplier"), left_on="l_suppkey", right_on="s_suppkey")
        .join(con.table("orders"), left_on="l_orderkey", right_on="o_orderkey")
        .join(con.table("customer"), left_on="o_custkey", right_on="c_custkey")
        .join(nation.alias("n1"), left_on="c_nationkey", right_on="n_nationkey")
        .join(con.table("region"), left_on="n_regionkey", right_on="r_regionkey")
        .join(nation.alias("n2"), left_on="s_nationkey", right_on="n_nationkey")
        .filter(
            col("r_name") == "AMERICA",
            col("o_orderdate").between(day("1995-01-01"), day("1996-12-31")),
        )
        .select(
            f.extract("year", col("o_orderdate")).alias("o_year"),
            DISCOUNTED.alias("volume"),
            col("n2.n_name").alias("nation"),
        )
        .group_by("o_year")
        .agg(
            mkt=f.sum(when(col("nation") == "BRAZIL", col("volume")).otherwise(0)),
            whole=f.sum(col("volume")),
        )
        .select("o_year", (col("mkt") / col("whole")).alias("mkt_share"))
        .sort("o_year")
    )


def q09(con: springald.Connection) -> DataFrame:
    """Product type profit measure."""
    cost = col("ps_supplycost") * col("l_quantity")
    return (
        con.table("part")
        .filter(col("p_name").like("%green%"))
        .join(con.table("lineitem"), left_on="p_partkey", right_on="l_partkey")
        .join(con.table("supplier"), left_on="l_suppkey", right_on="s_suppkey")
        .join(
            con.table("partsupp"),
            left_on=["l_suppkey", "l_partkey"],
            right_on=["ps_suppkey", "ps_partkey"],
        )
        .join(con.table("orders"), left_on="l_orderkey", right_on="o_orderkey")
        .join(con.table("nation"), left_on="s_nationkey", right_on="n_nationkey")
        .select(
            col("n_name").alias("nation"),
            f.extract("year", col("o_orderdate")).alias("o_year"),
            (DISCOUNTED - cost).alias("amount"),
        )
        .group_by("nation", "o_year")
        .agg(sum_profit=f.sum(col("amount")))
        .sort("nation", col("o_year").sort(ascending=False))
    )


def q10(con: springald.Connection) -> DataFrame:
    """Returned item reporting."""
    return (
        con.table("customer")
        .join(con.table("orders"), left_on="c_custkey", right_on="o_custkey")
        .join(con.table("lineitem"), left_on="o_orderkey", right_on="l_orderkey")
        .join(con.table("nation"), left_on="c_nationkey", right_on="n_nationkey")
        .filter(days("o_orderdate", "1993-10-01", "1994-01-01"), col("l_returnflag") == "R")
        .group_by(
            "c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment"
        )
        .agg(revenue=f.sum(DISCOUNTED))
        .select(
            "c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone",
            "c_comment",
        )
        .sort(col("revenue").sort(ascending=False))
        .limit(20)
    )  # fmt: skip


def q11(con: springald.Connection) -> DataFrame:
    """Important stock identification."""
    stock = (
        con.table("partsupp")
        .join(con.table("supplier"), left_on="ps_suppkey", right_on="s_suppkey")
        .join(con.table("nation"), left_on="s_nationkey", right_on="n_nationkey")
        .filter(col("n_name") == "GERMANY")
    )
    value = f.sum(col("ps_supplycost") * col("ps_availqty"))
    least = stock.aggregate([], [value.alias("whole")]).select(col("whole") * 0.0001)
    return (
        stock.group_by("ps_partkey")
        .agg(value=value)
        .filter(col("value") > scalar_subquery(least))
        .sort(col("value").sort(ascending=False))
    )
