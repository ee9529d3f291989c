package dev.springald;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import springald.scheduler.v1.SchedulerServiceGrpc;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceBlockingStub;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceStub;

/** The network of one session: calls to the scheduler, rows to and from executors. */
final class Transport implements AutoCloseable {
  private final Address address;
  private final String peer;
  private final ConnectOptions options;
  private final ManagedChannel channel;
  private final SchedulerServiceBlockingStub stub;
  private final ScheduledThreadPoolExecutor timer;
  private final BufferAllocator allocator;
  private final FlightConnections flight;
  private volatile boolean closed;

  Transport(Address address, ConnectOptions options) {
    this.address = address;
    this.peer = "the scheduler at " + address;
    this.options = options;
    Channels channels = new Channels(options);
    this.channel = channels.toScheduler(address);
    this.stub = SchedulerServiceGrpc.newBlockingStub(channel);
    this.timer =
        new ScheduledThreadPoolExecutor(
            1,
            chore -> {
              Thread thread = new Thread(chore, "springald-session");
              thread.setDaemon(true);
              return thread;
            });
    timer.setRemoveOnCancelPolicy(true);
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    this.allocator = new RootAllocator(options.memoryBytesMax());
    this.flight = new FlightConnections(channels, allocator, timer, options);
  }

  Address address() {
    return address;
  }

  String peer() {
    return peer;
  }

  ConnectOptions options() {
    return options;
  }

  /** Whose buffers all rows of the session are in. */
  BufferAllocator allocator() {
    return allocator;
  }

  FlightConnections flight() {
    return flight;
  }

  /** For what is done later, and for deadlines. */
  ScheduledExecutorService timer() {
    return timer;
  }

  /** The stub for calls that stream. */
  SchedulerServiceStub streams() {
    return SchedulerServiceGrpc.newStub(channel);
  }

  /** Makes a call, again and again for a moment while the scheduler cannot be reached. */
  <Q, A> A call(BiFunction<SchedulerServiceBlockingStub, Q, A> method, Q request) {
    for (int tried = 0; ; tried++) {
      try {
        return once(method, request, options.callTimeout());
      } catch (ClusterException.SchedulerUnavailable unavailable) {
        if (closed || tried + 1 >= Limits.CALL_TRIES_MAX) {
          throw unavailable;
        }
        pause(Limits.backoffMs(tried));
      }
    }
  }

  /** Makes a call once. */
  <Q, A> A once(
      BiFunction<SchedulerServiceBlockingStub, Q, A> method, Q request, Duration timeout) {
    if (closed) {
      throw ErrorCode.SCHEDULER_UNAVAILABLE.error(
          "a session must be open: got a call after the one at " + address + " was closed");
    }
    try {
      return method.apply(stub.withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS), request);
    } catch (StatusRuntimeException failure) {
      String call = request.getClass().getSimpleName().replaceFirst("Request$", "");
      throw ErrorCodec.fromRpc(failure, peer, call + " within " + timeout.toMillis() + " ms");
    }
  }

  /**
   * Closes all connections.
   *
   * @throws IllegalStateException if rows that were handed out are still held
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    timer.shutdownNow();
    try {
      flight.close();
    } finally {
      channel.shutdownNow();
      awaitEnd(channel);
      allocator.close();
    }
  }

  static void awaitEnd(ManagedChannel channel) {
    try {
      channel.awaitTermination(Limits.CLOSE_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void pause(long milliseconds) {
    try {
      TimeUnit.MILLISECONDS.sleep(milliseconds);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw ErrorCode.CANCELLED.error("a call to " + peer + " was interrupted");
    }
  }
}
