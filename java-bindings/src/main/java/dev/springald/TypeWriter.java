package dev.springald;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import springald.type.v1.Type;
import springald.type.v1.Type.DataType;

/** The types of {@code springald.type.v1} from Arrow's, with their children. */
final class TypeWriter {
  private TypeWriter() {}

  static DataType dataType(Field field) {
    DataType.Builder type = field.getType().accept(new Kinds(field));
    List<Field> children = field.getChildren();
    if (field.getType() instanceof ArrowType.Map) {
      children = children.get(0).getChildren();
    }
    if (!(field.getType() instanceof ArrowType.RunEndEncoded)) {
      children.forEach(child -> type.addChildren(TypeCodec.fieldToProto(child)));
    }
    return type.build();
  }

  static Type.TimeUnit unit(TimeUnit unit) {
    return switch (unit) {
      case SECOND -> Type.TimeUnit.TIME_UNIT_SECOND;
      case MILLISECOND -> Type.TimeUnit.TIME_UNIT_MILLISECOND;
      case MICROSECOND -> Type.TimeUnit.TIME_UNIT_MICROSECOND;
      case NANOSECOND -> Type.TimeUnit.TIME_UNIT_NANOSECOND;
    };
  }

  private static DataType.Builder simple(Type.SimpleType type) {
    return DataType.newBuilder().setSimpleType(type);
  }

  private static DataType.Builder list(Type.ListLayout layout) {
    return DataType.newBuilder().setListType(Type.ListType.newBuilder().setLayout(layout));
  }

  /** What each of Arrow's types is called; Arrow makes sure that none is forgotten. */
  private record Kinds(Field field) implements ArrowType.ArrowTypeVisitor<DataType.Builder> {
    @Override
    public DataType.Builder visit(ArrowType.Null type) {
      return simple(Type.SimpleType.SIMPLE_TYPE_NULL);
    }

    @Override
    public DataType.Builder visit(ArrowType.Bool type) {
      return simple(Type.SimpleType.SIMPLE_TYPE_BOOL);
    }

    @Override
    public DataType.Builder visit(ArrowType.Int type) {
      String sign = type.getIsSigned() ? "INT" : "UINT";
      return simple(Type.SimpleType.valueOf("SIMPLE_TYPE_" + sign + type.getBitWidth()));
    }

    @Override
    public DataType.Builder visit(ArrowType.FloatingPoint type) {
      return switch (type.getPrecision()) {
        case HALF -> simple(Type.SimpleType.SIMPLE_TYPE_FLOAT16);
        case SINGLE -> simple(Type.SimpleType.SIMPLE_TYPE_FLOAT32);
        case DOUBLE -> simple(Type.SimpleType.SIMPLE_TYPE_FLOAT64);
      };
    }

    @Override
    public DataType.Builder visit(ArrowType.Utf8 type) {
      return simple(Type.SimpleType.SIMPLE_TYPE_UTF8);
    }

    @Override
    public DataType.Builder visit(ArrowType.LargeUtf8 type) {
      return simple(Type.SimpleType.SIMPLE_TYPE_LARGE_UTF8);
    }

    @Override
    public DataType.Builder visit(ArrowType.Utf8View type) {
      return simple(Type.SimpleType.SIMPLE_TYPE_UTF8_VIEW);
    }

    @Override
    public DataType.Builder visit(ArrowType.Binary type) {
      return simple(Type.SimpleType.SIMPLE_TYPE_BINARY);
    }

    @Override
    public DataType.Builder visit(ArrowType.LargeBinary type) {
      return simple(Type.SimpleType.SIMPLE_TYPE_LARGE_BINARY);
    }

    @Override
    public DataType.Builder visit(ArrowType.BinaryView type) {
      return simple(Type.SimpleType.SIMPLE_TYPE_BINARY_VIEW);
    }

    @Override
    public DataType.Builder visit(ArrowType.FixedSizeBinary type) {
      return DataType.newBuilder()
          .setFixedSizeBinaryType(
              Type.FixedSizeBinaryType.newBuilder().setByteWidth(type.getByteWidth()));
    }

    @Override
    public DataType.Builder visit(ArrowType.Decimal type) {
      return DataType.newBuilder()
          .setDecimalType(
              Type.DecimalType.newBuilder()
                  .setWidth(Type.DecimalWidth.valueOf("DECIMAL_WIDTH_" + type.getBitWidth()))
                  .setPrecision(type.getPrecision())
                  .setScale(type.getScale()));
    }

    @Override
    public DataType.Builder visit(ArrowType.Date type) {
      return switch (type.getUnit()) {
        case DAY -> simple(Type.SimpleType.SIMPLE_TYPE_DATE32);
        case MILLISECOND -> simple(Type.SimpleType.SIMPLE_TYPE_DATE64);
      };
    }

    @Override
    public DataType.Builder visit(ArrowType.Time type) {
      Type.TimeType time = Type.TimeType.newBuilder().setUnit(unit(type.getUnit())).build();
      return type.getBitWidth() == Integer.SIZE
          ? DataType.newBuilder().setTime32Type(time)
          : DataType.newBuilder().setTime64Type(time);
    }

    @Override
    public DataType.Builder visit(ArrowType.Timestamp type) {
      String zone = type.getTimezone() == null ? "" : type.getTimezone();
      return DataType.newBuilder()
          .setTimestampType(
              Type.TimestampType.newBuilder().setUnit(unit(type.getUnit())).setTimezone(zone));
    }

    @Override
    public DataType.Builder visit(ArrowType.Duration type) {
      return DataType.newBuilder()
          .setDurationType(Type.DurationType.newBuilder().setUnit(unit(type.getUnit())));
    }

    @Override
    public DataType.Builder visit(ArrowType.Interval type) {
      return switch (type.getUnit()) {
        case YEAR_MONTH -> simple(Type.SimpleType.SIMPLE_TYPE_INTERVAL_MONTHS);
        case DAY_TIME -> simple(Type.SimpleType.SIMPLE_TYPE_INTERVAL_DAY_TIME);
        case MONTH_DAY_NANO -> simple(Type.SimpleType.SIMPLE_TYPE_INTERVAL_MONTH_DAY_NANO);
      };
    }

    @Override
    public DataType.Builder visit(ArrowType.List type) {
      return list(Type.ListLayout.LIST_LAYOUT_LIST);
    }

    @Override
    public DataType.Builder visit(ArrowType.LargeList type) {
      return list(Type.ListLayout.LIST_LAYOUT_LARGE_LIST);
    }

    @Override
    public DataType.Builder visit(ArrowType.ListView type) {
      return list(Type.ListLayout.LIST_LAYOUT_LIST_VIEW);
    }

    @Override
    public DataType.Builder visit(ArrowType.LargeListView type) {
      return list(Type.ListLayout.LIST_LAYOUT_LARGE_LIST_VIEW);
    }

    @Override
    public DataType.Builder visit(ArrowType.FixedSizeList type) {
      return DataType.newBuilder()
          .setFixedSizeListType(Type.FixedSizeListType.newBuilder().setSize(type.getListSize()));
    }

    @Override
    public DataType.Builder visit(ArrowType.Struct type) {
      return DataType.newBuilder().setStructType(Type.StructType.getDefaultInstance());
    }

    @Override
    public DataType.Builder visit(ArrowType.Map type) {
      return DataType.newBuilder()
          .setMapType(Type.MapType.newBuilder().setKeysSorted(type.getKeysSorted()));
    }

    @Override
    public DataType.Builder visit(ArrowType.Union type) {
      int[] codes = type.getTypeIds();
      IntStream numbers =
          codes == null ? IntStream.range(0, field.getChildren().size()) : Arrays.stream(codes);
      return DataType.newBuilder()
          .setUnionType(
              Type.UnionType.newBuilder()
                  .setMode(
                      type.getMode() == UnionMode.Sparse
                          ? Type.UnionMode.UNION_MODE_SPARSE
                          : Type.UnionMode.UNION_MODE_DENSE)
                  .addAllTypeCodes(numbers.boxed().toList()));
    }

    @Override
    public DataType.Builder visit(ArrowType.RunEndEncoded type) {
      ArrowType.Int ends = (ArrowType.Int) field.getChildren().get(0).getType();
      return DataType.newBuilder()
          .setRunEndEncodedType(
              Type.RunEndEncodedType.newBuilder()
                  .setRunEndType(Type.IntegerType.valueOf("INTEGER_TYPE_INT" + ends.getBitWidth()))
                  .setValueType(dataType(field.getChildren().get(1))));
    }

    @Override
    public DataType.Builder visit(ArrowType.ExtensionType type) {
      throw ErrorCode.UNSUPPORTED.error(
          "a column that is sent has a type of Arrow's own: got " + field + "; send its storage");
    }
  }
}
