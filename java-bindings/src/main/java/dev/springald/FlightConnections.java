package dev.springald;

import io.grpc.ManagedChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightGrpcUtils;
import org.apache.arrow.memory.BufferAllocator;

/** Connections to Flight servers, one an address, opened when first used. */
final class FlightConnections implements AutoCloseable {
  private final Channels channels;
  private final BufferAllocator allocator;
  private final ConnectOptions options;
  private final ReadySignal ready = new ReadySignal();

  /** Addresses whose files cannot be read from here. */
  private final Set<String> apart = ConcurrentHashMap.newKeySet();

  // Guarded by this.
  private final Map<String, Connection> connections = new HashMap<>();

  FlightConnections(Channels channels, BufferAllocator allocator, ConnectOptions options) {
    this.channels = channels;
    this.allocator = allocator;
    this.options = options;
  }

  BufferAllocator allocator() {
    return allocator;
  }

  ReadySignal ready() {
    return ready;
  }

  ConnectOptions options() {
    return options;
  }

  /**
   * Opens the rows that a ticket stands for: their files if they lie here, else the stream.
   *
   * @param bytesExpected how large they are; few bytes are just fetched
   */
  BatchSource read(String address, byte[] ticket, long bytesExpected) {
    boolean isWorthAsking =
        options.readInPlace()
            && bytesExpected >= Limits.IN_PLACE_BYTES_MIN
            && !apart.contains(address);
    if (isWorthAsking) {
      Optional<BatchSource> here = RowsInPlace.open(client(address), ticket, allocator);
      if (here.isPresent()) {
        return here.get();
      }
      apart.add(address);
    }
    return new FlightRows(this, address, ticket);
  }

  /** Returns a client; this does not connect yet. */
  synchronized FlightClient client(String address) {
    return connections.computeIfAbsent(address, this::open).client;
  }

  /** Returns the channel of that client, for calls that it makes too slowly. */
  synchronized ManagedChannel channel(String address) {
    return connections.computeIfAbsent(address, this::open).channel;
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
    ManagedChannel channel = channels.toExecutor(Address.ofServer(address), ready);
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
