package dev.springald;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import springald.type.v1.Type;
import springald.type.v1.Type.DataType;
import springald.type.v1.Type.KeyValue;

/**
 * Schemas and fields between Arrow and {@code springald.type.v1}.
 *
 * <p>Arrow for Java says a dictionary at its field and not in the type, and keeps the storage of a
 * type that an application defines with the name in the field's metadata; so this works on fields.
 */
final class TypeCodec {
  private static final String EXTENSION_NAME = "ARROW:extension:name";
  private static final String EXTENSION_DATA = "ARROW:extension:metadata";

  private TypeCodec() {}

  static Schema schemaFromProto(Type.Schema message) {
    return new Schema(
        message.getFieldsList().stream().map(TypeCodec::fieldFromProto).toList(),
        metadata(message.getMetadataList()));
  }

  static Type.Schema schemaToProto(Schema schema) {
    Type.Schema.Builder message = Type.Schema.newBuilder();
    schema.getFields().forEach(field -> message.addFields(fieldToProto(field)));
    return message.addAllMetadata(entries(schema.getCustomMetadata())).build();
  }

  static Field fieldFromProto(Type.Field message) {
    Map<String, String> metadata = metadata(message.getMetadataList());
    DataType type = message.getType();
    if (type.hasExtensionType()) {
      Type.ExtensionType extension = type.getExtensionType();
      metadata.put(EXTENSION_NAME, extension.getName());
      metadata.put(EXTENSION_DATA, extension.getSerialized().toString(StandardCharsets.UTF_8));
      type = extension.getStorageType();
    }
    DictionaryEncoding encoding = null;
    if (type.hasDictionaryType()) {
      Type.DictionaryType dictionary = type.getDictionaryType();
      ArrowType.Int index = (ArrowType.Int) integer(dictionary.getIndexType());
      // Which dictionary it is, is told by the rows; here it only says that there is one.
      encoding = new DictionaryEncoding(0, dictionary.getOrdered(), index);
      type = dictionary.getValueType();
    }
    return new Field(
        message.getName(),
        new FieldType(message.getNullable(), TypeReader.arrowType(type), encoding, metadata),
        children(type));
  }

  static Type.Field fieldToProto(Field field) {
    Type.Field.Builder message =
        Type.Field.newBuilder().setName(field.getName()).setNullable(field.isNullable());
    Map<String, String> metadata = new TreeMap<>(field.getMetadata());
    DataType type = TypeWriter.dataType(field);
    if (field.getDictionary() != null) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          "a column that is sent has its values and no dictionary: got "
              + field
              + "; decode it first");
    }
    if (metadata.containsKey(EXTENSION_NAME)) {
      String data = metadata.getOrDefault(EXTENSION_DATA, "");
      Type.ExtensionType extension =
          Type.ExtensionType.newBuilder()
              .setName(metadata.get(EXTENSION_NAME))
              .setStorageType(type)
              .setSerialized(ByteString.copyFromUtf8(data))
              .build();
      type = DataType.newBuilder().setExtensionType(extension).build();
      metadata.keySet().removeAll(Arrays.asList(EXTENSION_NAME, EXTENSION_DATA));
    }
    return message.setType(type).addAllMetadata(entries(metadata)).build();
  }

  static ArrowType integer(Type.IntegerType type) {
    return switch (type) {
      case INTEGER_TYPE_INT8 -> new ArrowType.Int(8, true);
      case INTEGER_TYPE_INT16 -> new ArrowType.Int(16, true);
      case INTEGER_TYPE_INT32 -> new ArrowType.Int(32, true);
      case INTEGER_TYPE_INT64 -> new ArrowType.Int(64, true);
      case INTEGER_TYPE_UINT8 -> new ArrowType.Int(8, false);
      case INTEGER_TYPE_UINT16 -> new ArrowType.Int(16, false);
      case INTEGER_TYPE_UINT32 -> new ArrowType.Int(32, false);
      case INTEGER_TYPE_UINT64 -> new ArrowType.Int(64, false);
      default -> throw unknown(type);
    };
  }

  static SpringaldException unknown(Object kind) {
    return ErrorCode.UNSUPPORTED.error(
        "a type has a kind that this version knows: got " + kind + "; use newer bindings");
  }

  private static List<Field> children(DataType type) {
    List<Field> children = type.getChildrenList().stream().map(TypeCodec::fieldFromProto).toList();
    if (type.hasMapType()) {
      // Arrow puts the pair into a struct, which has no message of its own.
      ArrowType struct = ArrowType.Struct.INSTANCE;
      return List.of(new Field("entries", FieldType.notNullable(struct), children));
    }
    if (type.hasRunEndEncodedType()) {
      Type.RunEndEncodedType runs = type.getRunEndEncodedType();
      Type.Field values =
          Type.Field.newBuilder()
              .setName("values")
              .setType(runs.getValueType())
              .setNullable(true)
              .build();
      ArrowType ends = integer(runs.getRunEndType());
      return List.of(
          new Field("run_ends", FieldType.notNullable(ends), null), fieldFromProto(values));
    }
    return children;
  }

  private static Map<String, String> metadata(List<KeyValue> entries) {
    Map<String, String> metadata = new LinkedHashMap<>();
    for (KeyValue entry : entries) {
      metadata.put(entry.getKey(), entry.getValue().toStringUtf8());
    }
    return metadata;
  }

  private static List<KeyValue> entries(Map<String, String> metadata) {
    return new TreeMap<>(metadata == null ? Map.of() : metadata)
        .entrySet().stream()
            .map(
                entry ->
                    KeyValue.newBuilder()
                        .setKey(entry.getKey())
                        .setValue(ByteString.copyFromUtf8(entry.getValue()))
                        .build())
            .toList();
  }
}
