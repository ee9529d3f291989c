package dev.springald;

import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import springald.plan.v1.PlanOuterClass.Plan;
import springald.scheduler.v1.Scheduler.AttachJobRequest;
import springald.scheduler.v1.Scheduler.AttachJobResponse;
import springald.scheduler.v1.Scheduler.ExecuteRequest;
import springald.scheduler.v1.Scheduler.ExecuteResponse;
import springald.scheduler.v1.Scheduler.JobUpdate;

/** Follows a job over broken streams to its end, and keeps its latest news. */
final class JobWatch {
  private static final System.Logger LOGGER = System.getLogger(JobWatch.class.getName());

  private final Transport transport;
  private final String sessionId;
  private final String operationId;
  private final Plan plan;

  // Guarded by this.
  private final List<Consumer<JobUpdate>> listeners = new ArrayList<>();
  private JobUpdate update = JobUpdate.getDefaultInstance();
  private SpringaldException failure;
  private boolean heard;
  private boolean stopped;
  private SpringaldException broken;
  private SpringaldException lastBroken;
  private final Backoff backoff = new Backoff(Limits.SCHEDULER_AWAY_MAX);
  private ClientCallStreamObserver<?> stream;

  JobWatch(Transport transport, String sessionId, String operationId, Plan plan) {
    this.transport = transport;
    this.sessionId = sessionId;
    this.operationId = operationId;
    this.plan = plan;
  }

  synchronized JobUpdate update() {
    return update;
  }

  synchronized SpringaldException failure() {
    return failure;
  }

  /** Why the last stream broke, as long as no other one has told anything; else null. */
  synchronized SpringaldException broken() {
    return lastBroken;
  }

  synchronized JobStatus status() {
    if (failure != null) {
      return failure instanceof CallerException.Cancelled ? JobStatus.CANCELLED : JobStatus.FAILED;
    }
    return JobStatus.fromProto(update.getStatus());
  }

  /** Opens a stream: executing again under the same name is safe until the job is known. */
  void open() {
    boolean known;
    synchronized (this) {
      if (stopped) {
        return;
      }
      known = heard;
    }
    Endpoint endpoint = transport.endpoints().current();
    if (known) {
      AttachJobRequest attach =
          AttachJobRequest.newBuilder().setSessionId(sessionId).setOperationId(operationId).build();
      endpoint
          .streams()
          .attachJob(
              attach,
              new Stream<AttachJobRequest, AttachJobResponse>(
                  endpoint, AttachJobResponse::getUpdate));
    } else {
      ExecuteRequest execute =
          ExecuteRequest.newBuilder()
              .setSessionId(sessionId)
              .setOperationId(operationId)
              .setPlan(plan)
              .build();
      endpoint
          .streams()
          .execute(
              execute,
              new Stream<ExecuteRequest, ExecuteResponse>(endpoint, ExecuteResponse::getUpdate));
    }
  }

  /** Waits for the first news, or for the failure to get any; false if the time was over. */
  boolean awaitFirst(Duration timeout) throws InterruptedException {
    return await(timeout, () -> heard || isOver());
  }

  /** Waits for the end; false if the time was over before. */
  boolean awaitOver(Duration timeout) throws InterruptedException {
    return await(timeout, this::isOver);
  }

  /** Has a listener told the latest news now, and all later ones. */
  void listen(Consumer<JobUpdate> listener) {
    JobUpdate latest;
    synchronized (this) {
      listeners.add(listener);
      latest = heard ? update : null;
    }
    if (latest != null) {
      tell(listener, latest);
    }
  }

  /** Stops following; the job runs on. */
  void stop() {
    ClientCallStreamObserver<?> ended;
    synchronized (this) {
      stopped = true;
      if (!isOver()) {
        failure = ErrorCode.CANCELLED.error("following " + operationId + " was given up");
      }
      ended = stream;
      stream = null;
      notifyAll();
    }
    if (ended != null) {
      ended.cancel("not wanted any more", null);
    }
  }

  private boolean isOver() {
    return failure != null || JobStatus.fromProto(update.getStatus()).isFinal();
  }

  private synchronized boolean await(Duration timeout, java.util.function.BooleanSupplier reached)
      throws InterruptedException {
    long deadline = timeout == null ? Long.MAX_VALUE : System.nanoTime() + timeout.toNanos();
    while (!reached.getAsBoolean()) {
      if (timeout == null) {
        wait();
        continue;
      }
      long leftNs = deadline - System.nanoTime();
      if (leftNs <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, leftNs);
    }
    return true;
  }

  private void accept(JobUpdate news) {
    List<Consumer<JobUpdate>> told;
    synchronized (this) {
      update = news;
      heard = true;
      lastBroken = null;
      backoff.reset();
      if (JobStatus.fromProto(news.getStatus()).isFinal() && news.hasError()) {
        failure = ErrorCodec.fromProto(news.getError());
      }
      told = List.copyOf(listeners);
      notifyAll();
    }
    told.forEach(listener -> tell(listener, news));
  }

  private synchronized void fail(SpringaldException error) {
    failure = error;
    notifyAll();
  }

  /** Decides what a stream's end before the job's end means. */
  private void ended(SpringaldException error) {
    OptionalLong pauseMs;
    synchronized (this) {
      if (isOver() || stopped) {
        return;
      }
      boolean forgotten =
          error instanceof CallerException.SessionNotFound
              || error instanceof CallerException.JobNotFound;
      if (!(error instanceof ClusterException.SchedulerUnavailable)
          && !(error instanceof ClusterException.NotLeader)) {
        fail(forgotten && broken != null ? forgotten(error) : error);
        return;
      }
      broken = error;
      lastBroken = error;
      pauseMs = backoff.nextMs();
      if (pauseMs.isEmpty()) {
        fail(error);
        return;
      }
    }
    try {
      transport.timer().schedule(this::open, pauseMs.getAsLong(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      fail(error);
    }
  }

  private SpringaldException forgotten(SpringaldException error) {
    return ErrorCode.SCHEDULER_RESTARTED.error(
        "a scheduler remembers its jobs: got "
            + error.code()
            + " for "
            + operationId
            + " after the stream from "
            + transport.address()
            + " broke, so it restarted without its memory; connect again and repeat the statement");
  }

  private void tell(Consumer<JobUpdate> listener, JobUpdate news) {
    try {
      listener.accept(news);
    } catch (RuntimeException broken) {
      // The listener is the user's; the job must not suffer from it.
      LOGGER.log(System.Logger.Level.WARNING, "a listener of " + operationId + " failed", broken);
    }
  }

  /** One stream of news. */
  private final class Stream<Q, A> implements ClientResponseObserver<Q, A> {
    private final Endpoint endpoint;
    private final Function<A, JobUpdate> news;

    Stream(Endpoint endpoint, Function<A, JobUpdate> news) {
      this.endpoint = endpoint;
      this.news = news;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<Q> requests) {
      synchronized (JobWatch.this) {
        stream = requests;
      }
    }

    @Override
    public void onNext(A response) {
      accept(news.apply(response));
    }

    @Override
    public void onError(Throwable failed) {
      SpringaldException error = ErrorCodec.fromRpc(failed, endpoint.peer(), "");
      transport.endpoints().leave(endpoint, error);
      ended(error);
    }

    @Override
    public void onCompleted() {
      ended(
          ErrorCode.SCHEDULER_UNAVAILABLE.error(
              "a job's stream must end with its last status: got the end of the stream of "
                  + operationId
                  + " before it"));
    }
  }
}
