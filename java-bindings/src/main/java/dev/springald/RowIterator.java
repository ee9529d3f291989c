package dev.springald;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.arrow.vector.VectorSchemaRoot;

/** The rows of a result, batch by batch. */
final class RowIterator implements Iterator<Row> {
  private final Result result;
  private VectorSchemaRoot batch;
  private Row row;
  private int next;

  RowIterator(Result result) {
    this.result = result;
  }

  @Override
  public boolean hasNext() {
    while (batch == null || next >= batch.getRowCount()) {
      if (!result.next()) {
        return false;
      }
      batch = result.batch();
      row = new Row(batch, result.dictionaries(), result.checkOfBatch());
      next = 0;
    }
    return true;
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the result has no more rows");
    }
    row.moveTo(next++);
    return row;
  }
}
