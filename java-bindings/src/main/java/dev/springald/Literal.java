package dev.springald;

import com.google.protobuf.ByteString;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import org.apache.arrow.vector.PeriodDuration;
import springald.type.v1.Type;
import springald.type.v1.Type.DataType;
import springald.type.v1.Type.Scalar;
import springald.type.v1.Type.SimpleType;
import springald.type.v1.Type.Value;

/**
 * A value with its Arrow type: a parameter of a statement, or a constant in a plan.
 *
 * <p>{@link #of} chooses the type by the rule of {@link Row} the other way round: a {@link Long} is
 * an int64, a {@link BigDecimal} a decimal128 (or 256) of just its digits and scale, a {@link
 * BigInteger} a uint64 where it fits and else a decimal without a scale, a {@link LocalDate} a
 * date32, a {@link LocalTime} a time64 of nanoseconds. Points in time and durations have
 * microseconds, or nanoseconds where they have digits for them. For a type of your own, build a
 * {@link Scalar} and wrap it by {@link #ofProto}.
 *
 * <pre>{@code
 * Query since = session.sql("SELECT * FROM orders WHERE paid > $1 AND day >= $2");
 * try (Result result = since.bind(new BigDecimal("9.50"), LocalDate.of(2026, 1, 1)).fetch()) {
 *   result.printTo(System.out);
 * }
 * }</pre>
 */
public final class Literal {
  private static final int DECIMAL_128_DIGITS_MAX = 38;
  private static final int DECIMAL_256_DIGITS_MAX = 76;

  private final Scalar scalar;

  private Literal(Scalar scalar) {
    this.scalar = scalar;
  }

  /**
   * The literal of a Java value.
   *
   * @throws CallerException.InvalidArgument if there is no type for it
   */
  public static Literal of(Object value) {
    if (value instanceof Literal literal) {
      return literal;
    }
    return new Literal(scalarOf(value));
  }

  /** A literal with a type that is chosen by whoever made the message. */
  public static Literal ofProto(Scalar scalar) {
    return new Literal(scalar);
  }

  /** The message. */
  public Scalar toProto() {
    return scalar;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Literal literal && literal.scalar.equals(scalar);
  }

  @Override
  public int hashCode() {
    return scalar.hashCode();
  }

  @Override
  public String toString() {
    return "Literal(" + scalar + ")";
  }

  private static Scalar scalarOf(Object value) {
    Value.Builder made = Value.newBuilder();
    if (value == null) {
      Type.NullValue none = Type.NullValue.getDefaultInstance();
      return simple(SimpleType.SIMPLE_TYPE_NULL, made.setNullValue(none));
    } else if (value instanceof Boolean bool) {
      return simple(SimpleType.SIMPLE_TYPE_BOOL, made.setBoolValue(bool));
    } else if (value instanceof String text) {
      String checked = Checks.text(text, "a parameter");
      return simple(SimpleType.SIMPLE_TYPE_UTF8, made.setStringValue(checked));
    } else if (value instanceof byte[] bytes) {
      return simple(SimpleType.SIMPLE_TYPE_BINARY, made.setBinaryValue(ByteString.copyFrom(bytes)));
    } else if (value instanceof Number number) {
      return number(number, made);
    } else if (value instanceof List<?> list) {
      return list(list);
    }
    return temporal(value, made);
  }

  private static Scalar number(Number value, Value.Builder made) {
    if (value instanceof Byte) {
      return simple(SimpleType.SIMPLE_TYPE_INT8, made.setIntValue(value.longValue()));
    } else if (value instanceof Short) {
      return simple(SimpleType.SIMPLE_TYPE_INT16, made.setIntValue(value.longValue()));
    } else if (value instanceof Integer) {
      return simple(SimpleType.SIMPLE_TYPE_INT32, made.setIntValue(value.longValue()));
    } else if (value instanceof Long) {
      return simple(SimpleType.SIMPLE_TYPE_INT64, made.setIntValue(value.longValue()));
    } else if (value instanceof Float) {
      return simple(SimpleType.SIMPLE_TYPE_FLOAT32, made.setFloatValue(value.floatValue()));
    } else if (value instanceof Double) {
      return simple(SimpleType.SIMPLE_TYPE_FLOAT64, made.setDoubleValue(value.doubleValue()));
    } else if (value instanceof BigDecimal decimal) {
      return decimal(decimal, made);
    } else if (value instanceof BigInteger integer) {
      boolean fits = integer.signum() >= 0 && integer.bitLength() <= Long.SIZE;
      return fits
          ? simple(SimpleType.SIMPLE_TYPE_UINT64, made.setUintValue(integer.longValue()))
          : decimal(new BigDecimal(integer), made);
    }
    throw noType(value);
  }

  private static Scalar decimal(BigDecimal value, Value.Builder made) {
    int digits = Math.max(value.precision(), Math.max(value.scale(), 1));
    if (digits > DECIMAL_256_DIGITS_MAX) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          "a decimal has at most " + DECIMAL_256_DIGITS_MAX + " digits: got " + digits);
    }
    boolean isWide = digits > DECIMAL_128_DIGITS_MAX;
    Type.DecimalType type =
        Type.DecimalType.newBuilder()
            .setWidth(
                isWide ? Type.DecimalWidth.DECIMAL_WIDTH_256 : Type.DecimalWidth.DECIMAL_WIDTH_128)
            .setPrecision(digits)
            .setScale(value.scale())
            .build();
    made.setDecimalValue(ByteString.copyFrom(value.unscaledValue().toByteArray()));
    return scalar(DataType.newBuilder().setDecimalType(type), made);
  }

  private static Scalar temporal(Object value, Value.Builder made) {
    if (value instanceof LocalDate day) {
      return simple(SimpleType.SIMPLE_TYPE_DATE32, made.setIntValue(day.toEpochDay()));
    } else if (value instanceof LocalTime time) {
      Type.TimeType type =
          Type.TimeType.newBuilder().setUnit(Type.TimeUnit.TIME_UNIT_NANOSECOND).build();
      return scalar(
          DataType.newBuilder().setTime64Type(type), made.setIntValue(time.toNanoOfDay()));
    } else if (value instanceof LocalDateTime time) {
      return timestamp(time.toInstant(ZoneOffset.UTC), "", made);
    } else if (value instanceof Instant time) {
      return timestamp(time, "UTC", made);
    } else if (value instanceof OffsetDateTime time) {
      return timestamp(time.toInstant(), zone(time.getOffset()), made);
    } else if (value instanceof ZonedDateTime time) {
      return timestamp(time.toInstant(), zone(time.getZone()), made);
    } else if (value instanceof Duration duration) {
      Instant end = Instant.EPOCH.plus(duration);
      Type.DurationType type = Type.DurationType.newBuilder().setUnit(unit(end)).build();
      return scalar(DataType.newBuilder().setDurationType(type), made.setIntValue(ticks(end)));
    } else if (value instanceof Period period) {
      return interval(period, Duration.ZERO, made);
    } else if (value instanceof PeriodDuration length) {
      return interval(length.getPeriod(), length.getDuration(), made);
    }
    throw noType(value);
  }

  private static Scalar interval(Period period, Duration duration, Value.Builder made) {
    Type.MonthDayNanoValue.Builder length =
        Type.MonthDayNanoValue.newBuilder()
            .setMonths(Math.toIntExact(period.toTotalMonths()))
            .setDays(period.getDays())
            .setNanoseconds(duration.toNanos());
    return simple(
        SimpleType.SIMPLE_TYPE_INTERVAL_MONTH_DAY_NANO, made.setMonthDayNanoValue(length));
  }

  private static Scalar timestamp(Instant time, String zone, Value.Builder made) {
    Type.TimestampType type =
        Type.TimestampType.newBuilder().setUnit(unit(time)).setTimezone(zone).build();
    return scalar(DataType.newBuilder().setTimestampType(type), made.setIntValue(ticks(time)));
  }

  private static String zone(ZoneId zone) {
    return zone.equals(ZoneOffset.UTC) ? "UTC" : zone.getId();
  }

  private static Type.TimeUnit unit(Instant time) {
    return time.getNano() % 1_000 == 0
        ? Type.TimeUnit.TIME_UNIT_MICROSECOND
        : Type.TimeUnit.TIME_UNIT_NANOSECOND;
  }

  private static long ticks(Instant time) {
    boolean isMicros = time.getNano() % 1_000 == 0;
    long perSecond = isMicros ? 1_000_000L : 1_000_000_000L;
    long rest = time.getNano() / (isMicros ? 1_000L : 1L);
    try {
      return Math.addExact(Math.multiplyExact(time.getEpochSecond(), perSecond), rest);
    } catch (ArithmeticException tooFar) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          "a point in time fits 64 bits of its unit: got " + time);
    }
  }

  /** The element type is that of the first element that is not null; the others must have it. */
  private static Scalar list(List<?> values) {
    List<Scalar> elements = values.stream().map(value -> of(value).scalar).toList();
    DataType type =
        elements.stream()
            .map(Scalar::getType)
            .filter(found -> found.getSimpleType() != SimpleType.SIMPLE_TYPE_NULL)
            .findFirst()
            .orElse(DataType.newBuilder().setSimpleType(SimpleType.SIMPLE_TYPE_NULL).build());
    Type.ListValue.Builder list = Type.ListValue.newBuilder();
    for (Scalar element : elements) {
      if (!element.getValue().hasNullValue() && !element.getType().equals(type)) {
        throw ErrorCode.INVALID_ARGUMENT.error(
            "the elements of a list have one type: got " + element.getType() + " after " + type);
      }
      list.addElements(element.getValue());
    }
    Type.Field child =
        Type.Field.newBuilder().setName("item").setType(type).setNullable(true).build();
    Type.ListType layout =
        Type.ListType.newBuilder().setLayout(Type.ListLayout.LIST_LAYOUT_LIST).build();
    return scalar(
        DataType.newBuilder().setListType(layout).addChildren(child),
        Value.newBuilder().setListValue(list));
  }

  private static Scalar simple(SimpleType type, Value.Builder value) {
    return scalar(DataType.newBuilder().setSimpleType(type), value);
  }

  private static Scalar scalar(DataType.Builder type, Value.Builder value) {
    return Scalar.newBuilder().setType(type).setValue(value).build();
  }

  private static SpringaldException noType(Object value) {
    return ErrorCode.INVALID_ARGUMENT.error(
        "a literal is a value that has an Arrow type: got a "
            + value.getClass().getName()
            + "; see dev.springald.Row, or make a Scalar");
  }
}
