package dev.springald;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.List;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import springald.conformance.v1.VectorOuterClass.Row;
import springald.conformance.v1.VectorOuterClass.Rows;
import springald.conformance.v1.VectorOuterClass.Totals;
import springald.type.v1.Type;

/** What came of a query, as the conformance suite wants to have it. */
final class Outcomes {
  private Outcomes() {}

  /** Columns; a dictionary is told with them, though what the bindings send has none. */
  static Type.Schema columns(Schema schema) {
    Type.Schema.Builder message = Type.Schema.newBuilder();
    schema.getFields().forEach(field -> message.addFields(column(field)));
    return message.build();
  }

  /** All batches as one Arrow stream. */
  static ByteString stream(Result result) throws IOException {
    ByteArrayOutputStream sink = new ByteArrayOutputStream();
    Schema schema = result.batch().getSchema();
    MapDictionaryProvider dictionaries = new MapDictionaryProvider();
    takeDictionaries(result, dictionaries);
    try (VectorSchemaRoot sent =
            VectorSchemaRoot.create(schema, result.job().session().allocator());
        ArrowStreamWriter writer =
            new ArrowStreamWriter(sent, dictionaries, Channels.newChannel(sink))) {
      writer.start();
      for (boolean isThere = begun(result); isThere; isThere = result.next()) {
        takeDictionaries(result, dictionaries);
        try (ArrowRecordBatch rows = new VectorUnloader(result.batch()).getRecordBatch()) {
          new VectorLoader(sent).load(rows);
        }
        writer.writeBatch();
      }
      writer.end();
    }
    return ByteString.copyFrom(sink.toByteArray());
  }

  /** All rows value by value. */
  static Rows rows(Result result) {
    Rows.Builder rows = Rows.newBuilder().setSchema(columns(result.schema()));
    List<Field> fields = result.schema().getFields();
    for (boolean isThere = begun(result); isThere; isThere = result.next()) {
      dev.springald.Row row = new dev.springald.Row(result.batch(), result.dictionaries());
      for (int at = 0; at < result.batch().getRowCount(); at++) {
        row.moveTo(at);
        Row.Builder message = rows.addRowsBuilder();
        for (int column = 0; column < fields.size(); column++) {
          message.addValues(PlainValues.message(fields.get(column), row.get(column)));
        }
      }
    }
    return rows.build();
  }

  /** The number of rows, and the sums of the columns of 64-bit integers, modulo 2^64. */
  static Totals totals(Result result) {
    long count = 0;
    long[] sums = new long[result.schema().getFields().size()];
    for (boolean isThere = begun(result); isThere; isThere = result.next()) {
      VectorSchemaRoot batch = result.batch();
      count += batch.getRowCount();
      for (int column = 0; column < sums.length; column++) {
        sums[column] += sum(batch.getVector(column));
      }
    }
    Totals.Builder totals = Totals.newBuilder().setRows(count);
    for (int column = 0; count > 0 && column < sums.length; column++) {
      totals.addSums(sums[column]);
    }
    return totals.build();
  }

  /** Whether there is a batch, which may have been asked for before. */
  private static boolean begun(Result result) {
    return result.batch().getRowCount() > 0 || result.next();
  }

  private static long sum(FieldVector column) {
    long sum = 0;
    if (column instanceof BigIntVector numbers) {
      for (int row = 0; row < numbers.getValueCount(); row++) {
        sum += numbers.isNull(row) ? 0 : numbers.get(row);
      }
    }
    return sum;
  }

  private static void takeDictionaries(Result result, MapDictionaryProvider dictionaries) {
    for (long id : result.dictionaries().getDictionaryIds()) {
      dictionaries.put(result.dictionaries().lookup(id));
    }
  }

  private static Type.Field column(Field field) {
    DictionaryEncoding encoding = field.getDictionary();
    if (encoding == null) {
      return TypeCodec.fieldToProto(field);
    }
    FieldType plain = new FieldType(field.isNullable(), field.getType(), null, field.getMetadata());
    Type.Field values =
        TypeCodec.fieldToProto(new Field(field.getName(), plain, field.getChildren()));
    String sign = encoding.getIndexType().getIsSigned() ? "INT" : "UINT";
    String index = "INTEGER_TYPE_" + sign + encoding.getIndexType().getBitWidth();
    Type.DictionaryType dictionary =
        Type.DictionaryType.newBuilder()
            .setIndexType(Type.IntegerType.valueOf(index))
            .setValueType(values.getType())
            .setOrdered(encoding.isOrdered())
            .build();
    return values.toBuilder()
        .setType(Type.DataType.newBuilder().setDictionaryType(dictionary))
        .build();
  }
}
