package dev.springald;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceBlockingStub;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceStub;

/** The network of one session: calls to the scheduler, rows to and from executors. */
final class Transport implements AutoCloseable {
  private final ConnectOptions options;
  private final Endpoints endpoints;
  private final ScheduledThreadPoolExecutor timer;
  private final BufferAllocator allocator;
  private final FlightConnections flight;
  private volatile boolean closed;

  Transport(List<Address> addresses, SchedulerFinder finder, ConnectOptions options) {
    this.options = options;
    Channels channels = new Channels(options);
    this.endpoints = new Endpoints(addresses, finder, channels);
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
    this.flight = new FlightConnections(channels, allocator, options);
  }

  /** Where the scheduler is that is asked now. */
  Address address() {
    return endpoints.current().address();
  }

  Endpoints endpoints() {
    return endpoints;
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

  /** Makes a call, again and again for some time while no scheduler can be reached. */
  <Q, A> A call(BiFunction<SchedulerServiceBlockingStub, Q, A> method, Q request) {
    return call(method, request, options.callTimeout(), Limits.SCHEDULER_AWAY_MAX);
  }

  /**
   * Makes a call, again and again while no scheduler can be reached, and elsewhere if another one
   * leads.
   *
   * @param timeout how long each try may take
   * @param awayMax how long there are tries
   */
  <Q, A> A call(
      BiFunction<SchedulerServiceBlockingStub, Q, A> method,
      Q request,
      Duration timeout,
      Duration awayMax) {
    Backoff backoff = new Backoff(awayMax);
    long beganNs = System.nanoTime();
    boolean redirected = false;
    while (true) {
      Endpoint endpoint = endpoints.current();
      try {
        return once(endpoint, method, request, timeout);
      } catch (ClusterException away) {
        if (closed || !endpoints.leave(endpoint, away)) {
          throw away;
        }
        // The leader is asked at once, but two that each name the other are not asked for ever.
        redirected = !redirected && !away.details().leaderAddress().isEmpty();
        if (redirected) {
          continue;
        }
        OptionalLong pauseMs = backoff.nextMs();
        // A try that found nobody may have taken all the time that there is.
        if (pauseMs.isEmpty() || System.nanoTime() - beganNs >= awayMax.toNanos()) {
          throw away;
        }
        pause(pauseMs.getAsLong());
      }
    }
  }

  /** Makes a call that nobody waits for; where another scheduler leads, that one is asked. */
  <Q, A> void send(Sending<Q, A> method, Q request) {
    send(method, request, true);
  }

  private <Q, A> void send(Sending<Q, A> method, Q request, boolean mayTurn) {
    Endpoint endpoint = endpoints.current();
    long timeoutMs = Limits.CLOSE_MAX.toMillis();
    method.call(
        endpoint.streams().withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS),
        request,
        new Ignored<A>() {
          @Override
          public void onError(Throwable failed) {
            SpringaldException error = ErrorCodec.fromRpc(failed, endpoint.peer(), "");
            boolean turned = !closed && endpoints.leave(endpoint, error);
            if (turned && mayTurn && endpoints.current() != endpoint) {
              send(method, request, false);
            }
          }
        });
  }

  private <Q, A> A once(
      Endpoint endpoint,
      BiFunction<SchedulerServiceBlockingStub, Q, A> method,
      Q request,
      Duration timeout) {
    if (closed) {
      throw ErrorCode.SCHEDULER_UNAVAILABLE.error(
          "a session must be open: got a call after the one at "
              + endpoint.address()
              + " was closed");
    }
    try {
      return method.apply(
          endpoint.calls().withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS), request);
    } catch (StatusRuntimeException failure) {
      if (failure.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED
          && endpoint.channel().getState(false) != ConnectivityState.READY) {
        throw ErrorCode.SCHEDULER_UNAVAILABLE.error(
            endpoint.peer()
                + " must be reachable: got no connection within "
                + timeout.toMillis()
                + " ms; check that it runs, and at this address");
      }
      String call = request.getClass().getSimpleName().replaceFirst("Request$", "");
      throw ErrorCodec.fromRpc(
          failure, endpoint.peer(), call + " within " + timeout.toMillis() + " ms");
    }
  }

  /** Waits before another try. */
  static void pause(long milliseconds) {
    try {
      TimeUnit.MILLISECONDS.sleep(milliseconds);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw ErrorCode.CANCELLED.error("a call to the scheduler was interrupted");
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
      endpoints.close();
      closeAllocator();
    }
  }

  private void closeAllocator() {
    long held = allocator.getAllocatedMemory();
    if (held > 0) {
      // It stays open, so that whoever holds the rows can still give them back.
      throw new IllegalStateException(
          "results are closed before their session: got results that hold "
              + held
              + " bytes; make each in try (Result ...) inside of the session's\n"
              + allocator.toVerboseString());
    }
    allocator.close();
  }

  static void awaitEnd(ManagedChannel channel) {
    try {
      channel.awaitTermination(Limits.CLOSE_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** A method of the stub for calls that stream, or that nobody waits for. */
  interface Sending<Q, A> {
    /** Makes the call. */
    void call(SchedulerServiceStub stub, Q request, StreamObserver<A> answer);
  }
}
