package dev.springald;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import springald.scheduler.v1.Scheduler.JobSummary;

/**
 * A job in a list.
 *
 * <pre>{@code
 * for (JobInfo job : session.jobs()) {
 *   System.out.println(job.id() + " " + job.status() + " " + job.statement());
 * }
 * }</pre>
 *
 * @param id the scheduler's name for it, for example {@code j7}
 * @param operationId the client's name for it
 * @param sessionId the session it belongs to
 * @param status where it stands
 * @param progress its tasks
 * @param statement the statement, cut to 1,000 characters
 * @param submitted when it was accepted
 * @param elapsed how long it has run, or ran
 * @param error why it failed or was cancelled
 * @param waitingReason why it waits; empty if it does not
 */
public record JobInfo(
    String id,
    String operationId,
    String sessionId,
    JobStatus status,
    Progress progress,
    String statement,
    Instant submitted,
    Duration elapsed,
    Optional<SpringaldException> error,
    String waitingReason) {
  static JobInfo fromProto(JobSummary message) {
    return new JobInfo(
        message.getJobId(),
        message.getOperationId(),
        message.getSessionId(),
        JobStatus.fromProto(message.getStatus()),
        Progress.fromProto(message.getProgress()),
        message.getStatement(),
        Instant.ofEpochMilli(message.getSubmittedMs()),
        Duration.ofMillis(message.getElapsedMs()),
        message.hasError()
            ? Optional.of(ErrorCodec.fromProto(message.getError()))
            : Optional.empty(),
        message.getWaitingReason());
  }
}
