package dev.springald;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.util.Float16;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DateMilliVector;
import org.apache.arrow.vector.Decimal256Vector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.DurationVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.FixedSizeBinaryVector;
import org.apache.arrow.vector.Float2Vector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.IntervalDayVector;
import org.apache.arrow.vector.IntervalMonthDayNanoVector;
import org.apache.arrow.vector.IntervalYearVector;
import org.apache.arrow.vector.LargeVarBinaryVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.PeriodDuration;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeMilliVector;
import org.apache.arrow.vector.TimeNanoVector;
import org.apache.arrow.vector.TimeSecVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.UInt1Vector;
import org.apache.arrow.vector.UInt2Vector;
import org.apache.arrow.vector.UInt4Vector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.ViewVarBinaryVector;
import org.apache.arrow.vector.ViewVarCharVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.LargeListVector;
import org.apache.arrow.vector.complex.LargeListViewVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.ListViewVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.RunEndEncodedVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.complex.UnionVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/** The Java value of an Arrow value, by the rule that {@link Row} documents. */
final class Values {
  private final DictionaryProvider dictionaries;

  Values(DictionaryProvider dictionaries) {
    this.dictionaries = dictionaries;
  }

  /** Reads one value; the field is the schema's, which knows more than the vector's own. */
  Object read(Field field, ValueVector vector, int row) {
    if (field.getDictionary() != null) {
      return encoded(field, vector, row);
    }
    if (vector instanceof UnionVector union) {
      return alternative(field, union.getChildrenFromFields(), union.getTypeValue(row), row);
    }
    if (vector instanceof DenseUnionVector union) {
      int offset = union.getOffset(row);
      return alternative(field, union.getChildrenFromFields(), union.getTypeId(row), offset);
    }
    if (vector instanceof RunEndEncodedVector runs) {
      FieldVector values = runs.getValuesVector();
      return read(field.getChildren().get(1), values, runs.getPhysicalIndex(row));
    }
    return vector.isNull(row) ? null : present(field, vector, row);
  }

  private Object encoded(Field field, ValueVector indices, int row) {
    if (indices.isNull(row)) {
      return null;
    }
    Dictionary dictionary = dictionaries.lookup(field.getDictionary().getId());
    FieldVector entries = dictionary.getVector();
    long index = ((BaseIntVector) indices).getValueAsLong(row);
    return read(entries.getField(), entries, Math.toIntExact(index));
  }

  private Object present(Field field, ValueVector vector, int row) {
    return switch (vector.getMinorType()) {
      case NULL -> null;
      case BIT -> ((BitVector) vector).get(row) != 0;
      case TINYINT -> ((TinyIntVector) vector).get(row);
      case SMALLINT -> ((SmallIntVector) vector).get(row);
      case INT -> ((IntVector) vector).get(row);
      case BIGINT -> ((BigIntVector) vector).get(row);
      case UINT1 -> (short) (((UInt1Vector) vector).get(row) & 0xFF);
      case UINT2 -> (int) ((UInt2Vector) vector).get(row);
      case UINT4 -> Integer.toUnsignedLong(((UInt4Vector) vector).get(row));
      case UINT8 -> unsigned(((UInt8Vector) vector).get(row));
      case FLOAT2 -> Float16.toFloat(((Float2Vector) vector).get(row));
      case FLOAT4 -> ((Float4Vector) vector).get(row);
      case FLOAT8 -> ((Float8Vector) vector).get(row);
      case VARCHAR -> utf8(((VarCharVector) vector).get(row));
      case LARGEVARCHAR -> utf8(((LargeVarCharVector) vector).get(row));
      case VIEWVARCHAR -> utf8(((ViewVarCharVector) vector).get(row));
      case VARBINARY -> ((VarBinaryVector) vector).get(row);
      case LARGEVARBINARY -> ((LargeVarBinaryVector) vector).get(row);
      case VIEWVARBINARY -> ((ViewVarBinaryVector) vector).get(row);
      case FIXEDSIZEBINARY -> ((FixedSizeBinaryVector) vector).get(row);
      case DECIMAL -> ((DecimalVector) vector).getObject(row);
      case DECIMAL256 -> ((Decimal256Vector) vector).getObject(row);
      case STRUCT -> struct(field, (StructVector) vector, row);
      case LIST, LISTVIEW, LARGELIST, LARGELISTVIEW, FIXED_SIZE_LIST -> list(field, vector, row);
      case MAP -> map(field, (MapVector) vector, row);
      default -> temporal(field, vector, row);
    };
  }

  private Object temporal(Field field, ValueVector vector, int row) {
    return switch (vector.getMinorType()) {
      case DATEDAY -> LocalDate.ofEpochDay(((DateDayVector) vector).get(row));
      case DATEMILLI ->
          LocalDate.ofEpochDay(
              Math.floorDiv(((DateMilliVector) vector).get(row), TimeUnit.DAYS.toMillis(1)));
      case TIMESEC -> LocalTime.ofSecondOfDay(((TimeSecVector) vector).get(row));
      case TIMEMILLI -> LocalTime.ofNanoOfDay(((TimeMilliVector) vector).get(row) * 1_000_000L);
      case TIMEMICRO -> LocalTime.ofNanoOfDay(((TimeMicroVector) vector).get(row) * 1_000L);
      case TIMENANO -> LocalTime.ofNanoOfDay(((TimeNanoVector) vector).get(row));
      case TIMESTAMPSEC, TIMESTAMPMILLI, TIMESTAMPMICRO, TIMESTAMPNANO ->
          LocalDateTime.ofInstant(instant(field, vector, row), ZoneOffset.UTC);
      case TIMESTAMPSECTZ, TIMESTAMPMILLITZ, TIMESTAMPMICROTZ, TIMESTAMPNANOTZ ->
          zoned(field, vector, row);
      case DURATION -> ((DurationVector) vector).getObject(row);
      case INTERVALYEAR -> Period.ofMonths(((IntervalYearVector) vector).get(row));
      case INTERVALDAY ->
          new PeriodDuration(
              Period.ofDays(IntervalDayVector.getDays(vector.getDataBuffer(), row)),
              Duration.ofMillis(IntervalDayVector.getMilliseconds(vector.getDataBuffer(), row)));
      case INTERVALMONTHDAYNANO -> monthDayNano((IntervalMonthDayNanoVector) vector, row);
      default ->
          throw ErrorCode.UNSUPPORTED.error(
              "a value has a type that these bindings know: got " + field);
    };
  }

  /** The 64 bits of an unsigned number as a number of any size. */
  static BigInteger unsigned(long bits) {
    return bits >= 0
        ? BigInteger.valueOf(bits)
        : BigInteger.valueOf(bits).add(BigInteger.ONE.shiftLeft(Long.SIZE));
  }

  private static String utf8(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static Instant instant(Field field, ValueVector vector, int row) {
    long ticks = ((TimeStampVector) vector).get(row);
    long perSecond =
        switch (((ArrowType.Timestamp) field.getType()).getUnit()) {
          case SECOND -> 1L;
          case MILLISECOND -> 1_000L;
          case MICROSECOND -> 1_000_000L;
          case NANOSECOND -> 1_000_000_000L;
        };
    return Instant.ofEpochSecond(
        Math.floorDiv(ticks, perSecond),
        Math.floorMod(ticks, perSecond) * (1_000_000_000L / perSecond));
  }

  private static ZonedDateTime zoned(Field field, ValueVector vector, int row) {
    String zone = ((ArrowType.Timestamp) field.getType()).getTimezone();
    return instant(field, vector, row).atZone(ZoneId.of(zone));
  }

  private static PeriodDuration monthDayNano(IntervalMonthDayNanoVector vector, int row) {
    int months = IntervalMonthDayNanoVector.getMonths(vector.getDataBuffer(), row);
    int days = IntervalMonthDayNanoVector.getDays(vector.getDataBuffer(), row);
    long nanos = IntervalMonthDayNanoVector.getNanoseconds(vector.getDataBuffer(), row);
    return new PeriodDuration(Period.of(0, months, days), Duration.ofNanos(nanos));
  }

  private Struct struct(Field field, StructVector vector, int row) {
    List<Object> values = new ArrayList<>();
    List<FieldVector> children = vector.getChildrenFromFields();
    for (int child = 0; child < children.size(); child++) {
      values.add(read(field.getChildren().get(child), children.get(child), row));
    }
    return new Struct(field.getChildren().stream().map(Field::getName).toList(), values);
  }

  private List<Object> list(Field field, ValueVector vector, int row) {
    if (vector instanceof ListVector list) {
      return slice(
          field,
          list.getDataVector(),
          list.getElementStartIndex(row),
          list.getElementEndIndex(row));
    }
    if (vector instanceof LargeListVector list) {
      return slice(
          field,
          list.getDataVector(),
          list.getElementStartIndex(row),
          list.getElementEndIndex(row));
    }
    if (vector instanceof ListViewVector list) {
      return slice(
          field,
          list.getDataVector(),
          list.getElementStartIndex(row),
          list.getElementEndIndex(row));
    }
    if (vector instanceof LargeListViewVector list) {
      long start = list.getOffsetBuffer().getLong((long) row * Long.BYTES);
      long size = list.getSizeBuffer().getLong((long) row * Long.BYTES);
      return slice(field, list.getDataVector(), start, start + size);
    }
    FixedSizeListVector list = (FixedSizeListVector) vector;
    int size = list.getListSize();
    return slice(field, list.getDataVector(), (long) row * size, (row + 1L) * size);
  }

  private List<Object> slice(Field field, ValueVector elements, long start, long end) {
    Field element = field.getChildren().get(0);
    List<Object> values = new ArrayList<>();
    for (long at = start; at < end; at++) {
      values.add(read(element, elements, Math.toIntExact(at)));
    }
    return values;
  }

  private Map<Object, Object> map(Field field, MapVector vector, int row) {
    List<Field> pair = field.getChildren().get(0).getChildren();
    List<FieldVector> sides = ((StructVector) vector.getDataVector()).getChildrenFromFields();
    Map<Object, Object> values = new LinkedHashMap<>();
    for (int at = vector.getElementStartIndex(row); at < vector.getElementEndIndex(row); at++) {
      values.put(read(pair.get(0), sides.get(0), at), read(pair.get(1), sides.get(1), at));
    }
    return values;
  }

  /** Finds the alternative by the codes of the schema: the vector's own are numbered otherwise. */
  private Object alternative(Field field, List<FieldVector> children, int code, int row) {
    int[] codes = ((ArrowType.Union) field.getType()).getTypeIds();
    for (int child = 0; child < children.size(); child++) {
      if ((codes == null ? child : codes[child]) == code) {
        return read(field.getChildren().get(child), children.get(child), row);
      }
    }
    throw ErrorCode.MESSAGE_GARBLED.error("a union has an alternative of each code: got " + code);
  }
}
