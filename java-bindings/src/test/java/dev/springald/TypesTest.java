package dev.springald;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.arrow.vector.PeriodDuration;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Values of every Arrow type, by the rule that {@link Row} documents. */
class TypesTest {
  private static Session inline;
  private static Session fetched;

  @BeforeAll
  static void connect() {
    String url = TestCluster.shared().url();
    inline = Springald.connect(url);
    fetched =
        Springald.connect(
            url, ConnectOptions.builder().setting("springald.inline_rows_bytes_max", 0).build());
  }

  @AfterAll
  static void close() {
    inline.close();
    fetched.close();
  }

  static Stream<Arguments> values() {
    LocalDateTime time = LocalDateTime.of(2026, 2, 3, 4, 5, 6);
    ZoneId paris = ZoneId.of("Europe/Paris");
    return Stream.of(
        Arguments.of("NULL", null),
        Arguments.of("true", true),
        Arguments.of("arrow_cast(-1, 'Int8')", (byte) -1),
        Arguments.of("arrow_cast(-1, 'Int16')", (short) -1),
        Arguments.of("arrow_cast(-1, 'Int32')", -1),
        Arguments.of("-1", -1L),
        Arguments.of("arrow_cast(255, 'UInt8')", (short) 255),
        Arguments.of("arrow_cast(65535, 'UInt16')", 65535),
        Arguments.of("arrow_cast(4294967295, 'UInt32')", 4294967295L),
        Arguments.of("18446744073709551615", new BigInteger("18446744073709551615")),
        Arguments.of("arrow_cast(1.5, 'Float16')", 1.5f),
        Arguments.of("arrow_cast(1.5, 'Float32')", 1.5f),
        Arguments.of("arrow_cast('NaN', 'Float64')", Double.NaN),
        Arguments.of("arrow_cast(1.25, 'Decimal32(5, 2)')", new BigDecimal("1.25")),
        Arguments.of("arrow_cast(1.25, 'Decimal64(12, 2)')", new BigDecimal("1.25")),
        Arguments.of("arrow_cast(-1.25, 'Decimal128(38, 2)')", new BigDecimal("-1.25")),
        Arguments.of("arrow_cast(1.25, 'Decimal256(76, 2)')", new BigDecimal("1.25")),
        Arguments.of("'ä€😀'", "ä€😀"),
        Arguments.of("arrow_cast('ä', 'LargeUtf8')", "ä"),
        Arguments.of("arrow_cast('a longer text than twelve', 'Utf8View')", longer()),
        Arguments.of("arrow_cast('2026-02-03', 'Date32')", LocalDate.of(2026, 2, 3)),
        Arguments.of("arrow_cast('1960-02-03', 'Date64')", LocalDate.of(1960, 2, 3)),
        Arguments.of("arrow_cast('01:02:03', 'Time32(Second)')", LocalTime.of(1, 2, 3)),
        Arguments.of("arrow_cast('01:02:03.004', 'Time32(ms)')", LocalTime.of(1, 2, 3, 4_000_000)),
        Arguments.of("arrow_cast('01:02:03.000004', 'Time64(us)')", LocalTime.of(1, 2, 3, 4_000)),
        Arguments.of("arrow_cast('01:02:03.000000004', 'Time64(ns)')", LocalTime.of(1, 2, 3, 4)),
        Arguments.of("arrow_cast('2026-02-03T04:05:06', 'Timestamp(s)')", time),
        Arguments.of("arrow_cast('2026-02-03T04:05:06', 'Timestamp(ms)')", time),
        Arguments.of("arrow_cast('2026-02-03T04:05:06', 'Timestamp(us)')", time),
        Arguments.of(
            "arrow_cast('1826-02-03T04:05:06.000000007', 'Timestamp(ns)')",
            time.withYear(1826).withNano(7)),
        Arguments.of(
            "arrow_cast('2026-02-03T03:05:06Z', 'Timestamp(us, \"Europe/Paris\")')",
            ZonedDateTime.of(time, paris)),
        Arguments.of(
            "arrow_cast('2026-02-03T04:05:06Z', 'Timestamp(s, \"+00:00\")')",
            ZonedDateTime.of(time, ZoneId.of("+00:00"))),
        Arguments.of("arrow_cast(90, 'Duration(s)')", Duration.ofSeconds(90)),
        Arguments.of("arrow_cast(-90, 'Duration(ns)')", Duration.ofNanos(-90)),
        Arguments.of(
            "INTERVAL '14 months 3 days 4 nanoseconds'",
            new PeriodDuration(Period.of(0, 14, 3), Duration.ofNanos(4))),
        Arguments.of("[1, NULL, 3]", Arrays.asList(1L, null, 3L)),
        Arguments.of("arrow_cast([1, 2], 'LargeList(Int64)')", List.of(1L, 2L)),
        Arguments.of("arrow_cast([1, 2], 'FixedSizeList(2, Int64)')", List.of(1L, 2L)),
        Arguments.of("arrow_cast([[1], [2, 3]], 'List(List(Decimal32(5, 1)))')", nested()),
        Arguments.of(
            "named_struct('a', 1, 'b', ['x'])",
            new Struct(List.of("a", "b"), List.of(1L, List.of("x")))),
        Arguments.of("MAP {'a': 1, 'b': NULL}", map()),
        Arguments.of("arrow_cast('a', 'Dictionary(Int32, Utf8)')", "a"),
        Arguments.of("[arrow_cast('a', 'Dictionary(UInt8, LargeUtf8)')]", List.of("a")));
  }

  /** A value is what the rule says, whether its row came with the news or was fetched. */
  @ParameterizedTest
  @MethodSource("values")
  void getReturnsTheValueByTheRule(String sql, Object expected) {
    for (Session session : List.of(inline, fetched)) {
      try (Result result = session.sql("SELECT " + sql + " AS c").fetch()) {
        Row row = result.rows().iterator().next();
        assertEquals(expected, row.get("c"));
        assertEquals(expected == null, row.isNull(0));
        assertFalse(
            result.schema().getFields().get(0).getType() instanceof ArrowType.Decimal decimal
                && decimal.getBitWidth() < 128);
      }
      assertEquals(0, session.allocator().getAllocatedMemory());
    }
  }

  /** The schema that a query tells before it runs is the one that its rows have. */
  @ParameterizedTest
  @MethodSource("values")
  void schemaOfAQueryIsThatOfItsRows(String sql, Object expected) {
    Query query = fetched.sql("SELECT " + sql + " AS c");
    try (Result result = query.fetch()) {
      assertEquals(
          query.schema().getFields().get(0).getType(),
          result.schema().getFields().get(0).getType());
    }
  }

  /** Bytes are byte arrays, of any layout. */
  @Test
  void getBytesReturnsTheBytesOfEachLayout() {
    for (String kind : List.of("Binary", "LargeBinary", "BinaryView", "FixedSizeBinary(2)")) {
      String sql = "SELECT arrow_cast(arrow_cast('ab', 'Binary'), '" + kind + "') AS c";
      try (Result result = fetched.sql(sql).fetch()) {
        Row row = result.rows().iterator().next();
        assertArrayEquals(new byte[] {'a', 'b'}, row.getBytes("c"), kind);
      }
    }
  }

  /** Nulls of every type are null. */
  @ParameterizedTest
  @MethodSource("values")
  void getOfANullReturnsNull(String sql, Object expected) {
    String query =
        "SELECT CASE WHEN value = 0 THEN " + sql + " END AS c FROM generate_series(1, 2)";
    try (Result result = inline.sql(query).fetch()) {
      for (Row row : result.rows()) {
        assertNull(row.get("c"));
      }
    }
  }

  /** A typed getter converts where nothing is lost, and refuses where something would be. */
  @Test
  void typedGettersConvertWithoutLossOrRefuse() {
    String sql =
        "SELECT 18446744073709551615 AS big, 5000000000 AS wide, arrow_cast(7, 'UInt8') AS small,"
            + " 1.5 AS half, 'a' AS text, arrow_cast(NULL, 'Int64') AS nothing";
    try (Result result = inline.sql(sql).fetch()) {
      Row row = result.rows().iterator().next();
      assertEquals("18446744073709551615", Long.toUnsignedString(row.getUnsignedLong("big")));
      assertThrows(DataException.CastFailed.class, () -> row.getLong("big"));
      assertThrows(DataException.CastFailed.class, () -> row.getInt("wide"));
      assertEquals(7, row.getInt("small"));
      assertEquals(7.0, row.getDouble("small"));
      assertEquals(new BigDecimal(7), row.getBigDecimal("small"));
      assertEquals(1.5, row.getDouble("half"));
      assertThrows(CallerException.TypeMismatch.class, () -> row.getLong("half"));
      assertThrows(CallerException.TypeMismatch.class, () -> row.getLong("text"));
      assertThrows(DataException.CastFailed.class, () -> row.getLong("nothing"));
      assertNull(row.getBigInteger("nothing"));
      assertTrue(row.isNull("nothing"));
      assertThrows(CallerException.UnknownColumn.class, () -> row.get("no_such"));
    }
  }

  private static String longer() {
    return "a longer text than twelve";
  }

  private static List<?> nested() {
    BigDecimal one = new BigDecimal("1.0");
    return List.of(List.of(one), List.of(new BigDecimal("2.0"), new BigDecimal("3.0")));
  }

  private static Map<?, ?> map() {
    Map<Object, Object> map = new java.util.LinkedHashMap<>();
    map.put("a", 1L);
    map.put("b", null);
    return map;
  }
}
