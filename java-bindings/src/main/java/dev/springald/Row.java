package dev.springald;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * One row of a result. It is good until the next one is asked for, or the result is closed.
 *
 * <p>Columns are named, or counted from 0; of several columns of one name the first is meant.
 * {@link #get} returns a value by this rule, whatever the encoding of its column, and null for
 * null:
 *
 * <table>
 * <caption>Arrow types and Java types</caption>
 * <tr><th>Arrow</th><th>Java</th></tr>
 * <tr><td>bool</td><td>{@link Boolean}</td></tr>
 * <tr><td>int8, int16, int32, int64</td><td>{@link Byte}, {@link Short}, {@link Integer},
 *     {@link Long}</td></tr>
 * <tr><td>uint8, uint16, uint32, uint64</td><td>{@link Short}, {@link Integer}, {@link Long},
 *     {@link BigInteger}; {@link #getUnsignedLong} gives the bits of a uint64</td></tr>
 * <tr><td>float16, float32, float64</td><td>{@link Float}, {@link Float}, {@link Double}</td></tr>
 * <tr><td>decimal128, decimal256</td><td>{@link BigDecimal} of the type's scale</td></tr>
 * <tr><td>decimal32, decimal64</td><td>they arrive as decimal128</td></tr>
 * <tr><td>utf8, large_utf8, utf8_view</td><td>{@link String}</td></tr>
 * <tr><td>binary, large_binary, binary_view, fixed_size_binary</td><td>{@code byte[]}; views arrive
 *     as utf8 and binary unless the session is told otherwise</td></tr>
 * <tr><td>date32, date64</td><td>{@link LocalDate}</td></tr>
 * <tr><td>time32, time64</td><td>{@link LocalTime}</td></tr>
 * <tr><td>timestamp without a zone</td><td>{@link LocalDateTime}</td></tr>
 * <tr><td>timestamp with a zone</td><td>{@link ZonedDateTime} in that zone</td></tr>
 * <tr><td>duration</td><td>{@link java.time.Duration}</td></tr>
 * <tr><td>interval of months</td><td>{@link java.time.Period}</td></tr>
 * <tr><td>interval of days and milliseconds, of months, days and nanoseconds</td>
 *     <td>{@link org.apache.arrow.vector.PeriodDuration}, nothing folded</td></tr>
 * <tr><td>lists of any layout</td><td>{@link List}</td></tr>
 * <tr><td>map</td><td>{@link Map} in the order of its pairs; of equal keys the last counts</td></tr>
 * <tr><td>struct</td><td>{@link Struct}</td></tr>
 * <tr><td>union</td><td>the alternative's value</td></tr>
 * <tr><td>dictionary, run-end encoded</td><td>the value that is meant</td></tr>
 * </table>
 *
 * <p>The other methods return one Java type. They convert where no value can be lost ({@link
 * #getLong} takes every integer that fits), and throw {@code TYPE_MISMATCH} or {@code CAST_FAILED}
 * otherwise. Those that return a primitive refuse null: ask {@link #isNull} first.
 *
 * <pre>{@code
 * for (Row row : result.rows()) {
 *   String name = row.getString("name");
 *   BigDecimal paid = row.isNull("paid") ? BigDecimal.ZERO : row.getBigDecimal("paid");
 * }
 * }</pre>
 */
public final class Row {
  private final List<Field> fields;
  private final List<FieldVector> vectors;
  private final Values values;
  private final Runnable checkLent;
  private int at;

  /** A row of a batch that stays. */
  Row(VectorSchemaRoot root, DictionaryProvider dictionaries) {
    this(root, dictionaries, () -> {});
  }

  /** A row of a batch; the check throws when the batch is there no more. */
  Row(VectorSchemaRoot root, DictionaryProvider dictionaries, Runnable checkLent) {
    this.fields = root.getSchema().getFields();
    this.vectors = root.getFieldVectors();
    this.values = new Values(dictionaries);
    this.checkLent = checkLent;
  }

  void moveTo(int row) {
    this.at = row;
  }

  /** How many columns there are. */
  public int size() {
    return fields.size();
  }

  /** The number of the first column of a name. */
  public int column(String name) {
    for (int column = 0; column < fields.size(); column++) {
      if (fields.get(column).getName().equals(name)) {
        return column;
      }
    }
    throw ErrorCode.UNKNOWN_COLUMN.error(
        "a result has a column of the name: got '"
            + name
            + "'; it has "
            + fields.stream().map(Field::getName).toList());
  }

  /** A column's value by the rule above. */
  public Object get(int column) {
    return values.read(fields.get(checked(column)), vectors.get(column), at);
  }

  /** A column's value by the rule above. */
  public Object get(String column) {
    return get(column(column));
  }

  /** All values by the rule above. */
  public List<Object> toList() {
    List<Object> all = new ArrayList<>(size());
    for (int column = 0; column < size(); column++) {
      all.add(get(column));
    }
    return all;
  }

  /** Whether a value is null. */
  public boolean isNull(int column) {
    return get(column) == null;
  }

  /** Whether a value is null. */
  public boolean isNull(String column) {
    return isNull(column(column));
  }

  /** A bool. */
  public boolean getBoolean(int column) {
    return present(column, Boolean.class);
  }

  /** A bool. */
  public boolean getBoolean(String column) {
    return getBoolean(column(column));
  }

  /** An integer that fits 32 bits. */
  public int getInt(int column) {
    long value = getLong(column);
    if (value != (int) value) {
      throw tooLarge(column, value, "an int");
    }
    return (int) value;
  }

  /** An integer that fits 32 bits. */
  public int getInt(String column) {
    return getInt(column(column));
  }

  /** An integer that fits 64 bits with a sign. */
  public long getLong(int column) {
    if (vectors.get(checked(column)) instanceof BigIntVector longs && isPlain(column)) {
      return longs.get(at);
    }
    if (vectors.get(column) instanceof IntVector ints && isPlain(column)) {
      return ints.get(at);
    }
    Object value = present(column, Object.class);
    if (value instanceof Byte
        || value instanceof Short
        || value instanceof Integer
        || value instanceof Long) {
      return ((Number) value).longValue();
    }
    if (value instanceof BigInteger unsigned) {
      if (unsigned.bitLength() >= Long.SIZE) {
        throw tooLarge(column, unsigned, "a long");
      }
      return unsigned.longValue();
    }
    throw mismatch(column, "an integer");
  }

  /** An integer that fits 64 bits with a sign. */
  public long getLong(String column) {
    return getLong(column(column));
  }

  /**
   * The 64 bits of an integer that is not negative, as {@link Long#toUnsignedString} reads them.
   */
  public long getUnsignedLong(int column) {
    if (present(column, Object.class) instanceof BigInteger unsigned) {
      return unsigned.longValue();
    }
    long value = getLong(column);
    if (value < 0) {
      throw tooLarge(column, value, "an unsigned long");
    }
    return value;
  }

  /**
   * The 64 bits of an integer that is not negative, as {@link Long#toUnsignedString} reads them.
   */
  public long getUnsignedLong(String column) {
    return getUnsignedLong(column(column));
  }

  /** Any integer. */
  public BigInteger getBigInteger(int column) {
    Object value = get(column);
    if (value == null || value instanceof BigInteger) {
      return (BigInteger) value;
    }
    return BigInteger.valueOf(getLong(column));
  }

  /** Any integer. */
  public BigInteger getBigInteger(String column) {
    return getBigInteger(column(column));
  }

  /** A floating-point number, or an integer of at most 32 bits. */
  public double getDouble(int column) {
    if (vectors.get(checked(column)) instanceof Float8Vector doubles && isPlain(column)) {
      return doubles.get(at);
    }
    Object value = present(column, Object.class);
    boolean isExact =
        value instanceof Number
            && !(value instanceof Long)
            && !(value instanceof BigInteger)
            && !(value instanceof BigDecimal);
    if (!isExact) {
      throw mismatch(column, "a floating-point number");
    }
    return ((Number) value).doubleValue();
  }

  /** A floating-point number, or an integer of at most 32 bits. */
  public double getDouble(String column) {
    return getDouble(column(column));
  }

  /** A decimal or an integer. */
  public BigDecimal getBigDecimal(int column) {
    Object value = get(column);
    if (value == null || value instanceof BigDecimal) {
      return (BigDecimal) value;
    }
    return new BigDecimal(getBigInteger(column));
  }

  /** A decimal or an integer. */
  public BigDecimal getBigDecimal(String column) {
    return getBigDecimal(column(column));
  }

  /** Text. */
  public String getString(int column) {
    return as(column, String.class);
  }

  /** Text. */
  public String getString(String column) {
    return getString(column(column));
  }

  /** Bytes. */
  public byte[] getBytes(int column) {
    return as(column, byte[].class);
  }

  /** Bytes. */
  public byte[] getBytes(String column) {
    return getBytes(column(column));
  }

  /** A day. */
  public LocalDate getDate(int column) {
    return as(column, LocalDate.class);
  }

  /** A day. */
  public LocalDate getDate(String column) {
    return getDate(column(column));
  }

  /** A time of day. */
  public LocalTime getTime(int column) {
    return as(column, LocalTime.class);
  }

  /** A time of day. */
  public LocalTime getTime(String column) {
    return getTime(column(column));
  }

  /** A time on an unnamed wall clock. */
  public LocalDateTime getDateTime(int column) {
    return as(column, LocalDateTime.class);
  }

  /** A time on an unnamed wall clock. */
  public LocalDateTime getDateTime(String column) {
    return getDateTime(column(column));
  }

  /** A point in time, in the zone of its column. */
  public ZonedDateTime getZonedDateTime(int column) {
    return as(column, ZonedDateTime.class);
  }

  /** A point in time, in the zone of its column. */
  public ZonedDateTime getZonedDateTime(String column) {
    return getZonedDateTime(column(column));
  }

  /** A point in time. */
  public Instant getInstant(int column) {
    ZonedDateTime zoned = getZonedDateTime(column);
    return zoned == null ? null : zoned.toInstant();
  }

  /** A point in time. */
  public Instant getInstant(String column) {
    return getInstant(column(column));
  }

  /** A list. */
  public List<?> getList(int column) {
    return as(column, List.class);
  }

  /** A list. */
  public List<?> getList(String column) {
    return getList(column(column));
  }

  /** A map. */
  public Map<?, ?> getMap(int column) {
    return as(column, Map.class);
  }

  /** A map. */
  public Map<?, ?> getMap(String column) {
    return getMap(column(column));
  }

  /** A struct. */
  public Struct getStruct(int column) {
    return as(column, Struct.class);
  }

  /** A struct. */
  public Struct getStruct(String column) {
    return getStruct(column(column));
  }

  @Override
  public String toString() {
    return toList().toString();
  }

  private int checked(int column) {
    checkLent.run();
    if (column < 0 || column >= fields.size()) {
      throw ErrorCode.UNKNOWN_COLUMN.error(
          "columns are counted from 0 to " + (fields.size() - 1) + ": got " + column);
    }
    return column;
  }

  /** Whether a column's vector holds the values themselves, and one here. */
  private boolean isPlain(int column) {
    return fields.get(column).getDictionary() == null && !vectors.get(column).isNull(at);
  }

  private <T> T present(int column, Class<T> kind) {
    T value = as(column, kind);
    if (value == null) {
      throw ErrorCode.CAST_FAILED.error(
          "a value is there: got null in " + fields.get(column).getName() + "; ask isNull first");
    }
    return value;
  }

  private <T> T as(int column, Class<T> kind) {
    Object value = get(column);
    if (value != null && !kind.isInstance(value)) {
      throw mismatch(column, "a " + kind.getSimpleName());
    }
    return kind.cast(value);
  }

  private SpringaldException mismatch(int column, String wanted) {
    return ErrorCode.TYPE_MISMATCH.error(
        "a value is asked for as what it is: got "
            + wanted
            + " asked of "
            + fields.get(column)
            + "; see the table of dev.springald.Row");
  }

  private SpringaldException tooLarge(int column, Number value, String wanted) {
    return ErrorCode.CAST_FAILED.error(
        "a number fits the type that it is asked for as: got "
            + value
            + " in "
            + fields.get(column).getName()
            + " as "
            + wanted);
  }
}
