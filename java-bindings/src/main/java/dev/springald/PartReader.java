package dev.springald;

import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Schema;
import springald.scheduler.v1.Scheduler.ResultPart;

/**
 * The rows of a result that lie on executors, in the order of its parts. Those that are lost are
 * made again by the cluster, and taken up where they broke off (P5.9).
 */
final class PartReader implements BatchSource {
  private final FlightConnections connections;
  private final Restoring restoring;
  private final Schema schema;
  private List<ResultPart> parts;
  private int restores;

  /** Rows that were given out. */
  private long given;

  /** Rows that are there but were given out before. */
  private long skipped;

  private int number;

  /** Rows of the part that is open. */
  private long rows;

  /** The part that is open; none when nothing is left after rows were made again. */
  private BatchSource part;

  /** What is new of a batch that was given out in part. */
  private VectorSchemaRoot slice;

  /** In place of a part that is not there. */
  private VectorSchemaRoot nothing;

  PartReader(FlightConnections connections, List<ResultPart> parts, Restoring restoring) {
    if (parts.isEmpty()) {
      throw ErrorCode.INTERNAL.error("a result has at least one part: got none");
    }
    this.connections = connections;
    this.parts = parts;
    this.restoring = restoring;
    restoringWhatIsLost(this::begin);
    this.schema = part.root().getSchema();
  }

  @Override
  public VectorSchemaRoot root() {
    if (slice != null) {
      return slice;
    }
    return part != null ? part.root() : nothing();
  }

  @Override
  public DictionaryProvider dictionaries() {
    return part != null ? part.dictionaries() : new DictionaryProvider.MapDictionaryProvider();
  }

  @Override
  public boolean next() {
    dropSlice();
    return restoringWhatIsLost(() -> (part != null || begin()) && advance());
  }

  @Override
  public void close() {
    closePart();
    if (nothing != null) {
      nothing.close();
    }
  }

  BatchSource part() {
    return part;
  }

  /** Opens the part in which the first row is that was not given out; false if there is none. */
  private boolean begin() {
    skipped = given;
    for (number = 0; number < parts.size(); number++) {
      long known = parts.get(number).getRows();
      if (known == 0 || known > skipped) {
        open();
        return true;
      }
      skipped -= known;
    }
    return false;
  }

  private boolean advance() {
    while (true) {
      while (part.next()) {
        if (isNew(part.root())) {
          return true;
        }
      }
      checkComplete();
      if (number + 1 == parts.size()) {
        return false;
      }
      closePart();
      number++;
      open();
    }
  }

  /** Counts a batch; false if all of its rows were given out before. */
  private boolean isNew(VectorSchemaRoot batch) {
    int count = batch.getRowCount();
    int known = (int) Math.min(skipped, count);
    rows += count;
    skipped -= known;
    given += count - known;
    if (known > 0 && known < count) {
      slice = batch.slice(known, count - known);
    }
    return known < count || count == 0;
  }

  private boolean restoringWhatIsLost(BooleanSupplier step) {
    while (true) {
      try {
        return step.getAsBoolean();
      } catch (SpringaldException failed) {
        Optional<List<String>> lost = ResultParts.lost(failed, parts.get(number));
        if (lost.isEmpty() || restores == Limits.RESTORES_MAX) {
          throw failed;
        }
        restores++;
        closePart();
        List<ResultPart> again = restoring.parts(lost.get());
        ResultParts.checkRowsBefore(parts, again, given);
        parts = again;
      }
    }
  }

  private void open() {
    ResultPart wanted = parts.get(number);
    rows = 0;
    part =
        connections.read(
            wanted.getFlightAddress(), wanted.getTicket().toByteArray(), wanted.getBytes());
    checkSchema();
  }

  private void closePart() {
    dropSlice();
    if (part != null) {
      part.close();
      part = null;
    }
  }

  private void dropSlice() {
    if (slice != null) {
      slice.close();
      slice = null;
    }
  }

  private VectorSchemaRoot nothing() {
    if (nothing == null) {
      nothing = VectorSchemaRoot.create(schema, connections.allocator());
    }
    return nothing;
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
    // There is none before the first part is open.
    if (schema != null && !part.root().getSchema().equals(schema)) {
      throw ErrorCode.INTERNAL.error(
          "all parts of a result have one schema: got "
              + part.root().getSchema()
              + " after "
              + schema);
    }
  }
}
