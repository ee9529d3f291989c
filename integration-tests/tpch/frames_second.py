"""TPC-H queries 12 to 22 with the DataFrame API; the SQL beside them says what each one asks."""

import springald
from springald import DataFrame, Expr, col
from springald import functions as f
from springald.expr import exists, outer_col, scalar_subquery, when
from tpch.frames_first import DISCOUNTED, days


def q12(con: springald.Connection) -> DataFrame:
    """Shipping modes and order priority."""
    urgent = (col("o_orderpriority") == "1-URGENT") | (col("o_orderpriority") == "2-HIGH")
    other = (col("o_orderpriority") != "1-URGENT") & (col("o_orderpriority") != "2-HIGH")
    return (
        con.table("orders")
        .join(con.table("lineitem"), left_on="o_orderkey", right_on="l_orderkey")
        .filter(
            col("l_shipmode").in_list(["MAIL", "SHIP"]),
            col("l_commitdate") < col("l_receiptdate"),
            col("l_shipdate") < col("l_commitdate"),
            days("l_receiptdate", "1994-01-01", "1995-01-01"),
        )
        .group_by("l_shipmode")
        .agg(
            high_line_count=f.sum(when(urgent, 1).otherwise(0)),
            low_line_count=f.sum(when(other, 1).otherwise(0)),
        )
        .sort("l_shipmode")
    )


def q13(con: springald.Connection) -> DataFrame:
    """Customer distribution."""
    plain = con.table("orders").filter(~col("o_comment").like("%special%requests%"))
    return (
        con.table("customer")
        .join(plain, left_on="c_custkey", right_on="o_custkey", how="left")
        .group_by("c_custkey")
        .agg(c_count=f.count(col("o_orderkey")))
        .group_by("c_count")
        .agg(custdist=f.count())
        .sort(col("custdist").sort(ascending=False), col("c_count").sort(ascending=False))
    )


def q14(con: springald.Connection) -> DataFrame:
    """Promotion effect."""
    promotion = when(col("p_type").like("PROMO%"), DISCOUNTED).otherwise(0)
    return (
        con.table("lineitem")
        .join(con.table("part"), left_on="l_partkey", right_on="p_partkey")
        .filter(days("l_shipdate", "1995-09-01", "1995-10-01"))
        .aggregate([], [f.sum(promotion).alias("promotion"), f.sum(DISCOUNTED).alias("whole")])
        .select((100.00 * col("promotion") / col("whole")).alias("promo_revenue"))
    )


def q15(con: springald.Connection) -> DataFrame:
    """Top supplier."""
    revenue = (
        con.table("lineitem")
        .filter(days("l_shipdate", "1996-01-01", "1996-04-01"))
        .group_by(col("l_suppkey").alias("supplier_no"))
        .agg(total_revenue=f.sum(DISCOUNTED))
    )
    most = revenue.aggregate([], [f.max(col("total_revenue"))])
    return (
        con.table("supplier")
        .join(revenue, left_on="s_suppkey", right_on="supplier_no")
        .filter(col("total_revenue") == scalar_subquery(most))
        .select("s_suppkey", "s_name", "s_address", "s_phone", "total_revenue")
        .sort("s_suppkey")
    )


def q16(con: springald.Connection) -> DataFrame:
    """Parts and supplier relationship."""
    complained = con.table("supplier").filter(col("s_comment").like("%Customer%Complaints%"))
    return (
        con.table("partsupp")
        .join(con.table("part"), left_on="ps_partkey", right_on="p_partkey")
        .filter(
            col("p_brand") != "Brand#45",
            ~col("p_type").like("MEDIUM POLISHED%"),
            col("p_size").in_list([49, 14, 23, 45, 19, 3, 36, 9]),
            col("ps_suppkey").in_subquery(complained.select("s_suppkey"), negated=True),
        )
        .group_by("p_brand", "p_type", "p_size")
        .agg(supplier_cnt=f.count(col("ps_suppkey"), distinct=True))
        .sort(col("supplier_cnt").sort(ascending=False), "p_brand", "p_type", "p_size")
    )


def q17(con: springald.Connection) -> DataFrame:
    """Small-quantity-order revenue."""
    usual = (
        con.table("lineitem")
        .filter(col("l_partkey") == outer_col("p_partkey"))
        .aggregate([], [f.avg(col("l_quantity")).alias("mean")])
        .select(0.2 * col("mean"))
    )
    return (
        con.table("lineitem")
        .join(con.table("part"), left_on="l_partkey", right_on="p_partkey")
        .filter(col("p_brand") == "Brand#23", col("p_container") == "MED BOX")
        .filter(col("l_quantity") < scalar_subquery(usual))
        .aggregate([], [f.sum(col("l_extendedprice")).alias("whole")])
        .select((col("whole") / 7.0).alias("avg_yearly"))
    )


def q18(con: springald.Connection) -> DataFrame:
    """Large volume customer."""
    large = (
        con.table("lineitem")
        .group_by("l_orderkey")
        .agg(quantity=f.sum(col("l_quantity")))
        .filter(col("quantity") > 300)
        .select("l_orderkey")
    )
    return (
        con.table("customer")
        .join(con.table("orders"), left_on="c_custkey", right_on="o_custkey")
        .join(con.table("lineitem"), left_on="o_orderkey", right_on="l_orderkey")
        .filter(col("o_orderkey").in_subquery(large))
        .group_by("c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice")
        .agg(f.sum(col("l_quantity")).alias("sum(lineitem.l_quantity)"))
        .sort(col("o_totalprice").sort(ascending=False), "o_orderdate")
        .limit(100)
    )


def q19(con: springald.Connection) -> DataFrame:
    """Discounted revenue."""

    def chosen(brand: str, size: str, boxes: list[str], quantity: int, size_max: int) -> Expr:
        return (
            (col("p_brand") == brand)
            & col("p_container").in_list([f"{size} {box}" for box in boxes])
            & (col("l_quantity") >= quantity)
            & (col("l_quantity") <= quantity + 10)
            & col("p_size").between(1, size_max)
            & col("l_shipmode").in_list(["AIR", "AIR REG"])
            & (col("l_shipinstruct") == "DELIVER IN PERSON")
        )

    return (
        con.table("lineitem")
        .join(con.table("part"), left_on="l_partkey", right_on="p_partkey")
        .filter(
            chosen("Brand#12", "SM", ["CASE", "BOX", "PACK", "PKG"], 1, 5)
            | chosen("Brand#23", "MED", ["BAG", "BOX", "PKG", "PACK"], 10, 10)
            | chosen("Brand#34", "LG", ["CASE", "BOX", "PACK", "PKG"], 20, 15)
        )
        .aggregate([], [f.sum(DISCOUNTED).alias("revenue")])
    )


def q20(con: springald.Connection) -> DataFrame:
    """Potential part promotion."""
    forest = con.table("part").filter(col("p_name").like("forest%")).select("p_partkey")
    shipped = (
        con.table("lineitem")
        .filter(
            col("l_partkey") == outer_col("ps_partkey"),
            col("l_suppkey") == outer_col("ps_suppkey"),
            days("l_shipdate", "1994-01-01", "1995-01-01"),
        )
        .aggregate([], [f.sum(col("l_quantity")).alias("quantity")])
        .select(0.5 * col("quantity"))
    )
    stocked = (
        con.table("partsupp")
        .filter(col("ps_partkey").in_subquery(forest))
        .filter(col("ps_availqty") > scalar_subquery(shipped))
        .select("ps_suppkey")
    )
    return (
        con.table("supplier")
        .join(con.table("nation"), left_on="s_nationkey", right_on="n_nationkey")
        .filter(col("s_suppkey").in_subquery(stocked), col("n_name") == "CANADA")
        .select("s_name", "s_address")
        .sort("s_name")
    )


def q21(con: springald.Connection) -> DataFrame:
    """Suppliers who kept orders waiting."""
    lineitem = con.table("lineitem")
    others = (col("l_orderkey") == outer_col("l1.l_orderkey")) & (
        col("l_suppkey") != outer_col("l1.l_suppkey")
    )
    another = lineitem.filter(others)
    another_late = another.filter(col("l_receiptdate") > col("l_commitdate"))
    return (
        con.table("supplier")
        .join(lineitem.alias("l1"), left_on="s_suppkey", right_on="l_suppkey")
        .join(con.table("orders"), left_on="l_orderkey", right_on="o_orderkey")
        .join(con.table("nation"), left_on="s_nationkey", right_on="n_nationkey")
        .filter(
            col("o_orderstatus") == "F",
            col("l_receiptdate") > col("l_commitdate"),
            exists(another),
            exists(another_late, negated=True),
            col("n_name") == "SAUDI ARABIA",
        )
        .group_by("s_name")
        .agg(numwait=f.count())
        .sort(col("numwait").sort(ascending=False), "s_name")
        .limit(100)
    )


def q22(con: springald.Connection) -> DataFrame:
    """Global sales opportunity."""
    code = f.substring(col("c_phone"), 1, 2)
    here = code.in_list(["13", "31", "23", "29", "30", "18", "17"])
    customers = con.table("customer").filter(here)
    usual = customers.filter(col("c_acctbal") > 0.00).aggregate([], [f.avg(col("c_acctbal"))])
    orders = con.table("orders").filter(col("o_custkey") == outer_col("c_custkey"))
    return (
        customers.filter(
            col("c_acctbal") > scalar_subquery(usual),
            exists(orders, negated=True),
        )
        .select(code.alias("cntrycode"), "c_acctbal")
        .group_by("cntrycode")
        .agg(numcust=f.count(), totacctbal=f.sum(col("c_acctbal")))
        .sort("cntrycode")
    )
