package dev.springald;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import springald.plan.v1.PlanOuterClass.Plan;
import springald.scheduler.v1.Scheduler.CancelJobRequest;
import springald.scheduler.v1.Scheduler.DescribeJobRequest;
import springald.scheduler.v1.Scheduler.JobResult;
import springald.scheduler.v1.Scheduler.ReleaseJobRequest;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceBlockingStub;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceStub;

/**
 * One execution of a statement, followed in the background.
 *
 * <p>Closing it gives its result up, and stops it if it has not ended. A thread that is interrupted
 * while it waits for the job cancels it.
 *
 * <pre>{@code
 * try (Job job = session.sql("SELECT sum(paid) AS paid FROM orders").execute()) {
 *   job.onProgress(progress -> System.out.println(progress.tasksFinished()));
 *   try (Result result = job.result()) {
 *     result.printTo(System.out);
 *   }
 *   System.out.println(job.statistics().bytesShuffled());
 * }
 * }</pre>
 */
public final class Job implements AutoCloseable {
  private final Session session;
  private final String statement;
  private final String operationId;
  private final JobWatch watch;
  private final AtomicBoolean released = new AtomicBoolean();

  Job(Session session, Plan plan, String statement) {
    this.session = session;
    this.statement = statement;
    this.operationId = "op-" + UUID.randomUUID().toString().replace("-", "");
    this.watch = new JobWatch(session.transport(), session.id(), operationId, plan);
    watch.open();
    awaitAccepted();
  }

  /** The scheduler's name for the job, for example {@code j7}. */
  public String id() {
    return watch.update().getJobId();
  }

  /** This client's name for the job. */
  public String operationId() {
    return operationId;
  }

  /** Where the job stands. */
  public JobStatus status() {
    return watch.status();
  }

  /** How many of its tasks and stages are done. */
  public Progress progress() {
    return Progress.fromProto(watch.update().getProgress());
  }

  /** Why the job waits, for example that there is no executor; empty if it does not. */
  public String waitingReason() {
    return watch.update().getWaitingReason();
  }

  /** Why the job failed or was cancelled, if it did. */
  public Optional<SpringaldException> error() {
    return Optional.ofNullable(watch.failure())
        .map(failure -> SqlPointer.withCaret(failure, statement));
  }

  /**
   * Has a listener told the progress now and whenever there is news.
   *
   * @param listener called by a thread of the connection, so it should be quick; what it throws is
   *     logged and changes nothing
   */
  public void onProgress(Consumer<Progress> listener) {
    watch.listen(update -> listener.accept(Progress.fromProto(update.getProgress())));
  }

  /** Waits for the end, good or bad, and returns the status then. */
  public JobStatus await() {
    awaitOver(null);
    return status();
  }

  /** Waits for the end; returns false if the time was over before. */
  public boolean await(Duration timeout) {
    return awaitOver(Checks.timeout(timeout));
  }

  /**
   * Waits for the job and returns its rows, which are fetched bit by bit while they are read.
   *
   * <p>Rows on executors are read once: closing the result releases the job.
   *
   * @throws SpringaldException if the job failed or was cancelled, or its rows are gone
   */
  public Result result() {
    JobResult result = awaitSuccess();
    if (!result.hasRemote()) {
      return Result.ofInline(this, result.getInline().getArrowStream());
    }
    if (released.get()) {
      throw ErrorCode.JOB_NOT_FOUND.error(
          "a result is read once: got a second reading of " + id() + "; execute the query again");
    }
    return Result.ofParts(this, result.getRemote());
  }

  /** Asks the scheduler what the job did: tasks, rows, bytes and time, by stage and task. */
  public JobStatistics statistics() {
    DescribeJobRequest request =
        DescribeJobRequest.newBuilder()
            .setSessionId(session.id())
            .setOperationId(operationId)
            .build();
    return JobStatistics.fromProto(
        session.call(SchedulerServiceBlockingStub::describeJob, request));
  }

  /** Stops the job; one that has ended is left as it is. */
  public void cancel() {
    cancel("");
  }

  /**
   * Stops the job; one that has ended is left as it is.
   *
   * @param reason why, for whoever else follows the job
   */
  public void cancel(String reason) {
    session.call(
        SchedulerServiceBlockingStub::cancelJob,
        CancelJobRequest.newBuilder()
            .setSessionId(session.id())
            .setOperationId(operationId)
            .setReason(Checks.text(reason, "a reason"))
            .build());
  }

  /**
   * Gives the result up; a job that runs is stopped. Nothing is waited for, and closing again does
   * nothing.
   */
  @Override
  public void close() {
    if (released.getAndSet(true) || !session.isOpen()) {
      return;
    }
    watch.stop();
    session
        .transport()
        .send(
            SchedulerServiceStub::releaseJob,
            ReleaseJobRequest.newBuilder()
                .setSessionId(session.id())
                .setOperationId(operationId)
                .build());
  }

  @Override
  public String toString() {
    Progress done = progress();
    return String.format(
        "Job(%s, %s, %d/%d tasks)",
        id().isEmpty() ? operationId : id(), status(), done.tasksFinished(), done.tasksTotal());
  }

  Session session() {
    return session;
  }

  /** Waits for the end, and throws if it is a bad one. */
  JobResult awaitSuccess() {
    JobStatus status = await();
    error().ifPresent(Job::rethrow);
    if (status != JobStatus.SUCCEEDED) {
      throw ErrorCode.INTERNAL.error("a failed job says why: got " + status + " without an error");
    }
    return watch.update().getResult();
  }

  /** Waits until the scheduler has made a job of the statement, or has refused it. */
  private void awaitAccepted() {
    Duration timeout = session.transport().options().callTimeout();
    try {
      if (!watch.awaitFirst(timeout)) {
        SpringaldException broken = watch.broken();
        close();
        if (broken != null) {
          throw broken; // Nobody is there; nobody is slow.
        }
        throw ErrorCode.DEADLINE_EXCEEDED.error(
            "a scheduler must accept a statement within "
                + timeout.toMillis()
                + " ms: got no news from "
                + session.transport().address()
                + "; its process may be stopped or overloaded: look at it and at its log, then try"
                + " again");
      }
    } catch (InterruptedException interrupted) {
      throw interrupted();
    }
    if (id().isEmpty()) {
      error().ifPresent(Job::rethrow);
    }
  }

  private boolean awaitOver(Duration timeout) {
    try {
      return watch.awaitOver(timeout);
    } catch (InterruptedException interrupted) {
      throw interrupted();
    }
  }

  /** Nobody waits any more, so nobody needs the answer. */
  private SpringaldException interrupted() {
    Thread.currentThread().interrupt();
    close();
    return ErrorCode.CANCELLED.error("waiting for " + operationId + " was interrupted");
  }

  /** An error belongs to the job and may be thrown by several threads: each gets its own trace. */
  private static void rethrow(SpringaldException error) {
    ErrorDetails details = error.details();
    SpringaldException own = error.errorCode().map(code -> code.error(details)).orElse(error);
    throw own;
  }
}
