package dev.springald;

import com.google.protobuf.ByteString;
import java.io.PrintStream;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.DictionaryUtility;
import springald.scheduler.v1.Scheduler.RemoteRows;

/**
 * The rows of a query, read once from front to back, as Arrow batches or row by row.
 *
 * <p>Only a few batches are in memory at a time, however large the result is: a reader that is slow
 * slows the executors' sending down. A batch is good until the next one is asked for; its vectors
 * belong to the result, and are given back when that is closed. What arrives is checked: the rows
 * of each part against the number that the job counted, and its schema against the first part's.
 * Rows that are lost with their executor are made again by the cluster, and the result goes on
 * where it broke off; only if rows that were handed out would be others now, it fails.
 *
 * <p>A result is for one thread.
 *
 * <pre>{@code
 * try (Result result = session.sql("SELECT value FROM generate_series(1, 1000000)").fetch()) {
 *   long sum = 0;
 *   for (VectorSchemaRoot batch : result) {
 *     BigIntVector values = (BigIntVector) batch.getVector("value");
 *     for (int row = 0; row < batch.getRowCount(); row++) {
 *       sum += values.get(row);
 *     }
 *   }
 *   System.out.println(sum);
 * }
 * }</pre>
 */
public final class Result implements AutoCloseable, Iterable<VectorSchemaRoot> {
  private final Job job;
  private final BatchSource source;
  private final Schema schema;
  private SpringaldException failure;
  private boolean ended;
  private long batchesRead;
  private boolean closed;

  private Result(Job job, BatchSource source) {
    this.job = job;
    this.source = source;
    this.schema = described(source);
  }

  static Result ofInline(Job job, ByteString stream) {
    return new Result(job, new InlineRows(stream, job.session().allocator()));
  }

  static Result ofParts(Job job, RemoteRows rows) {
    Restoring restoring = new Restoring(job.session(), job.operationId());
    FlightConnections flight = job.session().transport().flight();
    return new Result(job, new PartReader(flight, rows.getPartsList(), restoring));
  }

  /** The columns. A dictionary column has the type of its values, and its encoding beside it. */
  public Schema schema() {
    return schema;
  }

  /** The job that made the rows. */
  public Job job() {
    return job;
  }

  /**
   * Brings the next batch.
   *
   * @return false if there is none
   * @throws SpringaldException if the rows cannot be fetched
   */
  public boolean next() {
    checkOpen();
    if (!ended) {
      ended = !fetched();
      batchesRead++;
    }
    return !ended;
  }

  /** The batch that {@link #next} brought; it may be another object than the one before. */
  public VectorSchemaRoot batch() {
    checkOpen();
    return source.root();
  }

  /** The dictionaries of the columns of {@link #batch} that have one: those hold the indices. */
  public DictionaryProvider dictionaries() {
    checkOpen();
    return source.dictionaries();
  }

  /** The batches that were not read yet, each good until the next. */
  @Override
  public Iterator<VectorSchemaRoot> iterator() {
    return new Iterator<>() {
      private boolean fetched;

      @Override
      public boolean hasNext() {
        if (!fetched) {
          fetched = Result.this.next();
        }
        return fetched;
      }

      @Override
      public VectorSchemaRoot next() {
        if (!hasNext()) {
          throw new NoSuchElementException("the result has no more batches");
        }
        fetched = false;
        return batch();
      }
    };
  }

  /** The rows that were not read yet, each good until the next. */
  public Iterable<Row> rows() {
    return () -> new RowIterator(this);
  }

  /**
   * The batches that were not read yet, as Arrow's own reader: for an upload, a writer, or another
   * library in this process ({@code Data.exportArrayStream}). Closing it closes the result.
   */
  public ArrowReader reader() {
    checkOpen();
    return new ResultReader(this);
  }

  /**
   * Why the rows could not be fetched to their end, or nothing: for whoever has them through an
   * interface that tells of a failure by a text only, as Arrow's C stream does.
   */
  public Optional<SpringaldException> failure() {
    return Optional.ofNullable(failure);
  }

  /** Prints the rows as lines of values between tabs, under a line of names. */
  public void printTo(PrintStream out) {
    List<String> names = schema.getFields().stream().map(field -> field.getName()).toList();
    out.println(String.join("\t", names));
    for (Row row : rows()) {
      out.println(String.join("\t", row.toList().stream().map(String::valueOf).toList()));
    }
  }

  /** Gives all buffers back, and the result on the cluster up; closing again does nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      source.close();
    } finally {
      job.close();
    }
  }

  /** Throws when the batch that is there now is there no more. */
  Runnable checkOfBatch() {
    long batch = batchesRead;
    return () -> {
      checkOpen();
      if (batchesRead != batch) {
        throw ErrorCode.INVALID_ARGUMENT.error(
            "a row is read until the next one is asked for: got one of batch "
                + batch
                + " after the next was asked for; keep its values with toList()");
      }
    };
  }

  BatchSource source() {
    return source;
  }

  private boolean fetched() {
    try {
      return source.next();
    } catch (SpringaldException error) {
      failure = error;
      throw error;
    }
  }

  /** Tells dictionary columns by the type of their values, as a query's schema does. */
  private static Schema described(BatchSource source) {
    Schema schema = source.root().getSchema();
    List<Field> fields =
        schema.getFields().stream()
            .map(
                field ->
                    DictionaryUtility.toMessageFormat(
                        field, source.dictionaries(), new HashSet<>()))
            .toList();
    return new Schema(fields, schema.getCustomMetadata());
  }

  private void checkOpen() {
    if (closed) {
      throw ErrorCode.JOB_NOT_FOUND.error(
          "a result is read while it is open: got one that was closed; execute the query again");
    }
  }
}
