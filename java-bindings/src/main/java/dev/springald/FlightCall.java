package dev.springald;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Detachable;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;

/** One {@code DoGet}: its messages as they came, a few of them before they are asked for. */
final class FlightCall extends ClientCall.Listener<InputStream> {
  private static final MethodDescriptor<Flight.Ticket, InputStream> DO_GET =
      FlightServiceGrpc.getDoGetMethod().toBuilder(
              FlightServiceGrpc.getDoGetMethod().getRequestMarshaller(), new Untouched())
          .build();

  private final ClientCall<Flight.Ticket, InputStream> call;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private volatile boolean closed;

  FlightCall(Channel channel, Flight.Ticket ticket) {
    this.call = channel.newCall(DO_GET, CallOptions.DEFAULT);
    call.start(this, new Metadata());
    call.request(Limits.FLIGHT_MESSAGES_AHEAD);
    call.sendMessage(ticket);
    call.halfClose();
  }

  /** Waits for what comes next; nothing if the time is over. */
  Event next(long timeoutMs) throws InterruptedException {
    Event event = events.poll(timeoutMs, TimeUnit.MILLISECONDS);
    if (event != null && event.message() != null) {
      call.request(1);
    }
    return event;
  }

  /** Ends the call; what came and was not read is dropped. */
  void close(String reason) {
    closed = true;
    call.cancel(reason, null);
    drop();
  }

  @Override
  public void onMessage(InputStream message) {
    events.add(new Event(message, null, null));
    if (closed) {
      drop();
    }
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    events.add(new Event(null, status, trailers));
  }

  private void drop() {
    for (Event event = events.poll(); event != null; event = events.poll()) {
      event.close();
    }
  }

  /** A message, or the end with its reason. */
  record Event(InputStream message, Status status, Metadata trailers) implements AutoCloseable {
    @Override
    public void close() {
      try {
        if (message != null) {
          message.close();
        }
      } catch (IOException broken) {
        throw new UncheckedIOException(broken);
      }
    }
  }

  /** Leaves a message in the network's buffers, for whoever reads it in another thread. */
  private static final class Untouched implements MethodDescriptor.Marshaller<InputStream> {
    @Override
    public InputStream stream(InputStream message) {
      return message;
    }

    @Override
    public InputStream parse(InputStream message) {
      if (message instanceof Detachable detachable) {
        return detachable.detach();
      }
      try {
        return new ByteArrayInputStream(message.readAllBytes());
      } catch (IOException broken) {
        throw new UncheckedIOException(broken);
      }
    }
  }
}
