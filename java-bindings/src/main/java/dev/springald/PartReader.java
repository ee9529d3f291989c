package dev.springald;

import java.util.List;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Schema;
import springald.scheduler.v1.Scheduler.ResultPart;

/** The rows of a result that lie on executors, in the order of its parts. */
final class PartReader implements BatchSource {
  private final FlightConnections connections;
  private final List<ResultPart> parts;
  private final Schema schema;
  private int number;
  private long rows;
  private BatchSource part;

  PartReader(FlightConnections connections, List<ResultPart> parts) {
    if (parts.isEmpty()) {
      throw ErrorCode.INTERNAL.error("a result has at least one part: got none");
    }
    this.connections = connections;
    this.parts = parts;
    this.part = open(parts.get(0));
    this.schema = part.root().getSchema();
  }

  @Override
  public VectorSchemaRoot root() {
    return part.root();
  }

  @Override
  public DictionaryProvider dictionaries() {
    return part.dictionaries();
  }

  @Override
  public boolean next() {
    while (!part.next()) {
      checkComplete();
      if (number + 1 == parts.size()) {
        return false;
      }
      part.close();
      number++;
      rows = 0;
      part = open(parts.get(number));
      checkSchema();
    }
    rows += part.root().getRowCount();
    return true;
  }

  @Override
  public void close() {
    part.close();
  }

  BatchSource part() {
    return part;
  }

  private BatchSource open(ResultPart wanted) {
    return connections.read(
        wanted.getFlightAddress(), wanted.getTicket().toByteArray(), wanted.getBytes());
  }

  private void checkComplete() {
    long promised = parts.get(number).getRows();
    if (rows != promised) {
      throw ErrorCode.FETCH_FAILED.error(
          "a part of a result has the rows that its job counted: got "
              + rows
              + " of "
              + promised
              + " from "
              + parts.get(number).getFlightAddress()
              + "; run the query again");
    }
  }

  private void checkSchema() {
    if (!part.root().getSchema().equals(schema)) {
      throw ErrorCode.INTERNAL.error(
          "all parts of a result have one schema: got "
              + part.root().getSchema()
              + " after "
              + schema);
    }
  }
}
