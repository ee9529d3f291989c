package dev.springald;

import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.CallStatus;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;

/**
 * One part of a result on its way from an executor. A few messages are fetched ahead, and no more
 * before they are read.
 */
final class FlightRows implements BatchSource {
  private final FlightConnections connections;
  private final String address;
  private final FlightStream stream;
  private final VectorSchemaRoot root;
  private volatile boolean silent;

  FlightRows(FlightConnections connections, String address, byte[] ticket) {
    this.connections = connections;
    this.address = address;
    this.stream = connections.client(address).getStream(new Ticket(ticket));
    try {
      this.root = watched(stream::getRoot);
    } catch (RuntimeException failed) {
      close();
      throw failed;
    }
  }

  @Override
  public VectorSchemaRoot root() {
    return root;
  }

  @Override
  public DictionaryProvider dictionaries() {
    return stream.getDictionaryProvider();
  }

  @Override
  public boolean next() {
    return watched(stream::next);
  }

  @Override
  public void close() {
    try {
      stream.close();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (Exception ended) {
      // The call was given up: how it ended does not matter.
    }
  }

  /** Waits for the server, but not for ever: a call that is cancelled wakes its reader. */
  private <T> T watched(java.util.function.Supplier<T> wait) {
    long timeoutMs = connections.options().rowsTimeout().toMillis();
    ScheduledFuture<?> watchdog =
        connections.timer().schedule(() -> giveUp(timeoutMs), timeoutMs, TimeUnit.MILLISECONDS);
    try {
      return wait.get();
    } catch (RuntimeException failed) {
      throw typed(failed, timeoutMs);
    } finally {
      watchdog.cancel(false);
    }
  }

  private void giveUp(long timeoutMs) {
    silent = true;
    stream.cancel("no rows for " + timeoutMs + " ms", CallStatus.TIMED_OUT.toRuntimeException());
  }

  private SpringaldException typed(RuntimeException failed, long timeoutMs) {
    if (silent) {
      return ErrorCode.FETCH_FAILED.error(
          "rows of a result must keep coming: got none from "
              + address
              + " for "
              + timeoutMs
              + " ms; run the query again");
    }
    if (failed.getCause() instanceof InterruptedException) {
      Thread.currentThread().interrupt();
      return ErrorCode.CANCELLED.error("waiting for rows from " + address + " was interrupted");
    }
    return ErrorCodec.fromFlight(failed, address);
  }
}
