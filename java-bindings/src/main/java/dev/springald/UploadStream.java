package dev.springald;

import java.nio.charset.StandardCharsets;
import org.apache.arrow.flight.AsyncPutListener;
import org.apache.arrow.flight.FlightClient.ClientStreamListener;
import org.apache.arrow.flight.FlightClient.PutListener;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import springald.scheduler.v1.Scheduler.PrepareUploadResponse;

/** One upload on its way: ended properly, or cut off if the rows end in an error. */
final class UploadStream implements AutoCloseable {
  /** What the last message says, because Flight ends an aborted call like a finished one. */
  private static final byte[] COMPLETE = "complete".getBytes(StandardCharsets.UTF_8);

  private final FlightConnections connections;
  private final String address;
  private final FlightDescriptor descriptor;
  private final Outcome outcome = new Outcome();
  private ClientStreamListener writer;
  private VectorSchemaRoot sent;
  private boolean isComplete;

  UploadStream(FlightConnections connections, PrepareUploadResponse prepared) {
    this.connections = connections;
    this.address = prepared.getFlightAddress();
    this.descriptor = FlightDescriptor.command(prepared.getTicket().toByteArray());
  }

  /** Sends a batch in blocks of about the size in which rows are sent. */
  void send(VectorSchemaRoot batch) {
    if (writer == null) {
      start(batch);
    }
    long bytes = batch.getFieldVectors().stream().mapToLong(FieldVector::getBufferSize).sum();
    long pieces = 1 + bytes / Limits.UPLOAD_BLOCK_BYTES_MAX;
    int rows = batch.getRowCount();
    int step = (int) (rows / pieces) + 1;
    if (rows <= step) {
      put(batch);
      return;
    }
    for (int start = 0; start < rows; start += step) {
      try (VectorSchemaRoot block = batch.slice(start, Math.min(step, rows - start))) {
        put(block);
      }
    }
  }

  /** Says that these were all rows, and waits until they are stored. */
  void complete() {
    ArrowBuf mark = connections.allocator().buffer(COMPLETE.length);
    mark.writeBytes(COMPLETE);
    sent.clear();
    sent.setRowCount(0);
    try {
      awaitReady();
      writer.putNext(mark);
      writer.completed();
      isComplete = true;
      writer.getResult();
    } catch (SpringaldException typed) {
      throw typed;
    } catch (RuntimeException failed) {
      throw ErrorCodec.fromFlight(failed, address);
    }
  }

  @Override
  public void close() {
    if (writer != null && !isComplete) {
      writer.error(new IllegalStateException("the rows broke off"));
    }
    if (sent != null) {
      sent.close();
    }
  }

  private void start(VectorSchemaRoot first) {
    // Buffers are lent and not copied, which takes an allocator of the same root.
    BufferAllocator lender =
        first.getFieldVectors().isEmpty()
            ? connections.allocator()
            : first.getVector(0).getAllocator();
    sent = VectorSchemaRoot.create(first.getSchema(), lender);
    try {
      writer = connections.client(address).startPut(descriptor, sent, outcome);
    } catch (RuntimeException failed) {
      throw ErrorCodec.fromFlight(failed, address);
    }
  }

  private void put(VectorSchemaRoot block) {
    try (ArrowRecordBatch rows = new VectorUnloader(block).getRecordBatch()) {
      awaitReady();
      new VectorLoader(sent).load(rows);
      writer.putNext();
    } catch (RuntimeException failed) {
      throw ErrorCodec.fromFlight(failed, address);
    }
  }

  /** Waits until the server has room, so that rows do not pile up here. */
  private void awaitReady() {
    long timeoutNs = connections.options().rowsTimeout().toNanos();
    try {
      if (!connections.ready().await(() -> outcome.isOver || writer.isReady(), timeoutNs)) {
        throw ErrorCode.DEADLINE_EXCEEDED.error(
            "an executor takes rows: got no room at "
                + address
                + " for "
                + connections.options().rowsTimeout().toMillis()
                + " ms");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw ErrorCode.CANCELLED.error("sending rows to " + address + " was interrupted");
    }
    if (outcome.isOver) {
      // Throws what ended the call before its rows did.
      outcome.getResult();
    }
  }

  /** How the call ended. */
  private static final class Outcome implements PutListener {
    private final AsyncPutListener told = new AsyncPutListener();
    private volatile boolean isOver;

    @Override
    public void onNext(PutResult ignored) {}

    @Override
    public void onError(Throwable failure) {
      told.onError(failure);
      isOver = true;
    }

    @Override
    public void onCompleted() {
      told.onCompleted();
      isOver = true;
    }

    @Override
    public void getResult() {
      told.getResult();
    }

    @Override
    public boolean isCancelled() {
      return told.isCancelled();
    }
  }
}
