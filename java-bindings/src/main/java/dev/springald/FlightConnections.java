package dev.springald;

import io.grpc.ManagedChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightGrpcUtils;
import org.apache.arrow.memory.BufferAllocator;

/** Connections to Flight servers, one an address, opened when first used. */
final class FlightConnections implements AutoCloseable {
  private final Channels channels;
  private final BufferAllocator allocator;
  private final ScheduledExecutorService timer;
  private final ConnectOptions options;

  // Guarded by this.
  private final Map<String, Connection> connections = new HashMap<>();

  FlightConnections(
      Channels channels,
      BufferAllocator allocator,
      ScheduledExecutorService timer,
      ConnectOptions options) {
    this.channels = channels;
    this.allocator = allocator;
    this.timer = timer;
    this.options = options;
  }

  BufferAllocator allocator() {
    return allocator;
  }

  ScheduledExecutorService timer() {
    return timer;
  }

  ConnectOptions options() {
    return options;
  }

  /** Returns a client; this does not connect yet. */
  synchronized FlightClient client(String address) {
    return connections.computeIfAbsent(address, this::open).client;
  }

  @Override
  public synchronized void close() {
    RuntimeException held = null;
    for (Connection connection : connections.values()) {
      try {
        connection.close();
      } catch (RuntimeException leaked) {
        held = leaked;
      }
    }
    connections.clear();
    if (held != null) {
      throw held;
    }
  }

  private Connection open(String address) {
    ManagedChannel channel = channels.toExecutor(Address.ofServer(address));
    return new Connection(
        channel, FlightGrpcUtils.createFlightClientWithSharedChannel(allocator, channel));
  }

  private record Connection(ManagedChannel channel, FlightClient client) implements AutoCloseable {
    @Override
    public void close() {
      channel.shutdownNow();
      Transport.awaitEnd(channel);
      try {
        client.close();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
