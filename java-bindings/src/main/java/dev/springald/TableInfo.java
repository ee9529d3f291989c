package dev.springald;

import org.apache.arrow.vector.types.pojo.Schema;
import springald.scheduler.v1.Scheduler.TableSummary;

/**
 * A table or view of a session.
 *
 * <pre>{@code
 * for (TableInfo table : session.tables()) {
 *   System.out.println(table.name() + " has " + table.schema().getFields().size() + " columns");
 * }
 * }</pre>
 *
 * @param name its name
 * @param kind {@code parquet}, {@code csv}, {@code json}, {@code arrow}, {@code view} or {@code
 *     upload}
 * @param schema its columns
 */
public record TableInfo(String name, String kind, Schema schema) {
  static TableInfo fromProto(TableSummary message) {
    return new TableInfo(
        message.getName(), message.getKind(), TypeCodec.schemaFromProto(message.getSchema()));
  }
}
