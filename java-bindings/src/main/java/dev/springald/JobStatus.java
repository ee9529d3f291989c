package dev.springald;

import springald.scheduler.v1.Scheduler;

/**
 * Where a job stands; the last three are final.
 *
 * <pre>{@code
 * if (job.status() == JobStatus.QUEUED) {
 *   System.out.println(job.waitingReason());
 * }
 * }</pre>
 */
public enum JobStatus {
  /** Accepted, not planned yet. */
  QUEUED,
  /** Planned; tasks run or wait for slots. */
  RUNNING,
  /** The result is complete. */
  SUCCEEDED,
  /** It ended with an error. */
  FAILED,
  /** It was stopped on request. */
  CANCELLED;

  /** Whether the status never changes again. */
  public boolean isFinal() {
    return this == SUCCEEDED || this == FAILED || this == CANCELLED;
  }

  /** A status of a later version counts as queued. */
  static JobStatus fromProto(Scheduler.JobStatus status) {
    return switch (status) {
      case JOB_STATUS_RUNNING -> RUNNING;
      case JOB_STATUS_SUCCEEDED -> SUCCEEDED;
      case JOB_STATUS_FAILED -> FAILED;
      case JOB_STATUS_CANCELLED -> CANCELLED;
      default -> QUEUED;
    };
  }
}
