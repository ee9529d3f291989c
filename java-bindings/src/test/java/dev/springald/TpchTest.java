package dev.springald;

import static dev.springald.Expr.call;
import static dev.springald.Expr.col;
import static dev.springald.Expr.exists;
import static dev.springald.Expr.lit;
import static dev.springald.Expr.outer;
import static dev.springald.Expr.scalar;
import static dev.springald.Expr.when;
import static dev.springald.Relation.table;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Queries of TPC-H, built here step by step, held against their text. */
class TpchTest {
  private static final Path QUERIES = Path.of("..", "integration-tests", "tpch", "queries");
  private static final LocalDate YEAR_1994 = LocalDate.of(1994, 1, 1);
  private static final LocalDate YEAR_1995 = LocalDate.of(1995, 1, 1);

  private static Session session;

  @BeforeAll
  static void connect() {
    session = Springald.connect(TestCluster.shared().url());
    for (String name :
        List.of("customer", "lineitem", "nation", "orders", "part", "region", "supplier")) {
      session.registerParquet(name, TestCluster.shared().table(name));
    }
  }

  @AfterAll
  static void close() {
    session.close();
  }

  /** A plan gives the rows that the text gives, in the same order and under the same names. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 5, 6, 10, 12, 14, 17})
  void planGivesTheRowsOfTheText(int number) throws IOException {
    String text = Files.readString(QUERIES.resolve(String.format("q%02d.sql", number)));
    Query built = session.plan(query(number));
    List<List<Object>> expected = rows(session.sql(text));
    assertFalse(expected.isEmpty());
    assertEquals(expected, rows(built));
    assertEquals(names(session.sql(text)), names(built));
  }

  private static List<List<Object>> rows(Query query) {
    try (Result result = query.fetch()) {
      List<List<Object>> rows = new ArrayList<>();
      result.rows().forEach(row -> rows.add(row.toList().stream().map(TpchTest::plain).toList()));
      return rows;
    }
  }

  /** Sums of floating-point numbers depend on the order of rows in their last digits. */
  private static Object plain(Object value) {
    if (value instanceof Double number) {
      return String.format("%.9e", number);
    }
    return value instanceof BigDecimal decimal ? decimal.stripTrailingZeros() : value;
  }

  private static List<String> names(Query query) {
    return query.schema().getFields().stream().map(field -> field.getName()).toList();
  }

  private static Relation query(int number) {
    return switch (number) {
      case 1 -> pricingSummary();
      case 3 -> shippingPriority();
      case 4 -> orderPriority();
      case 5 -> localSuppliers();
      case 6 -> revenueForecast();
      case 10 -> returnedItems();
      case 12 -> shippingModes();
      case 14 -> promotionEffect();
      default -> smallQuantities();
    };
  }

  private static Expr net() {
    return col("l_extendedprice").times(lit(1L).minus(col("l_discount")));
  }

  private static Relation pricingSummary() {
    return table("lineitem")
        .filter(col("l_shipdate").lessOrEqual(LocalDate.of(1998, 9, 2)))
        .aggregate(
            List.of(col("l_returnflag"), col("l_linestatus")),
            Call.sum(col("l_quantity")).as("sum_qty"),
            Call.sum(col("l_extendedprice")).as("sum_base_price"),
            Call.sum(net()).as("sum_disc_price"),
            Call.sum(net().times(lit(1L).plus(col("l_tax")))).as("sum_charge"),
            Call.avg(col("l_quantity")).as("avg_qty"),
            Call.avg(col("l_extendedprice")).as("avg_price"),
            Call.avg(col("l_discount")).as("avg_disc"),
            Call.count().as("count_order"))
        .sort(col("l_returnflag").ascending(), col("l_linestatus").ascending());
  }

  private static Relation shippingPriority() {
    LocalDate day = LocalDate.of(1995, 3, 15);
    return table("customer")
        .filter(col("c_mktsegment").equalTo("BUILDING"))
        .join(table("orders"), JoinType.INNER, col("c_custkey").equalTo(col("o_custkey")))
        .filter(col("o_orderdate").less(day))
        .join(table("lineitem"), JoinType.INNER, col("l_orderkey").equalTo(col("o_orderkey")))
        .filter(col("l_shipdate").greater(day))
        .aggregate(
            List.of(col("l_orderkey"), col("o_orderdate"), col("o_shippriority")),
            Call.sum(net()).as("revenue"))
        .select(col("l_orderkey"), col("revenue"), col("o_orderdate"), col("o_shippriority"))
        .sort(col("revenue").descending(), col("o_orderdate").ascending())
        .limit(10);
  }

  private static Relation orderPriority() {
    Relation late =
        table("lineitem")
            .filter(
                col("l_orderkey")
                    .equalTo(outer("orders", "o_orderkey"))
                    .and(col("l_commitdate").less(col("l_receiptdate"))));
    return table("orders")
        .filter(
            col("o_orderdate")
                .greaterOrEqual(LocalDate.of(1993, 7, 1))
                .and(col("o_orderdate").less(LocalDate.of(1993, 10, 1)))
                .and(exists(late)))
        .aggregate(List.of(col("o_orderpriority")), Call.count().as("order_count"))
        .sort(col("o_orderpriority").ascending());
  }

  private static Relation localSuppliers() {
    Expr sameNation =
        col("l_suppkey")
            .equalTo(col("s_suppkey"))
            .and(col("c_nationkey").equalTo(col("s_nationkey")));
    return table("customer")
        .join(table("orders"), JoinType.INNER, col("c_custkey").equalTo(col("o_custkey")))
        .join(table("lineitem"), JoinType.INNER, col("l_orderkey").equalTo(col("o_orderkey")))
        .join(table("supplier"), JoinType.INNER, sameNation)
        .join(table("nation"), JoinType.INNER, col("s_nationkey").equalTo(col("n_nationkey")))
        .join(table("region"), JoinType.INNER, col("n_regionkey").equalTo(col("r_regionkey")))
        .filter(
            col("r_name")
                .equalTo("ASIA")
                .and(col("o_orderdate").greaterOrEqual(YEAR_1994))
                .and(col("o_orderdate").less(YEAR_1995)))
        .aggregate(List.of(col("n_name")), Call.sum(net()).as("revenue"))
        .sort(col("revenue").descending());
  }

  private static Relation revenueForecast() {
    return table("lineitem")
        .filter(
            col("l_shipdate")
                .greaterOrEqual(YEAR_1994)
                .and(col("l_shipdate").less(YEAR_1995))
                .and(col("l_discount").between(lit(0.06).minus(0.01), lit(0.06).plus(0.01)))
                .and(col("l_quantity").less(24L)))
        .aggregate(
            List.of(), Call.sum(col("l_extendedprice").times(col("l_discount"))).as("revenue"));
  }

  private static Relation returnedItems() {
    List<Expr> keys =
        List.of(
            col("c_custkey"),
            col("c_name"),
            col("c_acctbal"),
            col("c_phone"),
            col("n_name"),
            col("c_address"),
            col("c_comment"));
    return table("customer")
        .join(table("orders"), JoinType.INNER, col("c_custkey").equalTo(col("o_custkey")))
        .join(table("lineitem"), JoinType.INNER, col("l_orderkey").equalTo(col("o_orderkey")))
        .join(table("nation"), JoinType.INNER, col("c_nationkey").equalTo(col("n_nationkey")))
        .filter(
            col("o_orderdate")
                .greaterOrEqual(LocalDate.of(1993, 10, 1))
                .and(col("o_orderdate").less(YEAR_1994))
                .and(col("l_returnflag").equalTo("R")))
        .aggregate(keys, Call.sum(net()).as("revenue"))
        .select(
            col("c_custkey"),
            col("c_name"),
            col("revenue"),
            col("c_acctbal"),
            col("n_name"),
            col("c_address"),
            col("c_phone"),
            col("c_comment"))
        .sort(col("revenue").descending())
        .limit(20);
  }

  private static Relation shippingModes() {
    Expr isUrgent = col("o_orderpriority").in("1-URGENT", "2-HIGH");
    return table("orders")
        .join(table("lineitem"), JoinType.INNER, col("o_orderkey").equalTo(col("l_orderkey")))
        .filter(
            col("l_shipmode")
                .in("MAIL", "SHIP")
                .and(col("l_commitdate").less(col("l_receiptdate")))
                .and(col("l_shipdate").less(col("l_commitdate")))
                .and(col("l_receiptdate").greaterOrEqual(YEAR_1994))
                .and(col("l_receiptdate").less(YEAR_1995)))
        .aggregate(
            List.of(col("l_shipmode")),
            Call.sum(when(isUrgent, 1L).otherwise(0L)).as("high_line_count"),
            Call.sum(when(isUrgent.not(), 1L).otherwise(0L)).as("low_line_count"))
        .sort(col("l_shipmode").ascending());
  }

  private static Relation promotionEffect() {
    Expr promoted = when(col("p_type").like("PROMO%"), net()).otherwise(0L);
    return table("lineitem")
        .join(table("part"), JoinType.INNER, col("l_partkey").equalTo(col("p_partkey")))
        .filter(
            col("l_shipdate")
                .greaterOrEqual(LocalDate.of(1995, 9, 1))
                .and(col("l_shipdate").less(LocalDate.of(1995, 10, 1))))
        .aggregate(List.of(), Call.sum(promoted).as("promoted"), Call.sum(net()).as("whole"))
        .select(lit(100.0).times(col("promoted")).dividedBy(col("whole")).as("promo_revenue"));
  }

  private static Relation smallQuantities() {
    Relation usual =
        table("lineitem", "other")
            .filter(col("other", "l_partkey").equalTo(outer("part", "p_partkey")))
            .aggregate(List.of(), Call.avg(col("l_quantity")).as("mean"))
            .select(lit(0.2).times(col("mean")).as("fifth"));
    return table("lineitem")
        .join(table("part"), JoinType.INNER, col("p_partkey").equalTo(col("l_partkey")))
        .filter(
            col("p_brand")
                .equalTo("Brand#23")
                .and(col("p_container").equalTo("MED BOX"))
                .and(col("l_quantity").less(scalar(usual))))
        .aggregate(List.of(), Call.sum(col("l_extendedprice")).as("whole"))
        .select(call("/", col("whole"), 7.0).as("avg_yearly"));
  }
}
