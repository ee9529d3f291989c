package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Values that go with a statement. */
class ParametersTest {
  private static Session session;

  @BeforeAll
  static void connect() {
    session = Springald.connect(TestCluster.shared().url());
  }

  @AfterAll
  static void close() {
    session.close();
  }

  static Stream<Arguments> values() {
    LocalDateTime time = LocalDateTime.of(2026, 2, 3, 4, 5, 6, 7000);
    ZonedDateTime zoned = time.atZone(ZoneId.of("Europe/Paris"));
    Period period = Period.of(0, 14, 3);
    return Stream.of(
        same(true),
        same((byte) -1),
        same((short) -1),
        same(-1),
        same(-1L),
        same(1.5f),
        same(Double.NEGATIVE_INFINITY),
        same("it's; DROP TABLE x --"),
        same(new BigDecimal("-123.450")),
        same(new BigDecimal("1234567890123456789012345678901234567890.5")),
        same(new BigInteger("18446744073709551615")),
        same(LocalDate.of(1960, 2, 29)),
        same(LocalTime.of(1, 2, 3, 4)),
        same(time),
        same(time.withNano(7)),
        same(zoned),
        Arguments.of(zoned.toInstant(), zoned.toInstant().atZone(ZoneId.of("UTC"))),
        Arguments.of(Instant.EPOCH, Instant.EPOCH.atZone(ZoneId.of("UTC"))),
        same(Duration.ofNanos(-1_500)),
        Arguments.of(period, new PeriodDuration(period, Duration.ZERO)),
        same(new PeriodDuration(period, Duration.ofNanos(4))),
        same(Arrays.asList(1L, null, 3L)));
  }

  private static Arguments same(Object value) {
    return Arguments.of(value, value);
  }

  /** A value comes back as it went, and is never read as text of SQL. */
  @ParameterizedTest
  @MethodSource("values")
  void bindGivesTheValueItsType(Object value, Object expected) {
    try (Result result = session.sql("SELECT $1 AS c").bind(value).fetch()) {
      assertEquals(expected, result.rows().iterator().next().get("c"));
    }
  }

  /** Parameters have places or names. */
  @Test
  void bindByPlaceAndByName() {
    Query placed = session.sql("SELECT $2 - $1 AS c");
    try (Result result = placed.bind(2, 5).fetch()) {
      assertEquals(3, result.rows().iterator().next().getInt("c"));
    }
    Query named = session.sql("SELECT $high - $low AS c");
    try (Result result = named.bind(Map.of("low", 2, "high", 5)).fetch()) {
      assertEquals(3, result.rows().iterator().next().getInt("c"));
    }
  }

  /** A statement that wants values is not executed without them. */
  @Test
  void fetchWithoutValuesIsRefused() {
    assertThrows(CallerException.class, () -> session.sql("SELECT $1 + 1").fetch());
  }

  /** What has no Arrow type is refused here. */
  @Test
  void bindOfAnythingElseIsRefused() {
    Query query = session.sql("SELECT $1");
    assertThrows(CallerException.InvalidArgument.class, () -> query.bind(new Object()));
    assertThrows(CallerException.InvalidArgument.class, () -> query.bind((Object) List.of(1, "a")));
    assertThrows(CallerException.InvalidArgument.class, () -> query.bind(new BigDecimal("1E-100")));
  }
}
