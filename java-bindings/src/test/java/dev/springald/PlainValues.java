package dev.springald;

import com.google.protobuf.ByteString;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.Period;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.util.Float16;
import org.apache.arrow.vector.PeriodDuration;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.IntervalUnit;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import springald.type.v1.Type;
import springald.type.v1.Type.Value;

/** Java values as messages of the type that their column has. */
final class PlainValues {
  private static final long DAY_MS = 86_400_000L;

  private PlainValues() {}

  static Value message(Field field, Object value) {
    Value.Builder made = Value.newBuilder();
    if (value == null) {
      return made.setNullValue(Type.NullValue.getDefaultInstance()).build();
    }
    ArrowType type = field.getType();
    if (type instanceof ArrowType.RunEndEncoded) {
      return message(field.getChildren().get(1), value);
    } else if (value instanceof Boolean bool) {
      made.setBoolValue(bool);
    } else if (value instanceof String text) {
      made.setStringValue(text);
    } else if (value instanceof byte[] bytes) {
      made.setBinaryValue(ByteString.copyFrom(bytes));
    } else if (value instanceof BigDecimal decimal) {
      made.setDecimalValue(ByteString.copyFrom(decimal.unscaledValue().toByteArray()));
    } else if (value instanceof Number number) {
      number(type, number, made);
    } else if (value instanceof List<?> || value instanceof Map<?, ?> || value instanceof Struct) {
      nested(field, value, made);
    } else {
      temporal(type, value, made);
    }
    return made.build();
  }

  private static void number(ArrowType type, Number number, Value.Builder made) {
    if (type instanceof ArrowType.FloatingPoint floating) {
      if (floating.getPrecision() == FloatingPointPrecision.HALF) {
        made.setHalfBits(Float16.toFloat16(number.floatValue()) & 0xFFFF);
      } else if (floating.getPrecision() == FloatingPointPrecision.SINGLE) {
        made.setFloatValue(number.floatValue());
      } else {
        made.setDoubleValue(number.doubleValue());
      }
    } else if (((ArrowType.Int) type).getIsSigned()) {
      made.setIntValue(number.longValue());
    } else {
      made.setUintValue(number.longValue());
    }
  }

  private static void nested(Field field, Object value, Value.Builder made) {
    if (value instanceof List<?> list) {
      Type.ListValue.Builder elements = made.getListValueBuilder();
      list.forEach(each -> elements.addElements(message(field.getChildren().get(0), each)));
    } else if (value instanceof Struct struct) {
      Type.StructValue.Builder fields = made.getStructValueBuilder();
      for (int at = 0; at < struct.values().size(); at++) {
        fields.addFields(message(field.getChildren().get(at), struct.values().get(at)));
      }
    } else {
      List<Field> pair = field.getChildren().get(0).getChildren();
      Type.MapValue.Builder map = made.getMapValueBuilder();
      ((Map<?, ?>) value)
          .forEach(
              (key, each) ->
                  map.addKeys(message(pair.get(0), key)).addValues(message(pair.get(1), each)));
    }
  }

  private static void temporal(ArrowType type, Object value, Value.Builder made) {
    if (value instanceof LocalDate day) {
      boolean isDays =
          ((ArrowType.Date) type).getUnit() == org.apache.arrow.vector.types.DateUnit.DAY;
      made.setIntValue(isDays ? day.toEpochDay() : day.toEpochDay() * DAY_MS);
    } else if (value instanceof LocalTime time) {
      Duration sinceMidnight = Duration.ofNanos(time.toNanoOfDay());
      made.setIntValue(ticks(sinceMidnight, ((ArrowType.Time) type).getUnit()));
    } else if (value instanceof LocalDateTime time) {
      made.setIntValue(ticks(time.toInstant(ZoneOffset.UTC), type));
    } else if (value instanceof ZonedDateTime time) {
      made.setIntValue(ticks(time.toInstant(), type));
    } else if (value instanceof Duration duration) {
      made.setIntValue(ticks(duration, ((ArrowType.Duration) type).getUnit()));
    } else if (value instanceof Period period) {
      made.setIntValue(period.toTotalMonths());
    } else {
      interval(((ArrowType.Interval) type).getUnit(), (PeriodDuration) value, made);
    }
  }

  private static void interval(IntervalUnit unit, PeriodDuration length, Value.Builder made) {
    if (unit == IntervalUnit.DAY_TIME) {
      made.getDayTimeValueBuilder()
          .setDays(length.getPeriod().getDays())
          .setMilliseconds((int) length.getDuration().toMillis());
    } else {
      made.getMonthDayNanoValueBuilder()
          .setMonths((int) length.getPeriod().toTotalMonths())
          .setDays(length.getPeriod().getDays())
          .setNanoseconds(length.getDuration().toNanos());
    }
  }

  private static long ticks(Instant time, ArrowType type) {
    return ticks(Duration.between(Instant.EPOCH, time), ((ArrowType.Timestamp) type).getUnit());
  }

  private static long ticks(Duration length, TimeUnit unit) {
    BigInteger nanos =
        BigInteger.valueOf(length.getSeconds())
            .multiply(BigInteger.valueOf(1_000_000_000L))
            .add(BigInteger.valueOf(length.getNano()));
    long each =
        switch (unit) {
          case SECOND -> 1_000_000_000L;
          case MILLISECOND -> 1_000_000L;
          case MICROSECOND -> 1_000L;
          case NANOSECOND -> 1L;
        };
    return nanos.divide(BigInteger.valueOf(each)).longValueExact();
  }
}
