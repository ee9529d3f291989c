package dev.springald;

import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.IntervalUnit;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import springald.type.v1.Type;
import springald.type.v1.Type.DataType;

/** Arrow's types from those of {@code springald.type.v1}, without their children. */
final class TypeReader {
  private TypeReader() {}

  static ArrowType arrowType(DataType type) {
    return switch (type.getKindCase()) {
      case SIMPLE_TYPE -> simple(type.getSimpleType());
      case FIXED_SIZE_BINARY_TYPE ->
          new ArrowType.FixedSizeBinary(type.getFixedSizeBinaryType().getByteWidth());
      case DECIMAL_TYPE -> decimal(type.getDecimalType());
      case TIME32_TYPE -> new ArrowType.Time(unit(type.getTime32Type().getUnit()), 32);
      case TIME64_TYPE -> new ArrowType.Time(unit(type.getTime64Type().getUnit()), 64);
      case TIMESTAMP_TYPE -> timestamp(type.getTimestampType());
      case DURATION_TYPE -> new ArrowType.Duration(unit(type.getDurationType().getUnit()));
      case LIST_TYPE -> list(type.getListType().getLayout());
      case FIXED_SIZE_LIST_TYPE ->
          new ArrowType.FixedSizeList(type.getFixedSizeListType().getSize());
      case STRUCT_TYPE -> ArrowType.Struct.INSTANCE;
      case MAP_TYPE -> new ArrowType.Map(type.getMapType().getKeysSorted());
      case UNION_TYPE -> union(type.getUnionType());
      case RUN_END_ENCODED_TYPE -> ArrowType.RunEndEncoded.INSTANCE;
      default -> throw TypeCodec.unknown(type.getKindCase());
    };
  }

  static TimeUnit unit(Type.TimeUnit unit) {
    return switch (unit) {
      case TIME_UNIT_SECOND -> TimeUnit.SECOND;
      case TIME_UNIT_MILLISECOND -> TimeUnit.MILLISECOND;
      case TIME_UNIT_MICROSECOND -> TimeUnit.MICROSECOND;
      case TIME_UNIT_NANOSECOND -> TimeUnit.NANOSECOND;
      default -> throw TypeCodec.unknown(unit);
    };
  }

  private static ArrowType simple(Type.SimpleType type) {
    return switch (type) {
      case SIMPLE_TYPE_NULL -> ArrowType.Null.INSTANCE;
      case SIMPLE_TYPE_BOOL -> ArrowType.Bool.INSTANCE;
      case SIMPLE_TYPE_INT8 -> new ArrowType.Int(8, true);
      case SIMPLE_TYPE_INT16 -> new ArrowType.Int(16, true);
      case SIMPLE_TYPE_INT32 -> new ArrowType.Int(32, true);
      case SIMPLE_TYPE_INT64 -> new ArrowType.Int(64, true);
      case SIMPLE_TYPE_UINT8 -> new ArrowType.Int(8, false);
      case SIMPLE_TYPE_UINT16 -> new ArrowType.Int(16, false);
      case SIMPLE_TYPE_UINT32 -> new ArrowType.Int(32, false);
      case SIMPLE_TYPE_UINT64 -> new ArrowType.Int(64, false);
      case SIMPLE_TYPE_FLOAT16 -> new ArrowType.FloatingPoint(FloatingPointPrecision.HALF);
      case SIMPLE_TYPE_FLOAT32 -> new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE);
      case SIMPLE_TYPE_FLOAT64 -> new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE);
      case SIMPLE_TYPE_UTF8 -> ArrowType.Utf8.INSTANCE;
      case SIMPLE_TYPE_LARGE_UTF8 -> ArrowType.LargeUtf8.INSTANCE;
      case SIMPLE_TYPE_UTF8_VIEW -> ArrowType.Utf8View.INSTANCE;
      case SIMPLE_TYPE_BINARY -> ArrowType.Binary.INSTANCE;
      case SIMPLE_TYPE_LARGE_BINARY -> ArrowType.LargeBinary.INSTANCE;
      case SIMPLE_TYPE_BINARY_VIEW -> ArrowType.BinaryView.INSTANCE;
      case SIMPLE_TYPE_DATE32 -> new ArrowType.Date(DateUnit.DAY);
      case SIMPLE_TYPE_DATE64 -> new ArrowType.Date(DateUnit.MILLISECOND);
      case SIMPLE_TYPE_INTERVAL_MONTHS -> new ArrowType.Interval(IntervalUnit.YEAR_MONTH);
      case SIMPLE_TYPE_INTERVAL_DAY_TIME -> new ArrowType.Interval(IntervalUnit.DAY_TIME);
      case SIMPLE_TYPE_INTERVAL_MONTH_DAY_NANO ->
          new ArrowType.Interval(IntervalUnit.MONTH_DAY_NANO);
      default -> throw TypeCodec.unknown(type);
    };
  }

  private static ArrowType decimal(Type.DecimalType type) {
    int bits =
        switch (type.getWidth()) {
          case DECIMAL_WIDTH_32 -> 32;
          case DECIMAL_WIDTH_64 -> 64;
          case DECIMAL_WIDTH_128 -> 128;
          case DECIMAL_WIDTH_256 -> 256;
          default -> throw TypeCodec.unknown(type.getWidth());
        };
    return new ArrowType.Decimal(type.getPrecision(), type.getScale(), bits);
  }

  private static ArrowType timestamp(Type.TimestampType type) {
    String zone = type.getTimezone();
    return new ArrowType.Timestamp(unit(type.getUnit()), zone.isEmpty() ? null : zone);
  }

  private static ArrowType list(Type.ListLayout layout) {
    return switch (layout) {
      case LIST_LAYOUT_LIST -> ArrowType.List.INSTANCE;
      case LIST_LAYOUT_LARGE_LIST -> ArrowType.LargeList.INSTANCE;
      case LIST_LAYOUT_LIST_VIEW -> ArrowType.ListView.INSTANCE;
      case LIST_LAYOUT_LARGE_LIST_VIEW -> ArrowType.LargeListView.INSTANCE;
      default -> throw TypeCodec.unknown(layout);
    };
  }

  private static ArrowType union(Type.UnionType type) {
    UnionMode mode =
        switch (type.getMode()) {
          case UNION_MODE_SPARSE -> UnionMode.Sparse;
          case UNION_MODE_DENSE -> UnionMode.Dense;
          default -> throw TypeCodec.unknown(type.getMode());
        };
    int[] codes = type.getTypeCodesList().stream().mapToInt(Integer::intValue).toArray();
    return new ArrowType.Union(mode, codes);
  }
}
